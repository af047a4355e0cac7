import type { Pod } from '#api/generated/core-v1.ts';
import type { NodeVerdict, PluginVerdict } from '#api/peapod/node-verdict.ts';
import type { Obstacle } from '#api/peapod/obstacle.ts';
import { adjustedBy, type Held } from '#scheduler/opinions.ts';
import { candidatesOf, filter, scoresOf } from '#scheduler/place.ts';
import { Refusals } from '#scheduler/placement.ts';
import { fits, type ClusterView, type NodeView, type Opinion, type Rejected } from '#scheduler/plugin.ts';
import { podName } from '#scheduler/pod-facts.ts';
import type { WeightedPlugin } from '#scheduler/profile.ts';
import { WhatIfNode } from '#scheduler/what-if-node.ts';

/** A pod without a node, and where it might go. */
export interface Question {
  readonly pod: Pod;
  readonly cluster: ClusterView;
  readonly plugins: readonly WeightedPlugin[];
}

/**
 * What each plugin says of one node: the plain `filter` and `score`, asked without any of the tables by which an attempt is quick.
 * An attempt stops at the first plugin that refuses a node; here all of them are heard.
 */
export class Hearing {
  readonly #question: Question;
  readonly #answers: readonly Answer[];

  constructor(question: Question) {
    const { pod, cluster, plugins } = question;
    this.#question = question;
    this.#answers = plugins.map(({ plugin, weight }) => {
      const answer = plugin.consider(pod, cluster);
      const refusal = answer.kind === 'rejected' ? answer : undefined;
      return {
        name: plugin.name,
        held: answer.kind === 'opinion' ? { plugin, weight, opinion: answer } : undefined,
        refusal,
      };
    });
  }

  /** [] when the node fits. What several plugins say alike, such as that a claim is missing, is said once. */
  obstaclesOn(node: NodeView): readonly Obstacle[] {
    const all = this.#pluginsOn(node).flatMap(({ obstacles }) => obstacles);
    return [...new Map(all.map((each) => [JSON.stringify(each), each] as const)).values()];
  }

  on(node: NodeView): NodeVerdict {
    const { cluster, pod } = this.#question;
    const plugins = this.#pluginsOn(node);
    const isFit = plugins.every(({ verdict }) => verdict !== 'refuses');
    const ahead = cluster.nominations.ahead(pod, node.name).map(podName);
    const feasible = this.#feasible();
    const counts = { feasible: feasible.length, nodes: cluster.nodes.length };
    const common = { node: node.name, fits: isFit, ...(ahead.length === 0 ? {} : { reservedFor: ahead }), ...counts };
    return isFit ? { ...common, ...this.#ranked(node, feasible, plugins) } : { ...common, plugins };
  }

  #pluginsOn(node: NodeView): readonly PluginVerdict[] {
    const full = this.#withNominated(node);
    return this.#answers.map(({ name: plugin, held, refusal }): PluginVerdict => {
      if (refusal !== undefined) return refused(plugin, refusal.reasons, []);
      const opinion = held?.opinion;
      if (opinion?.filter === undefined && opinion?.nodes === undefined)
        return { plugin, verdict: 'silent', reasons: [], obstacles: [] };
      const crowded = full && (full.opinions.get(plugin) ?? opinion);
      const found = refusalBy(plugin, opinion, node) ?? (crowded && refusalBy(plugin, crowded, full.node));
      return found ?? { plugin, verdict: 'fits', reasons: [], obstacles: [] };
    });
  }

  /** With the pods that the node must have room for as well; undefined when there are none. */
  #withNominated(
    node: NodeView,
  ): { readonly node: NodeView; readonly opinions: ReadonlyMap<string, Opinion> } | undefined {
    const { cluster, pod } = this.#question;
    const ahead = cluster.nominations.ahead(pod, node.name);
    if (ahead.length === 0) return undefined;
    const full = new WhatIfNode(node);
    let held: readonly Held[] = this.#held();
    for (const each of ahead) {
      full.add(each);
      held = adjustedBy(held, 'added', each, node);
    }
    return { node: full, opinions: new Map(held.map(({ plugin, opinion }) => [plugin.name, opinion])) };
  }

  #held(): readonly Held[] {
    return this.#answers.flatMap(({ held }) => held ?? []);
  }

  #feasible(): readonly NodeView[] {
    if (this.#answers.some(({ refusal }) => refusal !== undefined)) return [];
    const { pod, cluster } = this.#question;
    const held = this.#held();
    const nobody = new Refusals();
    return filter(candidatesOf(cluster, held, nobody), { pod, cluster, held }, nobody, []);
  }

  #ranked(
    node: NodeView,
    feasible: readonly NodeView[],
    plugins: readonly PluginVerdict[],
  ): Pick<NodeVerdict, 'plugins' | 'rank' | 'total'> {
    const columns = scoresOf(feasible, this.#held());
    const totals = feasible.map((_, at) =>
      columns.reduce((sum, { weight, scores }) => sum + weight * (scores[at] ?? 0), 0),
    );
    const at = feasible.indexOf(node);
    const total = totals[at] ?? 0;
    const scored = plugins.map((one) => {
      const column = columns.find(({ name }) => name === one.plugin);
      return column === undefined ? one : { ...one, score: column.scores[at] ?? 0, weight: column.weight };
    });
    return { plugins: scored, rank: 1 + totals.filter((each) => each > total).length, total };
  }
}

interface Answer {
  readonly name: string;
  readonly held: Held | undefined;
  /** It refuses the pod whatever the nodes are like. */
  readonly refusal: { readonly reasons: readonly string[] } | undefined;
}

function refusalBy(plugin: string, opinion: Opinion | undefined, node: NodeView): PluginVerdict | undefined {
  const verdict = opinion?.filter?.(node) ?? fits;
  if (verdict.kind === 'rejected') return refused(plugin, verdict.reasons, opinion?.explain?.(node) ?? []);
  if (opinion?.nodes === undefined || opinion.nodes.has(node.name)) return undefined;
  return refused(plugin, [`node(s) didn't satisfy plugin(s) [${plugin}]`], []);
}

const refused = (plugin: string, reasons: Rejected['reasons'], explained: readonly Obstacle[]): PluginVerdict => ({
  plugin,
  verdict: 'refuses',
  reasons,
  obstacles: explained.length > 0 ? explained : [{ kind: 'other', reasons }],
});
