import type { Pod } from '#api/generated/core-v1.ts';
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
import { isCancellation } from '#lib/scope.ts';

export interface StorageWatchDeps {
  readonly clock: Clock;
  readonly stats: Stats;
  readonly files: PodFiles;
  /** The pods of this node. */
  readonly pods: { list(): readonly Pod[] };
  readonly workers: { evict(uid: string, message: string): void };
  readonly log: (message: string, error: unknown) => void;
}

/** Upstream's monitoring interval. It counts from the end of one round to the begin of the next. */
const INTERVAL_MS = 10_000;

/**
 * Sees to it that pods keep to their part of the disk (storage-limits.ts): who takes more is evicted. Only pods that have
 * limits are measured, one after the other, and only what their limits are about.
 */
export class StorageWatch {
  readonly #deps: StorageWatchDeps;

  constructor(deps: StorageWatchDeps) {
    this.#deps = deps;
  }

  /** Until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, pods } = this.#deps;
    for (;;) {
      await clock.sleep(INTERVAL_MS, signal);
      for (const pod of pods.list()) await this.#check(pod, signal);
    }
  }

  async #check(pod: Pod, signal: AbortSignal): Promise<void> {
    const { uid, deletionTimestamp } = pod.metadata;
    const { files, workers, log } = this.#deps;
    if (deletionTimestamp !== undefined || isTerminal(pod.status?.phase) || files.state(uid) !== 'ready') return;
    const limits = storageLimits(pod);
    if (limits === undefined) return;
    try {
      const message = exceeded(limits, await this.#measure(pod, limits, signal));
      if (message !== undefined) workers.evict(uid, message);
    } catch (error) {
      if (isCancellation(error, signal)) throw error;
      log(`measuring what pod ${pod.metadata.namespace}/${pod.metadata.name} keeps on disk failed`, error);
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

/** One of each name: dead attempts wait to be removed, and count no more. */
function newest(all: readonly ContainerStats[]): readonly ContainerStats[] {
  const byName = new Map<string, ContainerStats>();
  for (const one of all) {
    if (one.attempt >= (byName.get(one.name)?.attempt ?? -1)) byName.set(one.name, one);
  }
  return [...byName.values()];
}
