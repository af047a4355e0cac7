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
  // Of what was shifted already the difference is what counts: however many come and go, asking costs the same.
  const base = tally instanceof Shifted ? tally.base : tally;
  const more = new Map(tally instanceof Shifted ? tally.more : []);
  more.set(where, (more.get(where) ?? 0) + by);
  return new Shifted(base, more, tally.total + by);
}

/** A tally with so many more in some domains. */
class Shifted implements Tally {
  readonly base: Tally;
  readonly more: ReadonlyMap<number, number>;
  readonly total: number;

  constructor(base: Tally, more: ReadonlyMap<number, number>, total: number) {
    this.base = base;
    this.more = more;
    this.total = total;
  }

  get topology(): Topology {
    return this.base.topology;
  }

  of(domain: number): number {
    return this.base.of(domain) + (this.more.get(domain) ?? 0);
  }
}
