import type { Pod } from '#api/generated/core-v1.ts';
import type { ClusterView, NodeView } from '#scheduler/plugin.ts';
import { ownTermsOf, type OwnTerms } from '#scheduler/plugins/inter-pod-affinity/own-terms.ts';
import { allOf, type PodSelection } from '#scheduler/pod-term.ts';
import type { Topology } from '#scheduler/topology.ts';

/** How many pods that matter each domain of a topology holds. */
export interface Tally {
  readonly topology: Topology;
  readonly total: number;
  of(domain: number): number;
}

/** All that decides where a pod with these terms may go. */
export interface Evidence {
  /** For each required affinity term: those that all of these terms mean. */
  readonly near: readonly Tally[];
  /** The pod is what it looks for itself: the first of its kind may go anywhere. */
  readonly isItsOwnKind: boolean;
  readonly far: readonly Tally[];
  /** By the text of the term: pods that want this one far from them. */
  readonly keptOut: ReadonlyMap<string, Tally>;
}

/** What the evidence would be with `other` more or less on `node`. */
export function adjusted(
  evidence: Evidence,
  { pod, terms, cluster }: { readonly pod: Pod; readonly terms: OwnTerms; readonly cluster: ClusterView },
  { other, node, by }: { readonly other: Pod; readonly node: NodeView; readonly by: 1 | -1 },
): Evidence {
  const counted = (tally: Tally, selection: PodSelection): Tally =>
    selection.matches(other, cluster) ? shifted(tally, node, by) : tally;
  const all = allOf(terms.affinity);
  const keptOut = new Map(evidence.keptOut);
  for (const term of ownTermsOf(other).antiAffinity) {
    if (!term.matches(pod, cluster)) continue;
    const known = keptOut.get(term.text) ?? { topology: cluster.topology(term.topologyKey), total: 0, of: () => 0 };
    keptOut.set(term.text, shifted(known, node, by));
  }
  return {
    near: evidence.near.map((tally) => counted(tally, all)),
    isItsOwnKind: evidence.isItsOwnKind,
    far: evidence.far.map((tally, at) => counted(tally, terms.antiAffinity[at]!)),
    keptOut,
  };
}

function shifted(tally: Tally, node: NodeView, by: 1 | -1): Tally {
  const where = tally.topology.domainOf(node);
  if (where < 0) return tally;
  const { topology, total } = tally;
  return { topology, total: total + by, of: (domain) => tally.of(domain) + (domain === where ? by : 0) };
}
