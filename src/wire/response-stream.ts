import type { Writable } from 'node:stream';
import type { ResponseStream } from '#wire/exchange.ts';

/** A streamed answer over whatever can be written to. */
export class WritableResponse implements ResponseStream {
  readonly #writable: Writable;
  readonly #onEnd: () => void;

  constructor(writable: Writable, onEnd: () => void) {
    this.#writable = writable;
    this.#onEnd = onEnd;
  }

  write(chunk: Uint8Array | string): boolean {
    if (this.closed) return false;
    return this.#writable.write(chunk);
  }

  async drained(): Promise<void> {
    const writable = this.#writable;
    if (this.closed || !writable.writableNeedDrain) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    writable.once('drain', resolve).once('close', resolve);
    await promise;
    writable.off('drain', resolve).off('close', resolve);
  }

  get bufferedBytes(): number {
    return this.#writable.writableLength;
  }

  get closed(): boolean {
    return this.#writable.destroyed || this.#writable.writableEnded;
  }

  end(): void {
    this.#onEnd();
    if (!this.closed) this.#writable.end();
  }
}
