import { readFile } from 'node:fs/promises';
import type { ContainerImage, Node, NodeStatus } from '#api/generated/core-v1.ts';
import type { Lease } from '#api/generated/coordination-v1.ts';
import { hasReason } from '#api/errors.ts';
import { nodeCondition } from '#api/node-conditions.ts';
import type { ResourceVersion, Uid } from '#api/meta.ts';
import type { Client } from '#client/client.ts';
import type { EventRecorder, Regarding } from '#client/events.ts';
import { leaseResource, nodeResource } from '#client/resources.ts';
import { compareRevisions } from '#client/revision.ts';
import type { ContainerRuntime } from '#cri/runtime.ts';
import type { DiskUsage } from '#host/machine.ts';
import { declaredAnnotations, renewalPatch, withdrawnResources } from '#kubelet/declared-traits.ts';
import { nodeEvents } from '#kubelet/node-events.ts';
import {
  isUnallocated,
  newNode,
  type NodeHealth,
  type NodeSelf,
  nodeStatusOf,
  nodeStatusPatch,
  sameNodeStatus,
} from '#kubelet/node-object.ts';
import type { Clock } from '#lib/clock.ts';
import { backoffDelay, type BackoffPolicy } from '#lib/backoff.ts';
import { isCancellation, Scope } from '#lib/scope.ts';
import { Signal } from '#lib/signal.ts';

export interface NodeAgentDeps {
  readonly client: Client;
  readonly clock: Clock;
  readonly runtime: ContainerRuntime;
  readonly self: () => NodeSelf;
  readonly disk: () => Promise<DiskUsage>;
  readonly memoryAvailable: () => Promise<number>;
  /** Told what the runtime calls itself, each time it was asked. */
  readonly onRuntime: (name: string) => void;
  readonly events: EventRecorder;
  /** Of the lease. */
  readonly leaseSeconds: number;
  /** Called when the API answers after it had not. */
  readonly answersAgain: () => void;
  readonly log: (message: string, error: unknown) => void;
}

/** What is done again and again. */
interface Chore {
  readonly name: string;
  /** Gives how long to pause. */
  readonly once: (signal: AbortSignal) => Promise<number>;
  readonly pause: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** Upstream's defaults: the lease says "alive" often and cheaply, the status is written when it changed, else rarely. */
const RENEWALS_A_LEASE = 4;
const LOOK_MS = 10_000;
const REPORT_AT_LEAST_MS = 300_000;
/** Until the node is Ready it looks more often: people are waiting. */
const LOOK_UNREADY_MS = 200;
/** As upstream's of the lease: who is back is heard of within seconds. */
const retry: BackoffPolicy = { baseMs: 500, factor: 2, maxMs: 7_000 };
/** As many images as upstream reports; the scheduler prefers nodes that have a pod's images. */
const MAX_IMAGES = 50;
const leaseNamespace = 'kube-node-lease';

/** Registers the node, keeps its lease, reports its condition. */
export class NodeAgent {
  readonly #deps: NodeAgentDeps;
  readonly #look = new Signal();
  #reported: NodeStatus | undefined;
  #reportedAt = -Infinity;
  /** The revision that had it. */
  #writtenAt: ResourceVersion | undefined;
  /** The node as the API has it, as far as we have seen. */
  #seen: Node | undefined;
  #gone = false;

  constructor(deps: NodeAgentDeps) {
    this.#deps = deps;
  }

  /** What was last reported that pods may use; undefined before the first report. */
  get allocatable(): Readonly<Record<string, string>> | undefined {
    return this.#reported?.allocatable;
  }

  /** Looks again soon: the runtime came or went. */
  nudge(): void {
    this.#look.raise();
  }

  /** Reports soon, whether or not anything has changed. */
  tell(): void {
    this.#reportedAt = -Infinity;
    this.#look.raise();
  }

  /** Tells what the API has of this node, undefined for nothing. What is wrong is put right at once. */
  seen(node: Node | undefined): void {
    this.#seen = node;
    if (this.#contradiction()) this.#look.raise();
  }

  async run(signal: AbortSignal): Promise<void> {
    this.#deps.events.record(nodeRef(this.#deps.self().name), {
      type: 'Normal',
      reason: 'Starting',
      message: 'Starting kubelet.',
    });
    await using scope = new Scope(signal);
    const { clock } = this.#deps;
    const status: Chore = {
      name: 'reporting the node',
      once: (stop) => this.#report(stop),
      pause: async (ms, stop) => void (await this.#look.wait(clock, clock.now() + ms, stop)),
    };
    const lease: Chore = {
      name: 'renewing the lease',
      once: (stop) => this.#renew(stop),
      pause: (ms, stop) => clock.sleep(ms, stop),
    };
    for (const chore of [status, lease]) scope.spawn(chore.name, (inner) => this.#forever(chore, inner));
    await scope.join();
  }

  async #forever({ name, once, pause }: Chore, signal: AbortSignal): Promise<void> {
    const { clock, log, answersAgain } = this.#deps;
    for (let failures = 0; ;) {
      try {
        const ms = await once(signal);
        if (failures > 0) answersAgain();
        failures = 0;
        await pause(ms, signal);
      } catch (error) {
        if (isCancellation(error, signal)) throw error;
        log(`${name} failed`, error);
        failures++;
        // Never so long that a node that is back would be given up for it.
        await clock.sleep(Math.min(backoffDelay(retry, failures), this.#renewMs), signal);
      }
    }
  }

  /** Gives how long to wait before looking again. */
  async #report(signal: AbortSignal): Promise<number> {
    const { clock, self } = this.#deps;
    const health = await this.#health(signal);
    const now = clock.now();
    if (this.#reported === undefined) return this.#register(health, now, signal);
    // What the API has of it counts: others say Unknown of a node that was out of reach.
    const known = this.#contradiction() ?? this.#reported;
    const status = nodeStatusOf(self(), health, known, now);
    const overdue = now - this.#reportedAt >= REPORT_AT_LEAST_MS;
    if (sameNodeStatus(known, status) && !overdue) {
      this.#reported = status;
      return this.#pause(status);
    }
    const ref = { name: self().name, subresource: 'status' };
    const patch = nodeStatusPatch(self(), known, status);
    try {
      const written = await this.#deps.client.patch<Node>(nodeResource, ref, patch, signal);
      this.#told(known, status, written, now);
    } catch (error) {
      if (!hasReason(error, 'NotFound')) throw error;
      this.#sayGone();
    }
    return this.#pause(status);
  }

  /** What the API says of the node where that is not what the node itself has said last, or would say of it. */
  #contradiction(): NodeStatus | undefined {
    const [node, reported] = [this.#seen, this.#reported];
    if (!node || !reported || !this.#writtenAt) return undefined;
    if (compareRevisions(node.metadata.resourceVersion, this.#writtenAt) < 0) return undefined;
    const denied = reported.conditions?.some(({ type, status }) => nodeCondition(node, type)?.status !== status);
    const unallocated = [node.status, reported].some((each) => isUnallocated(node.status?.capacity, each?.allocatable));
    return denied === true || unallocated ? node.status : undefined;
  }

  #told(before: NodeStatus | undefined, status: NodeStatus, written: Node, now: number): void {
    const { self, events } = this.#deps;
    const { name } = self();
    for (const event of nodeEvents(name, before, status)) events.record(nodeRef(name), event);
    this.#reported = status;
    this.#reportedAt = now;
    this.#writtenAt = written.metadata.resourceVersion;
    this.#gone = false;
  }

  /**
   * Who deletes a node wants to be rid of it, or to be sure that none of its pods is counted on any more. As upstream's it
   * comes back when its kubelet is started anew, or when somebody makes the object.
   */
  #sayGone(): void {
    if (!this.#gone)
      this.#deps.log(`node ${this.#deps.self().name} was deleted: start it anew to register it`, undefined);
    this.#gone = true;
  }

  #pause(status: NodeStatus): number {
    const ready = status.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True');
    return ready ? LOOK_MS : LOOK_UNREADY_MS;
  }

  /** A node that is known already keeps what others wrote on it; only its own labels and its status are renewed. */
  async #register(health: NodeHealth, now: number, signal: AbortSignal): Promise<number> {
    const { client, self } = this.#deps;
    const { name } = self();
    const found = await client.get(nodeResource, { name }, signal);
    if (found === undefined) {
      const status = nodeStatusOf(self(), health, undefined, now);
      const made = await client.create<Node>(
        nodeResource,
        newNode(self(), status, declaredAnnotations(self())),
        signal,
      );
      this.#told(undefined, status, made, now);
      return this.#pause(status);
    }
    const ref = { name, subresource: 'status' };
    const left = await this.#withdraw(found, signal);
    await client.patch(nodeResource, { name }, { kind: 'merge', body: renewalPatch(left, self()) }, signal);
    const status = nodeStatusOf(self(), health, left.status, now);
    const written = await client.patch<Node>(nodeResource, ref, nodeStatusPatch(self(), left.status, status), signal);
    this.#told(found.status, status, written, now);
    return this.#pause(status);
  }

  /** The node without what was once declared of it: before it is forgotten that it was. */
  async #withdraw(found: Node, signal: AbortSignal): Promise<Node> {
    const withdrawn = withdrawnResources(found, this.#deps.self());
    if (withdrawn.length === 0) return found;
    const gone = Object.fromEntries(withdrawn.map((resource) => [resource, null]));
    const ref = { name: found.metadata.name, subresource: 'status' };
    const body = { status: { capacity: gone, allocatable: gone } };
    return this.#deps.client.patch<Node>(nodeResource, ref, { kind: 'merge', body }, signal);
  }

  async #health(signal: AbortSignal): Promise<NodeHealth> {
    const { runtime, disk, memoryAvailable } = this.#deps;
    const [usage, memoryAvailableBytes] = await Promise.all([disk(), memoryAvailable()]);
    try {
      const [version, status, images] = await Promise.all([
        runtime.info.version(signal),
        runtime.info.status(signal),
        runtime.images.list(signal),
      ]);
      this.#deps.onRuntime(version.name);
      const problems = [
        status.runtime.ready
          ? []
          : [`container runtime is not ready: ${status.runtime.reason} ${status.runtime.message}`.trim()],
        status.network.ready
          ? []
          : [
              `container runtime network not ready: NetworkReady=false reason:${status.network.reason} message:${status.network.message}`,
            ],
      ].flat();
      return {
        runtime: version,
        notReady: problems.length > 0 ? problems.join(', ') : undefined,
        disk: usage,
        memoryAvailableBytes,
        images: images.slice(0, MAX_IMAGES).map((image): ContainerImage => ({
          names: [...image.repoDigests, ...image.repoTags],
          sizeBytes: image.sizeBytes,
        })),
      };
    } catch (error) {
      signal.throwIfAborted();
      const known = /^(.*):\/\/(.*)$/.exec(this.#reported?.nodeInfo?.containerRuntimeVersion ?? '');
      return {
        runtime: { name: known?.[1] ?? 'unknown', version: known?.[2] ?? '' },
        notReady: `container runtime is down: ${error instanceof Error ? error.message : String(error)}`,
        disk: usage,
        memoryAvailableBytes,
        images: this.#reported?.images ?? [],
      };
    }
  }

  /** Gives how long the lease is good as it is. It belongs to the node, so there is none before that is known. */
  async #renew(signal: AbortSignal): Promise<number> {
    const { client, clock, self, leaseSeconds } = this.#deps;
    const { name } = self();
    const owner = this.#seen?.metadata.uid;
    const renewTime = `${new Date(clock.now()).toISOString().slice(0, -1)}000Z`;
    const spec = { holderIdentity: name, leaseDurationSeconds: leaseSeconds, renewTime };
    const ref = { namespace: leaseNamespace, name };
    const owned = owner && { ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name, uid: owner }] };
    try {
      const body = { spec, ...(owned && { metadata: owned }) };
      await client.patch(leaseResource, ref, { kind: 'merge', body }, signal);
    } catch (error) {
      if (!hasReason(error, 'NotFound')) throw error;
      if (!owned) return LOOK_UNREADY_MS;
      await client.create<Lease>(
        leaseResource,
        { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { ...ref, ...owned }, spec },
        signal,
      );
    }
    return this.#renewMs;
  }

  get #renewMs(): number {
    return (this.#deps.leaseSeconds * 1000) / RENEWALS_A_LEASE;
  }
}

const nodeRef = (name: string): Regarding => ({ apiVersion: 'v1', kind: 'Node', metadata: { name, uid: name as Uid } });

/** What the kernel thinks can still be given out, bytes. */
export async function memoryAvailable(): Promise<number> {
  const line = /^MemAvailable:\s+(\d+) kB$/m.exec(await readFile('/proc/meminfo', 'utf8'));
  return Number(line?.[1] ?? 0) * 1024;
}
