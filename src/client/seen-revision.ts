import type { ResourceVersion } from '#api/meta.ts';
import { compareRevisions } from '#client/revision.ts';
import type { Clock } from '#lib/clock.ts';
import { isCancellation } from '#lib/scope.ts';

interface Waiter {
  readonly revision: ResourceVersion;
  readonly reached: () => void;
}

/** How far an informer has come, and who waits for it to come further. */
export class SeenRevision {
  readonly #clock: Clock;
  readonly #deadlineMs: number;
  readonly #waiters = new Set<Waiter>();
  #seen: ResourceVersion | undefined;

  constructor(clock: Clock, deadlineMs: number) {
    this.#clock = clock;
    this.#deadlineMs = deadlineMs;
  }

  get seen(): ResourceVersion | undefined {
    return this.#seen;
  }

  /** Also to an older one, after a server was reset; who waits for what will not come then waits for the deadline. */
  set(revision: ResourceVersion): void {
    this.#seen = revision;
    for (const waiter of this.#waiters) if (compareRevisions(waiter.revision, revision) <= 0) waiter.reached();
  }

  /** True once `revision` is seen, false when the deadline has passed before. */
  async waitFor(revision: ResourceVersion, signal: AbortSignal): Promise<boolean> {
    signal.throwIfAborted();
    if (this.#seen !== undefined && compareRevisions(revision, this.#seen) <= 0) return true;
    const reached = new AbortController();
    const waiter: Waiter = { revision, reached: () => reached.abort() };
    this.#waiters.add(waiter);
    try {
      await this.#clock.sleep(this.#deadlineMs, AbortSignal.any([signal, reached.signal]));
      return false;
    } catch (error) {
      signal.throwIfAborted();
      if (!isCancellation(error, reached.signal)) throw error;
      return true;
    } finally {
      this.#waiters.delete(waiter);
    }
  }
}
