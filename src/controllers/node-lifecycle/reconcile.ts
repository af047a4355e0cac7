import { hasReason } from '#api/errors.ts';
import type { Lease } from '#api/generated/coordination-v1.ts';
import type { Node, Pod, Taint } from '#api/generated/core-v1.ts';
import type { ObjectKey } from '#api/meta.ts';
import { isNodeReady } from '#api/node-conditions.ts';
import type { Client } from '#client/client.ts';
import type { EventRecorder } from '#client/events.ts';
import type { Change, Informer } from '#client/informer.ts';
import { nodeResource, podResource } from '#client/resources.ts';
import { apiTime } from '#controllers/api-time.ts';
import { type Controller, type MakeController, type Outcome, settled } from '#controllers/controller.ts';
import { NodeHealths } from '#controllers/node-lifecycle/health.ts';
import { type NodeStep, planNode } from '#controllers/node-lifecycle/plan.ts';
import type { NodeLifecycleSettings } from '#controllers/node-lifecycle/settings.ts';
import { Turns, type ZoneChange, zoneOf, Zones } from '#controllers/node-lifecycle/zones.ts';
import type { Clock } from '#lib/clock.ts';
import { unreachable } from '#lib/unreachable.ts';

export interface NodeLifecycleOptions {
  readonly clock: Clock;
  readonly settings: NodeLifecycleSettings;
  /** Of `node-controller`; run by who made it. */
  readonly events: EventRecorder;
  readonly nodes: Informer<Node>;
  /** Of the namespace kube-node-lease. */
  readonly leases: Informer<Lease>;
  readonly pods: Informer<Pod, 'byNode'>;
}

/** Says which nodes are out of reach, and keeps pods off nodes that are not well. Keys are nodes' names. */
export const nodeLifecycleController =
  (options: NodeLifecycleOptions): MakeController =>
  (client) =>
    new NodeLifecycle(options, client);

class NodeLifecycle implements Controller {
  readonly name = 'node-lifecycle';
  readonly reads: Controller['reads'];
  readonly #options: NodeLifecycleOptions;
  readonly #client: Client;
  readonly #healths: NodeHealths;
  readonly #zones: Zones;
  readonly #turns = new Turns();

  constructor(options: NodeLifecycleOptions, client: Client) {
    const { nodes, leases, pods, clock, settings } = options;
    this.reads = [nodes, leases, pods];
    this.#options = options;
    this.#client = client;
    this.#healths = new NodeHealths(clock);
    this.#zones = new Zones(settings);
  }

  watch(enqueue: (key: ObjectKey) => void): Disposable {
    const { nodes, leases, pods } = this.#options;
    const watching = new DisposableStack();
    watching.use(
      nodes.onChange((change) => {
        this.#tell(change);
        this.#healths.nodeChanged(change);
        const zones = this.#zones.change(change.before, change.after);
        enqueue(change.key);
        for (const key of this.#alsoConcerned(zones)) enqueue(key);
      }),
    );
    // Who renews its lease is well: nothing to do, and the next look, which is due anyway, will see it.
    watching.use(leases.onChange((change) => this.#healths.leaseChanged(change)));
    watching.use(
      pods.onChange(({ before, after }) => {
        const key = after?.spec.nodeName as ObjectKey | undefined;
        const node = key && before?.spec.nodeName !== key && nodes.get(key);
        if (key && node && !isNodeReady(node)) enqueue(key);
      }),
    );
    return watching;
  }

  #tell({ before, after }: Change<Node>): void {
    const node = (after ?? before)!;
    if (before && after) return;
    const { name } = node.metadata;
    const [reason, what] = after
      ? ['RegisteredNode', `Registered Node ${name} in Controller`]
      : ['RemovingNode', `Removing Node ${name} from Controller`];
    this.#options.events.record(node, { type: 'Normal', reason, message: `Node ${name} event: ${what}` });
  }

  #alsoConcerned(change: ZoneChange): readonly ObjectKey[] {
    const all = (): readonly Node[] => this.#options.nodes.list();
    const keysOf = (nodes: readonly Node[]): readonly ObjectKey[] =>
      nodes.map(({ metadata }) => metadata.name as ObjectKey);
    switch (change) {
      case 'none':
        return [];
      case 'rates':
        return keysOf(all().filter((node) => !isNodeReady(node)));
      case 'all disrupted no more':
        this.#healths.beginAnew();
        return keysOf(all());
      case 'all disrupted':
        return keysOf(all());
    }
  }

  async reconcile(key: ObjectKey, signal: AbortSignal): Promise<Outcome> {
    const { nodes, pods, clock, settings } = this.#options;
    const node = nodes.get(key);
    const health = node && this.#healths.of(node.metadata.name);
    if (!node || !health) return settled;
    const now = clock.now();
    const { allDisrupted } = this.#zones;
    const plan = planNode({ node, pods: pods.by('byNode', key), ...health, allDisrupted, now, settings });
    const waits = await Promise.all(plan.steps.map((step) => this.#act(node, step, signal)));
    const afterMs = Math.min((plan.wakeAt ?? Infinity) - now, ...waits);
    return afterMs === Infinity ? settled : { kind: 'again', afterMs, why: 'its time is not over' };
  }

  /** Gives how long the step has to wait for its turn; Infinity when nothing is to be waited for. */
  async #act(node: Node, step: NodeStep, signal: AbortSignal): Promise<number> {
    switch (step.kind) {
      case 'say-unknown': {
        const status = { ...node.status, conditions: step.conditions };
        const written = await unlessChanged(this.#client.updateStatus<Node>(nodeResource, { ...node, status }, signal));
        const { name } = node.metadata;
        const message = `Node ${name} status is now: NodeNotReady`;
        if (written && step.wasReady)
          this.#options.events.record(node, { type: 'Normal', reason: 'NodeNotReady', message });
        return Infinity;
      }
      case 'taint':
        await this.#taint(node, step.taints, signal);
        return Infinity;
      case 'evict': {
        const zone = zoneOf(node);
        const waitMs = this.#turns.take(zone, this.#zones.rateOf(node), this.#options.clock.now());
        const taints = waitMs === 0 ? step.taints : step.meanwhile;
        const written = taints === undefined || (await this.#taint(node, taints, signal));
        if (waitMs > 0) return waitMs;
        if (!written) this.#turns.giveBack(zone);
        return Infinity;
      }
      case 'pods-not-ready':
        await Promise.all(step.pods.map((pod) => this.#sayNotReady(pod, signal)));
        return Infinity;
      default:
        return unreachable(step);
    }
  }

  /** The list is replaced as a whole: good only for the node that was looked at. Gives whether it is written. */
  #taint(
    { metadata: { name, resourceVersion } }: Node,
    taints: readonly Taint[],
    signal: AbortSignal,
  ): Promise<boolean> {
    const body = { metadata: { resourceVersion }, spec: { taints } };
    return unlessChanged(this.#client.patch(nodeResource, { name }, { kind: 'merge', body }, signal));
  }

  /** Of its reason and message the kubelet's stay, as upstream. */
  async #sayNotReady(pod: Pod, signal: AbortSignal): Promise<void> {
    const { namespace = '', name, uid } = pod.metadata;
    const condition = { type: 'Ready', status: 'False', lastTransitionTime: apiTime(this.#options.clock.now()) };
    const body = { metadata: { uid }, status: { conditions: [condition] } };
    const patch = { kind: 'strategic', body } as const;
    const ref = { namespace, name, subresource: 'status' };
    if (!(await unlessChanged(this.#client.patch(podResource, ref, patch, signal)))) return;
    this.#options.events.record(pod, { type: 'Warning', reason: 'NodeNotReady', message: 'Node is not ready' });
  }
}

/** False when the object has changed since it was seen, or is gone: that it has brings its node's key back, with what it is now. */
async function unlessChanged(write: Promise<unknown>): Promise<boolean> {
  try {
    await write;
    return true;
  } catch (error) {
    if (hasReason(error, 'Conflict') || hasReason(error, 'NotFound')) return false;
    throw error;
  }
}
