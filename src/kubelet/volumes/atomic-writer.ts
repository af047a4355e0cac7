/**
 * Files that change all at once, in the layout that upstream's kubelet has and that programs which watch their
 * configuration know:
 *
 *   VOLUME/..2026_01_31_09_00_00.Ab3dEf/key    the files, in a folder that never changes once it is shown
 *   VOLUME/..data -> ..2026_01_31_09_00_00.Ab3dEf
 *   VOLUME/key -> ..data/key                   one link for each name at the top
 *
 * An update makes the next folder and renames a link over `..data`: a reader sees the old files or the new ones.
 */
import {
  chmod,
  chown,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Files, VolumeFile } from '#kubelet/volumes/projection.ts';
import { giveToGroup } from '#kubelet/volumes/ownership.ts';

const DATA = '..data';
const NEXT_DATA = '..data_tmp';
const DIRECTORY_MODE = 0o755;

export interface WriteOptions {
  /** Epoch milliseconds; names the folder. */
  readonly now: number;
  /** The pod's fsGroup. */
  readonly group: number | undefined;
}

/**
 * Makes `files` what `volume` (a folder that exists) shows. Gives false when it shows them already. After a crash at any
 * point the volume shows the old files or the new ones, and the next call clears what is left over. Not for two
 * callers at once on the same volume.
 */
export async function writeAtomically(volume: string, files: Files, options: WriteOptions): Promise<boolean> {
  const shown = await readlink(join(volume, DATA)).catch(() => undefined);
  if (shown !== undefined && (await shows(join(volume, shown), files, options.group))) {
    await link(volume, files);
    await removeOthers(volume, shown, files);
    return false;
  }
  const next = await mkdtemp(join(volume, `..${stamp(options.now)}.`));
  await chmod(next, DIRECTORY_MODE);
  for (const [path, file] of files) await write(next, path, file);
  if (options.group !== undefined) await giveToGroup(next, options.group, 'read');
  await replaceLink(volume, next.slice(volume.length + 1));
  await link(volume, files);
  await removeOthers(volume, next.slice(volume.length + 1), files);
  return true;
}

async function write(folder: string, path: string, { bytes, mode, owner }: VolumeFile): Promise<void> {
  const target = join(folder, path);
  await makeFolders(folder, dirname(path));
  await writeFile(target, bytes, { mode: 0o600, flag: 'wx' });
  if (owner !== undefined) await chown(target, owner, -1);
  // The mode that open was given is cut by the umask.
  await chmod(target, mode);
}

async function makeFolders(folder: string, path: string): Promise<void> {
  if (path === '.') return;
  const first = await mkdir(join(folder, path), { recursive: true });
  for (let made = join(folder, path); first !== undefined && made.length >= first.length; made = dirname(made))
    await chmod(made, DIRECTORY_MODE);
}

async function replaceLink(volume: string, to: string): Promise<void> {
  await rm(join(volume, NEXT_DATA), { force: true });
  await symlink(to, join(volume, NEXT_DATA));
  await rename(join(volume, NEXT_DATA), join(volume, DATA));
}

const topOf = (path: string): string => path.split('/')[0]!;
const topsOf = (files: Files): ReadonlySet<string> => new Set([...files.keys()].map(topOf));

async function link(volume: string, files: Files): Promise<void> {
  for (const name of topsOf(files)) {
    const path = join(volume, name);
    const to = join(DATA, name);
    const found = await readlink(path).catch(() => undefined);
    if (found === to) continue;
    // A subPath of that name was made here before the key was there.
    await rm(path, { recursive: true, force: true });
    await symlink(to, path);
  }
}

/** Links to files that are no more, and folders of earlier updates, also of one that a crash has interrupted. */
async function removeOthers(volume: string, current: string, files: Files): Promise<void> {
  const tops = topsOf(files);
  for (const name of await readdir(volume)) {
    if (name === current || name === DATA || tops.has(name)) continue;
    const ours = name.startsWith('..') || (await lstat(join(volume, name))).isSymbolicLink();
    if (ours) await rm(join(volume, name), { recursive: true, force: true });
  }
}

async function shows(folder: string, files: Files, group: number | undefined): Promise<boolean> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  if (entries.filter((entry) => !entry.isDirectory()).length !== files.size) return false;
  for (const [path, { bytes, mode, owner = 0 }] of files) {
    const target = join(folder, path);
    const found = await lstat(target).catch(() => undefined);
    const wanted = group === undefined ? mode : mode | 0o440;
    if (!found?.isFile() || (found.mode & 0o7777) !== wanted || found.uid !== owner) return false;
    if (found.size !== bytes.length || !(await readFile(target)).equals(bytes)) return false;
  }
  return true;
}

/** 2026_01_31_09_00_00 */
const stamp = (now: number): string => new Date(now).toISOString().slice(0, 19).replaceAll(/[-T:]/g, '_');
