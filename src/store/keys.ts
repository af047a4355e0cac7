import { MAX_WRITES, type StoreKey, type Write } from '#store/store.ts';

// UTF-16 puts the surrogates (which stand for everything above U+FFFF) before U+E000; UTF-8 puts them last.
const FIRST_SURROGATE = 0xd800;
const LAST_SURROGATE = 0xdfff;
const LAST_CODE_POINT = 0x10ffff;

/** The byte order of the keys' UTF-8 forms, which is not the order of JavaScript's `<`. */
export function compareKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return surrogatesLast(x) - surrogatesLast(y);
  }
  return a.length - b.length;
}

/** The smallest string behind every string that starts with `prefix`; undefined when there is none. */
export function prefixEnd(prefix: string): string | undefined {
  const points = Array.from(prefix, (character) => character.codePointAt(0) ?? 0);
  for (let last = points.pop(); last !== undefined; last = points.pop()) {
    if (last === LAST_CODE_POINT) continue;
    const next = last + 1 === FIRST_SURROGATE ? LAST_SURROGATE + 1 : last + 1;
    return String.fromCodePoint(...points, next);
  }
  return undefined;
}

/** The smallest key a listing may show: the first of the prefix, or the first behind `after`. */
export function listStart(prefix: string, after: StoreKey | undefined): string {
  if (after === undefined) return prefix;
  const behind = `${after}\0`; // no key has a NUL, so nothing lies between
  return compareKeys(behind, prefix) > 0 ? behind : prefix;
}

/** Throws RangeError for what no store may accept, so that all refuse alike. */
export function checkWrites(writes: readonly Write[]): void {
  if (writes.length === 0) throw new RangeError('a commit without writes');
  if (writes.length > MAX_WRITES) throw new RangeError(`${writes.length} writes in a commit; at most ${MAX_WRITES}`);
  for (const { key, expect, value } of writes) {
    checkKey(key);
    if (value === undefined && expect === 'absent') throw new RangeError(`deleting "${key}", expected to be absent`);
  }
  if (writes.length > 1 && new Set(writes.map((write) => write.key)).size < writes.length) {
    throw new RangeError('a key is written twice in one commit');
  }
}

export function checkLimit(limit: number | undefined): void {
  if (limit !== undefined && !(Number.isSafeInteger(limit) && limit >= 1)) throw new RangeError(`limit ${limit}`);
}

function checkKey(key: StoreKey): void {
  if (key === '' || key.includes('\0') || !key.isWellFormed()) throw new RangeError(`bad key ${JSON.stringify(key)}`);
}

function surrogatesLast(unit: number): number {
  return unit >= FIRST_SURROGATE && unit <= LAST_SURROGATE ? unit + 0x10000 : unit;
}
