import { realClock, type Clock } from '#lib/clock.ts';
import { Feed, REPLAY_CHANGES, type Replayed } from '#store/feed.ts';
import { checkLimit, checkWrites, listStart } from '#store/keys.ts';
import { DEFAULT_RETENTION, Retention, type RetentionPolicy } from '#store/retention.ts';
import { SortedKeys, firstIndex } from '#store/sorted-keys.ts';
import {
  CompactedError,
  FIRST_REVISION,
  FutureRevisionError,
  StoreClosedError,
  type Change,
  type Committed,
  type Durability,
  type Entry,
  type Found,
  type ListOptions,
  type Page,
  type Revision,
  type Store,
  type StoreKey,
  type Write,
} from '#store/store.ts';

export interface MemoryStoreOptions {
  readonly clock?: Clock;
  readonly retention?: RetentionPolicy;
}

/**
 * The store of tests and of embedded clusters: nothing is durable, and everything settles in microtasks (no timer,
 * thread or socket), so that a FakeClock can own time. Each key has its versions, and the log has the changes since the
 * floor; a read costs the logarithm of a key's versions, compacting costs the changes that go.
 */
export class MemoryStore implements Store {
  readonly #clock: Clock;
  readonly #retention: Retention;
  readonly #feed = new Feed();
  readonly #keys = new SortedKeys();
  /** By key, oldest first, at least one. Only the first may be at or below the floor, and that one is a put. */
  readonly #versions = new Map<StoreKey, Change[]>();
  /** The changes after the floor, in order. */
  #log: Change[] = [];
  #revision = FIRST_REVISION;
  #floor = FIRST_REVISION;
  #closed = false;

  constructor(options: MemoryStoreOptions = {}) {
    this.#clock = options.clock ?? realClock;
    this.#retention = new Retention(options.retention ?? DEFAULT_RETENTION, []);
  }

  async revision(): Promise<Revision> {
    this.#checkOpen();
    return this.#revision;
  }

  async get(key: StoreKey, at?: Revision): Promise<Found> {
    const revision = this.#readable(at);
    return { revision, entry: this.#entry(key, revision) };
  }

  async list(prefix: string, options: ListOptions): Promise<Page> {
    const { at, limit = Infinity, after } = options;
    const revision = this.#readable(at);
    checkLimit(options.limit);
    const entries: Entry[] = [];
    let remaining = 0;
    for (const key of this.#keys.from(listStart(prefix, after))) {
      if (!key.startsWith(prefix)) break;
      const entry = this.#entry(key, revision);
      if (!entry) continue;
      if (entries.length < limit) entries.push(entry);
      else remaining++;
    }
    return { entries, revision, remaining, next: remaining > 0 ? entries.at(-1)?.key : undefined };
  }

  async commit(writes: readonly Write[], _durability: Durability): Promise<Committed> {
    this.#checkOpen();
    checkWrites(writes);
    for (const { key, expect } of writes) {
      const actual = this.#entry(key, this.#revision);
      if ((actual?.modified ?? 'absent') !== expect) return { kind: 'conflict', key, actual };
    }
    const revision = (this.#revision + 1) as Revision;
    const changes = writes.map((write) => this.#append(write, revision));
    this.#revision = revision;
    this.#feed.publish(changes);
    this.#retain(writes);
    return { kind: 'written', revision };
  }

  watch(prefix: string, from: Revision, signal: AbortSignal): AsyncIterable<readonly Change[]> {
    const history = {
      revision: () => this.#revision,
      changesAfter: async (under: string, position: Revision) => this.#changesAfter(under, position),
    };
    return this.#feed.watch(history, { prefix, from, signal });
  }

  async compact(upTo: Revision): Promise<void> {
    this.#checkOpen();
    if (upTo > this.#revision) throw new FutureRevisionError(upTo, this.#revision);
    if (upTo <= this.#floor) return;
    this.#retention.compacted(upTo);
    this.#raiseFloor(upTo);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#feed.end(new StoreClosedError());
  }

  #checkOpen(): void {
    if (this.#closed) throw new StoreClosedError();
  }

  #readable(at = this.#revision): Revision {
    this.#checkOpen();
    if (at > this.#revision) throw new FutureRevisionError(at, this.#revision);
    if (at < this.#floor) throw new CompactedError(at, this.#floor);
    return at;
  }

  #entry(key: StoreKey, at: Revision): Entry | undefined {
    const versions = this.#versions.get(key) ?? [];
    const newest = versions.at(-1);
    if (!newest || newest.revision <= at) return newest?.entry;
    return versions[firstIndex(versions.length, (i) => (versions[i]?.revision ?? 0) > at) - 1]?.entry;
  }

  #append({ key, value }: Write, revision: Revision): Change {
    const versions = this.#versions.get(key);
    const created = versions?.at(-1)?.entry?.created ?? revision;
    const change: Change = value
      ? { kind: 'put', key, revision, entry: { key, value, created, modified: revision } }
      : { kind: 'delete', key, revision, entry: undefined };
    if (versions) versions.push(change);
    else {
      this.#versions.set(key, [change]);
      this.#keys.add(key);
    }
    this.#log.push(change);
    return change;
  }

  #retain(writes: readonly Write[]): void {
    const now = this.#clock.now();
    const bytes = writes.reduce((sum, { key, value }) => sum + key.length + (value?.length ?? 0), 0);
    this.#retention.note(this.#revision, bytes, now);
    const floor = this.#retention.due(now);
    if (floor !== undefined && floor > this.#floor) this.#raiseFloor(floor);
  }

  #raiseFloor(upTo: Revision): void {
    this.#floor = upTo;
    const kept = this.#logIndexAfter(upTo);
    for (const { key } of this.#log.slice(0, kept)) this.#prune(key);
    this.#log = this.#log.slice(kept);
  }

  /** Drops the versions that no revision from the floor on shows. */
  #prune(key: StoreKey): void {
    const versions = this.#versions.get(key);
    if (!versions) return; // it changed twice below the floor and is gone already
    const newer = firstIndex(versions.length, (i) => (versions[i]?.revision ?? 0) > this.#floor);
    const shown = versions[newer - 1];
    versions.splice(0, shown?.kind === 'put' ? newer - 1 : newer);
    if (versions.length > 0) return;
    this.#versions.delete(key);
    this.#keys.delete(key);
  }

  #changesAfter(prefix: string, position: Revision): Replayed {
    this.#checkOpen();
    if (position < this.#floor) throw new CompactedError(position, this.#floor);
    const changes: Change[] = [];
    for (let i = this.#logIndexAfter(position); i < this.#log.length; i++) {
      const change = this.#log[i];
      if (!change?.key.startsWith(prefix)) continue;
      const last = changes.at(-1);
      if (changes.length >= REPLAY_CHANGES && last && last.revision < change.revision) {
        return { changes, upTo: last.revision };
      }
      changes.push(change);
    }
    return { changes, upTo: this.#revision };
  }

  #logIndexAfter(revision: Revision): number {
    return firstIndex(this.#log.length, (i) => (this.#log[i]?.revision ?? 0) > revision);
  }
}
