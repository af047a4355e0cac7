import { unreachable } from '#lib/unreachable.ts';
import type { Nowhere } from '#scheduler/placement.ts';
import type { Preemption } from '#scheduler/preemption/preempt.ts';

/**
 * Why a pod fits nowhere, in upstream's words: `0/3 nodes are available: 1 Insufficient cpu, 2 node(s) were
 * unschedulable.`, followed by why no room is made for it. Reasons are sorted as text, count first, as upstream does.
 * `preemption` is undefined where nobody makes room.
 */
export function unschedulableMessage(placement: Nowhere, preemption: Preemption | undefined): string {
  const { nodes, refusals, podRefusal } = placement;
  if (nodes === 0) return 'no nodes available to schedule pods';
  const why = podRefusal === undefined ? histogram(refusals.reasons) : podRefusal.reasons.join(', ');
  const more = preemption === undefined ? undefined : preemptionMessage(nodes, preemption);
  return `0/${nodes} nodes are available: ${why}.${more === undefined ? '' : ` preemption: ${more}`}`;
}

/** A node was found, and a binding plugin would not have it. */
export const permitMessage = (reason: string): string => `0/1 nodes are available: 1 ${reason}.`;

/** Nothing is said where room is being made: the node the pod is nominated for says it. */
function preemptionMessage(nodes: number, preemption: Preemption): string | undefined {
  switch (preemption.kind) {
    case 'victims':
      return undefined;
    case 'not-eligible':
      return preemption.why;
    case 'helpless':
      return `0/${nodes} nodes are available: ${histogram(preemption.reasons)}.`;
    default:
      return unreachable(preemption);
  }
}

const histogram = (reasons: ReadonlyMap<string, number>): string =>
  [...reasons]
    .map(([reason, count]) => `${count} ${reason}`)
    .toSorted()
    .join(', ');
