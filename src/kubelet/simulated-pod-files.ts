import type { Pod } from '#api/generated/core-v1.ts';
import { qosOf } from '#api/qos.ts';
import type { Host } from '#host/host.ts';
import { refuseStrangers } from '#cri/simulated/script.ts';
import { removeLogs } from '#kubelet/log-folders.ts';
import type { FilesState } from '#kubelet/observed.ts';
import type { DiskPart, PodFiles, SubPathOf, VolumeFileRef } from '#kubelet/pod-files.ts';
import { podCgroupLimits } from '#kubelet/resources.ts';
import type { Files } from '#kubelet/volumes/projection.ts';
import { volumesOf } from '#kubelet/volumes/volumes.ts';

/**
 * The files of pods on a node without a disk: remembered, not made. Refuses what the real one refuses. It outlives a
 * kubelet, as a disk does, if the same object is given to the next one: `restarted` is what that one starts with.
 */
export class SimulatedPodFiles implements PodFiles {
  readonly #host: Host;
  readonly #logs: string | undefined;
  readonly #folders: Set<string>;
  /** Of pods' volumes that are claims'. */
  readonly #links: Set<string>;
  readonly #parents = new Map<string, string>();
  /** Bytes that volumes are said to hold, by path. */
  readonly #filled = new Map<string, number>();
  /** The files of volumes, by the path of the volume. */
  readonly #content: Map<string, Files>;

  /** `logs`: a folder of a real disk, for the logs alone; absent: logs are nowhere. */
  constructor(host: Host, logs?: string, before?: SimulatedPodFiles) {
    this.#host = host;
    this.#logs = logs;
    this.#folders = before === undefined ? new Set() : before.#folders;
    this.#content = before === undefined ? new Map() : before.#content;
    this.#links = before === undefined ? new Set() : before.#links;
  }

  restarted(): SimulatedPodFiles {
    return new SimulatedPodFiles(this.#host, this.#logs, this);
  }

  /** The files of a volume that comes from the API, as the pod's containers would see them; undefined before they are there. */
  content(pod: Pod, volume: string): Files | undefined {
    return this.#content.get(this.volumePath(pod, volume));
  }

  /** As if the pod's containers had written so much to a volume. */
  fill(pod: Pod, volume: string, bytes: number): void {
    this.#filled.set(this.volumePath(pod, volume), bytes);
  }

  async diskUse(pod: Pod, of: DiskPart): Promise<number> {
    return of.kind === 'volume' ? (this.#filled.get(this.volumePath(pod, of.volume)) ?? 0) : 0;
  }

  state(uid: string): FilesState {
    if (this.#parents.has(uid)) return 'ready';
    return this.#folders.has(uid) ? 'left' : 'absent';
  }

  async prepare(pod: Pod, content: ReadonlyMap<string, Files>): Promise<void> {
    const { uid } = pod.metadata;
    volumesOf(pod);
    refuseStrangers(pod.metadata.annotations ?? {}, namesOf(pod));
    this.#folders.add(uid);
    for (const [volume, files] of content) await this.update(pod, { volume, files });
    this.#parents.set(uid, await this.#host.cgroups.apply({ uid, qosClass: qosOf(pod) }, podCgroupLimits(pod)));
  }

  isLinked({ metadata }: Pod, volume: string): boolean {
    return this.#links.has(`${metadata.uid}/${volume}`);
  }

  async link({ metadata }: Pod, volume: string): Promise<void> {
    this.#links.add(`${metadata.uid}/${volume}`);
  }

  async update(pod: Pod, { volume, files }: { readonly volume: string; readonly files: Files }): Promise<void> {
    this.#content.set(this.volumePath(pod, volume), files);
  }

  async remove({ uid, pod, logs }: Parameters<PodFiles['remove']>[0], signal: AbortSignal): Promise<void> {
    if (pod) await this.#host.cgroups.remove({ uid, qosClass: qosOf(pod) }, { kill: true }, signal);
    if (logs === 'remove' && this.#logs !== undefined) await removeLogs(this.#logs, uid);
    this.#folders.delete(uid);
    for (const path of this.#content.keys()) if (path.startsWith(`/simulated/pods/${uid}/`)) this.#content.delete(path);
    for (const link of this.#links) if (link.startsWith(`${uid}/`)) this.#links.delete(link);
    this.#parents.delete(uid);
  }

  logDirectory = ({ metadata }: Pod): string =>
    `${this.#logs ?? '/simulated/logs'}/${metadata.namespace}_${metadata.name}_${metadata.uid}`;

  cgroupParent(pod: Pod): string | undefined {
    return this.#parents.get(pod.metadata.uid);
  }

  volumePath(pod: Pod, volume: string): string {
    return `/simulated/pods/${pod.metadata.uid}/${volume}`;
  }

  async subPath(pod: Pod, { volume, subPath }: SubPathOf): Promise<string> {
    return `${this.volumePath(pod, volume)}/${subPath}`;
  }

  async readText(pod: Pod, { volume, path }: VolumeFileRef): Promise<string | undefined> {
    const file = this.content(pod, volume)?.get(path);
    return file && new TextDecoder().decode(file.bytes);
  }

  async terminationLog(): Promise<undefined> {}

  async hostsFile(): Promise<undefined> {}
  async largeLogs(): Promise<readonly []> {
    return [];
  }

  async rotateLog(): Promise<void> {}

  async forgetLogs(): Promise<void> {}

  async found(): Promise<readonly string[]> {
    return [...this.#folders];
  }
}

const namesOf = ({ spec }: Pod): readonly string[] =>
  [...(spec.initContainers ?? []), ...spec.containers, ...(spec.ephemeralContainers ?? [])].map(({ name }) => name);
