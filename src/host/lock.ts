/**
 * One peapod per DATA. The lock is SQLite's exclusive lock on the file DATA/lock, which the kernel drops with the process
 * however it ends; a bound abstract socket would do too, but holds only within one network namespace. Children never
 * inherit it. Beside it stands who holds it, for messages only: the file may be stale, so its pid is believed only
 * together with its start time.
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { privateDirectory, type ClusterPaths } from '#host/data-dir.ts';
import { bootId } from '#host/machine.ts';
import { identityOf, isAlive, isErrno, type ProcessIdentity } from '#host/proc.ts';

export interface LockOwner extends ProcessIdentity {
  readonly bootId: string;
  readonly command: readonly string[];
}

export type LockOutcome =
  | { readonly kind: 'locked'; readonly lock: Disposable }
  /** `owner` is missing in the instant between locking and writing down by whom. */
  | { readonly kind: 'busy'; readonly owner: LockOwner | undefined };

/** Takes the lock if it is free; never waits. Makes DATA if need be. Disposing gives it back, once or more often. */
export function lockDataDir(paths: ClusterPaths): LockOutcome {
  privateDirectory(paths.data);
  const database = new DatabaseSync(paths.lock, { timeout: 0 });
  try {
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if (!isBusy(error)) throw new Error(`cannot lock ${paths.lock}`, { cause: error });
    return { kind: 'busy', owner: lockOwner(paths) };
  }
  held.add(database);
  writeOwner(paths);
  return {
    kind: 'locked',
    lock: {
      [Symbol.dispose]() {
        if (!held.delete(database)) return;
        rmSync(ownerFile(paths), { force: true });
        database.close();
      },
    },
  };
}

/** The living process that holds the lock, if there is one. */
export function lockOwner(paths: ClusterPaths): LockOwner | undefined {
  try {
    const owner = parseOwner(JSON.parse(readFileSync(ownerFile(paths), 'utf8')));
    return owner && owner.bootId === bootId() && isAlive(owner) ? owner : undefined;
  } catch {
    return undefined;
  }
}

/** What to tell someone whose `up` found the lock taken. */
export function busyMessage(paths: ClusterPaths, owner: LockOwner | undefined): string {
  const who = owner ? `another peapod (pid ${owner.pid})` : 'another peapod';
  return `${who} runs on ${paths.data}; \`peapod down\` stops it, or choose another --data-dir`;
}

/** Until given back: a connection that nobody refers to is closed by the garbage collector, and its lock is gone. */
const held = new Set<DatabaseSync>();

const ownerFile = (paths: ClusterPaths): string => `${paths.lock}.owner`;

function writeOwner(paths: ClusterPaths): void {
  const self = identityOf(process.pid);
  if (!self) throw new Error('cannot find this process in /proc');
  const owner: LockOwner = { ...self, bootId: bootId(), command: process.argv.slice(1) };
  // Renamed into place, so that a reader never sees half of it.
  const draft = `${ownerFile(paths)}.${process.pid}`;
  try {
    writeFileSync(draft, JSON.stringify(owner), { mode: 0o600 });
    renameSync(draft, ownerFile(paths));
  } catch (error) {
    rmSync(draft, { force: true });
    // A full disk must not keep `down` from giving space back; who wants to start fails soon enough at files that matter.
    if (!isErrno(error, 'ENOSPC')) throw error;
  }
}

function parseOwner(value: unknown): LockOwner | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { pid, startTicks, bootId: boot, command }: Partial<Record<keyof LockOwner, unknown>> = value;
  if (typeof pid !== 'number' || typeof startTicks !== 'number' || typeof boot !== 'string') return undefined;
  return { pid, startTicks, bootId: boot, command: Array.isArray(command) ? command.map(String) : [] };
}

// SQLITE_BUSY, and its extended codes in the bits above.
const isBusy = (error: unknown): boolean =>
  error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' && (error.errcode & 0xff) === 5;
