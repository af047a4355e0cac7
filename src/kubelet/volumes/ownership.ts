import { chmod, lchown, lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';

const SETGID = 0o2000;
const FOR_DIRECTORIES = SETGID | 0o110;

/** What members of a pod's fsGroup may do: `write` in what the containers fill, `read` in what comes from the API. */
export type GroupAccess = 'read' | 'write';

/**
 * Hands a folder and everything in it to a group, as upstream's kubelet does: the group may read (and write), and what is made in its
 * directories later belongs to the group as well. Links are handed over, never followed.
 */
export async function giveToGroup(path: string, group: number, access: GroupAccess): Promise<void> {
  const found = await lstat(path);
  await lchown(path, found.uid, group);
  if (found.isSymbolicLink()) return;
  const mask = (access === 'write' ? 0o660 : 0o440) | (found.isDirectory() ? FOR_DIRECTORIES : 0);
  // Of a file that is not root's, chown takes the setuid and setgid bits away: chmod comes second.
  await chmod(path, (found.mode & 0o7777) | mask);
  if (!found.isDirectory()) return;
  for (const name of await readdir(path)) await giveToGroup(join(path, name), group, access);
}

/** Whether the folder itself was handed to the group before; then everything in it was, and the pod has gone on from there. */
export async function belongsToGroup(path: string, group: number): Promise<boolean> {
  const { gid, mode } = await lstat(path);
  return gid === group && (mode & SETGID) !== 0;
}
