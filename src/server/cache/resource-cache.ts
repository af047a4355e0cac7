import type { Revision, StoreKey } from '#store/store.ts';
import type { Stored } from '#server/cache/stored.ts';

/** A change as watchers are told of it. `stored` of a deletion is the last object under the revision of its deletion. */
export interface CacheEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly stored: Stored;
  readonly previous: Stored | undefined;
}

export type CacheListener = (event: CacheEvent) => void;

/** Objects of which a field has one value. Thousands of nodes watch their own pods: each hears of these alone. */
export interface FieldValue {
  /** The field, and how it is read; listeners that name the same must read the same. */
  readonly field: string;
  readonly read: (stored: Stored) => string;
  readonly value: string;
}

interface ByField {
  readonly read: FieldValue['read'];
  readonly byValue: Map<string, Set<CacheListener>>;
}

/**
 * How many past events of a kind are kept for watches that resume, and how much text: more than a client misses while it reconnects. Large
 * objects would otherwise make this the largest thing in memory (an object as a value takes several times its text).
 */
export const EVENTS_KEPT = 4096;
export const EVENT_BYTES_KEPT = 4 * 1024 * 1024;

/**
 * All objects of one kind, sorted by key, and the last events. Synchronous throughout: what is read between two turns of the
 * event loop belongs to one revision.
 *
 * A namespace is an index by itself: its keys share a prefix, so in sorted order they stand together.
 */
export class ResourceCache {
  readonly prefix: string;
  readonly #byKey = new Map<StoreKey, Stored>();
  #sorted: Stored[] = [];
  #events: CacheEvent[] = [];
  #eventBytes = 0;
  /** Every event after this revision is in `#events`. */
  #eventsAfter: Revision;
  #changed: Revision;
  readonly #listeners = new Set<CacheListener>();
  readonly #byField = new Map<string, ByField>();

  constructor(prefix: string, loadedAt: Revision) {
    this.prefix = prefix;
    this.#eventsAfter = loadedAt;
    this.#changed = loadedAt;
  }

  /** The revision of the last change; a list at any later revision shows the same. */
  get changedAt(): Revision {
    return this.#changed;
  }

  /** The oldest revision `since` can answer for. */
  get eventsAfter(): Revision {
    return this.#eventsAfter;
  }

  get(key: StoreKey): Stored | undefined {
    return this.#byKey.get(key);
  }

  get size(): number {
    return this.#sorted.length;
  }

  /** The objects whose keys begin with `prefix`, sorted by key. A fresh array. */
  under(prefix: string): Stored[] {
    if (prefix === this.prefix) return this.#sorted.slice();
    const from = this.#position(prefix);
    // No key holds U+FFFF, so this is behind every key with the prefix.
    return this.#sorted.slice(from, this.#position(`${prefix}\uffff`));
  }

  /** Fills an empty cache; `entries` are sorted by key. Nobody is told. */
  load(entries: readonly Stored[]): void {
    this.#sorted = [...entries];
    for (const stored of entries) this.#byKey.set(stored.key, stored);
  }

  put(stored: Stored): void {
    const previous = this.#byKey.get(stored.key);
    this.#byKey.set(stored.key, stored);
    this.#sorted.splice(this.#position(stored.key), previous ? 1 : 0, stored);
    this.#emit({ type: previous ? 'MODIFIED' : 'ADDED', stored, previous }, stored.revision);
  }

  delete(key: StoreKey, revision: Revision): void {
    const previous = this.#byKey.get(key);
    if (!previous) return;
    this.#byKey.delete(key);
    this.#sorted.splice(this.#position(key), 1);
    this.#emit({ type: 'DELETED', stored: previous.at(revision), previous }, revision);
  }

  /** Events after `from`, or undefined when some of them are no longer kept. */
  since(from: Revision): readonly CacheEvent[] | undefined {
    if (from < this.#eventsAfter) return undefined;
    let first = this.#events.length;
    while (first > 0 && this.#events[first - 1]!.stored.revision > from) first--;
    return this.#events.slice(first);
  }

  /**
   * `listener` hears of every later change, in order; it must not throw. With `only`, of changes to objects that have this value
   * of the field, or had it before. Returns how to stop it.
   */
  listen(listener: CacheListener, only?: FieldValue): () => void {
    if (only !== undefined) return this.#listenTo(only, listener);
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #listenTo({ field, read, value }: FieldValue, listener: CacheListener): () => void {
    const known = this.#byField.get(field) ?? { read, byValue: new Map<string, Set<CacheListener>>() };
    this.#byField.set(field, known);
    const listeners = known.byValue.get(value) ?? new Set();
    known.byValue.set(value, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && known.byValue.get(value) === listeners) known.byValue.delete(value);
    };
  }

  #emit(event: CacheEvent, revision: Revision): void {
    this.#changed = revision;
    this.#events.push(event);
    this.#eventBytes += event.stored.size;
    // Cut at twice of what is kept, so that the array is copied only once in as many events.
    if (this.#events.length >= 2 * EVENTS_KEPT || this.#eventBytes >= 2 * EVENT_BYTES_KEPT) this.#forget();
    for (const listener of this.#listeners) listener(event);
    for (const { read, byValue } of this.#byField.values()) {
      if (byValue.size === 0) continue;
      const is = read(event.stored);
      const was = event.previous === undefined ? is : read(event.previous);
      for (const listener of byValue.get(is) ?? []) listener(event);
      if (was !== is) for (const listener of byValue.get(was) ?? []) listener(event);
    }
  }

  #forget(): void {
    let count = this.#events.length - 1;
    for (let bytes = 0; count > 0 && this.#events.length - count < EVENTS_KEPT && bytes < EVENT_BYTES_KEPT; count--) {
      bytes += this.#events[count]!.stored.size;
    }
    if (count === 0) return;
    this.#eventsAfter = this.#events[count - 1]!.stored.revision;
    this.#events = this.#events.slice(count);
    this.#eventBytes = this.#events.reduce((sum, { stored }) => sum + stored.size, 0);
  }

  /** Where `key` stands or would stand. */
  #position(key: string): number {
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#sorted[middle]!.key < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
