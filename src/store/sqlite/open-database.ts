import type { DatabaseSync } from 'node:sqlite';
import { openOwnFile } from '#store/sqlite/own-file.ts';
import { CorruptStoreError } from '#store/store.ts';

/** "pea1" in ASCII. */
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
`;

/** Opens or makes the file (mode 0600), and locks it until it is closed or the process ends, however it ends. */
export const openDatabase = (path: string): DatabaseSync =>
  openOwnFile(path, {
    applicationId: APPLICATION_ID,
    format: FORMAT,
    schema: SCHEMA,
    pragmas: `
      PRAGMA synchronous = FULL;
      PRAGMA wal_autocheckpoint = 0;
      PRAGMA journal_size_limit = ${WAL_KEPT_BYTES};
    `,
    foreign: (format) =>
      new CorruptStoreError(
        format === undefined
          ? 'it is a database, but not a store of ours'
          : `it has format ${format}; this version knows ${FORMAT}`,
      ),
  });
