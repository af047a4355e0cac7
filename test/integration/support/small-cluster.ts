import type { Pod, ServiceAccount } from '#api/generated/core-v1.ts';
import type { New } from '#api/resource.ts';
import type { Transport } from '#api/transport.ts';
import { createClient } from '#client/api-client.ts';
import type { Client } from '#client/client.ts';
import { podResource, serviceAccountResource } from '#client/resources.ts';
import { type SimulatedOptions, type SimulatedRuntime, simulatedRuntime } from '#cri/simulated/simulated-runtime.ts';
import { type SimulatedHost, simulatedHost } from '#host/simulated-host.ts';
import type { Kubelet } from '#kubelet/kubelet.ts';
import { SimulatedPodFiles } from '#kubelet/simulated-pod-files.ts';
import { orAborted } from '#lib/or-aborted.ts';
import { FakeClock, settle } from '#lib/fake-clock.ts';
import { Scope } from '#lib/scope.ts';
import { CuttableTransport } from '#test/integration/support/cuttable-transport.ts';
import { MemoryFolder } from '#test/integration/support/memory-folder.ts';
import { runKubelet } from '#test/integration/support/simulated-node.ts';
import { ApiServer } from '#server/server.ts';
import { ServiceAccountTokens } from '#server/tokens/service-account-tokens.ts';
import { MemoryStore } from '#store/memory-store.ts';

export const NODE = 'node1';
const signal = new AbortController().signal;

/** An API that never answers. */
const silent: Transport = {
  call: (_request, stop) => orAborted(new Promise<never>(() => {}), stop),
  async *watch(_request, stop) {
    yield await orAborted(new Promise<never>(() => {}), stop);
  },
};

/** The real server over the memory store, a kubelet over the simulated runtime, and a clock that moves when told to. */
export class SmallCluster implements AsyncDisposable {
  readonly clock = new FakeClock(Date.parse('2026-01-01T00:00:00Z'));
  readonly host: SimulatedHost = simulatedHost();
  files = new SimulatedPodFiles(this.host);
  readonly troubles: string[] = [];
  /** Of the node's static pods. */
  readonly manifests = new MemoryFolder();
  readonly runtime: SimulatedRuntime;
  readonly client: Client;
  readonly server: ApiServer;
  kubelet: Kubelet | undefined;
  /** Between the kubelet and the API. */
  line: CuttableTransport | undefined;
  #kubelet = new Scope();

  private constructor(keyPem: string, simulated: Partial<SimulatedOptions>) {
    this.runtime = simulatedRuntime({ clock: this.clock, ...simulated });
    const refuse = async (): Promise<never> => {
      throw new Error('this cluster has no connections to nodes');
    };
    this.server = new ApiServer({
      store: new MemoryStore({ clock: this.clock }),
      clock: this.clock,
      tokens: new ServiceAccountTokens({ keyPem, clock: this.clock }),
      nodes: { stream: refuse, splice: refuse },
    });
    this.client = createClient(this.server.transport({ name: 'admin', groups: ['system:masters'] }));
  }

  static async start(simulated: Partial<SimulatedOptions> = {}): Promise<SmallCluster> {
    const cluster = new SmallCluster(await ServiceAccountTokens.newKey(), simulated);
    await cluster.server.start(signal);
    // There are no controllers to make it; and no tokens, unless a test asks for one with an account of its own.
    await cluster.client.create<ServiceAccount>(
      serviceAccountResource,
      {
        apiVersion: 'v1',
        kind: 'ServiceAccount',
        metadata: { namespace: 'default', name: 'default' },
        automountServiceAccountToken: false,
      },
      signal,
    );
    cluster.startKubelet();
    await cluster.settled();
    return cluster;
  }

  /** `deaf`: the API does not answer it. */
  startKubelet({ deaf = false }: { readonly deaf?: boolean } = {}): void {
    const { clock, host, runtime } = this;
    this.files = this.files.restarted();
    const transport = this.server.transport({ name: `system:node:${NODE}`, groups: ['system:nodes'] });
    this.line = new CuttableTransport(transport);
    this.#kubelet = new Scope();
    const { files, manifests, troubles } = this;
    const own = { name: NODE, clock, runtime, host, files, manifests, troubles };
    this.kubelet = runKubelet({ ...own, transport: deaf ? silent : this.line }, this.#kubelet);
  }

  /** As a crash would: the runtime and the API keep what they have. */
  async stopKubelet(): Promise<void> {
    this.#kubelet.stop();
    await this.#kubelet.join();
  }

  /** Lets everything that can go on without time passing go on. */
  async settled(): Promise<void> {
    for (let turn = 0; turn < 20; turn++) await settle();
  }

  async advance(ms: number): Promise<void> {
    await this.clock.advance(ms);
    await this.settled();
  }

  async run(name: string, spec: New<Pod>['spec'], metadata: New<Pod>['metadata'] = {}): Promise<Pod> {
    const pod = await this.client.create<Pod>(
      podResource,
      {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name, namespace: 'default', ...metadata },
        spec: { nodeName: NODE, ...spec },
      },
      signal,
    );
    await this.settled();
    return pod;
  }

  pod(name: string): Promise<Pod | undefined> {
    return this.client.get(podResource, { namespace: 'default', name }, signal);
  }

  async remove(name: string, gracePeriodSeconds?: number): Promise<void> {
    const options = gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds };
    await this.client.delete(podResource, { namespace: 'default', name }, options, signal);
    await this.settled();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stopKubelet();
    await this.server[Symbol.asyncDispose]();
  }
}
