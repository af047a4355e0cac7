import type { Pod } from '#api/generated/core-v1.ts';
import { disruptionTarget, withDisruptionTarget } from '#api/pod-disruption.ts';

/** Upstream's: who was to be ended and is not being deleted after this long is not going to be. */
const STALE_MS = 120_000;

export type StalePlan =
  | { readonly kind: 'nothing' }
  /** It may yet be deleted. */
  | { readonly kind: 'wait'; readonly afterMs: number }
  | { readonly kind: 'clear'; readonly pod: Pod };

/**
 * Whether a pod still bears the condition DisruptionTarget of an end that never came. What a kubelet says of itself is never stale:
 * it may take its time; nor is what a pod that has ended ended by.
 */
export function planStale(pod: Pod | undefined, now: number): StalePlan {
  if (pod === undefined || pod.metadata.deletionTimestamp !== undefined) return { kind: 'nothing' };
  const { phase, conditions } = pod.status ?? {};
  const condition = conditions?.find(({ type }) => type === disruptionTarget);
  if (condition?.status !== 'True' || condition.reason === 'TerminationByKubelet') return { kind: 'nothing' };
  if (phase === 'Succeeded' || phase === 'Failed') return { kind: 'nothing' };
  const since = condition.lastTransitionTime === undefined ? 0 : Date.parse(condition.lastTransitionTime);
  const afterMs = since + STALE_MS - now;
  if (afterMs > 0) return { kind: 'wait', afterMs };
  return { kind: 'clear', pod: withDisruptionTarget(pod, { status: 'False' }, now) };
}
