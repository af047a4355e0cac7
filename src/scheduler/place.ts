import type { Pod } from '#api/generated/core-v1.ts';
import {
  type Held,
  type Inquiry,
  isNamed,
  isOpinions,
  opinionsOf,
  type PodRefusal,
  refusalOf,
} from '#scheduler/opinions.ts';
import { Refusals, type Chosen, type Nowhere, type Placement, type Ranked } from '#scheduler/placement.ts';
import type { ClusterView, NodeView, TieBreak } from '#scheduler/plugin.ts';
import type { Profile } from '#scheduler/profile.ts';
import { enoughNodes, sampleOf } from '#scheduler/sample.ts';

/** What of a profile decides. */
export type Rules = Pick<Profile, 'plugins' | 'percentageOfNodesToScore'>;

/**
 * The whole decision as a function of what is known: who may take the pod, and who of them should. A plugin's filter is
 * asked about a node only when none before it has refused that node, so a node is counted under one plugin. A pod for which a node
 * is being made free goes there as soon as it can, whatever else it could have.
 */
export function place(pod: Pod, cluster: ClusterView, rules: Rules, tieBreak: TieBreak): Placement {
  const { plugins, percentageOfNodesToScore } = rules;
  const refusals = new Refusals();
  const opinions = opinionsOf(plugins, (plugin) => plugin.consider(pod, cluster));
  if (!isOpinions(opinions)) return nowhere(opinions, cluster, refusals);
  const inquiry = { pod, cluster, held: opinions };
  const nominated = placeNominated(inquiry, tieBreak);
  if (nominated !== undefined) return nominated;
  const resolvable: string[] = [];
  const all = filter(candidatesOf(cluster, opinions, refusals), inquiry, refusals, resolvable);
  const enough = enoughNodes(cluster.nodes.length, percentageOfNodesToScore);
  const feasible = sampleOf(all, enough, all.length === 0 ? 0 : tieBreak(all[0]!));
  if (feasible.length > 0) return choose(feasible, opinions, refusals, tieBreak);
  return { kind: 'nowhere', nodes: cluster.nodes.length, refusals, podRefusal: undefined, resolvable };
}

export function nowhere({ plugin, verdict }: PodRefusal, { nodes }: ClusterView, refusals: Refusals): Nowhere {
  refusals.count(plugin, verdict.reasons, nodes.length);
  const resolvable = verdict.final ? [] : nodes.map(({ name }) => name);
  return {
    kind: 'nowhere',
    nodes: nodes.length,
    refusals,
    podRefusal: { plugin, reasons: verdict.reasons },
    resolvable,
  };
}

/** Ranks by a hash of seed and name: as good as drawing lots, whatever order the nodes come in, and it can be repeated. */
export const seededTieBreak =
  (seed: number): TieBreak =>
  ({ hash }) => {
    let mixed = hash ^ seed;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    return (mixed ^ (mixed >>> 16)) >>> 0;
  };

/** The nodes that every plugin which names nodes has named. The others are refused in the names of these plugins. */
export function candidatesOf(cluster: ClusterView, opinions: readonly Held[], refusals: Refusals): readonly NodeView[] {
  const naming = opinions.filter(({ opinion }) => opinion.nodes !== undefined);
  const sets = naming.flatMap(({ opinion }) => opinion.nodes ?? []).toSorted((a, b) => a.size - b.size);
  const [smallest, ...others] = sets;
  if (smallest === undefined) return cluster.nodes;
  const kept: NodeView[] = [];
  for (const name of smallest) {
    const node = others.every((set) => set.has(name)) ? cluster.node(name) : undefined;
    if (node !== undefined) kept.push(node);
  }
  const left = cluster.nodes.length - kept.length;
  const names = naming.map(({ plugin }) => plugin.name).toSorted();
  if (left > 0) {
    for (const name of names) refusals.count(name, []);
    refusals.count(names[0] ?? '', [`node(s) didn't satisfy plugin(s) [${names.join(' ')}]`], left);
  }
  return kept;
}

/** The node that is being made free for the pod, if it is free by now. */
export function placeNominated({ pod, cluster, held }: Inquiry, tieBreak: TieBreak): Chosen | undefined {
  if (cluster.nominations.size === 0) return undefined;
  const name = cluster.nominations.nodeOf(pod.metadata.uid);
  const node = name === undefined ? undefined : cluster.node(name);
  if (node === undefined || !isNamed(node.name, held)) return undefined;
  if (refusalOf(node, { pod, cluster, held }) !== undefined) return undefined;
  return choose([node], held, new Refusals(), tieBreak);
}

/** Those that no plugin refuses, asked one by one. */
export function filter(
  nodes: readonly NodeView[],
  inquiry: Inquiry,
  refusals: Refusals,
  resolvable: string[],
): readonly NodeView[] {
  const asked = { ...inquiry, held: inquiry.held.filter(({ opinion }) => opinion.filter !== undefined) };
  const feasible: NodeView[] = [];
  for (const node of nodes) {
    const refusal = refusalOf(node, asked);
    if (refusal === undefined) {
      feasible.push(node);
      continue;
    }
    refusals.count(refusal.plugin, refusal.verdict.reasons);
    if (!refusal.verdict.final) resolvable.push(node.name);
  }
  return feasible;
}

/** The best of them. There must be one. */
export function choose(
  feasible: readonly NodeView[],
  opinions: readonly Held[],
  refusals: Refusals,
  tieBreak: TieBreak,
): Chosen {
  const columns = feasible.length === 1 ? [] : scoresOf(feasible, opinions);
  const totals = new Float64Array(feasible.length);
  for (const { weight, scores } of columns) {
    for (let at = 0; at < totals.length; at++) totals[at] = (totals[at] ?? 0) + weight * (scores[at] ?? 0);
  }
  const best = rank(totals, (at) => tieBreak(feasible[at]!)).map((at): Ranked => {
    const byPlugin = Object.fromEntries(columns.map(({ name, scores }) => [name, scores[at] ?? 0]));
    return { node: feasible[at]!.name, total: totals[at] ?? 0, byPlugin };
  });
  return { kind: 'chosen', node: best[0]!.node, feasible: feasible.length, best, refusals };
}

export interface Column {
  readonly name: string;
  readonly weight: number;
  readonly scores: Float64Array;
}

/** What each plugin that scores gives each of them. */
export function scoresOf(feasible: readonly NodeView[], opinions: readonly Held[]): readonly Column[] {
  const columns: Column[] = [];
  for (const { plugin, weight, opinion } of opinions) {
    const scorer = opinion.scorer?.(feasible);
    if (scorer === undefined) continue;
    const scores = new Float64Array(feasible.length);
    for (let at = 0; at < scores.length; at++) scores[at] = scorer.score(feasible[at]!);
    scorer.normalize?.(scores);
    columns.push({ name: plugin.name, weight, scores });
  }
  return columns;
}

/** How many of the best are remembered. */
const REMEMBERED = 3;

/** Where the best of `totals` are, best first; among equals the one of the higher rank. */
export function rank(totals: Float64Array, rankOf: (at: number) => number): readonly number[] {
  const best: number[] = [];
  const isBetter = (a: number, b: number): boolean => {
    const difference = totals[a]! - totals[b]!;
    return difference === 0 ? rankOf(a) > rankOf(b) : difference > 0;
  };
  for (let at = 0; at < totals.length; at++) {
    if (best.length === REMEMBERED && !isBetter(at, best[REMEMBERED - 1]!)) continue;
    let to = best.length;
    while (to > 0 && isBetter(at, best[to - 1]!)) to--;
    best.splice(to, 0, at);
    if (best.length > REMEMBERED) best.pop();
  }
  return best;
}
