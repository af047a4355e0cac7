import { chmod, lstat, mkdir, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Pod, Volume } from '#api/generated/core-v1.ts';
import { parseQuantity, value } from '#api/quantity.ts';

/** What a pod's volume means on its node. A union: a kind without a way to prepare it does not compile. */
export type VolumePlan = EmptyDirPlan | HostPathPlan;

export interface EmptyDirPlan {
  readonly kind: 'empty-dir';
  readonly name: string;
  readonly memory: boolean;
  readonly sizeBytes: number | undefined;
}

export interface HostPathPlan {
  readonly kind: 'host-path';
  readonly name: string;
  readonly path: string;
  /** Upstream's HostPathType; '' checks nothing. */
  readonly type: string;
}

/** Throws for a volume this kubelet cannot give: a container that runs without its files would be worse than none. */
export const volumesOf = ({ spec }: Pod): readonly VolumePlan[] => (spec.volumes ?? []).map(planOf);

function planOf(volume: Volume): VolumePlan {
  const { name, emptyDir, hostPath } = volume;
  if (hostPath) return { kind: 'host-path', name, path: hostPath.path, type: hostPath.type ?? '' };
  if (emptyDir) {
    const { medium = '', sizeLimit } = emptyDir;
    if (medium !== '' && medium !== 'Memory') {
      throw new Error(`volume "${name}": emptyDir medium "${medium}" is not supported; use "" (disk) or "Memory"`);
    }
    const sizeBytes = sizeLimit === undefined ? 0 : value(parseQuantity(sizeLimit));
    return { kind: 'empty-dir', name, memory: medium === 'Memory', sizeBytes: sizeBytes > 0 ? sizeBytes : undefined };
  }
  const kind = Object.keys(volume).find((key) => key !== 'name') ?? 'none';
  throw new Error(`volume "${name}": volumes of type ${kind} are not supported yet (SCOPE.md lists those that are)`);
}

export const sizeOf = ({ sizeBytes }: EmptyDirPlan): { sizeBytes?: number } =>
  sizeBytes === undefined ? {} : { sizeBytes };

/** An emptyDir is for whoever the containers run as. The mode of mkdir is cut by the umask; this is not. */
export const openToAll = (folder: string): Promise<void> => chmod(folder, 0o777);

type Kind = 'directory' | 'file' | 'socket' | 'character device' | 'block device';
const wantedKinds: Readonly<Record<string, Kind>> = {
  Directory: 'directory',
  DirectoryOrCreate: 'directory',
  File: 'file',
  FileOrCreate: 'file',
  Socket: 'socket',
  CharDevice: 'character device',
  BlockDevice: 'block device',
};

/** Checks what the type says of the path, making it where the type says so. */
export async function prepareHostPath({ name, path, type }: HostPathPlan): Promise<void> {
  if (type === '') return;
  if (type === 'DirectoryOrCreate') await mkdir(path, { recursive: true, mode: 0o755 });
  if (type === 'FileOrCreate') await touch(path);
  const wanted = wantedKinds[type];
  if (wanted === undefined) throw new Error(`volume "${name}": hostPath type "${type}" is not known`);
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw new Error(`hostPath type check failed: ${path} does not exist, and type is ${type}`);
  const checks: Readonly<Record<Kind, boolean>> = {
    directory: found.isDirectory(),
    file: found.isFile(),
    socket: found.isSocket(),
    'character device': found.isCharacterDevice(),
    'block device': found.isBlockDevice(),
  };
  if (!checks[wanted]) throw new Error(`hostPath type check failed: ${path} is not a ${wanted}`);
}

/** Never makes the folders above: a mistyped path should fail, as upstream documents. */
async function touch(path: string): Promise<void> {
  if (await lstat(path).catch(() => undefined)) return;
  await stat(dirname(path));
  await (await open(path, 'a', 0o644)).close();
}
