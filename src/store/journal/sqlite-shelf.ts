import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { NumberedEntry, Shelf, SubjectRecord } from '#store/journal/book.ts';
import type { JournalEntry } from '#store/journal/journal.ts';
import { openOwnFile } from '#store/sqlite/own-file.ts';

/** "peaj" in ASCII. */
const APPLICATION_ID = 0x7065616a;
const FORMAT = 1;

const SCHEMA = `
  CREATE TABLE subject (
    id INTEGER PRIMARY KEY, uid TEXT NOT NULL, key TEXT NOT NULL, born REAL NOT NULL, ended REAL, touched REAL NOT NULL,
    entries INTEGER NOT NULL, bytes INTEGER NOT NULL, last INTEGER NOT NULL,
    dropped INTEGER NOT NULL, dropped_from REAL NOT NULL, dropped_until REAL NOT NULL
  ) STRICT;
  CREATE TABLE entry (
    subject INTEGER NOT NULL, seq INTEGER NOT NULL, at REAL NOT NULL, text TEXT NOT NULL, PRIMARY KEY (subject, seq)
  ) STRICT, WITHOUT ROWID;
`;

/** The file is a database of something else, or of another version of this. */
export class ForeignFileError extends Error {
  override readonly name = 'ForeignFileError';
}

/**
 * A book's pages in a SQLite file, which is ours alone while it is open. Nothing waits for the disk: the write-ahead log
 * keeps the file whole whatever happens, and a power failure costs what the kernel had not written yet.
 */
export class SqliteShelf implements Shelf {
  readonly #db: DatabaseSync;
  readonly #statements: Statements;

  /** Throws ForeignFileError, or SQLite's own errors. */
  constructor(path: string) {
    this.#db = openOwnFile(path, {
      applicationId: APPLICATION_ID,
      format: FORMAT,
      schema: SCHEMA,
      // In WAL mode NORMAL is no fsync but at checkpoints.
      pragmas: `
        PRAGMA synchronous = NORMAL;
        PRAGMA journal_size_limit = ${2 ** 20};
        PRAGMA cache_size = -1024;
      `,
      foreign: () => new ForeignFileError('it is no journal of this version'),
    });
    this.#statements = statementsOf(this.#db);
  }

  /** What `work` does is kept whole or not at all. */
  transaction(work: () => void): void {
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      work();
      this.#db.exec('COMMIT');
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      throw error;
    }
  }

  load(): readonly SubjectRecord[] {
    return this.#statements.load.all().map((row) => recordOf(row as unknown as SubjectRow));
  }

  save(record: SubjectRecord): void {
    const { id, uid, key, born, ended, touched, entries, bytes, last, dropped } = record;
    const hole = [dropped?.count ?? 0, dropped?.from ?? 0, dropped?.until ?? 0] as const;
    this.#statements.save.run(id, uid, key, born, ended ?? null, touched, entries, bytes, last, ...hole);
  }

  add(subject: number, seq: number, { at, text }: JournalEntry): void {
    this.#statements.add.run(subject, seq, at, text);
  }

  after(subject: number, seq: number, limit: number): readonly NumberedEntry[] {
    const rows = this.#statements.after.all(subject, seq, Number.isFinite(limit) ? limit : -1);
    return rows as unknown as readonly NumberedEntry[];
  }

  drop(subject: number, first: number, last: number): void {
    this.#statements.drop.run(subject, first, last);
  }

  remove(subject: number): void {
    this.#statements.removeEntries.run(subject);
    this.#statements.removeSubject.run(subject);
  }

  close(): void {
    this.#db.close();
  }
}

interface SubjectRow extends Omit<SubjectRecord, 'ended' | 'dropped'> {
  readonly ended: number | null;
  readonly dropped: number;
  readonly dropped_from: number;
  readonly dropped_until: number;
}

function recordOf({ ended, dropped, dropped_from: from, dropped_until: until, ...rest }: SubjectRow): SubjectRecord {
  return { ...rest, ended: ended ?? undefined, dropped: dropped === 0 ? undefined : { count: dropped, from, until } };
}

type Statements = ReturnType<typeof statementsOf>;

function statementsOf(
  db: DatabaseSync,
): Readonly<Record<'load' | 'save' | 'add' | 'after' | 'drop' | 'removeEntries' | 'removeSubject', StatementSync>> {
  return {
    load: db.prepare('SELECT * FROM subject'),
    save: db.prepare('INSERT OR REPLACE INTO subject VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)'),
    add: db.prepare('INSERT INTO entry VALUES (?, ?, ?, ?)'),
    after: db.prepare('SELECT seq, at, text FROM entry WHERE subject = ? AND seq > ? ORDER BY seq LIMIT ?'),
    drop: db.prepare('DELETE FROM entry WHERE subject = ? AND seq BETWEEN ? AND ?'),
    removeEntries: db.prepare('DELETE FROM entry WHERE subject = ?'),
    removeSubject: db.prepare('DELETE FROM subject WHERE id = ?'),
  };
}
