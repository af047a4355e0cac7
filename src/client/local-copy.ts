import { keyOf, type KubeObject, type ObjectKey } from '#api/meta.ts';
import type { Change, IndexFunctions } from '#client/informer.ts';

type Buckets<T> = Map<string, Map<ObjectKey, T>>;
type Listener<T extends KubeObject> = (change: Change<T>) => void;

/**
 * Objects by key, with indexes kept up and listeners told, all in one synchronous step per object.
 *
 * Invariant: while a listener runs, the copy and every index show exactly the changes told so far, this one included.
 */
export class LocalCopy<T extends KubeObject, Index extends string> {
  readonly #objects = new Map<ObjectKey, T>();
  readonly #indexes: ReadonlyMap<
    Index,
    { readonly valuesOf: (object: T) => readonly string[]; readonly buckets: Buckets<T> }
  >;
  readonly #listeners = new Set<Listener<T>>();
  readonly #onError: (error: unknown) => void;

  constructor(indexes: IndexFunctions<T, Index> | undefined, onError: (error: unknown) => void) {
    const functions = Object.entries(indexes ?? {}) as [Index, (object: T) => readonly string[]][];
    this.#indexes = new Map(functions.map(([name, valuesOf]) => [name, { valuesOf, buckets: new Map() }]));
    this.#onError = onError;
  }

  get size(): number {
    return this.#objects.size;
  }

  get(key: ObjectKey): T | undefined {
    return this.#objects.get(key);
  }

  list(namespace?: string): readonly T[] {
    const all = [...this.#objects.values()];
    return namespace === undefined ? all : all.filter((object) => object.metadata.namespace === namespace);
  }

  by(index: Index, value: string): readonly T[] {
    const found = this.#indexes.get(index);
    if (!found) throw new Error(`there is no index "${index}"; there are: ${[...this.#indexes.keys()].join(', ')}`);
    return [...(found.buckets.get(value)?.values() ?? [])];
  }

  onChange(listener: Listener<T>): Disposable {
    // A listener of its own, so that one function may be added twice and each be taken away apart.
    const added: Listener<T> = (change) => listener(change);
    for (const [key, after] of this.#objects) this.#tell(added, { key, before: undefined, after });
    this.#listeners.add(added);
    return { [Symbol.dispose]: () => void this.#listeners.delete(added) };
  }

  /** Added or changed. A namesake with another UID takes the place of one that was deleted: told as two changes. */
  set(object: T): void {
    const key = keyOf(object);
    let before = this.#objects.get(key);
    if (before && before.metadata.uid !== object.metadata.uid) {
      this.#put(key, before, undefined);
      before = undefined;
    }
    this.#put(key, before, object);
  }

  /** Gone; `last` is how it was when it went, which may be newer than what the copy had. */
  delete(last: T): void {
    const key = keyOf(last);
    const before = this.#objects.get(key);
    if (!before) return;
    this.#put(key, before, undefined);
  }

  /** Becomes what a list said: tells of what has gone, what is new and what differs, and of nothing else. */
  replace(objects: ReadonlyMap<ObjectKey, T>): void {
    for (const [key, before] of this.#objects) if (!objects.has(key)) this.#put(key, before, undefined);
    for (const [key, after] of objects) {
      const before = this.#objects.get(key)?.metadata;
      const same = before?.uid === after.metadata.uid && before.resourceVersion === after.metadata.resourceVersion;
      if (!same) this.set(after);
    }
  }

  #put(key: ObjectKey, before: T | undefined, after: T | undefined): void {
    if (after) this.#objects.set(key, after);
    else this.#objects.delete(key);
    for (const index of this.#indexes.values()) {
      if (before) for (const value of index.valuesOf(before)) remove(index.buckets, value, key);
      if (after) for (const value of index.valuesOf(after)) insert(index.buckets, value, key, after);
    }
    for (const listener of this.#listeners) this.#tell(listener, { key, before, after });
  }

  #tell(listener: Listener<T>, change: Change<T>): void {
    try {
      listener(change);
    } catch (error) {
      // One listener's fault must neither keep the news from the others nor stop the copy from following.
      this.#onError(new Error(`a listener failed on ${change.key}`, { cause: error }));
    }
  }
}

function insert<T>(buckets: Buckets<T>, value: string, key: ObjectKey, object: T): void {
  const bucket = buckets.get(value);
  if (bucket) bucket.set(key, object);
  else buckets.set(value, new Map([[key, object]]));
}

/** An empty bucket goes, or an index over ever new values (UIDs) would grow for ever. */
function remove<T>(buckets: Buckets<T>, value: string, key: ObjectKey): void {
  const bucket = buckets.get(value);
  bucket?.delete(key);
  if (bucket?.size === 0) buckets.delete(value);
}
