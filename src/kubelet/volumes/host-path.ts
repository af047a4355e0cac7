import { lstat, mkdir, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { HostPathPlan } from '#kubelet/volumes/volumes.ts';

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
