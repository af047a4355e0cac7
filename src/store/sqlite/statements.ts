import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite';
import type { Mark } from '#store/retention.ts';
import type { Row } from '#store/sqlite/packed-entries.ts';
import { CorruptStoreError, type Revision, type StoreKey } from '#store/store.ts';

/** Ids per revision; more than MAX_WRITES. Leaves 2^43 revisions before a number is no longer exact. */
export const SLOTS = 1024;

export const revisionOf = (id: number): Revision => Math.floor(id / SLOTS) as Revision;

/** Where to find a key's state. */
export interface Located {
  readonly id: number;
  readonly created: Revision;
  readonly modified: Revision;
}

export interface Range {
  readonly start: string;
  readonly end: string | undefined;
  readonly at: Revision;
}

// Every TEXT sorts before every BLOB: as an upper bound this is no bound.
const BEHIND_ALL_TEXT = new Uint8Array();

const ZERO_BYTES = new Uint8Array();

type RawRow = readonly SQLOutputValue[];

/** The SQL of the store, each statement prepared once and typed. */
export class Statements {
  readonly begin: StatementSync;
  readonly commit: StatementSync;
  readonly insert: StatementSync;
  readonly addMark: StatementSync;
  readonly #newest: StatementSync;
  readonly #keyAt: StatementSync;
  readonly #value: StatementSync;
  readonly #list: StatementSync;
  readonly #count: StatementSync;
  readonly #changes: StatementSync;
  readonly #allChanges: StatementSync;
  readonly #lastId: StatementSync;
  readonly #meta: StatementSync;
  readonly #setMeta: StatementSync;
  readonly #marks: StatementSync;

  constructor(db: DatabaseSync) {
    const prepare = (sql: string): StatementSync => {
      const statement = db.prepare(sql);
      statement.setReturnArrays(true);
      return statement;
    };
    // max(id) makes SQLite take the other columns from the row that has it. All of it is answered from the index.
    const alive = `SELECT max(id) AS id, created FROM log WHERE key >= ? AND key < ? AND id < ?
      GROUP BY key HAVING created > 0`;
    this.begin = prepare('BEGIN IMMEDIATE');
    this.commit = prepare('COMMIT');
    this.insert = prepare('INSERT INTO log (id, key, created, value) VALUES (?, ?, ?, ?)');
    this.addMark = prepare('INSERT OR REPLACE INTO mark (revision, at, bytes) VALUES (?, ?, ?)');
    this.#newest = prepare('SELECT id, created FROM log WHERE key = ? ORDER BY id DESC LIMIT 1');
    this.#keyAt = prepare('SELECT id, created FROM log WHERE key = ? AND id < ? ORDER BY id DESC LIMIT 1');
    this.#value = prepare('SELECT value FROM log WHERE id = ?');
    this.#list = prepare(`SELECT row.id, row.key, row.created, row.value
      FROM (${alive} LIMIT ?) AS newest CROSS JOIN log AS row ON row.id = newest.id`);
    this.#count = prepare(`SELECT count(*) FROM (${alive})`);
    // The + keeps SQLite from using the index of keys: the order is that of the log.
    this.#changes = prepare(`SELECT id, key, created, value FROM log
      WHERE id >= ? AND +key >= ? AND +key < ? ORDER BY id`);
    this.#allChanges = prepare('SELECT id, key, created, value FROM log WHERE id >= ? ORDER BY id');
    this.#lastId = prepare('SELECT max(id) FROM log');
    this.#meta = prepare('SELECT value FROM meta WHERE name = ?');
    this.#setMeta = prepare('INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)');
    this.#marks = prepare('SELECT revision, at, bytes FROM mark ORDER BY revision');
  }

  newest(key: StoreKey): Located | undefined {
    return located(one(this.#newest.get(key)));
  }

  keyAt(key: StoreKey, at: Revision): Located | undefined {
    return located(one(this.#keyAt.get(key, behind(at))));
  }

  value(id: number): Uint8Array {
    return bytes(one(this.#value.get(id))?.[0]);
  }

  list({ start, end, at }: Range, limit: number | undefined): readonly Row[] {
    return many(this.#list.all(start, end ?? BEHIND_ALL_TEXT, behind(at), limit ?? -1)).map(row);
  }

  count({ start, end, at }: Range): number {
    return number(one(this.#count.get(start, end ?? BEHIND_ALL_TEXT, behind(at)))?.[0]);
  }

  *changes(start: string, end: string | undefined, position: Revision): Generator<Row, void> {
    const found =
      start === ''
        ? this.#allChanges.iterate(behind(position))
        : this.#changes.iterate(behind(position), start, end ?? BEHIND_ALL_TEXT);
    for (const each of found) yield row(one(each) ?? []);
  }

  lastId(): number {
    return number(one(this.#lastId.get())?.[0] ?? 0);
  }

  /** 0 if it was never set. */
  meta(name: 'floor' | 'swept' | 'revision'): number {
    return number(one(this.#meta.get(name))?.[0] ?? 0);
  }

  setMeta(name: 'floor' | 'swept' | 'revision', value: number): void {
    this.#setMeta.run(name, value);
  }

  marks(): readonly Mark[] {
    return many(this.#marks.all()).map(([revision, at, size]) => ({
      revision: number(revision) as Revision,
      at: number(at),
      bytes: number(size),
    }));
  }
}

/** The first id behind a revision. */
const behind = (revision: Revision): number => (revision + 1) * SLOTS;

/** node:sqlite's types do not know that `setReturnArrays` was called. */
export function one(result: unknown): RawRow | undefined {
  if (result === undefined || Array.isArray(result)) return result;
  throw new TypeError('a statement that does not return arrays');
}

export function many(results: readonly unknown[]): readonly RawRow[] {
  return results.map((result) => one(result) ?? []);
}

export function number(value: SQLOutputValue | undefined): number {
  if (typeof value === 'number') return value;
  throw new CorruptStoreError(`a number was expected in the store, not ${typeof value}`);
}

export function string(value: SQLOutputValue | undefined): string {
  if (typeof value === 'string') return value;
  throw new CorruptStoreError(`a text was expected in the store, not ${typeof value}`);
}

/** SQLite may keep an empty blob as NULL. */
function bytes(value: SQLOutputValue | undefined): Uint8Array {
  return value instanceof Uint8Array ? value : ZERO_BYTES;
}

function row([id, key, created, value]: RawRow): Row {
  return {
    key: string(key) as StoreKey,
    created: number(created),
    modified: revisionOf(number(id)),
    value: bytes(value),
  };
}

function located(found: RawRow | undefined): Located | undefined {
  if (!found || found[1] === 0) return undefined;
  const id = number(found[0]);
  return { id, created: number(found[1]) as Revision, modified: revisionOf(id) };
}
