/** What Go makes of absent, zero and empty values of a struct when it writes JSON: the shape every object of upstream's has. */
import { type FieldFacts, type Scalar, type StructFacts, type TypeFacts } from '#api/fact-table.ts';

type JsonObject = { [key: string]: unknown };

/**
 * What Go shows of a struct that holds `found`: in the order of the declaration, without empty omitempty fields, with structs held
 * by value although empty, and with "" or 0 for required scalars. Where Go shows null, nothing stands: to Go they are the same.
 */
export function shown(struct: StructFacts, found: JsonObject): JsonObject {
  const result: JsonObject = {};
  for (const [name, field] of struct.jsonFields) {
    const value = found[name] ?? zeroIfShown(field);
    if (value === undefined || (field.omitEmpty && !field.pointer && isEmpty(field.type, value))) continue;
    result[name] = value;
  }
  return result;
}

const zeroIfShown = (field: FieldFacts): unknown => (field.pointer || field.omitZero ? undefined : zeroOf(field.type));

/** The zero value of a type, undefined where Go shows null. */
export function zeroOf(type: TypeFacts): unknown {
  switch (type.kind) {
    case 'enum':
      return '';
    case 'struct':
      return shown(type, {});
    case 'list':
    case 'map':
      return undefined;
    case 'scalar':
      return zeroOfScalar(type.scalar);
  }
}

export const isTime = (type: TypeFacts): boolean =>
  type.kind === 'scalar' && (type.scalar === 'time' || type.scalar === 'microTime');

/** Empty to omitempty: structs never are, and quantities and IntOrStrings are structs to Go. */
function isEmpty(type: TypeFacts, value: unknown): boolean {
  if (type.kind === 'list') return Array.isArray(value) && value.length === 0;
  if (type.kind === 'map') return Object.keys(value as object).length === 0;
  if (type.kind === 'scalar' && (type.scalar === 'quantity' || type.scalar === 'intOrString')) return false;
  return value === '' || value === 0 || value === false;
}

/** What stands for an absent value that is held by value: Go shows it, since a struct is never empty to it. */
function zeroOfScalar(scalar: Scalar): unknown {
  switch (scalar) {
    case 'string':
      return '';
    case 'bool':
      return false;
    case 'int32':
    case 'int64':
    case 'double':
    case 'intOrString':
      return 0;
    case 'quantity':
      return '0';
    case 'bytes':
    case 'time':
    case 'microTime':
    case 'raw':
    case 'json':
    case 'fieldsV1':
    case 'schemaOrArray':
    case 'schemaOrBool':
    case 'schemaOrStringArray':
      return undefined;
  }
}
