import type { Clock } from '#lib/clock.ts';

export interface Flushable {
  flush(): void;
}

/** How long events are gathered for one write while they keep coming. */
export const GATHER_MS = 20;

/**
 * Gathers writes: the first event after a pause goes out at once, what follows within GATHER_MS goes out together. A write costs a
 * system call and a TLS record whatever its size, and this is what a thousand watchers pay for each event.
 */
export class Flusher {
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  readonly #dirty = new Set<Flushable>();
  #scheduled = false;
  #last = -Infinity;

  constructor(clock: Clock, signal: AbortSignal) {
    this.#clock = clock;
    this.#signal = signal;
  }

  /** `item` is flushed soon, once, however often it is marked until then. */
  mark(item: Flushable): void {
    this.#dirty.add(item);
    if (this.#scheduled) return;
    this.#scheduled = true;
    const wait = this.#last + GATHER_MS - this.#clock.now();
    // A microtask still lets all events of one batch of the store come together.
    if (wait <= 0) queueMicrotask(() => this.#flush());
    else
      this.#clock.sleep(wait, this.#signal).then(
        () => this.#flush(),
        () => {},
      );
  }

  forget(item: Flushable): void {
    this.#dirty.delete(item);
  }

  #flush(): void {
    this.#scheduled = false;
    this.#last = this.#clock.now();
    const items = [...this.#dirty];
    this.#dirty.clear();
    for (const item of items) item.flush();
  }
}
