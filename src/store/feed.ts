import { SlowReaderError } from '#lib/inbox.ts';
import { FutureRevisionError, WATCH_BUFFER, type Change, type Revision } from '#store/store.ts';

/** How many changes of the past are read at a time. */
export const REPLAY_CHANGES = 500;

/** The past of a store, as a watch replays it. */
export interface History {
  /** The newest visible revision. */
  revision(): Revision;
  /**
   * About REPLAY_CHANGES changes under `prefix` after `position`, no revision split; `upTo` is how far they reach
   * (further than the last of them if nothing follows it). Throws CompactedError if `position` is below the floor.
   */
  changesAfter(prefix: string, position: Revision): Promise<Replayed>;
}

export interface Replayed {
  readonly changes: readonly Change[];
  readonly upTo: Revision;
}

export interface WatchRequest {
  readonly prefix: string;
  readonly from: Revision;
  readonly signal: AbortSignal;
}

/** Hands what is committed to those who watch, at most WATCH_BUFFER changes ahead of each. */
export class Feed {
  readonly #subscriptions = new Set<Subscription>();
  #end: Error | undefined;

  /** Call once per step of the newest visible revision, in order; all changes of a revision in one call. */
  publish(changes: readonly Change[]): void {
    for (const subscription of this.#subscriptions) subscription.push(changes);
  }

  /** Every watch, now and later, throws `error` after what it has buffered. */
  end(error: Error): void {
    this.#end ??= error;
    for (const subscription of this.#subscriptions) subscription.end(this.#end);
  }

  /** Every watch there is now throws `error` after what it has buffered; new ones may come. */
  interrupt(error: Error): void {
    for (const subscription of this.#subscriptions) subscription.end(error);
  }

  /** Implements Store.watch: the past from `history`, then what is published. */
  async *watch(history: History, request: WatchRequest): AsyncGenerator<readonly Change[], never> {
    const { prefix, from, signal } = request;
    signal.throwIfAborted();
    this.#throwIfEnded();
    if (from > history.revision()) throw new FutureRevisionError(from, history.revision());
    // A reader still in the past holds no buffer: it is served from the log until it has caught up. Seeing that it has,
    // and subscribing, is one synchronous step, so nothing falls between.
    for (let position = from; position < history.revision();) {
      const past = await history.changesAfter(prefix, position);
      signal.throwIfAborted();
      if (past.changes.length > 0) yield past.changes;
      signal.throwIfAborted();
      this.#throwIfEnded();
      position = past.upTo;
    }
    const subscription = new Subscription(prefix, signal);
    this.#subscriptions.add(subscription);
    try {
      for (;;) yield await subscription.take();
    } finally {
      this.#subscriptions.delete(subscription);
      subscription[Symbol.dispose]();
    }
  }

  #throwIfEnded(): void {
    if (this.#end) throw this.#end;
  }
}

class Subscription implements Disposable {
  readonly #prefix: string;
  readonly #signal: AbortSignal;
  #pending: Change[] = [];
  #end: Error | undefined;
  #wake: () => void = () => {};
  readonly #onAbort = (): void => this.#wake();

  constructor(prefix: string, signal: AbortSignal) {
    this.#prefix = prefix;
    this.#signal = signal;
    signal.addEventListener('abort', this.#onAbort);
  }

  push(changes: readonly Change[]): void {
    if (this.#end) return;
    const mine = this.#prefix === '' ? changes : changes.filter((change) => change.key.startsWith(this.#prefix));
    if (mine.length === 0) return;
    // What arrives at once is taken whole by a reader that has kept up: its size is the writer's doing, not the reader's.
    if (this.#pending.length > 0 && this.#pending.length + mine.length > WATCH_BUFFER) {
      this.end(new SlowReaderError(`a watch of "${this.#prefix}" fell more than ${WATCH_BUFFER} changes behind`));
      return;
    }
    for (const change of mine) this.#pending.push(change);
    this.#wake();
  }

  end(error: Error): void {
    this.#end ??= error;
    this.#wake();
  }

  async take(): Promise<readonly Change[]> {
    for (;;) {
      this.#signal.throwIfAborted();
      if (this.#pending.length > 0) {
        const batch = this.#pending;
        this.#pending = [];
        return batch;
      }
      if (this.#end) throw this.#end;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  [Symbol.dispose](): void {
    this.#signal.removeEventListener('abort', this.#onAbort);
  }
}
