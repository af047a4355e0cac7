import type { Pod } from '#api/generated/core-v1.ts';
import type { ClusterState } from '#scheduler/cluster-state.ts';
import type { Nowhere } from '#scheduler/placement.ts';
import { priorityOf } from '#scheduler/pod-facts.ts';

/**
 * Why a pod fits nowhere, in upstream's words: `0/3 nodes are available: 1 Insufficient cpu, 2 node(s) were
 * unschedulable.`, followed by what making room would bring. Reasons are sorted as text, count first, as upstream does.
 */
export function unschedulableMessage(pod: Pod, placement: Nowhere, cluster: ClusterState): string {
  const { nodes, refusals, podRefusal } = placement;
  if (nodes === 0) return 'no nodes available to schedule pods';
  const why = podRefusal === undefined ? histogram(refusals.reasons) : podRefusal.reasons.join(', ');
  const preemption = preemptionMessage(pod, placement, cluster);
  return `0/${nodes} nodes are available: ${why}.${preemption === undefined ? '' : ` ${preemption}`}`;
}

/** A node was found, and a binding plugin would not have it. */
export const permitMessage = (reason: string): string => `0/1 nodes are available: 1 ${reason}.`;

/**
 * What upstream says after having tried to make room. No pod is evicted for another here, so it is said only where it is
 * true all the same: when there is no pod of a lower priority on any node where fewer pods could help.
 */
function preemptionMessage(pod: Pod, { nodes, resolvable }: Nowhere, cluster: ClusterState): string | undefined {
  if (pod.spec.preemptionPolicy === 'Never') return 'preemption: not eligible due to preemptionPolicy=Never.';
  const priority = priorityOf(pod);
  if (cluster.hasPodBelow(priority)) {
    for (const name of resolvable) {
      for (const other of cluster.node(name)?.pods.values() ?? []) if (priorityOf(other) < priority) return undefined;
    }
  }
  const reasons = new Map<string, number>();
  if (resolvable.length > 0) reasons.set('No preemption victims found for incoming pod', resolvable.length);
  if (nodes > resolvable.length) reasons.set('Preemption is not helpful for scheduling', nodes - resolvable.length);
  return `preemption: 0/${nodes} nodes are available: ${histogram(reasons)}.`;
}

const histogram = (reasons: ReadonlyMap<string, number>): string =>
  [...reasons]
    .map(([reason, count]) => `${count} ${reason}`)
    .toSorted()
    .join(', ');
