import { existsSync, readlinkSync } from 'node:fs';
import { chmod, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pod } from '#api/generated/core-v1.ts';
import { qosOf } from '#api/qos.ts';
import { diskUse } from '#host/disk-use.ts';
import type { Host, PodCgroup, QosClass } from '#host/host.ts';
import { logFolders, removeLogs } from '#kubelet/log-folders.ts';
import type { FilesState } from '#kubelet/observed.ts';
import { type LogFile, largeLogs, removeLogsBefore, rotateLog } from '#kubelet/log-files.ts';
import { podCgroupLimits } from '#kubelet/resources.ts';
import { writeAtomically } from '#kubelet/volumes/atomic-writer.ts';
import { writeHostsFile } from '#kubelet/write-hosts-file.ts';
import { prepareHostPath } from '#kubelet/volumes/host-path.ts';
import { isLink, linkTo, type LocalVolume, prepareLocalVolume } from '#kubelet/volumes/local-volume.ts';
import { MountError } from '#kubelet/volumes/mount-error.ts';
import { belongsToGroup, giveToGroup } from '#kubelet/volumes/ownership.ts';
import type { Files } from '#kubelet/volumes/projection.ts';
import { readWithin } from '#kubelet/volumes/read-within.ts';
import { bindSubPath } from '#kubelet/volumes/sub-path.ts';
import { type ApiFilesPlan, type EmptyDirPlan, type VolumePlan, volumesOf } from '#kubelet/volumes/volumes.ts';
import type { Clock } from '#lib/clock.ts';
import { unreachable } from '#lib/unreachable.ts';

/** What a pod has on its node besides containers: cgroup, volumes, folders. Every operation may be repeated. */
export interface PodFiles {
  state(uid: string): FilesState;
  /** `content` has the files of each volume of the pod that comes from the API, by its name. Throws MountError. */
  prepare(pod: Pod, content: ReadonlyMap<string, Files>, signal: AbortSignal): Promise<void>;
  /** Whether it is known what a volume of the pod that is a claim's is bound to: `prepare` needs it. It outlives this process. */
  isLinked(pod: Pod, volume: string): boolean;
  /** Makes it so. Throws for what is not there, in upstream's words. */
  link(pod: Pod, volume: string, to: LocalVolume): Promise<void>;
  /** Replaces the files of such a volume, all at once; only of a pod that was prepared. */
  update(pod: Pod, volume: { readonly volume: string; readonly files: Files }): Promise<void>;
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
  /** Where a part of a volume lies, for one mount of one container. Made when it is missing; never outside of the volume. */
  subPath(pod: Pod, part: SubPathOf, signal: AbortSignal): Promise<string>;
  /**
   * What a file in a volume of the pod says; undefined when there is none. Never reads outside of the volume, whatever its
   * containers have put there. Throws for what is no file, or larger than `maxBytes`.
   */
  readText(pod: Pod, file: VolumeFileRef): Promise<string | undefined>;
  /** Makes the file for the last words of one attempt of a container; undefined where there are no files. */
  terminationLog(pod: Pod, of: { readonly container: string; readonly attempt: number }): Promise<string | undefined>;
  /** Makes the pod's /etc/hosts say `text`, for containers that have it already too; undefined where there are no files. */
  hostsFile(pod: Pod, text: string): Promise<string | undefined>;
  /** Bytes on the disk, of a volume of the pod or the logs of one of its containers; no more is counted once it is over `enough`. */
  diskUse(pod: Pod, of: DiskPart, enough: number, signal: AbortSignal): Promise<number>;
  /** Of all pods, those logs that are larger than that. */
  largeLogs(bytes: number): Promise<readonly LogFile[]>;
  /** Puts a log aside, of which there may be `maxFiles` files in all; `reopen` has the runtime begin a new one. */
  rotateLog(file: LogFile, maxFiles: number, reopen: () => Promise<void>): Promise<void>;
  /** Nobody can ask any more for what attempts of a container before this one have said. */
  forgetLogs(pod: Pod, before: { readonly container: string; readonly attempt: number }): Promise<void>;
  /** UIDs of pods that have something here. */
  found(): Promise<readonly string[]>;
}

export type DiskPart =
  | { readonly kind: 'volume'; readonly volume: string }
  | { readonly kind: 'logs'; readonly container: string };

export interface SubPathOf {
  readonly volume: string;
  readonly container: string;
  /** Which of the container's mounts it is. */
  readonly index: number;
  readonly subPath: string;
}

export interface VolumeFileRef {
  readonly volume: string;
  readonly path: string;
  readonly maxBytes: number;
}

export interface PodFolders {
  /** One folder a pod UID below. */
  readonly pods: string;
  readonly logs: string;
}

export class PodFilesOnHost implements PodFiles {
  readonly #host: Host;
  readonly #folders: PodFolders;
  readonly #clock: Clock;
  /** cgroup parents of pods that were prepared since this kubelet began. */
  readonly #prepared = new Map<string, string>();

  constructor(host: Host, folders: PodFolders, clock: Clock) {
    this.#host = host;
    this.#folders = folders;
    this.#clock = clock;
  }

  /** Only what this process prepared counts as ready: preparing again is cheap, and puts right what a reboot took. */
  state(uid: string): FilesState {
    if (this.#prepared.has(uid)) return 'ready';
    if (existsSync(this.#podFolder(uid))) return 'left';
    return logFolders(this.#folders.logs).some((folder) => folder.uid === uid) ? 'logs' : 'absent';
  }

  async prepare(pod: Pod, content: ReadonlyMap<string, Files>, signal: AbortSignal): Promise<void> {
    const { uid } = pod.metadata;
    await mkdir(this.#podFolder(uid), { recursive: true, mode: 0o750 });
    for (const volume of volumesOf(pod)) {
      try {
        await this.#prepareVolume(pod, volume, { files: content.get(volume.name), signal });
      } catch (error) {
        signal.throwIfAborted();
        throw new MountError(volume.name, error);
      }
    }
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
    if (logs === 'remove') await removeLogs(this.#folders.logs, uid);
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
    switch (found.kind) {
      case 'host-path':
        return found.path;
      case 'claim':
        return readlinkSync(this.#claimLink(pod.metadata.uid, volume));
      default:
        return this.#volumeFolder(pod.metadata.uid, found);
    }
  }

  isLinked({ metadata }: Pod, volume: string): boolean {
    return isLink(this.#claimLink(metadata.uid, volume));
  }

  async link(pod: Pod, volume: string, to: LocalVolume): Promise<void> {
    await prepareLocalVolume(to, fsGroupOf(pod));
    await linkTo(to.path, this.#claimLink(pod.metadata.uid, volume));
  }

  async update(pod: Pod, { volume, files }: { readonly volume: string; readonly files: Files }): Promise<void> {
    const group = fsGroupOf(pod);
    await writeAtomically(this.volumePath(pod, volume), files, { now: this.#clock.now(), group });
  }

  subPath(pod: Pod, { volume, container, index, subPath }: SubPathOf, signal: AbortSignal): Promise<string> {
    const target = join(this.#podFolder(pod.metadata.uid), 'volume-subpaths', volume, container, String(index));
    return bindSubPath(this.#host.mounts, { volume: this.volumePath(pod, volume), subPath, target }, signal);
  }

  readText(pod: Pod, { volume, path, maxBytes }: VolumeFileRef): Promise<string | undefined> {
    return readWithin(this.volumePath(pod, volume), path, maxBytes);
  }

  async terminationLog(
    { metadata }: Pod,
    { container, attempt }: { readonly container: string; readonly attempt: number },
  ): Promise<string> {
    const folder = join(this.#podFolder(metadata.uid), 'containers', container);
    const path = join(folder, String(attempt));
    await mkdir(folder, { recursive: true, mode: 0o750 });
    await writeFile(path, '');
    // Whoever the container runs as is to write it.
    await chmod(path, 0o666);
    return path;
  }

  async hostsFile({ metadata }: Pod, text: string): Promise<string> {
    const path = join(this.#podFolder(metadata.uid), 'etc-hosts');
    await writeHostsFile(path, text);
    return path;
  }

  diskUse(pod: Pod, of: DiskPart, enough: number, signal: AbortSignal): Promise<number> {
    const folder = of.kind === 'volume' ? this.volumePath(pod, of.volume) : join(this.logDirectory(pod), of.container);
    return diskUse(folder, { enough, clock: this.#clock }, signal);
  }

  async found(): Promise<readonly string[]> {
    const folders = existsSync(this.#folders.pods) ? await readdir(this.#folders.pods) : [];
    const cgroups = await this.#host.cgroups.list();
    const logs = logFolders(this.#folders.logs);
    return [...new Set([...folders, ...[...cgroups, ...logs].map(({ uid }) => uid)])];
  }

  async #prepareVolume(
    pod: Pod,
    volume: VolumePlan,
    { files, signal }: { readonly files: Files | undefined; readonly signal: AbortSignal },
  ): Promise<void> {
    switch (volume.kind) {
      case 'host-path':
        return prepareHostPath(volume);
      case 'empty-dir':
        return this.#prepareEmptyDir(pod, volume, signal);
      case 'claim':
        if (!this.isLinked(pod, volume.name)) throw new Error('its claim was not looked up');
        return undefined;
      case 'api-files': {
        if (files === undefined) throw new Error('its files were not looked up');
        const folder = this.#volumeFolder(pod.metadata.uid, volume);
        await mkdir(folder, { recursive: true });
        if (volume.confidential) await this.#host.mounts.tmpfs(folder, { mode: 0o777 }, signal);
        await openToAll(folder);
        return this.update(pod, { volume: volume.name, files });
      }
      default:
        return unreachable(volume);
    }
  }

  async #prepareEmptyDir(pod: Pod, volume: EmptyDirPlan, signal: AbortSignal): Promise<void> {
    const folder = this.#volumeFolder(pod.metadata.uid, volume);
    const group = fsGroupOf(pod);
    const known = existsSync(folder);
    await mkdir(folder, { recursive: true });
    if (volume.memory) await this.#host.mounts.tmpfs(folder, { mode: 0o777, ...sizeOf(volume) }, signal);
    if (group === undefined) return openToAll(folder);
    // What the containers made of it since it was handed over is theirs.
    if (known && (await belongsToGroup(folder, group))) return;
    await openToAll(folder);
    await giveToGroup(folder, group, 'write');
  }

  largeLogs(bytes: number): Promise<readonly LogFile[]> {
    return largeLogs(this.#folders.logs, bytes);
  }

  rotateLog({ path }: LogFile, maxFiles: number, reopen: () => Promise<void>): Promise<void> {
    return rotateLog(path, { maxFiles, now: this.#clock.now() }, reopen);
  }

  forgetLogs(
    pod: Pod,
    { container, attempt }: { readonly container: string; readonly attempt: number },
  ): Promise<void> {
    return removeLogsBefore(join(this.logDirectory(pod), container), attempt);
  }

  #podFolder(uid: string): string {
    return join(this.#folders.pods, uid);
  }

  /** A link rather than a mount: when the pod goes nothing can be deleted through it. */
  #claimLink(uid: string, volume: string): string {
    return join(this.#podFolder(uid), 'volumes', 'peapod.dev~claim', volume);
  }

  #volumeFolder(uid: string, volume: EmptyDirPlan | ApiFilesPlan): string {
    const plugin = volume.kind === 'empty-dir' ? 'empty-dir' : volume.plugin;
    return join(this.#podFolder(uid), 'volumes', `kubernetes.io~${plugin}`, volume.name);
  }
}

const fsGroupOf = ({ spec }: Pod): number | undefined => spec.securityContext?.fsGroup;

const sizeOf = ({ sizeBytes }: EmptyDirPlan): { sizeBytes?: number } => (sizeBytes === undefined ? {} : { sizeBytes });

/** A volume is for whoever the containers run as. The mode of mkdir is cut by the umask; this is not. */
const openToAll = (folder: string): Promise<void> => chmod(folder, 0o777);

/** Without its object nobody knows the class any more: it is looked for in all of them. */
const cgroupsOf = (uid: string, pod: Pod | undefined): readonly PodCgroup[] =>
  (pod ? [qosOf(pod)] : allClasses).map((qosClass) => ({ uid, qosClass }));

const allClasses: readonly QosClass[] = ['Guaranteed', 'Burstable', 'BestEffort'];
