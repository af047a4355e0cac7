/** How the values that are not plain in JSON (quantities, times, raw JSON…) stand in protobuf. */
import type { Scalar } from '#api/fact-table.ts';
import { BYTES, FIXED64, ProtobufError, type ReverseWriter, VARINT, WireReader } from '#api/protobuf-wire.ts';

type SchemaScalar = 'schemaOrArray' | 'schemaOrBool' | 'schemaOrStringArray';
/** The scalars that hold no message of the table. */
export type PlainScalar = Exclude<Scalar, SchemaScalar>;

export function wireOf(scalar: Scalar): number {
  switch (scalar) {
    case 'bool':
    case 'int32':
    case 'int64':
      return VARINT;
    case 'double':
      return FIXED64;
    default:
      return BYTES;
  }
}

/** Writes `value` as JSON has it under `tag`. Throws ProtobufError if it is of another type. */
export function writeScalar(writer: ReverseWriter, tag: number, scalar: PlainScalar, value: unknown): void {
  switch (scalar) {
    case 'string':
      return writer.stringField(tag, text(value));
    case 'bool':
      if (typeof value !== 'boolean') throw mismatch('a boolean', value);
      return writer.boolField(tag, value);
    case 'int32':
    case 'int64':
      return writer.intField(tag, integer(value));
    case 'double':
      if (typeof value !== 'number') throw mismatch('a number', value);
      return writer.doubleField(tag, value);
    case 'bytes':
      return writer.bytesField(tag, bytesOfBase64(text(value)));
    case 'quantity': {
      const mark = writer.length;
      writer.stringField(1, typeof value === 'number' ? String(value) : text(value));
      return writer.closeMessage(tag, mark);
    }
    case 'intOrString':
      return writeIntOrString(writer, tag, value);
    case 'time':
    case 'microTime':
      return writeTime(writer, tag, scalar, text(value));
    case 'raw':
    case 'json':
    case 'fieldsV1': {
      const mark = writer.length;
      writer.stringField(1, JSON.stringify(value));
      return writer.closeMessage(tag, mark);
    }
  }
}

/** What JSON shows; undefined for what it leaves out (a zero time, an empty raw value). */
export function readScalar(reader: WireReader, scalar: PlainScalar): unknown {
  switch (scalar) {
    case 'string':
      return reader.string();
    case 'bool':
      return reader.varint() !== 0;
    case 'int32':
      return reader.varint() | 0;
    case 'int64':
      return reader.varint();
    case 'double':
      return reader.double();
    case 'bytes':
      return reader.bytes().toBase64();
    case 'quantity':
      return readFields(reader.message()).texts.get(1) ?? '0';
    case 'intOrString': {
      const { numbers, texts } = readFields(reader.message());
      return numbers.get(1) === 1 ? (texts.get(3) ?? '') : (numbers.get(2) ?? 0) | 0;
    }
    case 'time':
    case 'microTime':
      return readTime(reader.message(), scalar);
    case 'raw':
    case 'json':
    case 'fieldsV1': {
      const json = readFields(reader.message()).texts.get(1) ?? '';
      return json === '' ? undefined : parseJson(json);
    }
  }
}

function writeIntOrString(writer: ReverseWriter, tag: number, value: unknown): void {
  const mark = writer.length;
  const number = typeof value === 'number';
  writer.stringField(3, number ? '' : text(value));
  writer.intField(2, number ? integer(value) : 0);
  writer.intField(1, number ? 0 : 1);
  writer.closeMessage(tag, mark);
}

const rfc3339 = /^(\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d)(?:\.(\d+))?([Zz]|[+-]\d\d:\d\d)$/;

function writeTime(writer: ReverseWriter, tag: number, scalar: 'time' | 'microTime', value: string): void {
  const match = rfc3339.exec(value);
  const milliseconds = match ? Date.parse(`${match[1]!.toUpperCase()}${match[3]!.toUpperCase()}`) : Number.NaN;
  if (!match || Number.isNaN(milliseconds)) throw mismatch('an RFC 3339 time', value);
  const microseconds = Number((match[2] ?? '').slice(0, 6).padEnd(6, '0'));
  const mark = writer.length;
  writer.intField(2, scalar === 'time' ? 0 : microseconds * 1000);
  writer.intField(1, milliseconds / 1000);
  writer.closeMessage(tag, mark);
}

function readTime(reader: WireReader, scalar: 'time' | 'microTime'): string | undefined {
  // No content at all is Go's zero time; a Timestamp of zero seconds is 1970.
  if (reader.done) return undefined;
  const { numbers } = readFields(reader);
  const time = new Date((numbers.get(1) ?? 0) * 1000);
  if (Number.isNaN(time.getTime())) throw new ProtobufError('a time is out of range');
  const seconds = time.toISOString().slice(0, -5);
  if (scalar === 'time') return `${seconds}Z`;
  const microseconds = Math.floor(((numbers.get(2) ?? 0) / 1000) % 1_000_000);
  return `${seconds}.${String(microseconds).padStart(6, '0')}Z`;
}

/** The numbers and texts of a small message, by field number. */
function readFields(reader: WireReader): { numbers: ReadonlyMap<number, number>; texts: ReadonlyMap<number, string> } {
  const numbers = new Map<number, number>();
  const texts = new Map<number, string>();
  while (!reader.done) {
    const { field, wire } = reader.tag();
    if (wire === VARINT) numbers.set(field, reader.varint());
    else if (wire === BYTES) texts.set(field, reader.string());
    else reader.skip(wire);
  }
  return { numbers, texts };
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (error) {
    throw new ProtobufError('an embedded object is not JSON', { cause: error });
  }
}

function bytesOfBase64(value: string): Uint8Array {
  try {
    return Uint8Array.fromBase64(value);
  } catch (error) {
    throw new ProtobufError(`${JSON.stringify(value)} is not base64`, { cause: error });
  }
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw mismatch('a string', value);
  return value;
}

function integer(value: unknown): number {
  if (!Number.isInteger(value)) throw mismatch('an integer', value);
  return value as number;
}

const mismatch = (wanted: string, value: unknown): ProtobufError =>
  new ProtobufError(`wanted ${wanted}, got ${JSON.stringify(value)}`);
