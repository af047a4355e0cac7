import type { Brand } from '#lib/brand.ts';

/**
 * A revisioned key-value store: what the API server stands on. It knows bytes and revisions, no Pod and no JSON.
 *
 * The idea: one number line for everything. Every commit takes the next revision, writes all its keys or none, and is
 * appended to a log. From the log follow the newest state, the state at any revision still kept, and the stream of
 * changes after any revision still kept; so a list and the watch that continues it can never disagree. A write names
 * the revision of the key it was based on, and losing that race is an ordinary answer, not an error. History is bounded
 * (retention.ts): what is older than the *floor* is compacted, and asking for it is refused rather than answered wrongly.
 * Who needs the store's progress watches the prefix '' (everything): `revision()` is never ahead of what such a watch
 * has delivered or will deliver without further commits, so `max(from, last revision delivered)` is how far it is.
 *
 * Invariants (conformance.ts runs them on every implementation):
 *  1. Revisions only grow, from 1, the revision of an empty store. Changes that share a revision arrive in one batch.
 *  2. A watch from R yields every change after R under its prefix once, in revision order.
 *  3. What a read shows at R never changes until R is compacted.
 *  4. No revision is visible, to reads, watches or conflicts, before every smaller one is. A 'synced' commit is visible
 *     only once it is on disk.
 *  5. What was acknowledged as 'synced' is on disk, and so is every commit before it.
 */
export interface Store extends AsyncDisposable {
  /** The newest visible revision, at least 1. */
  revision(): Promise<Revision>;

  /** One key, now or `at` a revision; the answer's `revision` is the one it was read at. Throws as `list` does. */
  get(key: StoreKey, at?: Revision): Promise<Found>;

  /**
   * The keys that start with `prefix`, in the byte order of their UTF-8 form ('' lists everything).
   * Throws CompactedError if `at` is below the floor, FutureRevisionError if it is not reached yet.
   */
  list(prefix: string, options: ListOptions): Promise<Page>;

  /**
   * Applies all writes at one new revision, if every expectation holds; else nothing happens and the first write whose
   * expectation fails is named. Not cancellable. The store keeps `value` and hands it to watchers: do not change it.
   *
   * 'synced' is answered when the commit is on disk. 'relaxed' may be lost by a power failure (not by the death of the
   * process), only together with every commit after it, and is never reordered.
   *
   * Refused with RangeError: no writes, more than MAX_WRITES, a key twice, a key that is empty, ill-formed UTF-16 or has
   * a NUL, deleting what is expected to be absent. StoreFullError: the disk is full, nothing was written; try again when
   * there is space.
   */
  commit(writes: readonly Write[], durability: Durability): Promise<Committed>;

  /**
   * Every change after `from` under `prefix`, in batches that never split a revision and are never empty; it begins at
   * the first `next()`. Ends only by throwing (or by the reader leaving its loop): the signal's reason on abort;
   * CompactedError if changes after `from` are gone, also while still replaying the past; FutureRevisionError if `from` is not reached yet
   * (the store lost what the caller has seen: waiting would hide it); SlowReaderError (lib/inbox.ts), after what was
   * buffered, if the reader fell more than WATCH_BUFFER changes behind; StoreClosedError.
   */
  watch(prefix: string, from: Revision, signal: AbortSignal): AsyncIterable<readonly Change[]>;

  /**
   * Raises the floor: reads at `upTo` and watches from `upTo` still work, older ones are refused. Below the present
   * floor it does nothing; above the newest revision it throws FutureRevisionError. Space is given back in the background.
   */
  compact(upTo: Revision): Promise<void>;

  /** Waits for what was asked before, then ends all watches. Later calls throw StoreClosedError; closing twice is fine. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** A point on the store's number line: a whole number, at least 1. */
export type Revision = Brand<number, 'Revision'>;

/** Any well-formed, non-empty string without NUL. Its meaning is the caller's. */
export type StoreKey = Brand<string, 'StoreKey'>;

/** The revision of a store nothing was ever written to; no commit gets it. */
export const FIRST_REVISION = 1 as Revision;

/** The most writes one commit may hold. */
export const MAX_WRITES = 1000;

/** How many changes a watcher may lag behind before it is closed. A burst of ten full commits, or seconds of busy cluster. */
export const WATCH_BUFFER = 10_000;

export interface Entry {
  readonly key: StoreKey;
  readonly value: Uint8Array;
  /** When the key last came into being: deleting and making it anew gives a new one. */
  readonly created: Revision;
  readonly modified: Revision;
}

export interface Found {
  readonly revision: Revision;
  readonly entry: Entry | undefined;
}

export interface ListOptions {
  /** Default: the newest revision. */
  readonly at?: Revision | undefined;
  /** At least 1; default: all. */
  readonly limit?: number | undefined;
  /** Only keys behind this one: a page's `next`, together with `at` as the page's `revision`. */
  readonly after?: StoreKey | undefined;
}

export interface Page {
  readonly entries: readonly Entry[];
  readonly revision: Revision;
  /** How many more entries there are behind this page at this revision, exactly. */
  readonly remaining: number;
  /** Where to go on; undefined when nothing remains. */
  readonly next: StoreKey | undefined;
}

export interface Write {
  readonly key: StoreKey;
  /** 'absent', or the revision the key was last modified at. */
  readonly expect: 'absent' | Revision;
  /** Undefined deletes. */
  readonly value: Uint8Array | undefined;
}

export type Durability = 'synced' | 'relaxed';

export type Committed =
  | { readonly kind: 'written'; readonly revision: Revision }
  | { readonly kind: 'conflict'; readonly key: StoreKey; readonly actual: Entry | undefined };

export type Change =
  | { readonly kind: 'put'; readonly key: StoreKey; readonly revision: Revision; readonly entry: Entry }
  | { readonly kind: 'delete'; readonly key: StoreKey; readonly revision: Revision; readonly entry: undefined };

/** What was asked for is older than the history kept. */
export class CompactedError extends Error {
  override readonly name = 'CompactedError';
  readonly asked: Revision;
  /** The oldest revision that can still be read or watched from. */
  readonly oldest: Revision;

  constructor(asked: Revision, oldest: Revision) {
    super(`revision ${asked} has been compacted; the oldest kept is ${oldest}`);
    this.asked = asked;
    this.oldest = oldest;
  }
}

/** The revision asked for has not been reached. */
export class FutureRevisionError extends Error {
  override readonly name = 'FutureRevisionError';
  readonly asked: Revision;
  readonly newest: Revision;

  constructor(asked: Revision, newest: Revision) {
    super(`revision ${asked} has not been reached; the newest is ${newest}`);
    this.asked = asked;
    this.newest = newest;
  }
}

/** The store was closed by its owner. */
export class StoreClosedError extends Error {
  override readonly name = 'StoreClosedError';

  constructor() {
    super('the store is closed');
  }
}

/** No space left on the disk. The commit did not happen; the store goes on working once there is space. */
export class StoreFullError extends Error {
  override readonly name = 'StoreFullError';
}

/** The file is damaged, or is not a store of ours. */
export class CorruptStoreError extends Error {
  override readonly name = 'CorruptStoreError';
}

/** Another process (or another part of this one) has the store open. */
export class StoreInUseError extends Error {
  override readonly name = 'StoreInUseError';
}

/**
 * The storage failed in a way after which it cannot be trusted or reached: an I/O error, the death of its thread. Pending and later calls get it; whether a
 * pending commit happened is unknown. Only opening the store anew helps.
 */
export class StoreFailedError extends Error {
  override readonly name = 'StoreFailedError';
}
