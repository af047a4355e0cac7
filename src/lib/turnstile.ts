import type { Clock } from '#lib/clock.ts';

export interface TurnstileOptions {
  readonly clock: Clock;
  readonly atOnce: number;
  /** Who stays longer counts no more: one that hangs does not keep the others out. */
  readonly patienceMs: number;
}

/** Lets so many do something at once, in the order in which they come. */
export class Turnstile {
  readonly #options: TurnstileOptions;
  readonly #waiting = new Set<() => void>();
  #inside = 0;

  constructor(options: TurnstileOptions) {
    this.#options = options;
  }

  /** Rejects with the signal's reason when that fires before `work` has begun; from then on it is for `work` to heed. */
  async pass<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    await this.#enter(signal);
    const { clock, patienceMs } = this.#options;
    let isCounted = true;
    const leave = (): void => {
      if (isCounted) this.#leave();
      isCounted = false;
    };
    const disarm = clock.alarm(patienceMs, leave);
    try {
      return await work();
    } finally {
      disarm();
      leave();
    }
  }

  async #enter(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#inside < this.#options.atOnce) {
      this.#inside++;
      return;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const giveUp = (): void => {
      // Whose turn has come already takes it, and leaves again.
      if (this.#waiting.delete(resolve)) reject(signal.reason);
    };
    this.#waiting.add(resolve);
    signal.addEventListener('abort', giveUp, { once: true });
    await promise.finally(() => signal.removeEventListener('abort', giveUp));
  }

  /** The place goes to who waits longest. */
  #leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) this.#inside--;
    else {
      this.#waiting.delete(next);
      next();
    }
  }
}
