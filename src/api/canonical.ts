/**
 * An object as upstream would store and show it after decoding: unknown fields and nulls are gone, quantities are strings,
 * times are UTC, empty values are left out or filled in as Go does it (`status: {}`). JSON and protobuf bodies of one object become equal.
 *
 * It comes after `checkFields` has found no mismatch; defaulting and validation come after it.
 */
import { type Scalar, type StructFacts, type TypeFacts } from '#api/fact-table.ts';
import { shown, zeroOf } from '#api/go-shape.ts';

type JsonObject = { [key: string]: unknown };

/** `object` is not changed; the result shares nothing with it but free JSON (raw, json). apiVersion and kind are those of `object`. */
export function canonicalObject<T extends { readonly apiVersion: string; readonly kind: string }>(
  facts: StructFacts,
  object: T,
): T {
  const { apiVersion, kind } = object;
  return { kind, apiVersion, ...canonicalStruct(facts, object as unknown as JsonObject) } as unknown as T;
}

function canonicalStruct(struct: StructFacts, object: JsonObject): JsonObject {
  const found: JsonObject = {};
  const known = struct.jsonFields;
  for (const name in object) {
    const field = known.get(name);
    const value = object[name];
    if (field !== undefined && value !== null && value !== undefined) found[name] = canonicalValue(field.type, value);
  }
  return shown(struct, found);
}

function canonicalValue(type: TypeFacts, value: unknown): unknown {
  switch (type.kind) {
    case 'enum':
      return value;
    case 'struct':
      return canonicalStruct(type, value as JsonObject);
    case 'list':
      return (value as readonly unknown[]).map((one) => canonicalElement(type.element, one));
    case 'map': {
      const entries = Object.entries(value as JsonObject);
      // fromEntries, unlike an assignment, keeps a key called __proto__.
      return Object.fromEntries(entries.map(([key, one]) => [key, canonicalElement(type.value, one)]));
    }
    case 'scalar':
      return canonicalScalar(type.scalar, value);
  }
}

const canonicalElement = (type: TypeFacts, value: unknown): unknown =>
  value === null ? (zeroOf(type) ?? null) : canonicalValue(type, value);

/** The canonical notation of a quantity (1000m is 1) is quantity.ts's business; here a number only becomes a string. */
function canonicalScalar(scalar: Scalar, value: unknown): unknown {
  switch (scalar) {
    case 'quantity':
      return typeof value === 'number' ? String(value) : value;
    case 'bytes':
      return (value as string).replace(/[\r\n]/g, '');
    case 'time':
      return /^[\d:T-]{19}Z$/.test(value as string)
        ? value
        : `${new Date(value as string).toISOString().slice(0, 19)}Z`;
    case 'microTime': {
      const fraction = /\.(\d+)/.exec(value as string)?.[1] ?? '';
      return `${new Date(value as string).toISOString().slice(0, 19)}.${fraction.slice(0, 6).padEnd(6, '0')}Z`;
    }
    default:
      return value;
  }
}
