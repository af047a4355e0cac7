/** How strategic merge patch merges lists: elements are matched by their merge key (or are scalars), and order is kept on both sides. */
import { PatchError } from '#api/patch-error.ts';

export const DIRECTIVE = '$patch';
export const RETAIN_KEYS = '$retainKeys';
export const SET_ORDER = '$setElementOrder/';
export const DELETE_VALUES = '$deleteFromPrimitiveList/';

const isDirective = (key: string): boolean =>
  key === DIRECTIVE || key === RETAIN_KEYS || key.startsWith(SET_ORDER) || key.startsWith(DELETE_VALUES);

export type JsonObject = { [key: string]: unknown };
export const isMap = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * The union, each once. What the patch names stands in the patch's order; the others stay where they are relative to it.
 */
export function mergeScalars(original: readonly unknown[], patch: readonly unknown[]): readonly unknown[] {
  return inOrder([...new Set([...original, ...patch])], patch, original, undefined);
}

/** `merge` merges two elements that have the same key. */
export function mergeMaps(
  original: readonly unknown[],
  patch: readonly unknown[],
  mergeKey: string,
  merge: (original: JsonObject, patch: JsonObject) => JsonObject,
): readonly unknown[] {
  const { remaining, plain, replace } = applyDirectives(original.map(asMap), patch.map(asMap), mergeKey);
  if (replace) return plain.map(cleaned);
  const merged = [...remaining];
  for (const element of plain) {
    const key = keyOf(element, mergeKey);
    const at = merged.findIndex((one) => one[mergeKey] === key);
    if (at < 0) merged.push(cleaned(element) as JsonObject);
    else merged[at] = merge(merged[at]!, element);
  }
  return inOrder(merged, plain, remaining, mergeKey);
}

/** Takes the elements with `$patch` out of the patch and does what they say to the original. */
function applyDirectives(
  original: readonly JsonObject[],
  patch: readonly JsonObject[],
  mergeKey: string,
): { readonly remaining: readonly JsonObject[]; readonly plain: readonly JsonObject[]; readonly replace: boolean } {
  let remaining = original;
  let replace = false;
  for (const element of patch) {
    switch (element[DIRECTIVE]) {
      case undefined:
        break;
      case 'delete': {
        const key = keyOf(element, mergeKey);
        remaining = remaining.filter((one) => one[mergeKey] !== key);
        break;
      }
      case 'replace':
        replace = true;
        break;
      case 'merge':
        throw new PatchError(500, 'merging lists cannot yet be specified in the patch');
      default:
        throw new PatchError(
          500,
          `unknown patch type: ${String(element[DIRECTIVE])} in map: ${JSON.stringify(element)}`,
        );
    }
  }
  return { remaining, plain: patch.filter((element) => !(DIRECTIVE in element)), replace };
}

/**
 * Puts `elements` in order: those that `order` names as it says; the others as in `before`; between the two, an element that stood
 * before another in `before` still does, and the rest of the named come first.
 */
export function inOrder(
  elements: readonly unknown[],
  order: readonly unknown[],
  before: readonly unknown[],
  mergeKey: string | undefined,
): readonly unknown[] {
  const identity = (one: unknown): unknown => (mergeKey === undefined ? one : keyOf(asMap(one), mergeKey));
  const places = (list: readonly unknown[]): ReadonlyMap<unknown, number> =>
    new Map(list.map((one, i) => [identity(one), i] as const).toReversed());
  const wanted = places(order);
  const old = places(before);
  const byPlace = (place: ReadonlyMap<unknown, number>) => (a: unknown, b: unknown) =>
    (place.get(identity(a)) ?? 0) - (place.get(identity(b)) ?? 0);
  const named = elements.filter((one) => wanted.has(identity(one))).toSorted(byPlace(wanted));
  const others = elements.filter((one) => !wanted.has(identity(one))).toSorted(byPlace(old));
  const result: unknown[] = [];
  let next = 0;
  for (const one of named) {
    const place = old.get(identity(one));
    while (next < others.length && place !== undefined && (old.get(identity(others[next])) ?? Infinity) < place)
      result.push(others[next++]);
    result.push(one);
  }
  return [...result, ...others.slice(next)];
}

/** A value that the patch brings anew: without nulls and without directives, which have nothing to act on. */
export function cleaned(value: unknown): unknown {
  if (Array.isArray(value)) return value.filter((one) => !(isMap(one) && DIRECTIVE in one)).map(cleaned);
  if (!isMap(value)) return value;
  const kept = Object.entries(value).filter(
    ([key, one]) => one !== null && !isDirective(key) && !(isMap(one) && DIRECTIVE in one),
  );
  return Object.fromEntries(kept.map(([key, one]) => [key, cleaned(one)]));
}

function keyOf(element: JsonObject, mergeKey: string): unknown {
  if (!(mergeKey in element)) {
    throw new PatchError(500, `map: ${JSON.stringify(element)} does not contain declared merge key: ${mergeKey}`);
  }
  return element[mergeKey];
}

function asMap(value: unknown): JsonObject {
  if (!isMap(value))
    throw new PatchError(500, `expected a map[string]interface {}, but received ${JSON.stringify(value)}`);
  return value;
}

export const badSetElementOrder = (): PatchError => new PatchError(400, 'invalid patch format of setElementOrder list');
