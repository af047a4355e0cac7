import type { Pod } from '#api/generated/core-v1.ts';
import { Refusals, type Chosen, type Placement, type Ranked } from '#scheduler/placement.ts';
import type { ClusterView, NodeView, Opinion, SchedulerPlugin, TieBreak } from '#scheduler/plugin.ts';
import type { WeightedPlugin } from '#scheduler/profile.ts';

/**
 * The whole decision as a function of what is known: who may take the pod, and who of them should. A plugin's filter is
 * asked about a node only when none before it has refused that node, so a node is counted under one plugin.
 */
export function place(
  pod: Pod,
  cluster: ClusterView,
  plugins: readonly WeightedPlugin[],
  tieBreak: TieBreak,
): Placement {
  const refusals = new Refusals();
  const nodes = cluster.nodes.length;
  const opinions: Held[] = [];
  for (const { plugin, weight } of plugins) {
    const answer = plugin.consider(pod, cluster);
    if (answer.kind === 'opinion') opinions.push({ plugin, weight, opinion: answer });
    if (answer.kind !== 'rejected') continue;
    refusals.count(plugin.name, answer.reasons, nodes);
    const resolvable = answer.final ? [] : cluster.nodes.map(({ name }) => name);
    return {
      kind: 'nowhere',
      nodes,
      refusals,
      podRefusal: { plugin: plugin.name, reasons: answer.reasons },
      resolvable,
    };
  }
  const candidates = narrow(cluster, opinions, refusals);
  const resolvable: string[] = [];
  const feasible = filter(candidates, opinions, refusals, resolvable);
  if (feasible.length === 0) return { kind: 'nowhere', nodes, refusals, podRefusal: undefined, resolvable };
  return choose(feasible, opinions, refusals, tieBreak);
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

interface Held {
  readonly plugin: SchedulerPlugin;
  readonly weight: number;
  readonly opinion: Opinion;
}

/** The nodes that every plugin which names nodes has named. The others are refused in the names of these plugins. */
function narrow(cluster: ClusterView, opinions: readonly Held[], refusals: Refusals): readonly NodeView[] {
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

function filter(
  nodes: readonly NodeView[],
  opinions: readonly Held[],
  refusals: Refusals,
  resolvable: string[],
): readonly NodeView[] {
  const filters = opinions.filter(({ opinion }) => opinion.filter !== undefined);
  const feasible: NodeView[] = [];
  for (const node of nodes) {
    let isRefused = false;
    for (const { plugin, opinion } of filters) {
      const verdict = opinion.filter?.(node);
      if (verdict === undefined || verdict.kind === 'fits') continue;
      refusals.count(plugin.name, verdict.reasons);
      if (!verdict.final) resolvable.push(node.name);
      isRefused = true;
      break;
    }
    if (!isRefused) feasible.push(node);
  }
  return feasible;
}

function choose(
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
  const best = bestOf(feasible, totals, tieBreak).map((at): Ranked => {
    const byPlugin = Object.fromEntries(columns.map(({ name, scores }) => [name, scores[at] ?? 0]));
    return { node: feasible[at]!.name, total: totals[at] ?? 0, byPlugin };
  });
  return { kind: 'chosen', node: best[0]!.node, feasible: feasible.length, best, refusals };
}

interface Column {
  readonly name: string;
  readonly weight: number;
  readonly scores: Float64Array;
}

function scoresOf(feasible: readonly NodeView[], opinions: readonly Held[]): readonly Column[] {
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

/** Positions of the best, best first. */
function bestOf(feasible: readonly NodeView[], totals: Float64Array, tieBreak: TieBreak): readonly number[] {
  const best: number[] = [];
  const isBetter = (a: number, b: number): boolean => {
    const difference = (totals[a] ?? 0) - (totals[b] ?? 0);
    return difference === 0 ? tieBreak(feasible[a]!) > tieBreak(feasible[b]!) : difference > 0;
  };
  for (let at = 0; at < feasible.length; at++) {
    const worst = best.at(-1);
    if (best.length === REMEMBERED && worst !== undefined && !isBetter(at, worst)) continue;
    let to = best.length;
    while (to > 0 && isBetter(at, best[to - 1]!)) to--;
    best.splice(to, 0, at);
    if (best.length > REMEMBERED) best.pop();
  }
  return best;
}
