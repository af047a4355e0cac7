import type { Stats } from 'node:fs';
import { lstat, opendir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '#lib/clock.ts';

export interface DiskUseOptions {
  /** Counting ends once there is more than this, bytes. */
  readonly enough: number;
  readonly clock: Clock;
}

/** A slice costs a few ms of this process; with the pause after each, a folder of a million files takes one part in ten of a core. */
const SLICE = 256;
const PAUSE_MS = 50;
const BLOCK_BYTES = 512;

/**
 * Bytes that a folder takes on its disk, as `du` counts: blocks, not lengths; each inode once; nothing of other file systems
 * mounted in it. What goes while it is counted is left out; a folder that is not there takes nothing. Links are not
 * followed; who lays one in a directory's place just then leads only their own count astray.
 */
export async function diskUse(folder: string, { enough, clock }: DiskUseOptions, signal: AbortSignal): Promise<number> {
  const root = await found(folder);
  if (root === undefined) return 0;
  let bytes = root.blocks * BLOCK_BYTES;
  if (!root.isDirectory()) return bytes;
  const linked = new Set<number>();
  const directories = [folder];
  for (let at = directories.pop(); at !== undefined; at = directories.pop()) {
    for await (const paths of slicesOf(at)) {
      const all = await Promise.all(paths.map(found));
      for (const [n, entry] of all.entries()) {
        if (entry === undefined || entry.dev !== root.dev) continue;
        if (entry.isDirectory()) directories.push(paths[n]!);
        else if (entry.nlink > 1 && linked.size === linked.add(entry.ino).size) continue;
        bytes += entry.blocks * BLOCK_BYTES;
      }
      signal.throwIfAborted();
      if (bytes > enough) return bytes;
      if (paths.length === SLICE) await clock.sleep(PAUSE_MS, signal);
    }
  }
  return bytes;
}

async function* slicesOf(directory: string): AsyncGenerator<readonly string[]> {
  let slice: string[] = [];
  try {
    for await (const { name } of await opendir(directory, { bufferSize: SLICE })) {
      slice.push(join(directory, name));
      if (slice.length < SLICE) continue;
      yield slice;
      slice = [];
    }
  } catch (error) {
    if (!isGone(error)) throw error;
  }
  if (slice.length > 0) yield slice;
}

const found = (path: string): Promise<Stats | undefined> =>
  lstat(path).catch((error: unknown) => {
    if (isGone(error)) return undefined;
    throw error;
  });

const isGone = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
