import type { Pod } from '#api/generated/core-v1.ts';
import type { Informer } from '#client/informer.ts';
import type { ContainerStats, Stats } from '#cri/runtime.ts';
import {
  diskVolumes,
  exceeded,
  storageLimits,
  type StorageLimits,
  type StorageUse,
} from '#kubelet/eviction/storage-limits.ts';
import { labels } from '#kubelet/observed.ts';
import type { PodFiles } from '#kubelet/pod-files.ts';
import { isTerminal } from '#kubelet/status.ts';
import type { Clock } from '#lib/clock.ts';
import { isCancellation, Scope } from '#lib/scope.ts';
import { WorkQueue } from '#lib/work-queue.ts';

export interface StorageWatchDeps {
  readonly clock: Clock;
  readonly stats: Stats;
  readonly files: PodFiles;
  /** The pods of this node. */
  readonly pods: Pick<Informer<Pod>, 'list' | 'onChange'>;
  readonly workers: { evict(uid: string, message: string): void };
  readonly log: (message: string, error: unknown) => void;
}

/** Upstream's monitoring interval; here from the end of one look at a pod to the begin of the next. */
const INTERVAL_MS = 10_000;
/** Pods measured at a time: one that keeps a million files is not to hold up the others, nor ten of them to take the machine. */
const AT_A_TIME = 4;

/**
 * Sees to it that pods keep to their part of the disk (storage-limits.ts): who takes more is evicted. Only pods that have
 * limits are measured, and only what their limits are about; on a node without any this does nothing at all.
 */
export class StorageWatch {
  readonly #deps: StorageWatchDeps;
  readonly #queue: WorkQueue<string>;

  constructor(deps: StorageWatchDeps) {
    this.#deps = deps;
    this.#queue = new WorkQueue(deps.clock);
  }

  /** Until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await using scope = new Scope(signal);
    using _changes = this.#deps.pods.onChange(({ after }) => {
      if (after) this.#checkLater(after, scope.signal);
    });
    for (let n = 0; n < AT_A_TIME; n++) scope.spawn('disk of pods', (inner) => this.#checkAll(inner));
    await scope.join();
  }

  #checkLater(pod: Pod, signal: AbortSignal): void {
    if (limitsOf(pod) !== undefined) this.#queue.addAfter(pod.metadata.uid, INTERVAL_MS, signal);
  }

  async #checkAll(signal: AbortSignal): Promise<void> {
    for (;;) {
      const uid = await this.#queue.take(signal);
      const pod = this.#deps.pods.list().find(({ metadata }) => metadata.uid === uid);
      if (pod !== undefined) {
        await this.#check(pod, signal);
        this.#checkLater(pod, signal);
      }
      this.#queue.done(uid);
    }
  }

  async #check(pod: Pod, signal: AbortSignal): Promise<void> {
    const { uid, namespace, name } = pod.metadata;
    const { files, workers, log } = this.#deps;
    const limits = limitsOf(pod);
    if (limits === undefined || files.state(uid) !== 'ready') return;
    try {
      const message = exceeded(limits, await this.#measure(pod, limits, signal));
      if (message !== undefined) workers.evict(uid, message);
    } catch (error) {
      if (isCancellation(error, signal)) throw error;
      log(`measuring what pod ${namespace}/${name} keeps on disk failed`, error);
    }
  }

  async #measure(pod: Pod, limits: StorageLimits, signal: AbortSignal): Promise<StorageUse> {
    const volumes = await this.#volumes(pod, limits, signal);
    if (limits.pod === undefined && limits.containers.length === 0) return { volumes, containers: new Map() };
    const { stats, files } = this.#deps;
    const containers = new Map<string, number>();
    for (const one of newest(await stats.containers({ labels: { [labels.podUid]: pod.metadata.uid } }, signal))) {
      const enough = Math.min(...[limits.pod, ...limits.containers].map((each) => each?.bytes ?? Infinity));
      const logs = await files.diskUse(pod, { kind: 'logs', container: one.name }, enough, signal);
      containers.set(one.name, logs + (one.writableLayer?.usedBytes ?? 0));
    }
    return { volumes, containers };
  }

  async #volumes(pod: Pod, limits: StorageLimits, signal: AbortSignal): Promise<ReadonlyMap<string, number>> {
    const use = new Map<string, number>();
    for (const { name } of diskVolumes(pod)) {
      const own = limits.volumes.find((limit) => limit.name === name);
      const enough = Math.min(own?.bytes ?? Infinity, limits.pod?.bytes ?? Infinity);
      if (enough === Infinity) continue;
      use.set(name, await this.#deps.files.diskUse(pod, { kind: 'volume', volume: name }, enough, signal));
    }
    return use;
  }
}

/** Who ends is not evicted any more. */
const limitsOf = (pod: Pod): StorageLimits | undefined =>
  pod.metadata.deletionTimestamp !== undefined || isTerminal(pod.status?.phase) ? undefined : storageLimits(pod);

/** One of each name: dead attempts wait to be removed, and count no more. */
function newest(all: readonly ContainerStats[]): readonly ContainerStats[] {
  const byName = new Map<string, ContainerStats>();
  for (const one of all) {
    if (one.attempt >= (byName.get(one.name)?.attempt ?? -1)) byName.set(one.name, one);
  }
  return [...byName.values()];
}
