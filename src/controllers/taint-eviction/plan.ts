import type { Pod, Taint } from '#api/generated/core-v1.ts';
import { stayOf } from '#api/taints.ts';

/** A pod that is to go when its time is over. */
export interface Scheduled {
  readonly uid: string;
  /** When the controller first saw it on a node with such taints. */
  readonly since: number;
  readonly dueAt: number;
}

export interface EvictionFacts {
  readonly pod: Pod | undefined;
  /** Of its node; undefined when that is not there, which is no reason to go. */
  readonly taints: readonly Taint[] | undefined;
  readonly scheduled: Scheduled | undefined;
  readonly now: number;
}

export type EvictionPlan =
  | { readonly kind: 'nothing' }
  /** It stays after all. */
  | { readonly kind: 'cancel' }
  | { readonly kind: 'wait'; readonly scheduled: Scheduled }
  | { readonly kind: 'evict' };

/**
 * Whether a pod may stay on a node with taints NoExecute, and for how long: the shortest time that any toleration grants. The time
 * runs from the first of those taints to the last: another taint, or another toleration, does not begin it anew.
 */
export function planEviction({ pod, taints, scheduled, now }: EvictionFacts): EvictionPlan {
  const own = scheduled?.uid === pod?.metadata.uid ? scheduled : undefined;
  const over: EvictionPlan = own ? { kind: 'cancel' } : { kind: 'nothing' };
  if (!pod || pod.metadata.deletionTimestamp !== undefined) return { kind: 'nothing' };
  const evicting = (taints ?? []).filter(({ effect }) => effect === 'NoExecute');
  if (evicting.length === 0) return over;
  const stay = stayOf(evicting, pod.spec.tolerations);
  if (stay.kind === 'evict') return { kind: 'evict' };
  if (stay.forMs === undefined) return over;
  const since = own?.since ?? now;
  const dueAt = since + stay.forMs;
  return now >= dueAt ? { kind: 'evict' } : { kind: 'wait', scheduled: { uid: pod.metadata.uid, since, dueAt } };
}
