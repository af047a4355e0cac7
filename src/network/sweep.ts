/**
 * Removes what crashes have left, while the node works. A containerd that is killed in the middle of making or ending a
 * sandbox forgets it, and nobody else knows: addresses, namespaces and shims would pile up until the range is used up.
 *
 * What belongs to no sandbox may belong to one that is just being made. So it is looked at twice, and between the looks
 * every sandbox that was being made at the first has been made or has failed: what is nobody's then is nobody's for
 * good. Nothing has to wait for a sweep, and no sandbox is held up by one. What other clients of the runtime are making is not
 * known; they have a minute for it, unless something has crashed just then.
 */
import type { Clock } from '#lib/clock.ts';
import { isCancellation } from '#lib/scope.ts';
import { Signal } from '#lib/signal.ts';

/** What the runtime knows. */
export interface KnownIds {
  /** All sandboxes, ready or not: addresses and namespaces are theirs until the runtime has taken them back. */
  readonly sandboxes: ReadonlySet<string>;
  /**
   * Sandboxes that are ready or have a container that has not ended, and these containers: only they have a use for processes and
   * mounts.
   */
  readonly alive: ReadonlySet<string>;
}

export interface SweepDeps<Leak> {
  readonly clock: Clock;
  /** Everything there is that belongs to none of these, named so that the same thing has the same name. */
  readonly find: (ids: KnownIds) => ReadonlyMap<string, Leak>;
  /** Must do nothing when it is gone already, or is somebody else's by now. */
  readonly remove: (leak: Leak, signal: AbortSignal) => Promise<void>;
  readonly ids: (signal: AbortSignal) => Promise<KnownIds>;
  /** Resolves when every sandbox that is being made now has been made, or has failed to be. */
  readonly runsEnded: () => Promise<void>;
  readonly removed: (name: string) => void;
  readonly log: (message: string, error: unknown) => void;
}

/**
 * Between the looks: calls of a killed peapod are cancelled and cleaned up after, and plugins outlive a killed
 * containerd, each for some hundred milliseconds on a busy machine.
 */
const SETTLE_MS = 1_000;
/** After a crash there may be more to come: who was killed has left orphans that are still at work. */
const AGAIN_MS = 2_000;
const LOOKS_AFTER_CRASH = 3;
/** A look costs some milliseconds. When nothing has crashed, it is also the time between the looks of a sweep. */
const EVERY_MS = 60_000;

export class Sweep<Leak> {
  readonly #deps: SweepDeps<Leak>;
  readonly #woken = new Signal();
  /** How many looks are still to follow each other soon. A start may be one after a crash. */
  #eager = LOOKS_AFTER_CRASH;

  constructor(deps: SweepDeps<Leak>) {
    this.#deps = deps;
  }

  /** Something has crashed: there may be something to do. */
  soon(): void {
    this.#eager = LOOKS_AFTER_CRASH;
    this.#woken.raise();
  }

  /** Until `signal` aborts. A sweep that fails is told of and tried again later. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#deps;
    for (;;) {
      const settleMs = this.#eager > 0 ? SETTLE_MS : EVERY_MS;
      this.#eager--;
      try {
        if (await this.sweep(settleMs, signal)) this.#eager = Math.max(this.#eager, 1);
      } catch (error) {
        if (isCancellation(error, signal)) throw error;
        log('looking for what crashes have left failed', error);
        this.#eager = Math.max(this.#eager, 1);
      }
      await this.#woken.wait(clock, clock.now() + (this.#eager > 0 ? AGAIN_MS : EVERY_MS), signal);
    }
  }

  /** Gives whether there was anything suspicious, and all of it is gone that lasts. A crash (`soon`) ends it: begin anew. */
  async sweep(settleMs: number, signal: AbortSignal): Promise<boolean> {
    const { clock, find, ids, remove, removed, runsEnded } = this.#deps;
    const suspects = find(await ids(signal));
    if (suspects.size === 0) return false;
    await runsEnded();
    if (await this.#woken.wait(clock, clock.now() + settleMs, signal)) return true;
    const known = await ids(signal);
    for (const [name, leak] of find(known)) {
      if (!suspects.has(name)) continue;
      await remove(leak, signal);
      removed(name);
    }
    return true;
  }
}
