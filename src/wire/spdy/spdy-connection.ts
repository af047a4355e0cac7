import type { Duplex } from 'node:stream';
import type { Brand } from '#lib/brand.ts';
import { data, ping, SpdyDecoder, type SpdyFrame, SpdyFault, synStream } from '#wire/spdy/frames.ts';
import { drained } from '#wire/drained.ts';

export type SpdyStreamId = Brand<number, 'SpdyStreamId'>;

/** What the other side does on a stream that we have opened. */
export type SpdyEvent = Extract<SpdyFrame, { kind: 'data' | 'reset' | 'going-away' }>;

/**
 * The client's end of a SPDY/3.1 connection, on a socket that was upgraded to it: opens streams and writes to them, and
 * tells in one sequence what comes. Streams that the other side opens are none of the protocols' that we speak, and are ignored.
 */
export class SpdyConnection {
  readonly #socket: Duplex;
  readonly #head: Uint8Array;
  #lastStream = -1;

  /** `head`: what was read from the socket already. */
  constructor(socket: Duplex, head: Uint8Array) {
    this.#socket = socket;
    this.#head = head;
    // Whoever reads `events` is told; without a reader there is nobody to tell.
    socket.on('error', () => {});
  }

  /** Header names in lower case. */
  open(headers: Readonly<Record<string, string>>): SpdyStreamId {
    const first = this.#lastStream < 0;
    this.#lastStream += 2;
    this.#socket.write(synStream(this.#lastStream, headers, first));
    return this.#lastStream as SpdyStreamId;
  }

  /** Resolves when more may be written; at once on a connection that is over. `last` ends our side of the stream. */
  async send(stream: SpdyStreamId, bytes: Uint8Array, last: boolean): Promise<void> {
    if (!this.#socket.writable) return;
    let room = true;
    for (const piece of data(stream, bytes, last)) room = this.#socket.write(piece);
    if (!room) await drained(this.#socket);
  }

  /**
   * What comes, at the pace it is read; ends with the connection, however that comes about. Once only. Throws SpdyFault when it
   * is not SPDY.
   */
  async *events(): AsyncGenerator<SpdyEvent> {
    const decoder = new SpdyDecoder();
    yield* this.#heard(decoder.decode(this.#head));
    try {
      for await (const chunk of this.#socket) yield* this.#heard(decoder.decode(chunk as Buffer));
    } catch (error) {
      if (error instanceof SpdyFault) throw error;
    }
  }

  /** Cuts it. A second call does nothing. */
  destroy(): void {
    this.#socket.destroy();
  }

  *#heard(frames: Iterable<SpdyFrame>): Generator<SpdyEvent> {
    for (const frame of frames) {
      if (frame.kind === 'ping') {
        // Even ones are the server's; an odd one would be the answer to ours, and we send none.
        if (frame.id % 2 === 0 && this.#socket.writable) this.#socket.write(ping(frame.id));
      } else if (frame.kind !== 'reply') yield frame;
    }
  }
}
