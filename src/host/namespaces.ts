/** Network namespaces pinned by a file: they live until that file is unmounted and no process is in them. */
import { closeSync, openSync, rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isUnder, readMountinfo } from '#host/mountinfo.ts';
import { realMounts } from '#host/mounts.ts';
import { isErrno } from '#host/proc.ts';
import { run } from '#host/process.ts';

/** Makes a network namespace with lo up, pinned at `file`. One that is already pinned there is kept. */
export async function createNetworkNamespace(file: string, signal: AbortSignal): Promise<void> {
  if (pinnedNamespaces(file).length > 0) return;
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  closeSync(openSync(file, 'a', 0o600));
  await run('unshare', [`--net=${file}`, 'ip', 'link', 'set', 'lo', 'up'], {}, signal);
}

/** Files at or below `prefix` that pin a network namespace. */
export function pinnedNamespaces(prefix: string): readonly string[] {
  const found = readMountinfo().filter(
    ({ fsType, root, mountPoint }) => fsType === 'nsfs' && root.startsWith('net:[') && isUnder(mountPoint, prefix),
  );
  return [...new Set(found.map((line) => line.mountPoint))];
}

/** Unpins it and removes the file. Its links go with it once the last process has left. */
export async function removeNetworkNamespace(file: string, signal: AbortSignal): Promise<void> {
  await realMounts.unmountAll(file, signal);
  try {
    rmSync(file, { force: true });
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
  }
}
