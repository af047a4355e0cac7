/**
 * Kubernetes' protobuf at the edge: objects are JSON inside, and become or come from bytes here, by the table of facts.
 *
 * A body is the four bytes `k8s\0`, then a runtime.Unknown: apiVersion, kind, and the object's own message as bytes.
 * What is decoded is what Go would show as JSON: an omitempty field that is empty is left out, a struct held by value is there
 * although empty (`status: {}`), a required string is there as "". Where Go would show null, the field is left out: to Go they are the same.
 * What is encoded is byte for byte what Go writes: fields in the order of their numbers, values held by value although zero, maps by key.
 *
 * A codec over the table, not a protobuf library: the object needs one walk either way, for quantities, times and omitted values,
 * and nothing has to be loaded or built before the first body.
 */
import {
  type FieldFacts,
  type Scalar,
  type StructFacts,
  type TypeFacts,
  factPackage,
  kindFacts,
} from '#api/fact-table.ts';
import { isTime, shown, zeroOf } from '#api/go-shape.ts';
import { readScalar, wireOf, writeScalar } from '#api/protobuf-scalars.ts';
import { BYTES, ProtobufError, ReverseWriter, WireReader } from '#api/protobuf-wire.ts';

export const protobufMediaType = 'application/vnd.kubernetes.protobuf';

type JsonObject = { [key: string]: unknown };
const magic = new Uint8Array([0x6b, 0x38, 0x73, 0x00]);

/** Whether the table knows the kind. Lists and options are kinds too. */
export const hasProtobuf = (apiVersion: string, kind: string): boolean => {
  const facts = kindFacts(apiVersion, kind);
  return facts !== undefined && facts.fields.every((field) => field.tag !== undefined);
};

/** The body for `object`. Throws ProtobufError if its kind is not in the table or a value is of the wrong type. */
export function encodeProtobuf(object: { readonly apiVersion: string; readonly kind: string }): Uint8Array {
  const { apiVersion, kind } = object;
  const facts = kindFacts(apiVersion, kind);
  if (!facts) throw unknownKind(apiVersion, kind);
  const writer = new ReverseWriter();
  writer.stringField(4, '');
  writer.stringField(3, '');
  const raw = writer.length;
  writeStruct(writer, facts, object as unknown as JsonObject);
  writer.closeMessage(2, raw);
  const typeMeta = writer.length;
  writer.stringField(2, kind);
  writer.stringField(1, apiVersion);
  writer.closeMessage(1, typeMeta);
  writer.raw(magic);
  return writer.finish();
}

/**
 * The object in a body, as plain JSON with apiVersion and kind. Throws ProtobufError (its message is upstream's where upstream has one)
 * if the bytes are no Kubernetes protobuf, are cut off, or hold a kind that is not in the table.
 */
export function decodeProtobuf(bytes: Uint8Array): { apiVersion: string; kind: string } & JsonObject {
  if (magic.some((byte, i) => bytes[i] !== byte)) {
    throw new ProtobufError(
      `provided data does not appear to be a protobuf message, expected prefix [${[...magic].join(' ')}]`,
    );
  }
  const reader = new WireReader(bytes, magic.length);
  let apiVersion = '';
  let kind = '';
  let raw = new WireReader(new Uint8Array());
  while (!reader.done) {
    const { field, wire } = reader.tag();
    if (field === 1 && wire === BYTES) ({ apiVersion, kind } = readTypeMeta(reader.message()));
    else if (field === 2 && wire === BYTES) raw = reader.message();
    else reader.skip(wire);
  }
  const facts = kindFacts(apiVersion, kind);
  if (!facts) throw unknownKind(apiVersion, kind);
  return { kind, apiVersion, ...readStruct(raw, facts) };
}

function readTypeMeta(reader: WireReader): { apiVersion: string; kind: string } {
  const result = { apiVersion: '', kind: '' };
  while (!reader.done) {
    const { field, wire } = reader.tag();
    if (field === 1 && wire === BYTES) result.apiVersion = reader.string();
    else if (field === 2 && wire === BYTES) result.kind = reader.string();
    else reader.skip(wire);
  }
  return result;
}

const unknownKind = (apiVersion: string, kind: string): ProtobufError =>
  new ProtobufError(
    kind === ''
      ? "Object 'Kind' is missing"
      : `no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)}`,
  );

// Encoding

const lastFirst = new WeakMap<StructFacts, readonly FieldFacts[]>();

function fieldsLastFirst(struct: StructFacts): readonly FieldFacts[] {
  const known = lastFirst.get(struct);
  if (known) return known;
  if (struct.fields.some((field) => field.tag === undefined))
    throw new ProtobufError(`${struct.name} has no protobuf form`);
  const sorted = struct.fields.toSorted((a, b) => b.tag! - a.tag!);
  lastFirst.set(struct, sorted);
  return sorted;
}

function writeStruct(writer: ReverseWriter, struct: StructFacts, object: JsonObject): void {
  for (const field of fieldsLastFirst(struct)) {
    if (field.name === undefined) writeMessage(writer, field.tag!, field.type as StructFacts, object);
    else writeField(writer, field, field.name, object[field.name] ?? undefined);
  }
}

function writeField(writer: ReverseWriter, field: FieldFacts, name: string, value: unknown): void {
  const present = value ?? (field.pointer ? undefined : zeroOf(field.type));
  try {
    if (present !== undefined) writeValue(writer, field.tag!, field.type, present);
    // A zero time held by value is a message without content.
    else if (!field.pointer && isTime(field.type)) writer.closeMessage(field.tag!, writer.length);
  } catch (error) {
    if (error instanceof ProtobufError) error.message = `${name}: ${error.message}`;
    throw error;
  }
}

function writeMessage(writer: ReverseWriter, tag: number, struct: StructFacts, value: unknown): void {
  const mark = writer.length;
  writeStruct(writer, struct, asObject(value));
  writer.closeMessage(tag, mark);
}

function writeValue(writer: ReverseWriter, tag: number, type: TypeFacts, value: unknown): void {
  switch (type.kind) {
    case 'enum':
      return writeScalar(writer, tag, 'string', value);
    case 'struct':
      return writeMessage(writer, tag, type, value);
    case 'map':
      for (const key of Object.keys(asObject(value)).toSorted(byCodePoint).toReversed()) {
        const mark = writer.length;
        writeMapValue(writer, type.value, asObject(value)[key] ?? zeroOf(type.value));
        writer.stringField(1, key);
        writer.closeMessage(tag, mark);
      }
      return;
    case 'list': {
      if (!Array.isArray(value)) throw new ProtobufError(`wanted a list, got ${JSON.stringify(value)}`);
      const mark = writer.length;
      for (let i = value.length - 1; i >= 0; i--) writeValue(writer, type.wrapped ? 1 : tag, type.element, value[i]);
      if (type.wrapped) writer.closeMessage(tag, mark);
      return;
    }
    case 'scalar':
      switch (type.scalar) {
        case 'schemaOrArray':
        case 'schemaOrBool':
        case 'schemaOrStringArray':
          return writeSchemaOr(writer, tag, type.scalar, value);
        default:
          return writeScalar(writer, tag, type.scalar, value);
      }
  }
}

/** A zero time is null in a map, since its key must stand somewhere; bytes that are null are not written. */
function writeMapValue(writer: ReverseWriter, type: TypeFacts, value: unknown): void {
  if (value !== undefined) writeValue(writer, 2, type, value);
  else if (isTime(type)) writer.closeMessage(2, writer.length);
}

/** JSONSchemaPropsOrArray, -OrBool and -OrStringArray: the schema is 1 (2 beside a boolean, which is 1), the list is 2. */
function writeSchemaOr(writer: ReverseWriter, tag: number, scalar: Scalar, value: unknown): void {
  const mark = writer.length;
  if (Array.isArray(value)) for (const one of value.toReversed()) writeSchemaItem(writer, one);
  else if (scalar === 'schemaOrBool') {
    if (typeof value !== 'boolean') writeMessage(writer, 2, schemaFacts(), value);
    writer.boolField(1, value !== false);
  } else writeMessage(writer, 1, schemaFacts(), value);
  writer.closeMessage(tag, mark);
}

const writeSchemaItem = (writer: ReverseWriter, item: unknown): void =>
  typeof item === 'string' ? writer.stringField(2, item) : writeMessage(writer, 2, schemaFacts(), item);

function schemaFacts(): StructFacts {
  return factPackage('apiextensions/v1').type('JSONSchemaProps') as StructFacts;
}

function asObject(value: unknown): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ProtobufError(`wanted an object, got ${JSON.stringify(value)}`);
  }
  return value as JsonObject;
}

/** Go sorts by bytes of UTF-8, which is the order of code points; JavaScript's own order is that of UTF-16 units. */
function byCodePoint(a: string, b: string): number {
  for (let i = 0; i < a.length && i < b.length; i++) {
    if (a[i] !== b[i]) return weight(a.charCodeAt(i)) - weight(b.charCodeAt(i));
  }
  return a.length - b.length;
}

/** A surrogate stands for a code point above all others of 16 bits. */
const weight = (unit: number): number => (unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit);

// Decoding

const byTag = new WeakMap<StructFacts, ReadonlyMap<number, FieldFacts>>();

function fieldOf(struct: StructFacts, tag: number): FieldFacts | undefined {
  let known = byTag.get(struct);
  if (!known) {
    known = new Map(struct.fields.flatMap((field) => (field.tag === undefined ? [] : [[field.tag, field] as const])));
    byTag.set(struct, known);
  }
  return known.get(tag);
}

function readStruct(reader: WireReader, struct: StructFacts): JsonObject {
  const found: JsonObject = {};
  readInto(reader, struct, found);
  return shown(struct, found);
}

function readInto(reader: WireReader, struct: StructFacts, found: JsonObject): void {
  while (!reader.done) {
    const { field: tag, wire } = reader.tag();
    const field = fieldOf(struct, tag);
    if (!field) reader.skip(wire);
    else if (wire !== wireOfType(field.type))
      throw new ProtobufError(`wrong wireType = ${wire} for field ${field.name}`);
    else if (field.name === undefined) readInto(reader.message(), field.type as StructFacts, found);
    else found[field.name] = readField(reader, field.type, found[field.name]);
  }
}

const wireOfType = (type: TypeFacts): number =>
  type.kind === 'scalar'
    ? wireOf(type.scalar)
    : type.kind === 'list' && !type.wrapped
      ? wireOfType(type.element)
      : BYTES;

function readField(reader: WireReader, type: TypeFacts, before: unknown): unknown {
  if (type.kind === 'map') return readEntry(reader.message(), type.value, (before as JsonObject | undefined) ?? {});
  if (type.kind === 'list' && !type.wrapped) {
    const list = (before as unknown[] | undefined) ?? [];
    list.push(readValue(reader, type.element));
    return list;
  }
  return readValue(reader, type);
}

function readValue(reader: WireReader, type: TypeFacts): unknown {
  switch (type.kind) {
    case 'enum':
      return reader.string();
    case 'struct':
      return readStruct(reader.message(), type);
    case 'list':
      return readItems(reader.message(), type.element);
    case 'map':
      throw new ProtobufError('a map within a list');
    case 'scalar':
      switch (type.scalar) {
        case 'schemaOrArray':
        case 'schemaOrBool':
        case 'schemaOrStringArray':
          return readSchemaOr(reader.message(), type.scalar);
        default:
          return readScalar(reader, type.scalar);
      }
  }
}

function readEntry(reader: WireReader, type: TypeFacts, into: JsonObject): JsonObject {
  let key = '';
  let value: unknown;
  while (!reader.done) {
    const { field, wire } = reader.tag();
    if (field === 1 && wire === BYTES) key = reader.string();
    else if (field === 2) value = readValue(reader, type);
    else reader.skip(wire);
  }
  // A plain assignment of __proto__ would be lost.
  Object.defineProperty(into, key, {
    value: value ?? zeroOf(type) ?? null,
    enumerable: true,
    writable: true,
    configurable: true,
  });
  return into;
}

/** The message of a wrapped list. */
function readItems(reader: WireReader, type: TypeFacts): unknown[] {
  const items: unknown[] = [];
  while (!reader.done) {
    const { field, wire } = reader.tag();
    if (field === 1) items.push(readValue(reader, type));
    else reader.skip(wire);
  }
  return items;
}

function readSchemaOr(reader: WireReader, scalar: 'schemaOrArray' | 'schemaOrBool' | 'schemaOrStringArray'): unknown {
  const items: unknown[] = [];
  let single: unknown;
  let allows = false;
  while (!reader.done) {
    const { field, wire } = reader.tag();
    if (field === 1 && scalar === 'schemaOrBool') allows = reader.varint() !== 0;
    else if (field === 1 || (field === 2 && scalar === 'schemaOrBool'))
      single = readStruct(reader.message(), schemaFacts());
    else if (field === 2)
      items.push(scalar === 'schemaOrArray' ? readStruct(reader.message(), schemaFacts()) : reader.string());
    else reader.skip(wire);
  }
  return single ?? (scalar === 'schemaOrBool' ? allows : items);
}
