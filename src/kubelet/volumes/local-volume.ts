import { lstatSync } from 'node:fs';
import { mkdir, readlink, rename, rm, stat, symlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { prepareHostPath } from '#kubelet/volumes/host-path.ts';
import { belongsToGroup, giveToGroup } from '#kubelet/volumes/ownership.ts';

/** A persistent volume that lies on the node. */
export type LocalVolume =
  /** As a pod's own hostPath: made where its type says so. */
  | { readonly kind: 'host-path'; readonly name: string; readonly path: string; readonly type: string }
  /** A folder that somebody has made for it. */
  | { readonly kind: 'local'; readonly name: string; readonly path: string };

/** Checks that it is there. What was made for pods is given to their group, if they have one; a path of the host stays as it is. */
export async function prepareLocalVolume(volume: LocalVolume, fsGroup: number | undefined): Promise<void> {
  const { name, path } = volume;
  if (volume.kind === 'host-path') return prepareHostPath({ ...volume, kind: 'host-path' });
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw new Error(`path ${JSON.stringify(path)} does not exist`);
  if (!found.isDirectory())
    throw new Error(`local volume ${JSON.stringify(name)}: ${path} is not a directory; devices are not supported yet`);
  if (fsGroup !== undefined && !(await belongsToGroup(path, fsGroup))) await giveToGroup(path, fsGroup, 'write');
}

/** Replaces what the link was, at once. */
export async function linkTo(path: string, link: string): Promise<void> {
  await mkdir(dirname(link), { recursive: true, mode: 0o750 });
  if ((await readlink(link).catch(() => undefined)) === path) return;
  const made = `${link}.new`;
  await rm(made, { force: true });
  await symlink(path, made);
  await rename(made, link);
}

export const isLink = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
