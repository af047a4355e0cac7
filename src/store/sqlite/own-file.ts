import { closeSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';

/** A kind of SQLite file that only we write. */
export interface OwnFile {
  /** `file` and this code know by it whose file it is. */
  readonly applicationId: number;
  readonly format: number;
  /** Statements that make the tables of a new file. */
  readonly schema: string;
  /** Statements that set how it is used from now on, beside the locks. */
  readonly pragmas: string;
  /** What to throw when the file is a database of something else (`format` undefined) or of another version. */
  readonly foreign: (format: number | undefined) => Error;
}

/** Opens or makes the file (mode 0600), and locks it until it is closed or the process ends, however it ends. */
export function openOwnFile(path: string, kind: OwnFile): DatabaseSync {
  makePrivate(path);
  const db = new DatabaseSync(path, { timeout: 0 });
  try {
    prepare(db, kind);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/**
 * SQLite gives the -wal file the mode of this one. A file that exists is not touched: closing any descriptor of a file
 * drops all locks this process has on it (POSIX), and with them the store that another part of it has open.
 */
function makePrivate(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
}

function prepare(db: DatabaseSync, { applicationId, format, schema, pragmas, foreign }: OwnFile): void {
  // Exclusive locking also keeps the WAL's index in memory: no -shm file, no locks per transaction. Order matters: set
  // before the first access in WAL mode, or there is a -shm after all.
  db.exec(`
    PRAGMA locking_mode = EXCLUSIVE;
    PRAGMA journal_mode = WAL;
    ${pragmas}
    BEGIN IMMEDIATE;
  `);
  if (db.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() === undefined) {
    db.exec(`${schema} PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${format};`);
  } else {
    const found = Number(pragma(db, 'user_version'));
    if (pragma(db, 'application_id') !== applicationId) throw foreign(undefined);
    if (found !== format) throw foreign(found);
  }
  db.exec('COMMIT');
}

function pragma(db: DatabaseSync, name: string): unknown {
  return db.prepare(`PRAGMA ${name}`).get()?.[name];
}
