import type { DatabaseSync } from 'node:sqlite';
import { REPLAY_CHANGES } from '#store/feed.ts';
import { listStart, prefixEnd } from '#store/keys.ts';
import { Retention, type Mark, type RetentionPolicy } from '#store/retention.ts';
import type { Row } from '#store/sqlite/packed-entries.ts';
import type { CommitReply, CommitRequest } from '#store/sqlite/protocol.ts';
import { SLOTS, Statements, revisionOf } from '#store/sqlite/statements.ts';
import {
  CompactedError,
  FIRST_REVISION,
  FutureRevisionError,
  type Entry,
  type Found,
  type Revision,
  type StoreKey,
  type Write,
} from '#store/store.ts';

export interface Listing {
  readonly revision: Revision;
  readonly rows: readonly Row[];
  readonly remaining: number;
}

// A slice of replay ends here even if it has few changes: they are large.
const REPLAY_BYTES = 4 * 2 ** 20;

// How many listings under way have their count remembered: one number each.
const KNOWN_COUNTS = 256;

/** The store's log in its file: what the thread does, but for the loop. Every method is synchronous. */
export class SqliteLog {
  readonly #db: DatabaseSync;
  readonly #sql: Statements;
  readonly #retention: Retention;
  /** Remaining entries behind a page, so that paging through a listing counts its keys once and not once a page. */
  readonly #counts = new Map<string, number>();
  #revision: Revision;
  #floor: Revision;
  #unsavedMark: Mark | undefined;
  #synchronous: 'FULL' | 'NORMAL' = 'FULL';

  constructor(db: DatabaseSync, policy: RetentionPolicy) {
    this.#db = db;
    this.#sql = new Statements(db);
    this.#floor = Math.max(FIRST_REVISION, this.#sql.meta('floor')) as Revision;
    this.#revision = Math.max(this.#floor, this.#sql.meta('revision'), revisionOf(this.#sql.lastId())) as Revision;
    this.#retention = new Retention(policy, this.#sql.marks());
  }

  get revision(): Revision {
    return this.#revision;
  }

  get floor(): Revision {
    return this.#floor;
  }

  /**
   * One transaction, and one fsync if any commit is 'synced', for all of them; each has its own revision or conflict.
   * If it throws, none of them happened.
   */
  commit(commits: readonly CommitRequest[]): readonly CommitReply[] {
    const before = this.#revision;
    try {
      const synced = commits.some((commit) => commit.durability === 'synced');
      return this.transaction(synced ? 'FULL' : 'NORMAL', () => {
        this.#saveMark();
        return commits.map((commit) => this.#apply(commit));
      });
    } catch (error) {
      this.#revision = before;
      throw error;
    }
  }

  /** Counts the commits that were `written`; the floor may rise. Apart from `commit`, for it must not count what failed. */
  retain(commits: readonly CommitRequest[], replies: readonly CommitReply[]): void {
    for (const [i, reply] of replies.entries()) {
      const commit = commits[i];
      if (reply.kind !== 'written' || !commit) continue;
      const bytes = commit.writes.reduce((sum, { key, value }) => sum + key.length + (value?.length ?? 0), 0);
      this.#unsavedMark = this.#retention.note(reply.revision, bytes, commit.now) ?? this.#unsavedMark;
    }
    const floor = this.#retention.due(commits.at(-1)?.now ?? 0);
    if (floor !== undefined && floor > this.#floor) this.#floor = floor;
  }

  get(key: StoreKey, at: Revision | undefined): Found {
    const revision = this.#readable(at);
    const found = this.#sql.keyAt(key, revision);
    return { revision, entry: found && this.#entry(key, found) };
  }

  list(
    prefix: string,
    options: { at?: Revision | undefined; limit?: number | undefined; after?: StoreKey | undefined },
  ): Listing {
    const revision = this.#readable(options.at);
    const { limit, after } = options;
    const range = { start: listStart(prefix, after), end: prefixEnd(prefix), at: revision };
    const rows = this.#sql.list(range, limit);
    const last = rows.at(-1);
    if (limit === undefined || rows.length < limit || !last) return { revision, rows, remaining: 0 };
    const counted = this.#counts.get(countKey(prefix, revision, after));
    const remaining =
      counted === undefined ? this.#sql.count({ ...range, start: listStart(prefix, last.key) }) : counted - rows.length;
    this.#remember(countKey(prefix, revision, last.key), remaining);
    return { revision, rows, remaining };
  }

  /** Implements History.changesAfter (feed.ts). */
  changesAfter(prefix: string, position: Revision): { rows: readonly Row[]; upTo: Revision } {
    this.#readable(position);
    const rows: Row[] = [];
    let bytes = 0;
    for (const row of this.#sql.changes(prefix, prefixEnd(prefix), position)) {
      const last = rows.at(-1);
      const enough = rows.length >= REPLAY_CHANGES || bytes >= REPLAY_BYTES;
      if (enough && last && last.modified < row.modified) return { rows, upTo: last.modified as Revision };
      rows.push(row);
      bytes += row.value.length;
    }
    return { rows, upTo: this.#revision };
  }

  /** Only notes the floor: Sweeper gives the space back. */
  compact(upTo: Revision): void {
    if (upTo > this.#revision) throw new FutureRevisionError(upTo, this.#revision);
    if (upTo <= this.#floor) return;
    this.transaction('NORMAL', () => this.#sql.setMeta('floor', upTo));
    this.#retention.compacted(upTo);
    this.#floor = upTo;
  }

  raise(to: Revision): void {
    const revision = Math.max(this.#revision, to) as Revision;
    this.transaction('FULL', () => {
      this.#sql.setMeta('revision', revision);
      this.#sql.setMeta('floor', revision);
    });
    this.#retention.compacted(revision);
    this.#revision = revision;
    this.#floor = revision;
  }

  /** All that `body` does, or nothing. NORMAL: written to the WAL, where a later FULL one takes it to the disk. */
  transaction<T>(synchronous: 'FULL' | 'NORMAL', body: () => T): T {
    if (synchronous !== this.#synchronous) this.#db.exec(`PRAGMA synchronous = ${synchronous}`);
    this.#synchronous = synchronous;
    this.#sql.begin.run();
    try {
      const result = body();
      this.#sql.commit.run();
      return result;
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK'); // SQLite has done it already after some errors
      throw error;
    }
  }

  #apply(commit: CommitRequest): CommitReply {
    const { id, writes } = commit;
    const revision = (this.#revision + 1) as Revision;
    const created: Revision[] = [];
    for (const { key, expect } of writes) {
      const found = this.#sql.newest(key);
      if ((found?.modified ?? 'absent') !== expect) {
        return { id, kind: 'conflict', key, actual: found && this.#entry(key, found) };
      }
      created.push(found?.created ?? revision);
    }
    for (const [slot, write] of writes.entries())
      this.#insert(revision * SLOTS + slot, write, created[slot] ?? revision);
    this.#revision = revision;
    return { id, kind: 'written', revision, created };
  }

  #insert(id: number, { key, value }: Write, created: Revision): void {
    this.#sql.insert.run(id, key, value ? created : 0, value ?? null);
  }

  /** A mark is saved with the commit after it, not its own: it may only speak of what has been committed. */
  #saveMark(): void {
    const mark = this.#unsavedMark;
    if (mark) this.#sql.addMark.run(mark.revision, mark.at, mark.bytes);
    this.#unsavedMark = undefined;
  }

  #readable(at = this.#revision): Revision {
    if (at > this.#revision) throw new FutureRevisionError(at, this.#revision);
    if (at < this.#floor) throw new CompactedError(at, this.#floor);
    return at;
  }

  #entry(key: StoreKey, { id, created, modified }: { id: number; created: Revision; modified: Revision }): Entry {
    return { key, value: this.#sql.value(id), created, modified };
  }

  #remember(page: string, remaining: number): void {
    this.#counts.set(page, remaining);
    const oldest = this.#counts.keys().next();
    if (this.#counts.size > KNOWN_COUNTS && !oldest.done) this.#counts.delete(oldest.value);
  }
}

const countKey = (prefix: string, at: Revision, after: StoreKey | undefined): string =>
  `${at}\0${prefix}\0${after ?? ''}`;
