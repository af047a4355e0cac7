import type { Pod } from '#api/generated/core-v1.ts';
import { LruMap } from '#lib/lru-map.ts';
import {
  bestScore,
  fits,
  skip,
  type ClusterChange,
  type ClusterView,
  type NodeView,
  type Opinion,
  type Refuse,
  type Rejected,
  type SchedulerPlugin,
  type Verdict,
} from '#scheduler/plugin.ts';
import { adjusted, type Evidence, type Tally } from '#scheduler/plugins/inter-pod-affinity/evidence.ts';
import { podObstacles } from '#scheduler/plugins/inter-pod-affinity/obstacles.ts';
import { ownTermsOf, type OwnTerms } from '#scheduler/plugins/inter-pod-affinity/own-terms.ts';
import { type Matching, TermGroups } from '#scheduler/plugins/inter-pod-affinity/term-groups.ts';
import { type DomainCounts, PodCounts } from '#scheduler/pod-counts.ts';
import { allOf, type PodSelection } from '#scheduler/pod-term.ts';

const rejected = (reason: string, final = false): Rejected => ({ kind: 'rejected', reasons: [reason], final });
const notNear = rejected("node(s) didn't match pod affinity rules", true);
const tooNear = rejected("node(s) didn't match pod anti-affinity rules");
const keptOut = rejected("node(s) didn't satisfy existing pods anti-affinity rules");

/** How many selections pods are counted for at a time: each is asked about every pod that comes or goes. */
const SELECTIONS = 128;

export interface InterPodAffinityArgs {
  /** What a pod that must be near another is worth to that other, 0 to 100. */
  readonly hardPodAffinityWeight: number;
  /** What pods on nodes would like says nothing to pods that have no such wishes themselves. */
  readonly ignorePreferred: boolean;
}

const defaultArgs: InterPodAffinityArgs = { hardPodAffinityWeight: 1, ignorePreferred: false };

/**
 * Pods that want to be near others or far from them, and what those that are there already want of them (symmetry: required
 * anti-affinity of a pod on a node keeps out whom it means; what it prefers, or must be near to, draws them). Counts by domain are
 * kept up, so that an attempt costs a pass over the nodes for each term.
 */
export function interPodAffinity({
  hardPodAffinityWeight,
  ignorePreferred,
}: InterPodAffinityArgs = defaultArgs): SchedulerPlugin {
  let cluster: ClusterView;
  let groups: TermGroups;
  let counted = new LruMap<string, PodCounts>(SELECTIONS);
  const countsOf = (selection: PodSelection, topologyKey: string): DomainCounts => {
    const text = `${topologyKey} ${selection.text}`;
    let counts = counted.get(text);
    if (counts === undefined) {
      counts = new PodCounts(cluster, selection, topologyKey);
      counted.set(text, counts);
    }
    return counts.counts;
  };
  return {
    name: 'InterPodAffinity',
    index: {
      init(view) {
        cluster = view;
        groups = new TermGroups(view, hardPodAffinityWeight);
        counted = new LruMap<string, PodCounts>(SELECTIONS);
      },
      apply(change) {
        groups.apply(change);
        for (const counts of counted.values()) counts.apply(change);
      },
    },
    consider(pod) {
      const terms = ownTermsOf(pod);
      const matching = groups.matching(pod);
      const all = allOf(terms.affinity);
      const evidence: Evidence = {
        near: terms.affinity.map(({ topologyKey }) => countsOf(all, topologyKey)),
        isItsOwnKind: all.matches(pod, cluster),
        far: terms.antiAffinity.map((term) => countsOf(term, term.topologyKey)),
        keptOut: new Map(matching.keepOut.map(({ term, counts }) => [term.text, counts])),
      };
      const hasNoSay = ignorePreferred && terms.preferred.length === 0;
      const scorer = hasNoSay ? undefined : scorerOf(terms, matching, countsOf);
      const about = { pod, terms, cluster };
      // Who is nominated may keep it out too: that is found when it is asked what they change.
      const isOpen = cluster.nominations.size > 0;
      const decides = isOpen || evidence.near.length + evidence.far.length + evidence.keptOut.size > 0;
      if (!decides && scorer === undefined) return skip;
      return {
        ...(decides ? opinionOn(evidence, about) : { kind: 'opinion' }),
        ...(scorer === undefined ? {} : { scorer: () => scorer }),
      };
    },
    interests: ['node-added', 'node-labels', 'pod-added', 'pod-removed', 'pod-updated', 'pod-itself'],
    mightHelp: (pod, change) => mightHelp(pod, change, cluster),
  };
}

function opinionOn(
  evidence: Evidence,
  about: { readonly pod: Pod; readonly terms: OwnTerms; readonly cluster: ClusterView },
): Opinion {
  return {
    kind: 'opinion',
    filter: (node) => verdictOn(node, evidence),
    filterAll: (refuse) => refuseAll(evidence, about.cluster.nodes.length, refuse),
    explain: (node) => podObstacles(node, { evidence, isFirst: isFirst(evidence), ...about }),
    adjusted: (change, other, node) =>
      opinionOn(adjusted(evidence, about, { other, node, by: change === 'added' ? 1 : -1 }), about),
  };
}

/** Nobody it looks for is anywhere, and it is one of them itself. */
const isFirst = ({ near, isItsOwnKind }: Evidence): boolean => isItsOwnKind && near.every(({ total }) => total === 0);

function verdictOn(node: NodeView, evidence: Evidence): Verdict {
  const domains = evidence.near.map(({ topology }) => topology.domainOf(node));
  const hasAll = domains.every((domain) => domain >= 0);
  const isNear = evidence.near.every((tally, at) => tally.of(domains[at]!) > 0);
  if (!hasAll || !(isNear || isFirst(evidence))) return notNear;
  if (evidence.far.some((tally) => holds(tally, node))) return tooNear;
  for (const tally of evidence.keptOut.values()) if (holds(tally, node)) return keptOut;
  return fits;
}

function holds(tally: Tally, node: NodeView): boolean {
  const domain = tally.topology.domainOf(node);
  return domain >= 0 && tally.of(domain) > 0;
}

/** In the order of `verdictOn`: of several refusals of a node the first one counts. */
function refuseAll(evidence: Evidence, nodes: number, refuse: Refuse): void {
  const first = isFirst(evidence);
  for (const tally of evidence.near)
    refuseWhere(tally, nodes, refuse, (count) => (first || count > 0 ? undefined : notNear));
  for (const tally of evidence.near) refuseOutside(tally, nodes, refuse);
  for (const tally of evidence.far) refuseWhere(tally, nodes, refuse, (count) => (count > 0 ? tooNear : undefined));
  for (const tally of evidence.keptOut.values())
    refuseWhere(tally, nodes, refuse, (count) => (count > 0 ? keptOut : undefined));
}

function refuseWhere(tally: Tally, nodes: number, refuse: Refuse, why: (count: number) => Rejected | undefined): void {
  const { domains, size } = tally.topology;
  const verdicts = Array.from({ length: size }, (_, domain) => why(tally.of(domain)));
  for (let at = 0; at < nodes; at++) {
    const domain = domains[at]!;
    const verdict = domain < 0 ? undefined : verdicts[domain];
    if (verdict !== undefined) refuse(at, verdict);
  }
}

function refuseOutside({ topology: { domains } }: Tally, nodes: number, refuse: Refuse): void {
  for (let at = 0; at < nodes; at++) if (domains[at]! < 0) refuse(at, notNear);
}

function scorerOf(
  { preferred }: OwnTerms,
  { like }: Matching,
  countsOf: (selection: PodSelection, topologyKey: string) => DomainCounts,
) {
  if (preferred.length === 0 && like.length === 0) return undefined;
  const worth = [
    ...preferred.map(({ term, weight }) => ({ counts: countsOf(term, term.topologyKey), weight })),
    ...like.map(({ counts, weight = 0 }) => ({ counts, weight })),
  ];
  const score = (node: NodeView): number =>
    worth.reduce((sum, { counts, weight }) => sum + weight * counts.of(counts.topology.domainOf(node)), 0);
  return {
    score,
    scoreAll: (positions: Int32Array, into: Float64Array) => scoreAll(worth, positions, into),
    normalize,
  };
}

function scoreAll(
  worth: readonly { readonly counts: DomainCounts; readonly weight: number }[],
  positions: Int32Array,
  into: Float64Array,
): void {
  for (const {
    counts: { counts, topology },
    weight,
  } of worth) {
    const { domains } = topology;
    for (let at = 0; at < positions.length; at++) {
      const domain = domains[positions[at]!]!;
      if (domain >= 0 && domain < counts.length) into[at]! += weight * counts[domain]!;
    }
  }
}

/** The worst becomes 0 and the best 100; all the same is 0. */
function normalize(scores: Float64Array): void {
  let [least, most] = [Infinity, -Infinity];
  for (const score of scores) {
    if (score < least) least = score;
    if (score > most) most = score;
  }
  for (let at = 0; at < scores.length; at++)
    scores[at] = most > least ? Math.trunc((bestScore * (scores[at]! - least)) / (most - least)) : 0;
}

function mightHelp(pod: Pod, change: ClusterChange, cluster: ClusterView): boolean {
  const { affinity, antiAffinity } = ownTermsOf(pod);
  const isWanted = (other: Pod): boolean => affinity.length > 0 && allOf(affinity).matches(other, cluster);
  const isInTheWay = (other: Pod): boolean =>
    antiAffinity.some((term) => term.matches(other, cluster)) ||
    ownTermsOf(other).antiAffinity.some((term) => term.matches(pod, cluster));
  switch (change.kind) {
    case 'pod-added':
      return isWanted(change.pod);
    case 'pod-removed':
      return isInTheWay(change.pod) || isWanted(change.pod);
    case 'pod-updated':
      return isWanted(change.pod) !== isWanted(change.before) || (isInTheWay(change.before) && !isInTheWay(change.pod));
    case 'node-added':
    case 'node-labels':
      return true;
    case 'pod-itself':
      return JSON.stringify(pod.metadata.labels) !== JSON.stringify(change.before.metadata.labels);
    default:
      return false;
  }
}
