import assert from 'node:assert/strict';
import type { Event, Node, Pod, Taint } from '#api/generated/core-v1.ts';
import { createClient } from '#client/api-client.ts';
import { createInformer } from '#client/create-informer.ts';
import { eventResource, leaseResource, nodeResource, podResource } from '#client/resources.ts';
import { usualNodeLifecycle } from '#controllers/node-lifecycle/settings.ts';
import { Scope } from '#lib/scope.ts';
import { byNode, runNodeControllers } from '#main/node-controllers.ts';
import { NODE, SmallCluster } from '#test/integration/support/small-cluster.ts';

const signal = new AbortController().signal;

/** A small cluster with the controllers that look after nodes, and a second node that is always well: an object with a lease. */
export class NodeLifeWorld implements AsyncDisposable {
  readonly cluster: SmallCluster;
  readonly failures: string[] = [];
  #controllers = new Scope();
  #witness: Scope | undefined;

  constructor(cluster: SmallCluster) {
    this.cluster = cluster;
  }

  static async start({ witness = true } = {}): Promise<NodeLifeWorld> {
    const world = new NodeLifeWorld(await SmallCluster.start());
    if (witness) await world.#startWitness();
    world.startControllers();
    await world.cluster.settled();
    return world;
  }

  startControllers(): void {
    const { clock, server } = this.cluster;
    const client = createClient(server.transport({ name: 'system:kube-controller-manager', groups: [] }));
    const pods = createInformer<Pod, 'byNode'>({ client, clock, resource: podResource, indexes: { byNode } });
    const log = (line: string, error: unknown): void => void this.failures.push(`${line}: ${String(error)}`);
    this.#controllers = new Scope();
    this.#controllers.spawn('pods', (stop) => pods.run(stop));
    runNodeControllers({ client, clock, log, pods, settings: usualNodeLifecycle }, this.#controllers);
  }

  async stopControllers(): Promise<void> {
    this.#controllers.stop();
    await this.#controllers.join();
  }

  /** A node that is an object only, and says that it is ready. It is heard of when `beat` is called. */
  async addNode(name: string, labels: object, taints: readonly Taint[] = []): Promise<void> {
    const conditions = [{ type: 'Ready', status: 'True', lastHeartbeatTime: '2026-01-01T00:00:00Z' } as const];
    const { client } = this.cluster;
    await client.create<Node>(
      nodeResource,
      {
        apiVersion: 'v1',
        kind: 'Node',
        metadata: { name, labels: { ...labels } },
        spec: { taints },
        status: { conditions },
      },
      signal,
    );
    const metadata = { name, namespace: 'kube-node-lease' };
    await client.create(leaseResource, { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata }, signal);
    await this.cluster.settled();
  }

  /** Renews its lease; of one that was taken for lost the status, too. */
  async beat(name: string): Promise<void> {
    const { client, clock } = this.cluster;
    const time = new Date(clock.now()).toISOString();
    const ref = { name, namespace: 'kube-node-lease' };
    const body = { spec: { renewTime: `${time.slice(0, -1)}000Z` } };
    await client.patch(leaseResource, ref, { kind: 'merge', body }, signal);
    const ready = (await this.node(name)).status?.conditions?.find(({ type }) => type === 'Ready')?.status;
    if (ready === 'True') return;
    const conditions = [{ type: 'Ready', status: 'True', lastHeartbeatTime: time }];
    await client.patch(
      nodeResource,
      { name, subresource: 'status' },
      { kind: 'strategic', body: { status: { conditions } } },
      signal,
    );
  }

  async #startWitness(): Promise<void> {
    await this.addNode('witness', {});
    const { clock } = this.cluster;
    this.#witness = new Scope();
    this.#witness.spawn('lease of the witness', async (stop) => {
      for (; ; await clock.sleep(10_000, stop)) await this.beat('witness');
    });
  }

  async stopWitness(): Promise<void> {
    this.#witness?.stop();
    await this.#witness?.join();
  }

  async advance(seconds: number): Promise<void> {
    await this.cluster.advance(seconds * 1000);
  }

  async node(name = NODE): Promise<Node> {
    const node = await this.cluster.client.get(nodeResource, { name }, signal);
    assert.ok(node, `there is no node ${name}`);
    return node;
  }

  /** `READY taint:effect …`, without the prefix of the keys. */
  async state(name = NODE): Promise<string> {
    const { spec, status } = await this.node(name);
    const ready = status?.conditions?.find(({ type }) => type === 'Ready')?.status ?? '-';
    const taints = (spec?.taints ?? []).map(({ key, effect }) => `${key.replace('node.kubernetes.io/', '')}:${effect}`);
    return [ready, ...taints].join(' ');
  }

  async taint(taints: readonly Taint[]): Promise<void> {
    const { client } = this.cluster;
    await client.patch(nodeResource, { name: NODE }, { kind: 'merge', body: { spec: { taints } } }, signal);
    await this.cluster.settled();
  }

  /** Of nodes and pods, by name; reasons and messages. */
  async events(name: string, from: string): Promise<readonly string[]> {
    const { items } = await this.cluster.client.list<Event>(eventResource, { namespace: 'default' }, signal);
    return items
      .filter(({ involvedObject, source }) => involvedObject.name === name && source?.component === from)
      .map(({ type, reason, message }) => `${type} ${reason} ${message}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stopControllers();
    await this.stopWitness();
    await this.cluster[Symbol.asyncDispose]();
  }
}
