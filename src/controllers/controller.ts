import type { KubeObject, ObjectKey } from '#api/meta.ts';
import type { Client } from '#client/client.ts';
import type { Informer } from '#client/informer.ts';

/**
 * A controller brings one object's world to what its spec says, again and again.
 *
 * It is told *which* object to look at, never *what happened*: it must be right when called for no reason, twice, or
 * after missing every event. `plan.ts` of each controller decides, purely; `reconcile.ts` observes, asks the plan and does
 * what it says. `runController` (#controllers/run-controller.ts) owns everything else, once for all of them: the queue,
 * workers, back-off, waiting for copies to be filled, and reading one's own writes.
 */
export interface Controller {
  readonly name: string;
  /**
   * The local copies it plans from. Work begins when all of them are filled, and before each look at a key they have
   * passed what this controller has written of their kind (or a deadline has): a controller sees its own writes.
   */
  readonly reads: readonly Pick<Informer<KubeObject>, 'resource' | 'synced' | 'waitFor'>[];
  /** Subscribes to whatever may change the answer; calls `enqueue` with the key of the object to look at again. */
  watch(enqueue: (key: ObjectKey) => void): Disposable;
  /** A key is never worked on twice at a time. What it throws is retried with back-off, a `GiveUp` excepted. */
  reconcile(key: ObjectKey, signal: AbortSignal): Promise<Outcome>;
}

/** A controller is made with the client it is to write through: the runner's, which knows what was written. */
export type MakeController = (client: Client) => Controller;

export type Outcome =
  | { readonly kind: 'settled' }
  | { readonly kind: 'again'; readonly afterMs: number; readonly why: string };

export const settled: Outcome = { kind: 'settled' };

/** Thrown when trying again cannot help; logged, counted and not retried until the object changes. */
export class GiveUp extends Error {
  override readonly name = 'GiveUp';
}
