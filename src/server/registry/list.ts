import { ApiError } from '#api/errors.ts';
import type { Clock } from '#lib/clock.ts';
import { CompactedError, type Revision, type Store, type StoreKey } from '#store/store.ts';
import { Stored } from '#server/cache/stored.ts';
import type { WatchCache } from '#server/cache/watch-cache.ts';
import {
  CONTINUE_MS,
  decodeContinue,
  encodeContinue,
  expiredContinue,
  type ContinueToken,
} from '#server/registry/continue-token.ts';
import type { ListQuery } from '#server/registry/list-options.ts';

export interface Listing {
  readonly items: readonly Stored[];
  readonly revision: Revision;
  readonly continueToken?: string;
  readonly remaining?: number;
}

/** Where a list looks: a kind's objects, or those of one namespace, or one. */
export interface ListScope {
  /** The resource's prefix in the store: `pods/`. */
  readonly prefix: string;
  /** What the keys begin with: the prefix, or `pods/default/`. */
  readonly under: string;
  readonly head: number;
  /** What is served for an object as it is kept; the same for all but kinds with two versions. */
  readonly view: (stored: Stored) => Stored;
}

/** How long a read waits for a revision that has not come yet. */
const FUTURE_WAIT_MS = 3000;

/**
 * Lists from the cache wherever its present state is what was asked for, else from the store's history. Pages of one list
 * are all read at the revision of the first.
 */
export class Lister {
  readonly #store: Store;
  readonly #cache: WatchCache;
  readonly #clock: Clock;

  constructor(store: Store, cache: WatchCache, clock: Clock) {
    this.#store = store;
    this.#cache = cache;
    this.#clock = clock;
  }

  async list(scope: ListScope, query: ListQuery, signal: AbortSignal): Promise<Listing> {
    if (query.continueToken !== '') return this.#page(scope, query, decodeContinue(query.continueToken));
    const asked = Number(query.resourceVersion) as Revision;
    if (asked > this.#cache.revision) await this.waitFor(asked, signal);
    // A limit makes a list at a revision exact; without one, anything that is not older will do.
    const exact = query.match === 'Exact' || (query.match === '' && query.limit > 0 && asked > 0);
    const begunAt = this.#clock.now();
    if (exact && asked < this.#cache.of(scope.prefix).changedAt) {
      return this.#fromHistory(scope, query, { revision: asked, after: '', begunAt });
    }
    return this.#fromCache(scope, query, { revision: exact ? asked : undefined, after: '', begunAt });
  }

  /** Waits for a revision some other server has told of; 504 with the cause clients look for when it does not come. */
  async waitFor(revision: Revision, signal: AbortSignal): Promise<void> {
    if (await this.#cache.passedWithin(revision, FUTURE_WAIT_MS, signal)) return;
    const message = `Too large resource version: ${revision}, current: ${this.#cache.revision}`;
    const causes = [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }];
    throw new ApiError('Timeout', message, { details: { causes, retryAfterSeconds: 1 } });
  }

  #page(scope: ListScope, query: ListQuery, token: ContinueToken): Promise<Listing> | Listing {
    const { revision } = token;
    if (revision === undefined) return this.#fromCache(scope, query, token);
    if (token.begunAt + CONTINUE_MS <= this.#clock.now()) throw expiredContinue(token, this.#clock.now());
    if (revision >= this.#cache.of(scope.prefix).changedAt && revision <= this.#cache.revision) {
      return this.#fromCache(scope, query, token);
    }
    return this.#fromHistory(scope, query, token);
  }

  #fromCache(scope: ListScope, query: ListQuery, token: ContinueToken): Listing {
    const cache = this.#cache.of(scope.prefix);
    const revision = (token.revision ?? this.#cache.revision) as Revision;
    if (query.onlyName !== undefined && scope.under !== scope.prefix) {
      const only = cache.get(`${scope.under}${query.onlyName}` as StoreKey);
      return this.#cut(scope, query, { token, revision, candidates: only ? [only] : [] });
    }
    let candidates = cache.under(scope.under);
    if (token.after !== '') {
      const after = `${scope.prefix}${token.after}`;
      candidates = candidates.filter((stored) => stored.key > after);
    }
    return this.#cut(scope, query, { token, revision, candidates });
  }

  async #fromHistory(scope: ListScope, query: ListQuery, token: ContinueToken): Promise<Listing> {
    const revision = token.revision as Revision;
    const after = token.after === '' ? undefined : (`${scope.prefix}${token.after}` as StoreKey);
    try {
      const page = await this.#store.list(scope.under, { at: revision, after });
      const candidates = page.entries.map(
        ({ key, modified, value }) => new Stored(key, modified, { head: scope.head, value }),
      );
      return this.#cut(scope, query, { token, revision, candidates });
    } catch (error) {
      if (!(error instanceof CompactedError)) throw error;
      if (query.continueToken !== '') throw expiredContinue(token, this.#clock.now());
      throw new ApiError('Expired', `The resourceVersion for the provided list is too old.`, { cause: error });
    }
  }

  /** The selected ones, up to the limit. */
  #cut(
    scope: ListScope,
    query: ListQuery,
    found: { token: ContinueToken; revision: Revision; candidates: readonly Stored[] },
  ): Listing {
    const { revision, candidates } = found;
    const { limit, selects } = query;
    const items: Stored[] = [];
    for (const [index, candidate] of candidates.entries()) {
      const served = scope.view(candidate);
      if (selects !== undefined && !selects(served)) continue;
      items.push(served);
      if (limit === 0 || items.length < limit) continue;
      const remaining = candidates.length - index - 1;
      if (remaining === 0) break;
      const after = candidate.key.slice(scope.prefix.length);
      // How many of the rest a selector would pass is not known without reading them.
      return {
        items,
        revision,
        continueToken: encodeContinue({ revision, after, begunAt: found.token.begunAt }),
        ...(selects === undefined ? { remaining } : {}),
      };
    }
    return { items, revision };
  }
}
