import type { KubeObject } from '#api/meta.ts';
import type { Durability, Entry, Revision, Store, StoreKey } from '#store/store.ts';
import { encodeForStore, headOf, Stored, withResourceVersion } from '#server/cache/stored.ts';
import type { WatchCache } from '#server/cache/watch-cache.ts';

/** Losing a race is an ordinary outcome: by then the cache shows who won, so the caller looks again. */
export type Written = { readonly kind: 'written'; readonly stored: Stored } | { readonly kind: 'lost' };

/**
 * Commits one object. The write is acknowledged once it is in the store *and* the cache has passed it, so that whoever has
 * the answer finds the object in every later read, list and watch.
 */
export class Writer {
  readonly #store: Store;
  readonly #cache: WatchCache;

  constructor(store: Store, cache: WatchCache) {
    this.#store = store;
    this.#cache = cache;
  }

  /** `expect` is the version the change was based on; undefined: there must be none. */
  async put(key: StoreKey, expect: Stored | undefined, object: KubeObject, durability: Durability): Promise<Written> {
    const value = encodeForStore(object);
    using _ = this.#cache.writing(key, value, object);
    const write = { key, expect: expect?.revision ?? ('absent' as const), value };
    const committed = await this.#store.commit([write], durability);
    if (committed.kind === 'conflict') return await this.#lost(committed.actual);
    await this.#cache.passed(committed.revision);
    return { kind: 'written', stored: this.#stored(key, committed.revision, { object, value }) };
  }

  async remove(existing: Stored, durability: Durability): Promise<Written> {
    const committed = await this.#store.commit(
      [{ key: existing.key, expect: existing.revision, value: undefined }],
      durability,
    );
    if (committed.kind === 'conflict') return await this.#lost(committed.actual);
    await this.#cache.passed(committed.revision);
    return { kind: 'written', stored: existing.at(committed.revision) };
  }

  async #lost(actual: Entry | undefined): Promise<Written> {
    await this.#cache.passed(actual?.modified ?? (await this.#store.revision()));
    return { kind: 'lost' };
  }

  /** The cache's own version where it still stands there, so that its text is made once. */
  #stored(key: StoreKey, revision: Revision, made: { object: KubeObject; value: Uint8Array }): Stored {
    const cached = this.#cache.of(key.slice(0, key.indexOf('/') + 1)).get(key);
    if (cached?.revision === revision) return cached;
    const { object, value } = made;
    const head = headOf(object.kind, object.apiVersion);
    return new Stored(key, revision, { head, value, object: withResourceVersion(object, revision) });
  }
}
