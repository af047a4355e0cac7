import { ApiError } from '#api/errors.ts';
import type { Clock } from '#lib/clock.ts';

/** The numbers from `first` (inclusive) to `size` (exclusive). */
export interface Pool {
  readonly first: number;
  readonly size: number;
}

/** How long a number is held for a write that has not come to its end yet. */
const HELD_MS = 10_000;

/**
 * Hands out numbers nobody uses. Who uses which is asked each time, so nothing can leak; what was handed out a moment ago is held back
 * until its write shows.
 */
export class Allocator {
  readonly #clock: Clock;
  readonly #pool: Pool;
  readonly #used: () => readonly number[];
  readonly #held = new Map<number, number>();

  constructor(clock: Clock, pool: Pool, used: () => readonly number[]) {
    this.#clock = clock;
    this.#pool = pool;
    this.#used = used;
  }

  /** The lowest that is free. Throws when all are taken. */
  any(): number {
    const taken = this.#taken();
    for (let number = this.#pool.first; number < this.#pool.size; number++) {
      if (taken.has(number)) continue;
      this.#held.set(number, this.#clock.now());
      return number;
    }
    throw new ApiError('InternalError', 'Internal error occurred: failed to allocate: range is full');
  }

  /** False when somebody has it. */
  take(number: number): boolean {
    if (this.#taken().has(number)) return false;
    this.#held.set(number, this.#clock.now());
    return true;
  }

  #taken(): ReadonlySet<number> {
    const oldest = this.#clock.now() - HELD_MS;
    for (const [number, since] of this.#held) if (since < oldest) this.#held.delete(number);
    return new Set([...this.#used(), ...this.#held.keys()]);
  }
}
