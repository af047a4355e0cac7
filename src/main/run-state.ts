import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ClusterPaths } from '#host/data-dir.ts';
import { lockOwner } from '#host/lock.ts';

/** What a running peapod tells other processes of itself: the body of `peapod status -o json`. */
export interface RunState {
  readonly pid: number;
  readonly api: string;
  readonly nodes: readonly string[];
  /** How many more there are without containers, called NAME-sim1 and so on. */
  readonly simulatedNodes: number;
  readonly runtime: string;
  readonly images: { readonly mode: string; readonly why: string; readonly registry: string | null };
  readonly dataDir: string;
}

const file = (paths: ClusterPaths): string => join(paths.run, 'state.json');

export function writeRunState(paths: ClusterPaths, state: RunState): void {
  writeFileSync(`${file(paths)}.draft`, JSON.stringify(state), { mode: 0o600 });
  renameSync(`${file(paths)}.draft`, file(paths));
}

export const removeRunState = (paths: ClusterPaths): void => rmSync(file(paths), { force: true });

/** Of the process that holds the lock; undefined when none does, or it is still starting. */
export function readRunState(paths: ClusterPaths): RunState | undefined {
  const owner = lockOwner(paths);
  if (owner === undefined) return undefined;
  try {
    // Written by ourselves, whole: the version in this repository is the only one that reads it.
    const state = JSON.parse(readFileSync(file(paths), 'utf8')) as RunState;
    return state.pid === owner.pid ? state : undefined;
  } catch {
    return undefined;
  }
}

/** What a cluster's node writes on all it makes in a runtime, which may serve others too. */
export const ownerOf = (paths: ClusterPaths, nodeName: string): string => `${paths.hash}/${nodeName}`;

const socketFile = (paths: ClusterPaths): string => join(paths.data, 'runtime-socket');

/** The runtime that was given with --runtime, so that `down` finds its containers; undefined when there was none. */
export function rememberedSocket(paths: ClusterPaths): string | undefined {
  return existsSync(socketFile(paths)) ? readFileSync(socketFile(paths), 'utf8') : undefined;
}

export function rememberSocket(paths: ClusterPaths, socket: string | undefined): void {
  if (socket === undefined) rmSync(socketFile(paths), { force: true });
  else writeFileSync(socketFile(paths), socket.replace(/^unix:\/\//, ''), { mode: 0o600 });
}
