/**
 * SPDY/3.1 as Kubernetes speaks it to a runtime's streaming server: frames to bytes and back. Both ends are Go's
 * spdystream, which is narrower than the protocol, and so are we:
 *
 *  - There is no flow control. Windows are neither kept nor announced by either end (one that kept to its first 64 KiB
 *    would wait for ever), so what paces a stream is TCP, for all streams of a connection together.
 *  - Replies' headers say nothing that anyone needs, so header blocks are written and never read.
 *  - What we send is few and short headers, so they go uncompressed, in stored blocks: no dictionary, no state but whether the
 *    one zlib stream of the connection was begun, and nothing to wait for.
 */

export type SpdyFrame =
  /** A piece of a stream; one frame may come as several. `last`: the other side sends no more on it. */
  | { readonly kind: 'data'; readonly stream: number; readonly bytes: Uint8Array; readonly last: boolean }
  | { readonly kind: 'reply'; readonly stream: number; readonly last: boolean }
  /** Neither side sends any more on it. */
  | { readonly kind: 'reset'; readonly stream: number; readonly status: number }
  | { readonly kind: 'ping'; readonly id: number }
  /** No more streams; the connection is about to end. */
  | { readonly kind: 'going-away' };

/** What came is not SPDY/3.1. The connection is of no more use. */
export class SpdyFault extends Error {
  override readonly name = 'SpdyFault';
}

const HEADER = 8;
const CONTROL = 0x8003;
const FLAG_LAST = 1;
const type = { synStream: 1, synReply: 2, reset: 3, ping: 6, goAway: 7 } as const;

/** Control frames are dozens of bytes; only data may be long, and data is never put together. */
const LONGEST_CONTROL = 64 * 1024;
/** As large as a TLS or pipe read gets anyway; far below the 24 bits that a length has. */
const LONGEST_DATA = 64 * 1024;

/** Opens stream `stream` (odd, growing). `first`: no header block went before it on this connection. */
export function synStream(stream: number, headers: Readonly<Record<string, string>>, first: boolean): Buffer {
  const fixed = Buffer.alloc(10);
  fixed.writeUInt32BE(stream, 0);
  return control(type.synStream, Buffer.concat([fixed, headerBlock(headers, first)]));
}

export function ping(id: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(id, 0);
  return control(type.ping, payload);
}

/** As many frames as the bytes need; at least one when `last`. The bytes themselves are not copied. */
export function* data(stream: number, bytes: Uint8Array, last: boolean): Generator<Uint8Array> {
  let at = 0;
  do {
    const piece = bytes.subarray(at, at + LONGEST_DATA);
    at += piece.length;
    const end = last && at >= bytes.length;
    if (piece.length === 0 && !end) return;
    yield header(stream, end ? FLAG_LAST : 0, piece.length);
    if (piece.length > 0) yield piece;
  } while (at < bytes.length);
}

function control(kind: number, payload: Buffer): Buffer {
  return Buffer.concat([header(((CONTROL << 16) | kind) >>> 0, 0, payload.length), payload]);
}

function header(word: number, flags: number, length: number): Buffer {
  const bytes = Buffer.alloc(HEADER);
  bytes.writeUInt32BE(word, 0);
  bytes.writeUInt32BE(((flags << 24) | length) >>> 0, 4);
  return bytes;
}

/** Name/value pairs, names in lower case, in one zlib stream per connection; readers give out nothing before the flush. */
function headerBlock(headers: Readonly<Record<string, string>>, first: boolean): Buffer {
  const pairs = Object.entries(headers);
  const plain = Buffer.concat([uint32(pairs.length), ...pairs.flat().flatMap((text) => lengthPrefixed(text))]);
  if (plain.length > 0xffff) throw new SpdyFault(`headers of ${plain.length} bytes do not fit a block`);
  const stored = Buffer.alloc(5);
  stored.writeUInt16LE(plain.length, 1);
  stored.writeUInt16LE(~plain.length & 0xffff, 3);
  const flush = Buffer.from([0, 0, 0, 0xff, 0xff]);
  return Buffer.concat([first ? zlibHeader : none, stored, plain, flush]);
}

/** Deflate with the largest window, no preset dictionary. */
const zlibHeader = Buffer.from([0x78, 0x01]);
const none = Buffer.alloc(0);

const lengthPrefixed = (text: string): readonly Buffer[] => [uint32(Buffer.byteLength(text)), Buffer.from(text)];

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value, 0);
  return bytes;
}

/** Finds the frames in a connection's bytes, however these were cut. Frames that say nothing to us are skipped. */
export class SpdyDecoder {
  #unread: Buffer = none;
  /** What the data frame that is being read still has to come. */
  #data: { readonly stream: number; readonly last: boolean; left: number } | undefined;

  /** Throws SpdyFault; after that nothing more can be told. */
  *decode(chunk: Uint8Array): Generator<SpdyFrame> {
    const given = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    this.#unread = this.#unread.length === 0 ? given : Buffer.concat([this.#unread, given]);
    for (;;) {
      if (this.#data) {
        const piece = this.#piece(this.#data);
        if (piece === undefined) return;
        yield piece;
        continue;
      }
      if (this.#unread.length < HEADER) return;
      const word = this.#unread.readUInt32BE(0);
      const length = this.#unread.readUIntBE(5, 3);
      const last = (this.#unread[4]! & FLAG_LAST) !== 0;
      if (word >>> 31 === 0) {
        this.#take(HEADER);
        this.#data = { stream: word, last, left: length };
        continue;
      }
      if (word >>> 16 !== CONTROL || length > LONGEST_CONTROL)
        throw new SpdyFault('the other side does not speak SPDY/3.1');
      if (this.#unread.length < HEADER + length) return;
      const frame = controlFrame(word & 0xffff, last, this.#take(HEADER + length).subarray(HEADER));
      if (frame) yield frame;
    }
  }

  #piece(frame: { readonly stream: number; readonly last: boolean; left: number }): SpdyFrame | undefined {
    if (frame.left > 0 && this.#unread.length === 0) return undefined;
    const bytes = this.#take(Math.min(frame.left, this.#unread.length));
    frame.left -= bytes.length;
    const whole = frame.left === 0;
    if (whole) this.#data = undefined;
    return { kind: 'data', stream: frame.stream, bytes, last: whole && frame.last };
  }

  #take(length: number): Buffer {
    const taken = this.#unread.subarray(0, length);
    this.#unread = this.#unread.subarray(length);
    return taken;
  }
}

function controlFrame(kind: number, last: boolean, payload: Buffer): SpdyFrame | undefined {
  const least = kind === type.reset ? 8 : 4;
  const known = kind === type.synReply || kind === type.reset || kind === type.ping || kind === type.goAway;
  if (!known) return undefined;
  if (payload.length < least) throw new SpdyFault(`a control frame of type ${kind} has ${payload.length} bytes`);
  const number = payload.readUInt32BE(0);
  if (kind === type.synReply) return { kind: 'reply', stream: number & 0x7fffffff, last };
  if (kind === type.reset) return { kind: 'reset', stream: number & 0x7fffffff, status: payload.readUInt32BE(4) };
  return kind === type.ping ? { kind: 'ping', id: number } : { kind: 'going-away' };
}
