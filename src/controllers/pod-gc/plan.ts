import type { Node, Pod } from '#api/generated/core-v1.ts';
import { isNodeReady } from '#api/node-conditions.ts';
import { outOfServiceTaint } from '#api/taints.ts';
import type { Disruption } from '#controllers/disruption-target.ts';

/** Upstream's: how long a node may be missing before its pods are given up, and how many ended pods are kept. */
export const QUARANTINE_MS = 40_000;
export const ENDED_PODS_KEPT = 12_500;

export interface PodGcFacts {
  readonly pod: Pod;
  /** The one it is bound to, if that is there. */
  readonly node: Node | undefined;
  /** Since when that has been missing, by our own clock. */
  readonly missingSince: number;
  readonly now: number;
}

export type PodGcPlan =
  | { readonly kind: 'nothing' }
  /** Its node is missing, and may yet come. */
  | { readonly kind: 'wait'; readonly untilMs: number }
  /** Its node is missing for long. Before that is believed the API is asked. */
  | { readonly kind: 'remove-orphan' }
  /** Nobody is there to end it. */
  | { readonly kind: 'remove' };

/** Which pods nobody looks after any more. */
export function planPodGc({ pod, node, missingSince, now }: PodGcFacts): PodGcPlan {
  const ending = pod.metadata.deletionTimestamp !== undefined;
  if (!pod.spec.nodeName) return ending ? { kind: 'remove' } : { kind: 'nothing' };
  if (!node) {
    const untilMs = missingSince + QUARANTINE_MS;
    return now < untilMs ? { kind: 'wait', untilMs } : { kind: 'remove-orphan' };
  }
  // Both: the taint alone may be a mistake on a node that works.
  return ending && !isNodeReady(node) && isOutOfService(node) ? { kind: 'remove' } : { kind: 'nothing' };
}

const isOutOfService = ({ spec }: Node): boolean => spec?.taints?.some(({ key }) => key === outOfServiceTaint) === true;

export const orphaned: Disruption = { reason: 'DeletionByPodGC', message: 'PodGC: node no longer exists' };

export const hasEnded = ({ status }: Pod): boolean => status?.phase === 'Succeeded' || status?.phase === 'Failed';

/** Those beyond what is kept: who was evicted first, then the oldest. */
export function surplus(ended: readonly Pod[], kept: number): readonly Pod[] {
  const count = ended.length - kept;
  if (count <= 0) return [];
  const wasEvicted = ({ status }: Pod): boolean => status?.phase === 'Failed' && status.reason === 'Evicted';
  const order = (a: Pod, b: Pod): number =>
    Number(wasEvicted(b)) - Number(wasEvicted(a)) ||
    compare(a.metadata.creationTimestamp, b.metadata.creationTimestamp) ||
    compare(a.metadata.name, b.metadata.name);
  return ended.toSorted(order).slice(0, count);
}

const compare = (a: string, b: string): number => (a === b ? 0 : a < b ? -1 : 1);
