import type { Pod } from '#api/generated/core-v1.ts';
import type { ClusterView, NodeView, Opinion, PodVerdict, Rejected, SchedulerPlugin } from '#scheduler/plugin.ts';
import type { WeightedPlugin } from '#scheduler/profile.ts';
import { WhatIfNode } from '#scheduler/what-if-node.ts';

/** A plugin with an opinion of the pod at hand. */
export interface Held {
  readonly plugin: SchedulerPlugin;
  readonly weight: number;
  readonly opinion: Opinion;
}

/** A plugin that refuses the pod whatever the nodes are like. */
export interface PodRefusal {
  readonly plugin: string;
  readonly verdict: Extract<PodVerdict, { readonly kind: 'rejected' }>;
}

/** What the plugins think of a pod; the first that refuses it everywhere is the last that is asked. */
export function opinionsOf(
  plugins: readonly WeightedPlugin[],
  ask: (plugin: SchedulerPlugin) => PodVerdict | Opinion,
): readonly Held[] | PodRefusal {
  const opinions: Held[] = [];
  for (const { plugin, weight } of plugins) {
    const answer = ask(plugin);
    if (answer.kind === 'opinion') opinions.push({ plugin, weight, opinion: answer });
    else if (answer.kind === 'rejected') return { plugin: plugin.name, verdict: answer };
  }
  return opinions;
}

export const isOpinions = (answer: readonly Held[] | PodRefusal): answer is readonly Held[] => Array.isArray(answer);

/** A pod, where it is to go, and what the plugins think of it. */
export interface Inquiry {
  readonly pod: Pod;
  readonly cluster: ClusterView;
  readonly held: readonly Held[];
}

/** Which plugin will not have a node. */
export interface NodeRefusal {
  readonly plugin: string;
  readonly verdict: Rejected;
}

/**
 * The first plugin that refuses a node. A node for which others are nominated must do with them as well as without them: they may
 * come, or never come, and neither may make what was decided wrong.
 */
export const refusalOf = (node: NodeView, inquiry: Inquiry): NodeRefusal | undefined =>
  refusalWithNominated(node, inquiry) ?? firstRefusal(node, inquiry.held);

/** With those nominated that are ahead of the pod; undefined too when nobody is. */
export function refusalWithNominated(node: NodeView, { pod, cluster, held }: Inquiry): NodeRefusal | undefined {
  if (cluster.nominations.size === 0) return undefined;
  const ahead = cluster.nominations.ahead(pod, node.name);
  if (ahead.length === 0) return undefined;
  const full = new WhatIfNode(node);
  let opinions = held;
  for (const each of ahead) {
    full.add(each);
    opinions = adjustedBy(opinions, 'added', each, node);
  }
  return firstRefusal(full, opinions);
}

/** What is thought with a pod more or less on a node. */
export function adjustedBy(
  held: readonly Held[],
  change: 'added' | 'removed',
  pod: Pod,
  node: NodeView,
): readonly Held[] {
  if (held.every(({ opinion }) => opinion.adjusted === undefined)) return held;
  return held.map((one) => ({ ...one, opinion: one.opinion.adjusted?.(change, pod, node) ?? one.opinion }));
}

function firstRefusal(node: NodeView, held: readonly Held[]): NodeRefusal | undefined {
  for (const { plugin, opinion } of held) {
    const verdict = opinion.filter?.(node);
    if (verdict?.kind === 'rejected') return { plugin: plugin.name, verdict };
  }
  return undefined;
}

/** Whether every plugin that names nodes names this one. */
export const isNamed = (name: string, held: readonly Held[]): boolean =>
  held.every(({ opinion }) => opinion.nodes === undefined || opinion.nodes.has(name));
