/** Protobuf's wire format and nothing above it. Numbers are safe integers; a 64-bit value beyond them loses its last digits, as in JSON. */

export const VARINT = 0;
export const FIXED64 = 1;
export const BYTES = 2;
export const FIXED32 = 5;

export class ProtobufError extends Error {
  override readonly name = 'ProtobufError';
}

const encoder = new TextEncoder();
/** Go refuses strings that are no UTF-8; so does this one. */
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Below this, joining characters is faster than asking the decoder. */
const SHORT = 64;

function decode(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch (error) {
    throw new ProtobufError('a string is not valid UTF-8', { cause: error });
  }
}

/**
 * Writes a message from its end to its start: the length of a nested message is known when its head is written, with no second pass.
 * So whoever uses it writes the last field first.
 */
export class ReverseWriter {
  #buffer = new Uint8Array(1024);
  #start = 1024;

  /** How much has been written; a mark for `closeMessage`. */
  get length(): number {
    return this.#buffer.length - this.#start;
  }

  finish(): Uint8Array {
    return this.#buffer.slice(this.#start);
  }

  tag(field: number, wire: number): void {
    this.varint(field * 8 + wire);
  }

  /** An integer in -2^63..2^53; a negative one takes ten bytes. */
  varint(value: number): void {
    if (!Number.isFinite(value)) throw new ProtobufError(`${value} is not an integer`);
    if (value >= 0 && value < 0x80) {
      this.#reserve(1);
      this.#buffer[--this.#start] = value;
      return;
    }
    const groups: number[] = [];
    if (value < 0) {
      for (let rest = BigInt.asUintN(64, BigInt(Math.trunc(value))); rest > 0n; rest >>= 7n)
        groups.push(Number(rest & 0x7fn));
    } else {
      for (let rest = Math.trunc(value); rest > 0; rest = Math.floor(rest / 128)) groups.push(rest % 128);
    }
    this.#reserve(groups.length);
    this.#start -= groups.length;
    for (const [i, group] of groups.entries())
      this.#buffer[this.#start + i] = i < groups.length - 1 ? group | 0x80 : group;
  }

  double(value: number): void {
    this.#reserve(8);
    this.#start -= 8;
    new DataView(this.#buffer.buffer, this.#start, 8).setFloat64(0, value, true);
  }

  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#start -= bytes.length;
    this.#buffer.set(bytes, this.#start);
  }

  bytesField(field: number, bytes: Uint8Array): void {
    this.raw(bytes);
    this.varint(bytes.length);
    this.tag(field, BYTES);
  }

  stringField(field: number, text: string): void {
    const length = text.length;
    this.#reserve(length);
    // Most strings are short and plain: asking the encoder for each takes longer than all the rest.
    let start = this.#start - length;
    for (let i = 0; i < length; i++) {
      const unit = text.charCodeAt(i);
      if (unit >= 0x80) return this.bytesField(field, encoder.encode(text));
      this.#buffer[start++] = unit;
    }
    this.#start -= length;
    this.varint(length);
    this.tag(field, BYTES);
  }

  intField(field: number, value: number): void {
    this.varint(value);
    this.tag(field, VARINT);
  }

  boolField(field: number, value: boolean): void {
    this.intField(field, value ? 1 : 0);
  }

  doubleField(field: number, value: number): void {
    this.double(value);
    this.tag(field, FIXED64);
  }

  /** Ends (that is: begins) the message whose content was written since `length` was `mark`. */
  closeMessage(field: number, mark: number): void {
    this.varint(this.length - mark);
    this.tag(field, BYTES);
  }

  #reserve(size: number): void {
    if (size <= this.#start) return;
    const used = this.length;
    const grown = new Uint8Array(Math.max(this.#buffer.length * 2, used + size));
    grown.set(this.#buffer.subarray(this.#start), grown.length - used);
    this.#buffer = grown;
    this.#start = grown.length - used;
  }
}

/** Reads one message. Every method throws `ProtobufError` where the bytes end too early. */
export class WireReader {
  readonly #bytes: Uint8Array;
  #position: number;
  readonly #end: number;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#position = start;
    this.#end = end;
  }

  get done(): boolean {
    return this.#position >= this.#end;
  }

  /** The next field's number and wire type. */
  tag(): { readonly field: number; readonly wire: number } {
    const tag = this.varint();
    const field = Math.floor(tag / 8);
    if (tag < 0 || field < 1 || field > 0x1fffffff)
      throw new ProtobufError(`illegal tag ${field} (wire type ${tag & 7})`);
    return { field, wire: tag & 7 };
  }

  varint(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 7; i++) {
      const byte = this.#byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
    let wide = BigInt(value);
    for (let shift = 49n; shift < 70n; shift += 7n) {
      const byte = this.#byte();
      wide |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return Number(BigInt.asIntN(64, wide));
    }
    throw new ProtobufError('integer overflow');
  }

  double(): number {
    const at = this.#take(8);
    return new DataView(this.#bytes.buffer, this.#bytes.byteOffset + at, 8).getFloat64(0, true);
  }

  bytes(): Uint8Array {
    const length = this.varint();
    const at = this.#take(length);
    return this.#bytes.subarray(at, at + length);
  }

  string(): string {
    const bytes = this.bytes();
    let text = '';
    for (let i = 0; i < bytes.length; i++) {
      if (bytes[i]! >= 0x80 || i > SHORT) return decode(bytes);
      text += String.fromCharCode(bytes[i]!);
    }
    return text;
  }

  message(): WireReader {
    const length = this.varint();
    const at = this.#take(length);
    return new WireReader(this.#bytes, at, at + length);
  }

  skip(wire: number): void {
    switch (wire) {
      case VARINT:
        this.varint();
        return;
      case FIXED64:
        this.#take(8);
        return;
      case BYTES:
        this.#take(this.varint());
        return;
      case FIXED32:
        this.#take(4);
        return;
      default:
        throw new ProtobufError(`unsupported wire type ${wire}`);
    }
  }

  #byte(): number {
    return this.#bytes[this.#take(1)]!;
  }

  #take(length: number): number {
    const at = this.#position;
    if (length < 0 || at + length > this.#end) throw new ProtobufError('unexpected EOF');
    this.#position = at + length;
    return at;
  }
}
