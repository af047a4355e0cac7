import { ApiError } from '#api/errors.ts';
import { apiVersionOf } from '#api/resource.ts';
import type { Clock } from '#lib/clock.ts';
import { isCancellation } from '#lib/scope.ts';
import type { Revision } from '#store/store.ts';
import type { CacheEvent, CacheListener, ResourceCache } from '#server/cache/resource-cache.ts';
import type { Stored } from '#server/cache/stored.ts';
import type { WatchCache } from '#server/cache/watch-cache.ts';
import type { Descriptor } from '#server/descriptor.ts';
import type { ListQuery } from '#server/registry/list-options.ts';
import type { ListScope } from '#server/registry/list.ts';

/** What one watcher is told. The objects of a watch without a selector are the cache's own. */
export interface WatchItem {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly stored: Stored;
}

/** Whoever brings a watch's items to its client. Nothing here may throw or wait. */
export interface WatchSink {
  bookmark(revision: Revision, initialEventsEnd: boolean): void;
  /** The watch is over: its time has come, or the server stops. */
  end(): void;
}

/** How often an idle watcher is told how far it is. */
const BOOKMARK_MS = 60_000;
/** Without a timeout of its own a watch lasts this long, up to twice, so that not all come back at once. */
const LEAST_WATCH_SECONDS = 1800;

/** A watch that was asked for and allowed; a carrier begins it. */
export class Watch {
  readonly descriptor: Descriptor;
  readonly scope: ListScope;
  readonly query: ListQuery;
  readonly cache: ResourceCache;
  readonly #now: () => Revision;

  constructor(descriptor: Descriptor, scope: ListScope, query: ListQuery, cache: WatchCache) {
    this.descriptor = descriptor;
    this.scope = scope;
    this.query = query;
    this.cache = cache.of(scope.prefix);
    this.#now = () => cache.revision;
  }

  /** True when it gets all events under its scope just as they are. */
  get unselective(): boolean {
    return this.query.selects === undefined && this.after <= this.#now();
  }

  /**
   * `listener` hears of what may concern it; what does, says `select`. Returns how to stop it.
   */
  listen(listener: CacheListener): () => void {
    const { onlyField } = this.query;
    if (onlyField === undefined) return this.cache.listen(listener);
    const { field, value, read } = onlyField;
    const { view } = this.scope;
    // Two versions of a kind may have different fields of one name.
    const key = `${apiVersionOf(this.descriptor)} ${field}`;
    return this.cache.listen(listener, { field: key, value, read: (stored) => read(view(stored).object) });
  }

  /** The revision it goes on from; 0 when it begins with everything there is. It may lie ahead: another server has told of it. */
  get after(): number {
    return this.fromState ? 0 : Number(this.query.resourceVersion);
  }

  /** True when it begins with everything there is. */
  get fromState(): boolean {
    const { resourceVersion, sendInitialEvents } = this.query;
    return sendInitialEvents || resourceVersion === '' || resourceVersion === '0';
  }

  /**
   * What comes before the live events; the caller listens to the cache in the same turn. Throws a 410 when the events since the
   * revision asked for are no longer known.
   */
  begin(): { readonly items: readonly WatchItem[]; readonly revision: Revision } {
    const revision = this.#now();
    if (this.fromState) {
      const served = this.cache.under(this.scope.under).map(this.scope.view);
      const selected = this.query.selects ? served.filter(this.query.selects) : served;
      return { items: selected.map((stored) => ({ type: 'ADDED', stored })), revision };
    }
    const from = Number(this.query.resourceVersion) as Revision;
    const events = this.cache.since(from);
    if (events === undefined) throw tooOld(from, this.cache.eventsAfter);
    return { items: events.flatMap((event) => this.select(event) ?? []), revision };
  }

  /**
   * A change as this watcher sees it. An object that leaves the selection is told as DELETED, as it was before, under the
   * revision at which it left; one that enters as ADDED.
   */
  select(event: CacheEvent): WatchItem | undefined {
    if (!event.stored.key.startsWith(this.scope.under) || event.stored.revision <= this.after) return undefined;
    const { view } = this.scope;
    const { selects } = this.query;
    if (selects === undefined) return { type: event.type, stored: view(event.stored) };
    const is = event.type !== 'DELETED' && selects(view(event.stored));
    const was = event.previous !== undefined && selects(view(event.previous));
    if (is) return { type: was ? 'MODIFIED' : 'ADDED', stored: view(event.stored) };
    if (!was) return undefined;
    const last = event.type === 'DELETED' ? event.stored : event.previous.at(event.stored.revision);
    return { type: 'DELETED', stored: view(last) };
  }
}

const tooOld = (from: Revision, oldest: Revision): ApiError =>
  new ApiError('Expired', `too old resource version: ${from} (${oldest})`);

/** All watches under way: gives them their bookmarks and their end. */
export class Watches {
  readonly #clock: Clock;
  readonly #cache: WatchCache;
  readonly #random: () => number;
  readonly #open = new Set<OpenWatch>();

  constructor(clock: Clock, cache: WatchCache, random: () => number) {
    this.#clock = clock;
    this.#cache = cache;
    this.#random = random;
  }

  get size(): number {
    return this.#open.size;
  }

  /** From now on `sink` gets bookmarks, and `end` once. Disposing it is the sink's own way out. */
  open(watch: Watch, sink: WatchSink): Disposable {
    const stop = new AbortController();
    const open: OpenWatch = { sink, bookmarks: watch.query.bookmarks, told: this.#cache.revision };
    this.#open.add(open);
    const close = (): void => {
      this.#open.delete(open);
      stop.abort();
    };
    const seconds = watch.query.timeoutSeconds ?? LEAST_WATCH_SECONDS * (1 + this.#random());
    void this.#clock.sleep(seconds * 1000, stop.signal).then(
      () => {
        close();
        this.#bookmark(open);
        sink.end();
      },
      () => {},
    );
    return { [Symbol.dispose]: close };
  }

  /** Gives bookmarks until aborted; then every watch ends. */
  async run(signal: AbortSignal): Promise<void> {
    try {
      for (;;) {
        await this.#clock.sleep(BOOKMARK_MS, signal);
        for (const open of this.#open) this.#bookmark(open);
      }
    } catch (error) {
      if (!isCancellation(error, signal)) throw error;
    } finally {
      for (const { sink } of this.#open) sink.end();
    }
  }

  #bookmark(open: OpenWatch): void {
    const { revision } = this.#cache;
    if (!open.bookmarks || revision === open.told) return;
    open.told = revision;
    open.sink.bookmark(revision, false);
  }
}

interface OpenWatch {
  readonly sink: WatchSink;
  readonly bookmarks: boolean;
  /** The last revision it was told by a bookmark. */
  told: Revision;
}
