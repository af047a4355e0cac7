import { formatQuantity, parseQuantity, QuantityError, roundUpQuantity } from '#api/quantity.ts';

/**
 * Filling in without changing: each function gives back the very object it got when there is nothing to fill in, so
 * that an object that is complete already costs no copy and a caller can tell by `===`.
 */

export type Changes<T> = { readonly [K in keyof T]?: (value: NonNullable<T[K]>) => NonNullable<T[K]> };

/** All that is done to one type of object, as tables; `complete` makes one copy at most, however much there is. */
export interface Recipe<T> {
  /** For what is unset: absent, null or, as upstream, the empty text. */
  readonly unset?: Partial<T>;
  /** For numbers that stand for "not given" also when they are zero. */
  readonly zero?: Partial<T>;
  /** For what is there by now. */
  readonly changes?: Changes<T>;
}

export function complete<T extends object>(object: T, recipe: Recipe<T>): T {
  let result: T | undefined;
  const { unset, zero, changes } = recipe;
  for (const key in unset) {
    const value = object[key];
    if (value !== undefined && value !== null && value !== '') continue;
    result ??= { ...object };
    result[key] = unset[key] as T[typeof key];
  }
  for (const key in zero) {
    if (object[key]) continue;
    result ??= { ...object };
    result[key] = zero[key] as T[typeof key];
  }
  for (const key in changes) {
    const before = (result ?? object)[key];
    const changed = changes[key];
    if (before === undefined || before === null || changed === undefined) continue;
    const after = changed(before);
    if (after === before) continue;
    result ??= { ...object };
    result[key] = after;
  }
  return result ?? object;
}

export const fill = <T extends object>(object: T, unset: Partial<T>): T => complete(object, { unset });

export const fillZeros = <T extends object>(object: T, zero: Partial<T>): T => complete(object, { zero });

export const change = <T extends object>(object: T, changes: Changes<T>): T => complete(object, { changes });

/** Every element of a list property changed by `change`. */
export function each<T>(change: (element: T) => T): (list: readonly T[]) => readonly T[] {
  return (list) => {
    // A client may have sent anything here; what is no list is left for validation to refuse.
    if (!Array.isArray(list)) return list;
    let result: T[] | undefined;
    for (let index = 0; index < list.length; index += 1) {
      const before = list[index] as T;
      const after = change(before);
      if (after === before) continue;
      result ??= [...list];
      result[index] = after;
    }
    return result ?? list;
  };
}

export type ResourceList = Readonly<Record<string, string>>;

/** Quantities in canonical form and, as upstream, nothing finer than a thousandth. */
export function canonicalResources(list: ResourceList): ResourceList {
  let result: Record<string, string> | undefined;
  for (const name of Object.keys(list)) {
    const before = list[name] ?? '';
    const after = canonicalQuantity(before, -3);
    if (after === before) continue;
    result ??= { ...list };
    result[name] = after;
  }
  return result ?? list;
}

/** The canonical text of a quantity, rounded up to `10^scale`; a text that is no quantity is left for validation. */
export function canonicalQuantity(text: string, scale = -9): string {
  try {
    return formatQuantity(roundUpQuantity(parseQuantity(text), scale));
  } catch (error) {
    if (error instanceof QuantityError) return text;
    throw error;
  }
}
