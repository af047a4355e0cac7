/** The wire format below protobuf.ts: varints, lengths, tags. Bounds are checked on every read: bytes come from outside. */
export class ProtobufError extends Error {
  override readonly name = 'ProtobufError';
}

const TWO_32 = 2 ** 32;
/** Embedded messages deeper than this are refused, as other implementations do. */
const DEEPEST = 100;

export class Writer {
  #buffer = Buffer.allocUnsafe(256);
  #length = 0;

  finish(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  tag(field: number, wireType: number): this {
    return this.varint((field << 3) | wireType);
  }

  /** Any integer up to 2^53 in size; negative ones take ten bytes, as int32 and int64 do. */
  varint(value: number): this {
    if (!Number.isSafeInteger(value)) throw new ProtobufError(`not an integer that can be written: ${value}`);
    if (value < 0) return this.bigint(BigInt(value));
    this.#reserve(10);
    let rest = value;
    while (rest >= 0x80) {
      this.#buffer[this.#length++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#buffer[this.#length++] = rest;
    return this;
  }

  bigint(value: bigint): this {
    this.#reserve(10);
    let rest = BigInt.asUintN(64, value);
    while (rest >= 0x80n) {
      this.#buffer[this.#length++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.#buffer[this.#length++] = Number(rest);
    return this;
  }

  string(value: string): this {
    const size = Buffer.byteLength(value);
    this.varint(size);
    this.#reserve(size);
    this.#buffer.write(value, this.#length, 'utf8');
    this.#length += size;
    return this;
  }

  bytes(value: Uint8Array): this {
    this.varint(value.length);
    this.#reserve(value.length);
    this.#buffer.set(value, this.#length);
    this.#length += value.length;
    return this;
  }

  nested(write: (inner: Writer) => void): this {
    const inner = new Writer();
    write(inner);
    return this.bytes(inner.finish());
  }

  #reserve(size: number): void {
    const needed = this.#length + size;
    if (needed <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2));
    this.#buffer.copy(grown, 0, 0, this.#length);
    this.#buffer = grown;
  }
}

export class Reader {
  readonly #buffer: Buffer;
  readonly #end: number;
  readonly #depth: number;
  #at: number;
  #low = 0;
  #high = 0;

  constructor(bytes: Uint8Array, depth = 0) {
    if (depth > DEEPEST) throw new ProtobufError(`messages nested more than ${DEEPEST} deep`);
    this.#buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = 0;
    this.#end = bytes.byteLength;
    this.#depth = depth;
  }

  get atEnd(): boolean {
    return this.#at >= this.#end;
  }

  /** Signed 64 bits, rounded to the nearest number beyond 2^53. */
  varint(): number {
    this.#readVarint();
    return (this.#high | 0) * TWO_32 + this.#low;
  }

  unsigned(): number {
    this.#readVarint();
    return this.#high * TWO_32 + this.#low;
  }

  uint32(): number {
    this.#readVarint();
    return this.#low;
  }

  bigint(): bigint {
    this.#readVarint();
    return BigInt.asIntN(64, (BigInt(this.#high) << 32n) | BigInt(this.#low));
  }

  string(): string {
    const start = this.#take(this.uint32());
    return this.#buffer.toString('utf8', start, this.#at);
  }

  bytes(): Uint8Array {
    const start = this.#take(this.uint32());
    return this.#buffer.subarray(start, this.#at);
  }

  nested(): Reader {
    return new Reader(this.bytes(), this.#depth + 1);
  }

  skip(wireType: number): void {
    if (wireType === 0) this.#readVarint();
    else if (wireType === 1) this.#take(8);
    else if (wireType === 2) this.#take(this.uint32());
    else if (wireType === 5) this.#take(4);
    else throw new ProtobufError(`wire type ${wireType} is not known`);
  }

  /** Moves on by `size` and returns where that began. */
  #take(size: number): number {
    if (size > this.#end - this.#at) throw new ProtobufError('a field reaches beyond the end of its message');
    this.#at += size;
    return this.#at - size;
  }

  #readVarint(): void {
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.#at >= this.#end) throw new ProtobufError('a number reaches beyond the end of its message');
      const byte = this.#buffer[this.#at++] ?? 0;
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high = bits >>> 4;
      } else high |= bits << (shift - 32);
      if (byte < 0x80) {
        this.#low = low >>> 0;
        this.#high = high >>> 0;
        return;
      }
    }
    throw new ProtobufError('a number is longer than ten bytes');
  }
}
