import type { Clock } from '#lib/clock.ts';

/** One waiter, many who may wake it. A raise while nobody waits is remembered; several are one. */
export class Signal {
  #raised = false;
  #wake: (() => void) | undefined;

  raise(): void {
    this.#raised = true;
    this.#wake?.();
  }

  /**
   * Resolves when raised, or at `until` (epoch ms of `clock`), whichever comes first, and gives whether it was raised. Rejects with
   * the signal's reason.
   */
  async wait(clock: Clock, until: number | undefined, signal: AbortSignal): Promise<boolean> {
    signal.throwIfAborted();
    if (!this.#raised) await this.#next(clock, until, signal);
    const wasRaised = this.#raised;
    this.#raised = false;
    return wasRaised;
  }

  async #next(clock: Clock, until: number | undefined, signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    this.#wake = resolve;
    const disarm = until === undefined ? undefined : clock.alarm(Math.max(0, until - clock.now()), resolve);
    try {
      await promise;
    } finally {
      this.#wake = undefined;
      signal.removeEventListener('abort', onAbort);
      disarm?.();
    }
  }
}
