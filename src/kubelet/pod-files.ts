import { existsSync } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pod } from '#api/generated/core-v1.ts';
import { qosOf } from '#api/qos.ts';
import type { Host, PodCgroup, QosClass } from '#host/host.ts';
import { podCgroupLimits } from '#kubelet/resources.ts';
import { openToAll, prepareHostPath, sizeOf, type VolumePlan, volumesOf } from '#kubelet/volumes/volumes.ts';

/** What a pod has on its node besides containers: cgroup, volumes, folders. Every operation may be repeated. */
export interface PodFiles {
  state(uid: string): 'absent' | 'left' | 'ready';
  prepare(pod: Pod, signal: AbortSignal): Promise<void>;
  /** `pod` is undefined for one that only its folder is left of. */
  remove(
    what: { readonly uid: string; readonly pod: Pod | undefined; readonly logs: 'keep' | 'remove' },
    signal: AbortSignal,
  ): Promise<void>;
  logDirectory(pod: Pod): string;
  /** As the runtime wants it; undefined before `prepare`. */
  cgroupParent(pod: Pod): string | undefined;
  /** Where on the host a volume of the pod lies. Throws for a volume that the pod does not have. */
  volumePath(pod: Pod, volume: string): string;
  /** UIDs of pods that have something here. */
  found(): Promise<readonly string[]>;
}

export interface PodFolders {
  /** One folder a pod UID below. */
  readonly pods: string;
  readonly logs: string;
}

export class PodFilesOnHost implements PodFiles {
  readonly #host: Host;
  readonly #folders: PodFolders;
  /** cgroup parents of pods that were prepared since this kubelet began. */
  readonly #prepared = new Map<string, string>();

  constructor(host: Host, folders: PodFolders) {
    this.#host = host;
    this.#folders = folders;
  }

  /** Only what this process prepared counts as ready: preparing again is cheap, and puts right what a reboot took. */
  state(uid: string): 'absent' | 'left' | 'ready' {
    if (this.#prepared.has(uid)) return 'ready';
    return existsSync(this.#podFolder(uid)) ? 'left' : 'absent';
  }

  async prepare(pod: Pod, signal: AbortSignal): Promise<void> {
    const { uid } = pod.metadata;
    await mkdir(this.#podFolder(uid), { recursive: true, mode: 0o750 });
    for (const volume of volumesOf(pod)) await this.#prepareVolume(uid, volume, signal);
    const parent = await this.#host.cgroups.apply({ uid, qosClass: qosOf(pod) }, podCgroupLimits(pod));
    this.#prepared.set(uid, parent);
  }

  async remove(
    what: { readonly uid: string; readonly pod: Pod | undefined; readonly logs: 'keep' | 'remove' },
    signal: AbortSignal,
  ): Promise<void> {
    const { uid, pod, logs } = what;
    const folder = this.#podFolder(uid);
    for (const cgroup of cgroupsOf(uid, pod)) await this.#host.cgroups.remove(cgroup, { kill: true }, signal);
    if (logs === 'remove') await this.#removeLogs(uid);
    await this.#host.mounts.unmountAll(folder, signal);
    // Last: as long as it is there, a kubelet that comes later knows that something is left to do.
    await rm(folder, { recursive: true, force: true });
    this.#prepared.delete(uid);
  }

  logDirectory({ metadata }: Pod): string {
    return join(this.#folders.logs, `${metadata.namespace}_${metadata.name}_${metadata.uid}`);
  }

  cgroupParent(pod: Pod): string | undefined {
    return this.#prepared.get(pod.metadata.uid);
  }

  volumePath(pod: Pod, volume: string): string {
    const found = volumesOf(pod).find(({ name }) => name === volume);
    if (found === undefined) throw new Error(`pod ${pod.metadata.name} has no volume "${volume}"`);
    return found.kind === 'host-path' ? found.path : this.#volumeFolder(pod.metadata.uid, found);
  }

  async found(): Promise<readonly string[]> {
    const folders = existsSync(this.#folders.pods) ? await readdir(this.#folders.pods) : [];
    const cgroups = await this.#host.cgroups.list();
    return [...new Set([...folders, ...cgroups.map(({ uid }) => uid)])];
  }

  async #prepareVolume(uid: string, volume: VolumePlan, signal: AbortSignal): Promise<void> {
    switch (volume.kind) {
      case 'host-path':
        return prepareHostPath(volume);
      case 'empty-dir': {
        const folder = this.#volumeFolder(uid, volume);
        await mkdir(folder, { recursive: true });
        if (volume.memory) await this.#host.mounts.tmpfs(folder, { mode: 0o777, ...sizeOf(volume) }, signal);
        return openToAll(folder);
      }
    }
  }

  async #removeLogs(uid: string): Promise<void> {
    const { logs } = this.#folders;
    const names = existsSync(logs) ? await readdir(logs) : [];
    const own = names.filter((name) => name.endsWith(`_${uid}`));
    await Promise.all(own.map((name) => rm(join(logs, name), { recursive: true, force: true })));
  }

  #podFolder(uid: string): string {
    return join(this.#folders.pods, uid);
  }

  #volumeFolder(uid: string, { name }: VolumePlan): string {
    return join(this.#podFolder(uid), 'volumes', 'kubernetes.io~empty-dir', name);
  }
}

/** Without its object nobody knows the class any more: it is looked for in all of them. */
const cgroupsOf = (uid: string, pod: Pod | undefined): readonly PodCgroup[] =>
  (pod ? [qosOf(pod)] : allClasses).map((qosClass) => ({ uid, qosClass }));

const allClasses: readonly QosClass[] = ['Guaranteed', 'Burstable', 'BestEffort'];
