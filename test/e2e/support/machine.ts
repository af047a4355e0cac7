import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { Children } from '#host/children.ts';
import type { ClusterPaths } from '#host/data-dir.ts';
import { realClock } from '#lib/clock.ts';

/** The pid of a child of the cluster that runs: the registry, containerd. Throws when it does not. */
export function childPid(paths: ClusterPaths, name: RegExp): number {
  const pid = findChild(paths, name);
  if (pid !== undefined) return pid;
  throw new Error(
    `no child ${name} runs; known: ${new Children(paths.children, realClock).names().join(', ') || 'none'}`,
  );
}

/** As `childPid`; undefined while it does not run. */
export function findChild(paths: ClusterPaths, name: RegExp): number | undefined {
  const children = new Children(paths.children, realClock);
  const found = children.names().find((one) => name.test(one));
  return found === undefined ? undefined : children.find(found)?.pid;
}

/** Every process in a cgroup below this one, in any hierarchy. */
export function pidsInCgroup(path: string): readonly number[] {
  return pids().filter((pid) => readOrEmpty(`/proc/${pid}/cgroup`).includes(`:${path}/`));
}

export const commandOf = (pid: number): string => readOrEmpty(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim();

export function pids(): readonly number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number);
}

/** True when it was there to be killed. */
export function kill(pid: number, signal: NodeJS.Signals = 'SIGKILL'): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch {
    return false;
  }
}

/** A tmpfs of that size, gone with its disposal. */
export function smallDisk(path: string, size: string): Disposable {
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=700`, 'tmpfs', path]);
  return { [Symbol.dispose]: () => execFileSync('umount', ['-l', path]) };
}

function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
