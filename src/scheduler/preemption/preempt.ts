import type { Pod } from '#api/generated/core-v1.ts';
import { type Inquiry, isOpinions, opinionsOf } from '#scheduler/opinions.ts';
import type { Nowhere } from '#scheduler/placement.ts';
import type { ClusterView } from '#scheduler/plugin.ts';
import { priorityOf } from '#scheduler/pod-facts.ts';
import type { Budgets } from '#scheduler/preemption/budgets.ts';
import { leastHarm } from '#scheduler/preemption/choice.ts';
import { NO_VICTIMS, type Victims, victimsOn } from '#scheduler/preemption/victims.ts';
import { defaultPreemption, type PreemptionLimits, type Profile } from '#scheduler/profile.ts';

/** What making room for a pod would take. */
export type Preemption =
  | Victims
  /** It may not, or has done all it may; what it was nominated for stands. */
  | { readonly kind: 'not-eligible'; readonly why: string }
  /** On no node would it help: how many nodes for what reason. */
  | { readonly kind: 'helpless'; readonly reasons: ReadonlyMap<string, number> };

export interface PreemptionView {
  readonly cluster: ClusterView;
  readonly profile: Pick<Profile, 'plugins' | 'preemption'>;
  readonly budgets: Budgets;
  /** Any whole number: where to begin to look, so that it is not always the same nodes. */
  readonly luck: number;
}

export const NOT_HELPFUL = 'Preemption is not helpful for scheduling';

/**
 * Whom to evict for a pod that fits nowhere, and on which node (upstream's DefaultPreemption). No pod of the same or a higher
 * priority ever goes, and nobody who could have stayed. Nodes where fewer pods could help are looked at until there are enough
 * candidates, one of them breaking no budget.
 */
export function preempt(pod: Pod, placement: Nowhere, view: PreemptionView): Preemption {
  const { cluster, profile, budgets, luck } = view;
  const why = ineligible(pod, placement, cluster);
  if (why !== undefined) return { kind: 'not-eligible', why };
  const { resolvable } = placement;
  const reasons = new Map<string, number>();
  const count = (reason: string, nodes = 1): unknown => reasons.set(reason, (reasons.get(reason) ?? 0) + nodes);
  if (placement.nodes > resolvable.length) count(NOT_HELPFUL, placement.nodes - resolvable.length);
  const helpless: Preemption = { kind: 'helpless', reasons };
  if (resolvable.length === 0) return helpless;
  if (!cluster.hasPodBelow(priorityOf(pod))) {
    count(NO_VICTIMS, resolvable.length);
    return helpless;
  }
  const held = opinionsOf(profile.plugins, (plugin) => plugin.consider(pod, cluster));
  if (!isOpinions(held)) {
    for (const reason of held.verdict.reasons) count(reason, resolvable.length);
    return helpless;
  }
  const inquiry: Inquiry = { pod, cluster, held: held.filter(({ opinion }) => opinion.filter !== undefined) };
  const candidates: Victims[] = [];
  const enough = enoughCandidates(resolvable.length, profile.preemption ?? defaultPreemption);
  let isHarmless = false;
  for (let at = 0; at < resolvable.length && !(isHarmless && candidates.length >= enough); at++) {
    const node = cluster.node(resolvable[(luck + at) % resolvable.length]!);
    if (node === undefined) continue;
    const found = victimsOn(node, inquiry, budgets);
    if (found.kind === 'none') for (const reason of found.reasons) count(reason);
    else {
      candidates.push(found);
      isHarmless ||= found.violations === 0;
    }
  }
  return leastHarm(candidates) ?? helpless;
}

export function enoughCandidates(
  nodes: number,
  { minCandidateNodesPercentage, minCandidateNodesAbsolute }: PreemptionLimits,
): number {
  const share = Math.trunc((nodes * minCandidateNodesPercentage) / 100);
  return Math.min(nodes, Math.max(share, minCandidateNodesAbsolute));
}

/** Why a pod may not make others go; undefined when it may. */
function ineligible(pod: Pod, { resolvable }: Nowhere, cluster: ClusterView): string | undefined {
  if (pod.spec.preemptionPolicy === 'Never') return 'not eligible due to preemptionPolicy=Never.';
  const name = cluster.nominations.nodeOf(pod.metadata.uid);
  // A node that has become impossible for it is not worth waiting for.
  if (name === undefined || !resolvable.includes(name)) return undefined;
  for (const other of cluster.node(name)?.pods.values() ?? [])
    if (priorityOf(other) < priorityOf(pod) && isBeingPreempted(other))
      return 'not eligible due to a terminating pod on the nominated node.';
  return undefined;
}

export const DISRUPTION_TARGET = 'DisruptionTarget';
export const BY_SCHEDULER = 'PreemptionByScheduler';

const isBeingPreempted = ({ metadata, status }: Pod): boolean =>
  metadata.deletionTimestamp !== undefined &&
  (status?.conditions ?? []).some(
    ({ type, status: is, reason }) => type === DISRUPTION_TARGET && is === 'True' && reason === BY_SCHEDULER,
  );
