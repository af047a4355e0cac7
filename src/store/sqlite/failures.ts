import { unreachable } from '#lib/unreachable.ts';
import {
  CompactedError,
  CorruptStoreError,
  FutureRevisionError,
  StoreFailedError,
  StoreFullError,
  StoreInUseError,
} from '#store/store.ts';
import type { Failure } from '#store/sqlite/protocol.ts';

// SQLite's primary result codes; an extended code has one of them in its low byte.
const SQLITE_BUSY = 5;
const SQLITE_CORRUPT = 11;
const SQLITE_FULL = 13;
const SQLITE_NOTADB = 26;

/** For the way from the thread to the store. */
export function failureOf(error: unknown, doing: string): Failure {
  if (error instanceof CompactedError) return { kind: 'compacted', asked: error.asked, oldest: error.oldest };
  if (error instanceof FutureRevisionError) return { kind: 'future', asked: error.asked, newest: error.newest };
  const message = `${doing}: ${error instanceof Error ? error.message : String(error)}`;
  if (error instanceof CorruptStoreError) return { kind: 'corrupt', message };
  switch (sqliteCode(error)) {
    case SQLITE_FULL:
      return { kind: 'full', message: `${doing}: no space left on the disk` };
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return { kind: 'corrupt', message };
    case SQLITE_BUSY:
      return { kind: 'in-use', message: `${doing}: another process has it open` };
    default:
      return { kind: 'failed', message };
  }
}

export function errorOf(failure: Failure): Error {
  switch (failure.kind) {
    case 'compacted':
      return new CompactedError(failure.asked, failure.oldest);
    case 'future':
      return new FutureRevisionError(failure.asked, failure.newest);
    case 'full':
      return new StoreFullError(failure.message);
    case 'corrupt':
      return new CorruptStoreError(failure.message);
    case 'in-use':
      return new StoreInUseError(failure.message);
    case 'failed':
      return new StoreFailedError(failure.message);
    default:
      return unreachable(failure);
  }
}

function sqliteCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return undefined;
  return error.errcode & 0xff;
}
