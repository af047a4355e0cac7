import { compareKeys } from '#store/keys.ts';
import type { StoreKey } from '#store/store.ts';

// Inserting moves at most this many; finding a chunk is a binary search over the rest.
const CHUNK = 512;

/** A set of keys in byte order, with logarithmic search and cheap insertion: one long array in short pieces. */
export class SortedKeys {
  readonly #chunks: StoreKey[][] = [];

  /** The key must not be there yet. */
  add(key: StoreKey): void {
    const { chunk, index, at } = this.#position(key);
    if (!chunk) {
      this.#chunks.push([key]);
      return;
    }
    chunk.splice(at, 0, key);
    if (chunk.length > CHUNK) this.#chunks.splice(index + 1, 0, chunk.splice(CHUNK / 2));
  }

  delete(key: StoreKey): void {
    const { chunk, index, at } = this.#position(key);
    if (chunk?.[at] !== key) return;
    chunk.splice(at, 1);
    if (chunk.length === 0) this.#chunks.splice(index, 1);
  }

  /** From the first key that is not before `start`. Do not add or delete meanwhile. */
  *from(start: string): Generator<StoreKey, void> {
    const { index, at } = this.#position(start);
    for (let i = index; i < this.#chunks.length; i++) {
      const chunk = this.#chunks[i] ?? [];
      for (let j = i === index ? at : 0; j < chunk.length; j++) {
        const key = chunk[j];
        if (key !== undefined) yield key;
      }
    }
  }

  /** Where `key` is or belongs: in the last chunk that begins at or before it. */
  #position(key: string): { chunk: StoreKey[] | undefined; index: number; at: number } {
    const chunks = this.#chunks;
    const behind = firstIndex(chunks.length, (i) => compareKeys(chunks[i]?.[0] ?? '', key) > 0);
    const index = Math.max(0, behind - 1);
    const chunk = chunks[index];
    const at = chunk ? firstIndex(chunk.length, (i) => compareKeys(chunk[i] ?? '', key) >= 0) : 0;
    return { chunk, index, at };
  }
}

/** The first index in 0…length for which `holds`, which must be false up to some point and true from there. */
export function firstIndex(length: number, holds: (index: number) => boolean): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
