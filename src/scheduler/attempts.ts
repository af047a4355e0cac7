import type { Pod } from '#api/generated/core-v1.ts';
import { keyOf, type ObjectKey, type ResourceVersion, type Uid } from '#api/meta.ts';
import { LruMap } from '#lib/lru-map.ts';
import type { Placement, Ranked } from '#scheduler/placement.ts';

/**
 * One try to find a pod a node, as it is remembered. With the revisions and the seed it can be repeated: what any single
 * node's answer was is worked out anew from them when someone asks.
 */
export interface Attempt {
  readonly pod: ObjectKey;
  readonly uid: Uid;
  /** The how manieth for this pod, from 1. */
  readonly number: number;
  /** Epoch milliseconds. */
  readonly at: number;
  /** What the scheduler had seen of each kind; undefined where it was not told. */
  readonly revisions: { readonly pods: ResourceVersion | undefined; readonly nodes: ResourceVersion | undefined };
  readonly seed: number;
  readonly outcome: Outcome;
}

export type Outcome =
  | {
      readonly kind: 'placed';
      readonly node: string;
      readonly feasible: number;
      readonly best: readonly Ranked[];
      readonly reasons: ReadonlyMap<string, number>;
      readonly binding: BindingState;
    }
  | {
      readonly kind: 'unschedulable';
      readonly message: string;
      readonly nodes: number;
      readonly reasons: ReadonlyMap<string, number>;
      readonly plugins: ReadonlySet<string>;
    };

export type BindingState =
  | { readonly kind: 'in-flight' }
  | { readonly kind: 'bound' }
  | { readonly kind: 'failed'; readonly message: string };

/** How many attempts of one pod, and of how many pods: about a megabyte at most. */
const MOST_PER_POD = 8;
const MOST_PODS = 2_000;

/** Keeps the latest attempts, of the pods tried latest. */
export class AttemptLog {
  readonly #byPod = new LruMap<Uid, readonly Attempt[]>(MOST_PODS);
  readonly #uids = new LruMap<ObjectKey, Uid>(MOST_PODS);

  add(attempt: Attempt): void {
    this.#byPod.set(attempt.uid, [...(this.#byPod.get(attempt.uid) ?? []), attempt].slice(-MOST_PER_POD));
    this.#uids.set(attempt.pod, attempt.uid);
  }

  /** What became of the binding of the latest attempt. */
  settle(uid: Uid, binding: BindingState): void {
    const attempts = this.#byPod.get(uid) ?? [];
    const last = attempts.at(-1);
    if (last?.outcome.kind !== 'placed') return;
    this.#byPod.set(uid, [...attempts.slice(0, -1), { ...last, outcome: { ...last.outcome, binding } }]);
  }

  /** Eldest first; of the latest pod of that name. Empty when none is remembered. */
  of(pod: ObjectKey): readonly Attempt[] {
    const uid = this.#uids.get(pod);
    return uid === undefined ? [] : (this.#byPod.get(uid) ?? []);
  }
}

/** What is remembered of a placement. `message` is what was said of it where there was none. */
export function outcomeOf(placement: Placement, message: string): Outcome {
  if (placement.kind === 'chosen') {
    const { node, feasible, best, refusals } = placement;
    return { kind: 'placed', node, feasible, best, reasons: refusals.reasons, binding: { kind: 'in-flight' } };
  }
  const { nodes, refusals } = placement;
  return { kind: 'unschedulable', message, nodes, reasons: refusals.reasons, plugins: refusals.plugins };
}

export const attemptOf = (
  pod: Pod,
  { number, at, seed, revisions, outcome }: Pick<Attempt, 'number' | 'at' | 'seed' | 'revisions' | 'outcome'>,
): Attempt => ({ pod: keyOf(pod), uid: pod.metadata.uid, number, at, revisions, seed, outcome });
