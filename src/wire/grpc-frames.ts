/** gRPC's message framing: one byte of compression flag, four of length, then the message. */
const HEADER = 5;

export class FrameError extends Error {
  override readonly name = 'FrameError';
}

export function frame(message: Uint8Array): Buffer {
  const framed = Buffer.allocUnsafe(HEADER + message.length);
  framed[0] = 0;
  framed.writeUInt32BE(message.length, 1);
  framed.set(message, HEADER);
  return framed;
}

/** Takes bytes as they come and gives whole messages. */
export class FrameReader {
  readonly #largest: number;
  #chunks: Buffer[] = [];
  #size = 0;
  /** Size of the frame at the front with its header, once that much is known. */
  #frame: number | undefined;

  constructor(largest: number) {
    this.#largest = largest;
  }

  /** Throws FrameError as soon as a message announces itself as compressed or too large. */
  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    this.#measure();
  }

  shift(): Uint8Array | undefined {
    if (this.#frame === undefined || this.#size < this.#frame) return undefined;
    const all = this.#joined();
    const taken = all.subarray(HEADER, this.#frame);
    const rest = all.subarray(this.#frame);
    this.#chunks = rest.length > 0 ? [rest] : [];
    this.#size = rest.length;
    this.#frame = undefined;
    this.#measure();
    return taken;
  }

  #measure(): void {
    if (this.#size < HEADER || this.#frame !== undefined) return;
    const all = this.#joined();
    if (all[0] !== 0) throw new FrameError('the server compressed a message it was not asked to compress');
    const length = all.readUInt32BE(1);
    if (length > this.#largest)
      throw new FrameError(`received message larger than max (${length} vs. ${this.#largest})`);
    this.#frame = HEADER + length;
  }

  #joined(): Buffer {
    const [first] = this.#chunks;
    if (this.#chunks.length === 1 && first) return first;
    const all = Buffer.concat(this.#chunks, this.#size);
    this.#chunks = [all];
    return all;
  }
}
