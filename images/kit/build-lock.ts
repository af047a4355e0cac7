import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';

const pollMs = 100;

/**
 * Waits until no other process holds the lock; disposing gives it back. It is an exclusive SQLite transaction, that is a
 * lock of the kernel's on `path`, so it ends with the process that holds it, kill -9 included. `waiting` is called once
 * when somebody else has it.
 */
export async function buildLock(path: string, waiting: () => void, signal: AbortSignal): Promise<Disposable> {
  mkdirSync(dirname(path), { recursive: true });
  const database = new DatabaseSync(path);
  try {
    for (let told = false; !tryToLock(database); await sleep(pollMs, undefined, { signal })) {
      if (!told) waiting();
      told = true;
    }
  } catch (error) {
    database.close();
    throw error;
  }
  return { [Symbol.dispose]: () => database.close() };
}

const busy = 5;

function tryToLock(database: DatabaseSync): boolean {
  try {
    database.exec('BEGIN EXCLUSIVE');
    return true;
  } catch (error) {
    if (error instanceof Error && 'errcode' in error && error.errcode === busy) return false;
    throw error;
  }
}
