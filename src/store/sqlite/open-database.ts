import { closeSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { CorruptStoreError } from '#store/store.ts';

/** "pea1" in ASCII: `file` and this code know by it whose file it is. */
const APPLICATION_ID = 0x70656131;
const FORMAT = 1;

// An idle WAL file is cut down to this; it is not shortened below it because growing costs more per fsync than reusing.
const WAL_KEPT_BYTES = 8 * 2 ** 20;

/**
 * One table, the log; the newest row of a key is its state. `id` is revision × SLOTS + place in the commit, so that
 * appending keeps the table in order and needs no index of revisions. `created` is 0 for a deletion. The index answers
 * everything but the value itself: what a key was at a revision, which keys a prefix has. So a commit writes two pages,
 * the last of the table and one of the index.
 *
 * `mark` is the retention's memory (retention.ts). `meta`: floor, swept (the last id that compaction has dealt with),
 * revision (only after it was raised).
 */
const SCHEMA = `
  CREATE TABLE log (id INTEGER PRIMARY KEY, key TEXT NOT NULL, created INTEGER NOT NULL, value BLOB) STRICT;
  CREATE INDEX log_by_key ON log (key, id, created);
  CREATE TABLE mark (revision INTEGER PRIMARY KEY, at REAL NOT NULL, bytes INTEGER NOT NULL) STRICT;
  CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${FORMAT};
`;

/** Opens or makes the file (mode 0600), and locks it until it is closed or the process ends, however it ends. */
export function openDatabase(path: string): DatabaseSync {
  makePrivate(path);
  const db = new DatabaseSync(path, { timeout: 0 });
  try {
    prepare(db);
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

function prepare(db: DatabaseSync): void {
  // Exclusive locking also keeps the WAL's index in memory: no -shm file, no locks per transaction. Order matters: set
  // before the first access in WAL mode, or there is a -shm after all.
  db.exec(`
    PRAGMA locking_mode = EXCLUSIVE;
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA wal_autocheckpoint = 0;
    PRAGMA journal_size_limit = ${WAL_KEPT_BYTES};
    BEGIN IMMEDIATE;
  `);
  const owner = pragma(db, 'application_id');
  const format = pragma(db, 'user_version');
  const empty = db.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() === undefined;
  if (empty) db.exec(SCHEMA);
  else if (owner !== APPLICATION_ID) throw new CorruptStoreError('it is a database, but not a store of ours');
  else if (format !== FORMAT) throw new CorruptStoreError(`it has format ${format}; this version knows ${FORMAT}`);
  db.exec('COMMIT');
}

function pragma(db: DatabaseSync, name: string): unknown {
  return db.prepare(`PRAGMA ${name}`).get()?.[name];
}
