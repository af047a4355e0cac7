import type { Clock } from '#lib/clock.ts';

interface Sleeper {
  readonly due: number;
  readonly wake: () => void;
}

/** A clock that moves only when told to. */
export class FakeClock implements Clock {
  #now: number;
  #sleepers: Sleeper[] = [];

  constructor(start = 0) {
    this.#now = start;
  }

  now(): number {
    return this.#now;
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.reject(signal.reason);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const sleeper: Sleeper = { due: this.#after(ms), wake: resolve };
    this.#sleepers.push(sleeper);
    const onAbort = (): void => {
      this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
      reject(signal.reason);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    return promise.finally(() => signal.removeEventListener('abort', onAbort));
  }

  alarm(ms: number, ring: () => void): () => void {
    const sleeper: Sleeper = { due: this.#after(ms), wake: ring };
    this.#sleepers.push(sleeper);
    return () => {
      this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
    };
  }

  /** A real clock knows whole milliseconds only, too. */
  #after(ms: number): number {
    return this.#now + Math.ceil(ms);
  }

  /** How many sleep: what a test asks to see that nothing was left behind. */
  get sleeping(): number {
    return this.#sleepers.length;
  }

  /** Moves time on, waking sleepers in due order and letting each one's consequences run first. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    // What has been set going before may be about to sleep: its time begins now, not at the end.
    await settle();
    for (;;) {
      const next = this.#sleepers.filter((s) => s.due <= end).sort((a, b) => a.due - b.due)[0];
      if (!next) break;
      this.#sleepers = this.#sleepers.filter((s) => s !== next);
      this.#now = Math.max(this.#now, next.due);
      next.wake();
      await settle();
    }
    this.#now = end;
    await settle();
  }
}

/** Lets every promise that can make progress make it. */
export const settle = (): Promise<void> => new Promise((done) => setImmediate(done));
