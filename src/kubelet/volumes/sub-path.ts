/**
 * Part of a volume as a mount of its own. What lies in a volume is the containers' to arrange: a symbolic link there must never lead the
 * kubelet out of it, nor must one that is put in the way while it looks.
 *
 * So the path is resolved once, checked to lie within the volume, opened step by step without following links, and what was opened
 * is bound to a place of the kubelet's own, which is what the runtime is given; last it is compared with what was opened.
 */
import { constants, type Stats } from 'node:fs';
import { chmod, type FileHandle, mkdir, open, realpath, rmdir, stat, unlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { expand } from '#api/expansion.ts';
import type { VolumeMount } from '#api/generated/core-v1.ts';
import type { Mounts } from '#host/host.ts';

/** A part of a volume that cannot be meant. */
export class SubPathError extends Error {
  override readonly name = 'SubPathError';
}

/** Gives the part of the volume that the mount asks for, '' for all of it. Throws SubPathError, with upstream's message. */
export function subPathOf(mount: VolumeMount, variables: ReadonlyMap<string, string>): string {
  const { subPath = '', subPathExpr = '' } = mount;
  const path = subPathExpr === '' ? subPath : expanded(subPathExpr, variables);
  if (path.startsWith('/')) throw new SubPathError(`error SubPath \`${path}\` must not be an absolute path`);
  if (path.split('/').includes('..'))
    throw new SubPathError(`unable to provision SubPath \`${path}\`: must not contain '..'`);
  return path;
}

class Asked extends Map<string, string> {
  readonly missing = new Set<string>();

  override get(name: string): string | undefined {
    const value = super.get(name);
    if (value === undefined || value === '') this.missing.add(name);
    return value;
  }
}

function expanded(text: string, variables: ReadonlyMap<string, string>): string {
  const asked = new Asked(variables);
  const path = expand(text, asked);
  if (asked.missing.size > 0) throw new SubPathError(`missing value for ${[...asked.missing].sort().join(', ')}`);
  return path;
}

export interface SubPathRequest {
  readonly volume: string;
  readonly subPath: string;
  /** Where it is bound to; a place that only root can reach. */
  readonly target: string;
}

/**
 * Gives the path for the runtime. Folders that are missing are made, with the mode of the volume. May be repeated: what is
 * bound already and still the same is left; what the path means now replaces what it meant.
 */
export async function bindSubPath(mounts: Mounts, request: SubPathRequest, signal: AbortSignal): Promise<string> {
  const { volume, subPath, target } = request;
  const found = await resolveWithin(volume, subPath);
  await using opened = await openEach(found);
  const wanted = await opened.stat();
  if (wanted.isSymbolicLink()) throw new Error(`subPath "${subPath}" is a link that leads nowhere`);
  const there = await stat(target).catch(() => undefined);
  if (there && same(there, wanted)) return target;
  if (there) await clear(mounts, target, signal);
  await mkdir(wanted.isDirectory() ? target : dirname(target), { recursive: true, mode: 0o750 });
  if (!wanted.isDirectory()) await writeFile(target, '', { mode: 0o640 });
  await mounts.bind(join(found.root, ...found.parts), target, {}, signal);
  if (same(await stat(target), wanted)) return target;
  await clear(mounts, target, signal);
  throw new Error(`subPath "${subPath}" changed while it was being mounted`);
}

/** A path in a volume, as it was when it was looked up. */
export interface Found {
  readonly root: string;
  /** From the root on, free of links when it was resolved. */
  readonly parts: readonly string[];
  /** How many of the parts there are already; the others are to be made. */
  readonly there: number;
}

/** Throws for a path that leads out of the volume. */
export async function resolveWithin(volume: string, subPath: string): Promise<Found> {
  const root = await realpath(volume);
  const parts = subPath.split('/').filter((part) => part !== '' && part !== '.');
  for (let there = parts.length; ; there--) {
    const resolved = await realpath(join(root, ...parts.slice(0, there))).catch((error: unknown) => {
      if (there > 0 && isMissing(error)) return undefined;
      throw error;
    });
    if (resolved === undefined) continue;
    const inner = relative(root, resolved);
    if (inner.split('/')[0] === '..') throw new Error(`subPath "${subPath}" not within volume path`);
    const before = inner === '' ? [] : inner.split('/');
    return { root, parts: [...before, ...parts.slice(there)], there: before.length };
  }
}

const isMissing = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ENOENT';

/** What open(2) calls O_PATH: a hold on a place, not on its content. Node does not name it. */
const O_PATH = 0o10000000;
const { O_NOFOLLOW, O_DIRECTORY } = constants;

/** Opens one part after the other, each below the one that is held: no link is followed on the way. */
export async function openEach({ root, parts, there }: Found): Promise<FileHandle> {
  let held = await open(root, O_PATH | O_DIRECTORY);
  const mode = (await held.stat()).mode & 0o7777;
  for (const [index, part] of parts.entries()) {
    await using above = held;
    const path = `/proc/self/fd/${above.fd}/${part}`;
    if (index >= there) await mkdir(path).catch(unlessThere);
    held = await open(path, O_PATH | O_NOFOLLOW | (index < parts.length - 1 || index >= there ? O_DIRECTORY : 0));
    if (index >= there) await chmod(`/proc/self/fd/${held.fd}`, mode);
  }
  return held;
}

function unlessThere(error: unknown): void {
  if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
}

const same = (a: Stats, b: Stats): boolean => a.dev === b.dev && a.ino === b.ino;

async function clear(mounts: Mounts, target: string, signal: AbortSignal): Promise<void> {
  await mounts.unmountAll(target, signal);
  // Not recursively: should something be mounted there still, it is not ours to empty.
  await ((await stat(target)).isDirectory() ? rmdir(target) : unlink(target));
}
