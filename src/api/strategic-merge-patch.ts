/**
 * Strategic merge patch: a merge patch that knows from the table of facts which lists are merged, and by which key.
 *
 *     {"spec":{"containers":[{"name":"a","image":"x"}]}}      changes the image of the container called a, leaves the others
 *     {"$patch":"replace", …} {"$patch":"delete"}              the map is this and nothing else; the map is emptied
 *     [{"$patch":"delete","name":"a"}] [{"$patch":"replace"}, …]   the element goes; the list is what else stands in the patch
 *     {"$retainKeys":["type"], …}                              only these keys of the map remain
 *     {"$deleteFromPrimitiveList/finalizers":["x"]}            these values go from the list
 *     {"$setElementOrder/containers":[{"name":"b"},{"name":"a"}]}   the order of the elements; others keep their place between
 *
 * Copy-on-write: the original is not changed and untouched parts of it are shared; values of the patch become part of the result.
 */
import { type StructFacts, type TypeFacts, kindFacts } from '#api/fact-table.ts';
import { PatchError } from '#api/patch-error.ts';
import {
  DELETE_VALUES,
  DIRECTIVE,
  RETAIN_KEYS,
  SET_ORDER,
  type JsonObject,
  badSetElementOrder,
  inOrder,
  isMap,
  mergeMaps,
  mergeScalars,
  cleaned,
} from '#api/strategic-merge-list.ts';

/** Throws PatchError if the patch does not fit, or for a kind the table does not know (custom resources have no strategic merge). */
export function applyStrategicMergePatch<T extends { readonly apiVersion: string; readonly kind: string }>(
  original: T,
  patch: unknown,
): T {
  const facts = kindFacts(original.apiVersion, original.kind);
  if (!facts) throw new PatchError(400, 'strategic merge patch format is not supported');
  if (!isMap(patch)) throw new PatchError(400, 'invalid JSON document');
  return mergeMap(original as unknown as JsonObject, patch, facts) as unknown as T;
}

/** `type` is what the table says of the map: a struct, a map of strings, or undefined for free JSON. */
function mergeMap(original: JsonObject, patch: JsonObject, type: TypeFacts | undefined): JsonObject {
  const directive = patch[DIRECTIVE];
  if (directive === 'replace') {
    const { [DIRECTIVE]: _, ...rest } = patch;
    return cleaned(rest) as JsonObject;
  }
  if (directive === 'delete') return {};
  if (directive !== undefined) throw unknownDirective(directive, patch);
  return new MapMerge(original, patch, type).merged();
}

class MapMerge {
  readonly #original: JsonObject;
  readonly #patch: JsonObject;
  readonly #type: TypeFacts | undefined;
  #result: JsonObject;

  constructor(original: JsonObject, patch: JsonObject, type: TypeFacts | undefined) {
    this.#original = original;
    this.#patch = patch;
    this.#type = type;
    this.#result = original;
  }

  merged(): JsonObject {
    if (RETAIN_KEYS in this.#patch) this.#retain(this.#patch[RETAIN_KEYS]);
    const ordered = Object.keys(this.#patch).filter((key) => key.startsWith(SET_ORDER));
    for (const key of ordered) this.#mergeOrdered(key.slice(SET_ORDER.length), this.#patch[key]);
    const done = new Set(ordered.map((key) => key.slice(SET_ORDER.length)));
    for (const key of Object.keys(this.#patch)) {
      if (key === RETAIN_KEYS || key.startsWith(SET_ORDER)) continue;
      if (key.startsWith(DELETE_VALUES)) this.#deleteValues(key.slice(DELETE_VALUES.length), this.#patch[key]);
      else if (!done.has(key)) this.#merge(key, this.#patch[key]);
    }
    return this.#result;
  }

  #merge(key: string, value: unknown): void {
    if (value === null) return this.#delete(key);
    const before = Object.hasOwn(this.#result, key) ? this.#result[key] : undefined;
    if (isMap(before) && isMap(value)) {
      const field = this.#field(key);
      this.#set(key, field.strategy === 'replace' ? cleaned(value) : mergeMap(before, value, field.type));
    } else if (Array.isArray(before) && Array.isArray(value)) {
      this.#set(key, this.#mergeLists(key, before, value));
    } else if (isMap(value) && DIRECTIVE in value) this.#delete(key);
    else this.#set(key, cleaned(value));
  }

  #mergeLists(key: string, before: readonly unknown[], value: readonly unknown[]): readonly unknown[] {
    const { strategy, type, mergeKey } = this.#field(key);
    if (strategy !== 'merge') return cleaned(value) as readonly unknown[];
    if (before.length === 0 && value.length === 0) return before;
    const element = type?.kind === 'list' ? type.element : undefined;
    if (!checkElements([...before, ...value])) return mergeScalars(before, value);
    if (mergeKey === undefined) throw new PatchError(500, 'cannot merge lists without merge key for struct');
    return mergeMaps(before, value, mergeKey, (a, b) => mergeMap(a, b, element));
  }

  /** The list and its order in one step, since the order speaks of elements that the patch may only be adding. */
  #mergeOrdered(key: string, order: unknown): void {
    const before = this.#result[key] ?? undefined;
    const value = this.#patch[key] ?? undefined;
    if (!Array.isArray(order)) throw badSetElementOrder();
    if ((before !== undefined && !Array.isArray(before)) || (value !== undefined && !Array.isArray(value)))
      throw badSetElementOrder();
    const { mergeKey } = this.#field(key);
    if (before === undefined && value === undefined) return;
    checkAgainstOrder(value ?? [], order, mergeKey);
    const merged =
      before === undefined
        ? (cleaned(value) as unknown[])
        : value === undefined
          ? before
          : this.#mergeLists(key, before, value);
    this.#set(key, inOrder(merged, order, before ?? [], mergeKey));
  }

  #deleteValues(key: string, values: unknown): void {
    if (!Array.isArray(values)) throw new PatchError(400, 'invalid patch format of primitive list');
    const before = this.#result[key];
    if (Array.isArray(before))
      this.#set(
        key,
        before.filter((one) => !values.includes(one)),
      );
  }

  #retain(keys: unknown): void {
    const bad = new PatchError(400, 'invalid patch format of retainKeys');
    if (!Array.isArray(keys)) throw bad;
    for (const [key, value] of Object.entries(this.#patch)) {
      const directive = key === RETAIN_KEYS || key.startsWith(SET_ORDER) || key.startsWith(DELETE_VALUES);
      if (value !== null && !directive && !keys.includes(key)) throw bad;
    }
    for (const key of Object.keys(this.#original)) if (!keys.includes(key)) this.#delete(key);
  }

  #field(key: string): { type: TypeFacts | undefined; strategy: string | undefined; mergeKey: string | undefined } {
    const type = this.#type;
    // Free JSON (an object of another program within this one) is merged without knowledge: maps merge, lists are replaced.
    if (type === undefined || type.kind === 'scalar')
      return { type: undefined, strategy: undefined, mergeKey: undefined };
    if (type.kind === 'map') return { type: type.value, strategy: undefined, mergeKey: undefined };
    const field = (type as StructFacts).jsonFields.get(key);
    if (!field) {
      throw new PatchError(
        500,
        `unable to find api field in struct ${(type as StructFacts).name} for the json field ${JSON.stringify(key)}`,
      );
    }
    return {
      type: field.type,
      strategy: field.patchStrategies.find((one) => one !== 'retainKeys'),
      mergeKey: field.mergeKey,
    };
  }

  #set(key: string, value: unknown): void {
    if (Object.hasOwn(this.#result, key) && this.#result[key] === value) return;
    this.#own();
    Object.defineProperty(this.#result, key, { value, enumerable: true, writable: true, configurable: true });
  }

  #delete(key: string): void {
    if (!Object.hasOwn(this.#result, key)) return;
    this.#own();
    delete this.#result[key];
  }

  #own(): void {
    if (this.#result === this.#original) this.#result = { ...this.#original };
  }
}

/** Whether the elements are maps; all must be of one type. */
function checkElements(elements: readonly unknown[]): boolean {
  if (elements.some(Array.isArray)) throw new PatchError(422, 'lists of lists are not supported');
  const maps = elements.filter(isMap).length;
  const first = elements[0];
  if (maps > 0 ? maps < elements.length : elements.some((one) => typeof one !== typeof first)) {
    throw new PatchError(500, `list element types are not identical: ${JSON.stringify(elements)}`);
  }
  return maps > 0;
}

/** Every element the patch brings must stand in the order, in that order. */
function checkAgainstOrder(patch: readonly unknown[], order: readonly unknown[], mergeKey: string | undefined): void {
  const keyOf = (one: unknown): unknown => (mergeKey !== undefined && isMap(one) ? one[mergeKey] : one);
  const brought = patch.filter((one) => !(isMap(one) && DIRECTIVE in one));
  if (order.length === 0) return;
  let next = 0;
  for (const one of order) if (next < brought.length && keyOf(brought[next]) === keyOf(one)) next++;
  if (next < brought.length) {
    throw new PatchError(
      500,
      `The order in patch list:\n${JSON.stringify(patch)}\n doesn't match $setElementOrder list:\n${JSON.stringify(order)}\n`,
    );
  }
}

const unknownDirective = (directive: unknown, map: JsonObject): PatchError =>
  new PatchError(500, `unknown patch type: ${String(directive)} in map: ${JSON.stringify(map)}`);
