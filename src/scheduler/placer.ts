import type { Pod } from '#api/generated/core-v1.ts';
import { LruMap } from '#lib/lru-map.ts';
import { type Held, type Inquiry, isOpinions, opinionsOf, refusalWithNominated } from '#scheduler/opinions.ts';
import { candidatesOf, choose, filter, nowhere, placeNominated, rank, type Rules } from '#scheduler/place.ts';
import { Refusals, type Chosen, type Placement } from '#scheduler/placement.ts';
import type { ClusterView, NodeView, Rejected, SchedulerPlugin, TieBreak } from '#scheduler/plugin.ts';
import { enoughNodes, sampleOf } from '#scheduler/sample.ts';
import { ShareTable } from '#scheduler/share-table.ts';

/** How many kinds of pods each plugin remembers its answers for: 9 bytes a node and kind. */
const KINDS = 64;

/**
 * The same decision as `place`, which is its definition and which tests compare it with, at another price: what follows from single
 * nodes is kept in columns (`ShareTable`) that pods share and of which only changed nodes are worked out again; what follows from all
 * of them is told by plugins for all nodes at once. An attempt is then a few passes over typed arrays.
 */
export class Placer {
  readonly #rules: Rules;
  readonly #tables: ReadonlyMap<SchedulerPlugin, LruMap<string, ShareTable>>;
  /** For each node the number of its refusal in `#why`, from 1; 0 for those that can take the pod. */
  #refused = new Uint16Array(0);
  #why: { readonly plugin: string; readonly verdict: Rejected; nodes: number }[] = [];

  constructor(rules: Rules) {
    this.#rules = rules;
    this.#tables = new Map(rules.plugins.map(({ plugin }) => [plugin, new LruMap<string, ShareTable>(KINDS)]));
  }

  place(pod: Pod, cluster: ClusterView, tieBreak: TieBreak): Placement {
    const refusals = new Refusals();
    const tables = new Map<SchedulerPlugin, ShareTable>();
    const opinions = opinionsOf(this.#rules.plugins, (plugin) => {
      const table = this.#tableOf(plugin, pod, cluster);
      if (table !== undefined) tables.set(plugin, table);
      return table === undefined ? plugin.consider(pod, cluster) : table.answer;
    });
    if (!isOpinions(opinions)) return nowhere(opinions, cluster, refusals);
    const held = opinions.map((one): Column => ({ ...one, table: tables.get(one.plugin) }));
    const inquiry = { pod, cluster, held };
    const nominated = placeNominated(inquiry, tieBreak);
    if (nominated !== undefined) return nominated;
    const enough = enoughNodes(cluster.nodes.length, this.#rules.percentageOfNodesToScore);
    // Few nodes are asked about one by one.
    if (held.some(({ opinion }) => opinion.nodes !== undefined)) {
      const resolvable: string[] = [];
      const all = filter(candidatesOf(cluster, held, refusals), inquiry, refusals, resolvable);
      const feasible = sampleOf(all, enough, all.length === 0 ? 0 : tieBreak(all[0]!));
      if (feasible.length > 0) return choose(feasible, held, refusals, tieBreak);
      return { kind: 'nowhere', nodes: cluster.nodes.length, refusals, podRefusal: undefined, resolvable };
    }
    const all = this.#feasible(inquiry);
    const positions = sampleOf(all, enough, all.length === 0 ? 0 : tieBreak(cluster.nodes[all[0]!]!));
    for (const { plugin, verdict, nodes } of this.#why) if (nodes > 0) refusals.count(plugin, verdict.reasons, nodes);
    if (positions.length > 0) return chooseAmong(positions, held, cluster, { refusals, tieBreak });
    const resolvable = cluster.nodes
      .filter(({ position }) => this.#why[(this.#refused[position] ?? 0) - 1]?.verdict.final === false)
      .map(({ name }) => name);
    return { kind: 'nowhere', nodes: cluster.nodes.length, refusals, podRefusal: undefined, resolvable };
  }

  #tableOf(plugin: SchedulerPlugin, pod: Pod, cluster: ClusterView): ShareTable | undefined {
    const text = plugin.share?.textOf(pod);
    if (text === undefined) return undefined;
    const epoch = plugin.share?.epoch?.(cluster) ?? 0;
    const tables = this.#tables.get(plugin)!;
    const known = tables.get(text);
    if (known?.epoch === epoch) return known;
    const table = new ShareTable(plugin.consider(pod, cluster), epoch);
    tables.set(text, table);
    return table;
  }

  /** The positions of the nodes that no plugin refuses. A node is counted under the first that refuses it. */
  #feasible(inquiry: Asked): Int32Array {
    const { cluster, held } = inquiry;
    const nodes = cluster.nodes.length;
    if (this.#refused.length < nodes) this.#refused = new Uint16Array(Math.ceil(nodes * 1.25));
    else this.#refused.fill(0, 0, nodes);
    this.#why = [];
    let left = nodes - this.#askNominated(inquiry);
    for (const { plugin, opinion, table } of held) {
      table?.catchUp(cluster);
      if (opinion.filter === undefined || table?.refusals === 0) continue;
      left -= table === undefined ? this.#ask(plugin, opinion, cluster) : this.#copy(plugin, table, nodes);
    }
    const positions = new Int32Array(left);
    for (let at = 0, to = 0; at < nodes; at++) if (this.#refused[at] === 0) positions[to++] = at;
    return positions;
  }

  /** Of the few nodes that are being made free for others. Gives how many are refused for their sake. */
  #askNominated(inquiry: Inquiry): number {
    const { cluster } = inquiry;
    if (cluster.nominations.size === 0) return 0;
    for (const name of cluster.nominations.nodes) {
      const node = cluster.node(name);
      const refusal = node === undefined ? undefined : refusalWithNominated(node, inquiry);
      if (node === undefined || refusal === undefined) continue;
      this.#refused[node.position] = this.#why.push({ ...refusal, nodes: 1 });
    }
    return this.#why.length;
  }

  /** Takes over the refusals of a table. Gives how many nodes were refused by nobody before. */
  #copy({ name }: SchedulerPlugin, { kinds, refused }: ShareTable, nodes: number): number {
    const before = this.#why.length;
    for (const verdict of kinds) this.#why.push({ plugin: name, verdict, nodes: 0 });
    const counts = new Int32Array(kinds.length + 1);
    let count = 0;
    for (let at = 0; at < nodes; at++) {
      const kind = refused[at]!;
      if (kind === 0 || this.#refused[at] !== 0) continue;
      this.#refused[at] = before + kind;
      counts[kind]!++;
      count++;
    }
    for (let kind = 1; kind < counts.length; kind++) this.#why[before + kind - 1]!.nodes = counts[kind]!;
    return count;
  }

  #ask({ name }: SchedulerPlugin, opinion: Held['opinion'], { nodes }: ClusterView): number {
    const numbers = new Map<Rejected, number>();
    let count = 0;
    const refuse = (position: number, verdict: Rejected): void => {
      if (this.#refused[position] !== 0) return;
      let number = numbers.get(verdict);
      if (number === undefined) {
        number = this.#why.push({ plugin: name, verdict, nodes: 0 });
        numbers.set(verdict, number);
      }
      this.#refused[position] = number;
      this.#why[number - 1]!.nodes++;
      count++;
    };
    if (opinion.filterAll !== undefined) opinion.filterAll(refuse);
    else
      for (const node of nodes) {
        if (this.#refused[node.position] !== 0) continue;
        const verdict = opinion.filter?.(node);
        if (verdict?.kind === 'rejected') refuse(node.position, verdict);
      }
    return count;
  }
}

interface Column extends Held {
  readonly table: ShareTable | undefined;
}

interface Asked extends Inquiry {
  readonly held: readonly Column[];
}

interface Scored {
  readonly name: string;
  readonly weight: number;
  scoreAt(at: number): number;
}

function chooseAmong(
  positions: Int32Array,
  held: readonly Column[],
  { nodes }: ClusterView,
  { refusals, tieBreak }: { readonly refusals: Refusals; readonly tieBreak: TieBreak },
): Chosen {
  const nodeAt = (at: number): NodeView => nodes[positions[at]!]!;
  const totals = new Float64Array(positions.length);
  const columns: Scored[] = [];
  if (positions.length > 1)
    for (const one of held) {
      const column = one.table === undefined ? asked(one, positions, nodes) : shared(one, one.table, positions);
      if (column === undefined) continue;
      const { name, scores } = column;
      columns.push({ name, weight: one.weight, scoreAt: (at) => (typeof scores === 'number' ? scores : scores[at]!) });
      if (typeof scores === 'number') for (let at = 0; at < totals.length; at++) totals[at]! += one.weight * scores;
      else for (let at = 0; at < totals.length; at++) totals[at]! += one.weight * scores[at]!;
    }
  const best = rank(totals, (at) => tieBreak(nodeAt(at))).map((at) => ({
    node: nodeAt(at).name,
    total: totals[at]!,
    byPlugin: Object.fromEntries(columns.map(({ name, scoreAt }) => [name, scoreAt(at)])),
  }));
  return { kind: 'chosen', node: best[0]!.node, feasible: positions.length, best, refusals };
}

/** One for all, or one for each of the feasible. */
interface ScoreColumn {
  readonly name: string;
  readonly scores: Float64Array | number;
}

function shared(
  { plugin: { name } }: Column,
  { scorer, scores, scored }: ShareTable,
  positions: Int32Array,
): ScoreColumn | undefined {
  if (scorer === undefined) return undefined;
  if (scored === 0) {
    const one = new Float64Array(1);
    scorer.normalize?.(one);
    return { name, scores: one[0]! };
  }
  const gathered = new Float64Array(positions.length);
  for (let at = 0; at < gathered.length; at++) gathered[at] = scores[positions[at]!]!;
  scorer.normalize?.(gathered);
  return { name, scores: gathered };
}

function asked(
  { plugin: { name }, opinion }: Column,
  positions: Int32Array,
  nodes: readonly NodeView[],
): ScoreColumn | undefined {
  const scorer = opinion.scorer?.(Array.from(positions, (position) => nodes[position]!));
  if (scorer === undefined) return undefined;
  const scores = new Float64Array(positions.length);
  if (scorer.scoreAll !== undefined) scorer.scoreAll(positions, scores);
  else for (let at = 0; at < scores.length; at++) scores[at] = scorer.score(nodes[positions[at]!]!);
  scorer.normalize?.(scores);
  return { name, scores };
}
