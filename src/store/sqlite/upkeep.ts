import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { SqliteLog } from '#store/sqlite/sqlite-log.ts';
import { SLOTS, many, number, one, string } from '#store/sqlite/statements.ts';

// Rows a slice of compaction looks at, and the time after which it ends early: a write that arrives waits for no more.
const SLICE_ROWS = 64;
const SLICE_MS = 1;

// The WAL is copied into the file from this many pages on (4 MB): pages written again and again are copied once, and a
// checkpoint, which no write can pass, stays below a few milliseconds.
const CHECKPOINT_PAGES = 1000;

// After a failed attempt (a full disk) the WAL has to grow by this many pages before the next.
const RETRY_PAGES = 250;

/**
 * What the file needs beside commits, in slices short enough to stand between two of them: dropping the rows that no
 * readable revision shows, and copying the WAL back so that it starts over. Freed pages are used for new rows, so the
 * file stays at the size of its largest state and history; it is not made smaller.
 */
export class Upkeep {
  readonly #db: DatabaseSync;
  readonly #log: SqliteLog;
  readonly #walState: StatementSync;
  readonly #checkpoint: StatementSync;
  readonly #outdated: StatementSync;
  readonly #dropOlder: StatementSync;
  readonly #drop: StatementSync;
  readonly #dropMarks: StatementSync;
  readonly #setMeta: StatementSync;
  /** The last id that was looked at. */
  #swept: number;
  #checkpointAt = CHECKPOINT_PAGES;

  constructor(db: DatabaseSync, log: SqliteLog) {
    const prepare = (sql: string): StatementSync => {
      const statement = db.prepare(sql);
      statement.setReturnArrays(true);
      return statement;
    };
    this.#db = db;
    this.#log = log;
    this.#walState = prepare('PRAGMA wal_checkpoint(NOOP)');
    this.#checkpoint = prepare('PRAGMA wal_checkpoint(PASSIVE)');
    this.#outdated = prepare(
      `SELECT id, key, created FROM log WHERE id > ? AND id < ? ORDER BY id LIMIT ${SLICE_ROWS}`,
    );
    this.#dropOlder = prepare('DELETE FROM log WHERE key = ? AND id < ?');
    this.#drop = prepare('DELETE FROM log WHERE id = ?');
    this.#dropMarks = prepare('DELETE FROM mark WHERE revision <= ?');
    this.#setMeta = prepare('INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)');
    this.#swept = number(one(prepare("SELECT value FROM meta WHERE name = 'swept'").get())?.[0] ?? 0);
  }

  /** Does one slice of what is due. Returns whether more may be. */
  slice(): boolean {
    if (this.#checkpointIfDue()) return true;
    return this.#sweep();
  }

  /** Leaves the file alone complete, with an empty WAL. */
  close(): void {
    this.#db.close(); // SQLite checkpoints when the last connection closes
  }

  #checkpointIfDue(): boolean {
    const pages = number(one(this.#walState.get())?.[1] ?? 0);
    if (pages < this.#checkpointAt) return false;
    try {
      this.#checkpoint.get();
      this.#checkpointAt = CHECKPOINT_PAGES;
    } catch {
      this.#checkpointAt = pages + RETRY_PAGES; // everything is in the WAL still; if it cannot grow, commits will say so
    }
    return true;
  }

  /**
   * Walks the log up to the floor, once. A row at or below the floor hides the rows of its key before it from every
   * readable revision, and a deletion has nothing to show itself.
   */
  #sweep(): boolean {
    const floor = this.#log.floor;
    const end = (floor + 1) * SLOTS;
    if (this.#swept >= end - 1) return false;
    try {
      this.#swept = this.#log.transaction('NORMAL', () => this.#sweepRows(end));
    } catch {
      return false; // a full disk; there will be another commit, and a slice after it
    }
    return this.#swept < end - 1;
  }

  #sweepRows(end: number): number {
    const until = performance.now() + SLICE_MS;
    const rows = many(this.#outdated.all(this.#swept, end));
    let swept = rows.length < SLICE_ROWS ? end - 1 : this.#swept;
    for (const [index, [id, key, created]] of rows.entries()) {
      this.#dropOlder.run(string(key), number(id));
      if (created === 0) this.#drop.run(number(id));
      if (index + 1 === SLICE_ROWS || performance.now() > until) {
        swept = number(id);
        break;
      }
    }
    // The floor goes with the rows: were they gone and it not, old revisions would be answered wrongly after a crash.
    this.#setMeta.run('floor', this.#log.floor);
    this.#setMeta.run('swept', swept);
    this.#dropMarks.run(this.#log.floor);
    return swept;
  }
}
