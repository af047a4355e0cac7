import type { Pod } from '#api/generated/core-v1.ts';
import { qosOf } from '#api/qos.ts';
import type { Host } from '#host/host.ts';
import type { PodFiles } from '#kubelet/pod-files.ts';
import { podCgroupLimits } from '#kubelet/resources.ts';
import { volumesOf } from '#kubelet/volumes/volumes.ts';

/**
 * The files of pods on a node without a disk: remembered, not made. Refuses what the real one refuses. It outlives a
 * kubelet, as a disk does, if the same object is given to the next one: `restarted` is what that one starts with.
 */
export class SimulatedPodFiles implements PodFiles {
  readonly #host: Host;
  readonly #folders: Set<string>;
  readonly #parents = new Map<string, string>();

  constructor(host: Host, folders = new Set<string>()) {
    this.#host = host;
    this.#folders = folders;
  }

  restarted(): SimulatedPodFiles {
    return new SimulatedPodFiles(this.#host, this.#folders);
  }

  state(uid: string): 'absent' | 'left' | 'ready' {
    if (this.#parents.has(uid)) return 'ready';
    return this.#folders.has(uid) ? 'left' : 'absent';
  }

  async prepare(pod: Pod): Promise<void> {
    const { uid } = pod.metadata;
    volumesOf(pod);
    this.#folders.add(uid);
    this.#parents.set(uid, await this.#host.cgroups.apply({ uid, qosClass: qosOf(pod) }, podCgroupLimits(pod)));
  }

  async remove({ uid, pod }: Parameters<PodFiles['remove']>[0], signal: AbortSignal): Promise<void> {
    if (pod) await this.#host.cgroups.remove({ uid, qosClass: qosOf(pod) }, { kill: true }, signal);
    this.#folders.delete(uid);
    this.#parents.delete(uid);
  }

  logDirectory = ({ metadata }: Pod): string =>
    `/simulated/logs/${metadata.namespace}_${metadata.name}_${metadata.uid}`;

  cgroupParent(pod: Pod): string | undefined {
    return this.#parents.get(pod.metadata.uid);
  }

  volumePath(pod: Pod, volume: string): string {
    return `/simulated/pods/${pod.metadata.uid}/${volume}`;
  }

  async found(): Promise<readonly string[]> {
    return [...this.#folders];
  }
}
