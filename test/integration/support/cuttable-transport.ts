import type { ApiRequest, ApiResponse, Transport, WatchEvent } from '#api/transport.ts';

const lost = (): Error => new Error('the network is unreachable');

/** A way to the API that can be cut, as a partition does: what is under way fails, and so does all that is tried meanwhile. */
export class CuttableTransport implements Transport {
  readonly #inner: Transport;
  #open: AbortController | undefined = new AbortController();

  constructor(inner: Transport) {
    this.#inner = inner;
  }

  cut(): void {
    const open = this.#open;
    this.#open = undefined;
    open?.abort(lost());
  }

  heal(): void {
    this.#open ??= new AbortController();
  }

  async call(request: ApiRequest, signal: AbortSignal): Promise<ApiResponse> {
    return this.#inner.call(request, this.#until(signal));
  }

  async *watch(request: ApiRequest, signal: AbortSignal): AsyncIterable<WatchEvent> {
    yield* this.#inner.watch(request, this.#until(signal));
  }

  #until(signal: AbortSignal): AbortSignal {
    if (!this.#open) throw lost();
    return AbortSignal.any([signal, this.#open.signal]);
  }
}
