import { posix } from 'node:path';
import type { Container, Pod, VolumeMount } from '#api/generated/core-v1.ts';
import type { Mount } from '#cri/config.ts';
import { HOSTS_PATH } from '#kubelet/hosts-file.ts';
import type { PodFiles } from '#kubelet/pod-files.ts';
import { StepFailure } from '#kubelet/step-failure.ts';
import { SubPathError, subPathOf } from '#kubelet/volumes/sub-path.ts';
import { type VolumePlan, volumesOf } from '#kubelet/volumes/volumes.ts';

export interface MountsRequest {
  readonly pod: Pod;
  readonly container: Container;
  readonly attempt: number;
  /** Of the container: `subPathExpr` may refer to it. */
  readonly environment: ReadonlyMap<string, string>;
  /** What /etc/hosts is to say; undefined leaves that file to the runtime. */
  readonly hosts: string | undefined;
}

/**
 * What of the host a container sees, and where: its volumes, the pod's hosts file, the file for its last words. Makes those
 * files. Throws StepFailure CreateContainerConfigError for a part of a volume that cannot be had.
 */
export async function mountsOf(
  files: PodFiles,
  request: MountsRequest,
  signal: AbortSignal,
): Promise<readonly Mount[]> {
  const volumes = await volumeMounts(files, request, signal);
  return [...volumes, ...(await hostsMount(files, request, volumes)), ...(await messageMount(files, request))];
}

async function volumeMounts(files: PodFiles, request: MountsRequest, signal: AbortSignal): Promise<readonly Mount[]> {
  const { pod, container } = request;
  // What comes from the API nobody but the kubelet may write, or an update would undo it.
  const readOnly = new Set(
    volumesOf(pod)
      .filter(isReadOnly)
      .map(({ name }) => name),
  );
  const mounts: Mount[] = [];
  for (const [index, mount] of (container.volumeMounts ?? []).entries()) {
    mounts.push({
      hostPath: await hostPathOf(files, { ...request, mount, index }, signal),
      // A relative path is meant from the root, as with docker.
      containerPath: posix.resolve('/', mount.mountPath),
      readonly: mount.readOnly === true || readOnly.has(mount.name),
      propagation: propagations[mount.mountPropagation ?? 'None'] ?? 'private',
    });
  }
  return mounts;
}

const isReadOnly = (volume: VolumePlan): boolean =>
  volume.kind === 'api-files' || (volume.kind === 'claim' && volume.readOnly);

/** The volume, or the part of it that the mount asks for. Throws StepFailure CreateContainerConfigError, in upstream's words. */
async function hostPathOf(
  files: PodFiles,
  {
    pod,
    container,
    environment,
    mount,
    index,
  }: MountsRequest & { readonly mount: VolumeMount; readonly index: number },
  signal: AbortSignal,
): Promise<string> {
  try {
    const subPath = subPathOf(mount, environment);
    if (subPath === '') return files.volumePath(pod, mount.name);
    return await files.subPath(pod, { volume: mount.name, container: container.name, index, subPath }, signal);
  } catch (error) {
    signal.throwIfAborted();
    const known = error instanceof SubPathError;
    const message = known
      ? error.message
      : `failed to prepare subPath for volumeMount "${mount.name}" of container "${container.name}"`;
    throw new StepFailure('CreateContainerConfigError', message, { cause: error });
  }
}

const propagations: Readonly<Record<string, Mount['propagation']>> = {
  None: 'private',
  HostToContainer: 'host-to-container',
  Bidirectional: 'bidirectional',
};

/** One file for all containers of the pod, which they may write; a container that mounts something there itself has that. */
async function hostsMount(
  files: PodFiles,
  { pod, hosts }: MountsRequest,
  own: readonly Mount[],
): Promise<readonly Mount[]> {
  if (hosts === undefined || own.some(({ containerPath }) => containerPath === HOSTS_PATH)) return [];
  const hostPath = await files.hostsFile(pod, hosts);
  if (hostPath === undefined) return [];
  return [{ hostPath, containerPath: HOSTS_PATH, readonly: false, selinuxRelabel: true, propagation: 'private' }];
}

/** The file for a container's last words; its own mounts may lie over it. */
async function messageMount(files: PodFiles, { pod, container, attempt }: MountsRequest): Promise<readonly Mount[]> {
  const { terminationMessagePath: path = '' } = container;
  if (path === '') return [];
  const hostPath = await files.terminationLog(pod, { container: container.name, attempt });
  if (hostPath === undefined) return [];
  return [{ hostPath, containerPath: posix.resolve('/', path), readonly: false, propagation: 'private' }];
}
