import type { KubeObject } from '#api/meta.ts';
import type { Clock } from '#lib/clock.ts';
import { isCancellation } from '#lib/scope.ts';
import { StoreClosedError, type Change, type Revision, type Store, type StoreKey } from '#store/store.ts';
import { ResourceCache } from '#server/cache/resource-cache.ts';
import { Stored, withResourceVersion } from '#server/cache/stored.ts';

/** A kind as the cache sees it: where its keys begin, and where the revision goes into its text. */
export interface CachedKind {
  readonly prefix: string;
  readonly head: number;
}

const LOAD_PAGE = 5000;
const RELOAD_AFTER_MS = 200;

/**
 * Everything the store holds, kept up by one watch of the whole store, so that all kinds share one number line and an idle
 * kind's bookmark can say "nothing until now".
 *
 * A write is acknowledged only once the cache has passed its revision (`passed`), so whatever is read here reflects every
 * write acknowledged by this server. Another writer of the same store (a second server) would make reads late, never wrong.
 */
export class WatchCache {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #kinds: ReadonlyMap<string, CachedKind>;
  readonly #caches = new Map<string, ResourceCache>();
  readonly #waiters = new Set<{ readonly revision: Revision; readonly wake: () => void }>();
  /** Objects being written: when their text comes back from the store it need not be parsed. */
  readonly #writing = new Map<StoreKey, Set<Writing>>();
  #revision = 0 as Revision;
  #trouble: string | undefined;

  constructor(store: Store, clock: Clock, kinds: readonly CachedKind[]) {
    this.#store = store;
    this.#clock = clock;
    this.#kinds = new Map(kinds.map((kind) => [kind.prefix, kind]));
  }

  /** Every change up to this revision is in the cache. */
  get revision(): Revision {
    return this.#revision;
  }

  /** Why what is read here may be old; undefined while it follows the store. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  of(prefix: string): ResourceCache {
    return this.#caches.get(prefix)!;
  }

  /** Reads everything; afterwards the cache answers, and `follow` keeps it up. */
  async load(signal: AbortSignal): Promise<void> {
    const { revision, byPrefix } = await this.#readAll(signal);
    for (const { prefix } of this.#kinds.values()) {
      const cache = new ResourceCache(prefix, revision);
      cache.load(byPrefix.get(prefix) ?? []);
      this.#caches.set(prefix, cache);
    }
    this.#advance(revision);
  }

  /** Runs until aborted. Falling behind the store is mended by reading everything anew and telling the difference. */
  async follow(signal: AbortSignal, onTrouble: (error: unknown) => void): Promise<void> {
    for (;;) {
      try {
        for await (const batch of this.#store.watch('', this.#revision, signal)) this.#apply(batch);
      } catch (error) {
        if (isCancellation(error, signal) || error instanceof StoreClosedError) return;
        this.#stumble(error, onTrouble);
      }
      await this.#clock.sleep(RELOAD_AFTER_MS, signal);
      await this.#resync(signal).catch((error: unknown) => this.#stumble(error, onTrouble));
    }
  }

  /** Resolves once the cache holds everything up to `revision`. */
  passed(revision: Revision): Promise<void> | undefined {
    if (revision <= this.#revision) return undefined;
    const { promise, resolve } = Promise.withResolvers<void>();
    const waiter = { revision, wake: resolve };
    this.#waiters.add(waiter);
    return promise;
  }

  /** As `passed`, but gives up after `ms`: false then. */
  async passedWithin(revision: Revision, ms: number, signal: AbortSignal): Promise<boolean> {
    const passed = this.passed(revision);
    if (!passed) return true;
    const stop = new AbortController();
    const either = AbortSignal.any([signal, stop.signal]);
    const tooLate = this.#clock.sleep(ms, either).then(
      () => false,
      () => false,
    );
    const inTime = await Promise.race([passed.then(() => true), tooLate]);
    stop.abort();
    signal.throwIfAborted();
    return inTime;
  }

  /** Announces what is about to be committed; dispose when the commit has been answered and passed. */
  writing(key: StoreKey, value: Uint8Array, object: KubeObject): Disposable {
    const entry: Writing = { value, object };
    const known = this.#writing.get(key);
    if (known) known.add(entry);
    else this.#writing.set(key, new Set([entry]));
    return {
      [Symbol.dispose]: () => {
        const entries = this.#writing.get(key);
        entries?.delete(entry);
        if (entries?.size === 0) this.#writing.delete(key);
      },
    };
  }

  /** While it lasts it is told once. */
  #stumble(error: unknown, onTrouble: (error: unknown) => void): void {
    const why = error instanceof Error ? error.message : String(error);
    if (why !== this.#trouble) onTrouble(error);
    this.#trouble = why;
  }

  #apply(batch: readonly Change[]): void {
    let last = this.#revision;
    for (const change of batch) {
      last = change.revision;
      const kind = this.#kindOf(change.key);
      if (!kind) continue;
      const cache = this.of(kind.prefix);
      if (change.kind === 'delete') cache.delete(change.key, change.revision);
      else cache.put(this.#storedOf(kind, change.key, change.revision, change.entry.value));
    }
    this.#advance(last);
  }

  #storedOf(kind: CachedKind, key: StoreKey, revision: Revision, value: Uint8Array): Stored {
    for (const entry of this.#writing.get(key) ?? []) {
      if (entry.value !== value && Buffer.compare(entry.value, value) !== 0) continue;
      return new Stored(key, revision, { head: kind.head, value, object: withResourceVersion(entry.object, revision) });
    }
    return new Stored(key, revision, { head: kind.head, value });
  }

  #advance(revision: Revision): void {
    this.#revision = revision;
    for (const waiter of this.#waiters) {
      if (waiter.revision > revision) continue;
      this.#waiters.delete(waiter);
      waiter.wake();
    }
  }

  /** After a gap in the stream: what differs is told as if it had just happened. */
  async #resync(signal: AbortSignal): Promise<void> {
    const { revision, byPrefix } = await this.#readAll(signal);
    for (const { prefix } of this.#kinds.values()) {
      const cache = this.of(prefix);
      const now = new Map((byPrefix.get(prefix) ?? []).map((stored) => [stored.key, stored]));
      for (const known of cache.under(prefix)) if (!now.has(known.key)) cache.delete(known.key, revision);
      const newer = [...now.values()].filter((stored) => stored.revision !== cache.get(stored.key)?.revision);
      for (const stored of newer.sort((a, b) => a.revision - b.revision)) cache.put(stored);
    }
    this.#trouble = undefined;
    this.#advance(revision);
  }

  async #readAll(signal: AbortSignal): Promise<{ revision: Revision; byPrefix: Map<string, Stored[]> }> {
    const byPrefix = new Map<string, Stored[]>();
    let at: Revision | undefined;
    let after: StoreKey | undefined;
    do {
      signal.throwIfAborted();
      const page = await this.#store.list('', { at, after, limit: LOAD_PAGE });
      for (const { key, modified, value } of page.entries) {
        const kind = this.#kindOf(key);
        if (!kind) continue;
        const stored = new Stored(key, modified, { head: kind.head, value });
        const entries = byPrefix.get(kind.prefix);
        if (entries) entries.push(stored);
        else byPrefix.set(kind.prefix, [stored]);
      }
      at = page.revision;
      after = page.next;
    } while (after !== undefined);
    return { revision: at, byPrefix };
  }

  #kindOf(key: StoreKey): CachedKind | undefined {
    return this.#kinds.get(key.slice(0, key.indexOf('/') + 1));
  }
}

interface Writing {
  readonly value: Uint8Array;
  readonly object: KubeObject;
}
