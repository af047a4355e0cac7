/** Which process is which child, on disk; and how to find one whose start was never written down to the end. */
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { allPids, environmentOf, executableOf, identityOf, isErrno, type ProcessIdentity } from '#host/proc.ts';

export interface ChildRecord {
  readonly bootId: string;
  /** The name of the program it runs. */
  readonly program: string;
  /** Missing while the child is being started. */
  readonly process?: ProcessIdentity;
}

/** Set in the environment of every child, and so inherited by its own. */
export const MARK = 'PEAPOD_CHILD';
export const markOf = (directory: string, name: string): string => join(directory, name);

const recordFile = (directory: string, name: string): string => join(directory, `${name}.json`);

export function recordedChildren(directory: string): readonly string[] {
  try {
    return readdirSync(directory)
      .filter((file) => file.endsWith('.json'))
      .map((file) => file.slice(0, -'.json'.length));
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  }
}

/** Renamed into place: a crash leaves the old record or the new one. */
export function writeChildRecord(directory: string, name: string, record: ChildRecord): void {
  const draft = `${recordFile(directory, name)}.draft`;
  writeFileSync(draft, JSON.stringify(record), { mode: 0o600 });
  renameSync(draft, recordFile(directory, name));
}

export function readChildRecord(directory: string, name: string): ChildRecord | undefined {
  try {
    return parseChildRecord(JSON.parse(readFileSync(recordFile(directory, name), 'utf8')));
  } catch (error) {
    if (isErrno(error, 'ENOENT') || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

export function removeChildRecord(directory: string, name: string): void {
  rmSync(recordFile(directory, name), { force: true });
}

/** Searches all processes: some milliseconds. Shims inherit containerd's mark; the program's name tells them apart. */
export function findMarked(mark: string, program: string): ProcessIdentity | undefined {
  const entry = `${MARK}=${mark}`;
  for (const pid of allPids()) {
    if (basename(executableOf(pid) ?? '') !== program || !environmentOf(pid).includes(entry)) continue;
    const identity = identityOf(pid);
    if (identity) return identity;
  }
  return undefined;
}

function parseChildRecord(value: unknown): ChildRecord | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { bootId, program, process }: Partial<Record<keyof ChildRecord, unknown>> = value;
  if (typeof bootId !== 'string' || typeof program !== 'string') return undefined;
  if (typeof process !== 'object' || process === null) return { bootId, program };
  const { pid, startTicks }: Partial<Record<keyof ProcessIdentity, unknown>> = process;
  if (typeof pid !== 'number' || typeof startTicks !== 'number') return { bootId, program };
  return { bootId, program, process: { pid, startTicks } };
}
