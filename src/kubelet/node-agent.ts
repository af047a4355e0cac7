import { readFile } from 'node:fs/promises';
import type { ContainerImage, Node, NodeStatus } from '#api/generated/core-v1.ts';
import type { Lease } from '#api/generated/coordination-v1.ts';
import { hasReason } from '#api/errors.ts';
import type { Client } from '#client/client.ts';
import { leaseResource, nodeResource } from '#client/resources.ts';
import type { ContainerRuntime } from '#cri/runtime.ts';
import type { DiskUsage } from '#host/machine.ts';
import {
  newNode,
  nodeLabels,
  type NodeHealth,
  type NodeSelf,
  nodeStatusOf,
  sameNodeStatus,
} from '#kubelet/node-object.ts';
import type { Clock } from '#lib/clock.ts';
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
  readonly log: (message: string, error: unknown) => void;
}

/** Upstream's defaults: the lease says "alive" often and cheaply, the status is written when it changed, else rarely. */
const LEASE_SECONDS = 40;
const RENEW_MS = 10_000;
const LOOK_MS = 10_000;
const REPORT_AT_LEAST_MS = 300_000;
/** Until the node is Ready it looks more often: people are waiting. */
const LOOK_UNREADY_MS = 200;
const RETRY_MS = 500;
/** As many images as upstream reports; the scheduler prefers nodes that have a pod's images. */
const MAX_IMAGES = 50;
const leaseNamespace = 'kube-node-lease';

/** Registers the node, keeps its lease, reports its condition. The Node object is made anew should somebody delete it. */
export class NodeAgent {
  readonly #deps: NodeAgentDeps;
  readonly #look = new Signal();
  #reported: NodeStatus | undefined;
  #reportedAt = -Infinity;

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

  async run(signal: AbortSignal): Promise<void> {
    await using scope = new Scope(signal);
    const { clock } = this.#deps;
    scope.spawn('node status', (inner) =>
      this.#forever(
        'reporting the node failed',
        async (stop) => void (await this.#look.wait(clock, clock.now() + (await this.#report(stop)), stop)),
        inner,
      ),
    );
    scope.spawn('node lease', (inner) =>
      this.#forever(
        'renewing the lease failed',
        async (stop) => {
          await this.#renew(stop);
          await clock.sleep(RENEW_MS, stop);
        },
        inner,
      ),
    );
    await scope.join();
  }

  async #forever(failure: string, once: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#deps;
    for (;;) {
      try {
        await once(signal);
      } catch (error) {
        if (isCancellation(error, signal)) throw error;
        log(failure, error);
        await clock.sleep(RETRY_MS, signal);
      }
    }
  }

  /** Gives how long to wait before looking again. */
  async #report(signal: AbortSignal): Promise<number> {
    const { client, clock, self } = this.#deps;
    const now = clock.now();
    const status = nodeStatusOf(self(), await this.#health(signal), this.#reported, now);
    if (this.#reported === undefined) await this.#register(status, signal);
    else if (!sameNodeStatus(this.#reported, status) || now - this.#reportedAt >= REPORT_AT_LEAST_MS) {
      const found = await client.get(nodeResource, { name: self().name }, signal);
      if (found)
        await client.patch(nodeResource, { name: self().name, subresource: 'status' }, statusPatch(status), signal);
      else await this.#register(status, signal);
    } else return this.#pause(status);
    this.#reported = status;
    this.#reportedAt = now;
    return this.#pause(status);
  }

  #pause(status: NodeStatus): number {
    const ready = status.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True');
    return ready ? LOOK_MS : LOOK_UNREADY_MS;
  }

  /** A node that is known already keeps what others wrote on it; only its own labels and its status are renewed. */
  async #register(status: NodeStatus, signal: AbortSignal): Promise<void> {
    const { client, self } = this.#deps;
    const { name } = self();
    try {
      await client.create<Node>(nodeResource, newNode(self(), status), signal);
    } catch (error) {
      if (!hasReason(error, 'AlreadyExists')) throw error;
      await client.patch(
        nodeResource,
        { name },
        { kind: 'merge', body: { metadata: { labels: nodeLabels(self()) } } },
        signal,
      );
      await client.patch(nodeResource, { name, subresource: 'status' }, statusPatch(status), signal);
    }
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

  async #renew(signal: AbortSignal): Promise<void> {
    const { client, clock, self } = this.#deps;
    const { name } = self();
    const renewTime = `${new Date(clock.now()).toISOString().slice(0, -1)}000Z`;
    const spec = { holderIdentity: name, leaseDurationSeconds: LEASE_SECONDS, renewTime };
    const ref = { namespace: leaseNamespace, name };
    try {
      await client.patch(leaseResource, ref, { kind: 'merge', body: { spec } }, signal);
    } catch (error) {
      if (!hasReason(error, 'NotFound')) throw error;
      await client.create<Lease>(
        leaseResource,
        { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: ref, spec },
        signal,
      );
    }
  }
}

/** Lists that would merge are replaced; conditions merge by type, so that others' stay. */
const statusPatch = (status: NodeStatus): { readonly kind: 'strategic'; readonly body: object } => ({
  kind: 'strategic',
  body: { status: { ...status, addresses: [...(status.addresses ?? []), { $patch: 'replace' }] } },
});

/** What the kernel thinks can still be given out, bytes. */
export async function memoryAvailable(): Promise<number> {
  const line = /^MemAvailable:\s+(\d+) kB$/m.exec(await readFile('/proc/meminfo', 'utf8'));
  return Number(line?.[1] ?? 0) * 1024;
}
