/**
 * What `kubectl apply` sends: the strategic merge patch that makes of an object what its manifest says. Three sides:
 *
 *     manifest     what people want: fields that differ or are missing in the object are set
 *     last         what they wanted before: fields that stood there and no longer do are deleted
 *     current      the object; fields that neither speaks of are others' (defaults, controllers) and stay
 */
import { type FieldFacts, type StructFacts, type TypeFacts, kindFacts } from '#api/fact-table.ts';
import { compareQuantities, parseQuantity, quantityProblem } from '#api/quantity.ts';
import { semanticallyEqual } from '#api/semantic-diff.ts';

type JsonObject = { readonly [key: string]: unknown };

interface Sides {
  readonly last: unknown;
  readonly manifest: unknown;
  readonly current: unknown;
}

/** Undefined when nothing changes. `type` describes all three; without it maps are merged and lists replaced. */
export function threeWayPatch(sides: Sides, type: TypeFacts | undefined): JsonObject | undefined {
  const [last, manifest, current] = [asMap(sides.last), asMap(sides.manifest), asMap(sides.current)];
  const patch: Record<string, unknown> = {};
  for (const key of new Set([...Object.keys(manifest), ...Object.keys(last)])) {
    const side: Sides = { last: last[key], manifest: manifest[key], current: current[key] };
    Object.assign(patch, fieldPatch(key, side, fieldOf(type, key)));
  }
  return Object.keys(patch).length === 0 ? undefined : patch;
}

/** The facts of a manifest's kind; undefined for kinds that have no strategic merge. */
export const patchFacts = (apiVersion: string, kind: string): StructFacts | undefined => kindFacts(apiVersion, kind);

interface Field {
  readonly type: TypeFacts | undefined;
  readonly facts: FieldFacts | undefined;
}

function fieldOf(type: TypeFacts | undefined, key: string): Field {
  if (type?.kind === 'map') return { type: type.value, facts: undefined };
  const facts = type?.kind === 'struct' ? type.jsonFields.get(key) : undefined;
  return { type: facts?.type, facts };
}

function fieldPatch(key: string, sides: Sides, { type, facts }: Field): JsonObject {
  const { manifest, current } = sides;
  // A null in the manifest asks for the field to go, as if it had stood there before.
  if (manifest === undefined || manifest === null) return current === undefined ? {} : { [key]: null };
  const strategies = facts?.patchStrategies ?? [];
  const replaced = strategies.includes('replace') || facts?.structType === 'atomic';
  if (isMap(manifest) && isMap(current) && !replaced) {
    const inner = threeWayPatch(sides, type);
    if (inner === undefined) return {};
    return {
      [key]: strategies.includes('retainKeys') ? { $retainKeys: Object.keys(manifest).sort(), ...inner } : inner,
    };
  }
  if (Array.isArray(manifest) && Array.isArray(current) && strategies.includes('merge') && type?.kind === 'list') {
    return facts?.mergeKey === undefined ? scalarsPatch(key, sides) : elementsPatch(key, sides, facts, type.element);
  }
  return isSame(manifest, current, { type, facts }) ? {} : { [key]: manifest };
}

/** A list that is a set: what is new is added, what was asked for before goes. */
function scalarsPatch(key: string, sides: Sides): JsonObject {
  const [last, manifest, current] = [asList(sides.last), asList(sides.manifest), asList(sides.current)];
  const added = manifest.filter((one) => !current.includes(one));
  const gone = last.filter((one) => !manifest.includes(one) && current.includes(one));
  return {
    ...(added.length > 0 ? { [key]: added } : {}),
    ...(gone.length > 0 ? { [`$deleteFromPrimitiveList/${key}`]: gone } : {}),
  };
}

/** A list whose elements are known by a key: each is patched for itself. */
function elementsPatch(key: string, sides: Sides, facts: FieldFacts, element: TypeFacts): JsonObject {
  const mergeKey = facts.mergeKey!;
  const [last, manifest, current] = [sides.last, sides.manifest, sides.current].map((side) => asList(side).map(asMap));
  const named = (list: readonly JsonObject[], name: unknown): JsonObject | undefined =>
    list.find((one) => one[mergeKey] === name);
  const changed = manifest!.flatMap((wanted) => {
    const name = wanted[mergeKey];
    const found = named(current!, name);
    if (found === undefined) return [wanted];
    const inner = threeWayPatch({ last: named(last!, name), manifest: wanted, current: found }, element);
    if (inner === undefined) return [];
    const retained = facts.patchStrategies.includes('retainKeys') ? { $retainKeys: Object.keys(wanted).sort() } : {};
    return [{ ...retained, ...inner, [mergeKey]: name }];
  });
  const gone = last!
    .map((one) => one[mergeKey])
    .filter((name) => named(manifest!, name) === undefined && named(current!, name) !== undefined)
    .map((name) => ({ $patch: 'delete', [mergeKey]: name }));
  if (changed.length + gone.length === 0) return {};
  const order = manifest!.map((one) => ({ [mergeKey]: one[mergeKey] }));
  return { [`$setElementOrder/${key}`]: order, [key]: [...changed, ...gone] };
}

/** Whether the server would keep `current` were `manifest` written over it. */
function isSame(manifest: unknown, current: unknown, { type, facts }: Field): boolean {
  if (current === undefined) {
    // `emptyDir: {}` says something; an empty list, text or number that is left out when empty does not.
    return type?.kind !== 'struct' && facts?.pointer !== true && isZero(manifest);
  }
  if (type?.kind === 'scalar' && type.scalar === 'quantity') return sameQuantity(manifest, current);
  if (type?.kind === 'map' && type.value.kind === 'scalar' && type.value.scalar === 'quantity') {
    const [a, b] = [asMap(manifest), asMap(current)];
    return Object.keys({ ...a, ...b }).every((key) => sameQuantity(a[key], b[key]));
  }
  return semanticallyEqual(manifest, current);
}

/** The server writes `0.5` as `500m`. */
function sameQuantity(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (!isQuantity(a) || !isQuantity(b)) return false;
  return compareQuantities(parseQuantity(a), parseQuantity(b)) === 0;
}

const isQuantity = (value: unknown): value is string | number =>
  (typeof value === 'string' || typeof value === 'number') && quantityProblem(value) === undefined;

const isZero = (value: unknown): boolean =>
  value === '' || value === 0 || value === false || (typeof value === 'object' && semanticallyEqual(value, undefined));

const isMap = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const asMap = (value: unknown): JsonObject => (isMap(value) ? value : {});
const asList = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
