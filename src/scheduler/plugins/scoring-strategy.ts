import type { RequestedResources } from '#api/pod-resources.ts';
import { bestScore, type NodeView } from '#scheduler/plugin.ts';

/** How much a node is liked for what is left of it, or taken of it (NodeResourcesFitArgs.scoringStrategy). */
export type ScoringStrategy =
  | { readonly kind: 'least-allocated'; readonly resources: readonly WeightedResource[] }
  | { readonly kind: 'most-allocated'; readonly resources: readonly WeightedResource[] }
  | { readonly kind: 'ratio'; readonly resources: readonly WeightedResource[]; readonly shape: Shape };

export interface WeightedResource {
  /** `cpu`, `memory`, `ephemeral-storage`, or an extended resource. */
  readonly name: string;
  readonly weight: number;
}

/** A line through these points, flat outside of them; utilization in percent, from low to high; score from 0 to 100. */
export type Shape = readonly { readonly utilization: number; readonly score: number }[];

export const cpuAndMemory: readonly WeightedResource[] = [
  { name: 'cpu', weight: 1 },
  { name: 'memory', weight: 1 },
];

/** From 0 to 100. */
export function strategyScore(strategy: ScoringStrategy, wanted: RequestedResources, node: NodeView): number {
  let [total, weights] = [0, 0];
  for (const { name, weight } of strategy.resources) {
    const use = useOf(name, wanted, node);
    if (use === undefined || use.capacity === 0) continue;
    const score = scoreOf(strategy, use);
    // Upstream's ratio leaves out what would score nothing.
    if (strategy.kind === 'ratio' && score === 0) continue;
    total += score * weight;
    weights += weight;
  }
  if (weights === 0) return 0;
  return strategy.kind === 'ratio' ? Math.round(total / weights) : Math.trunc(total / weights);
}

/** What would be requested of a resource, and what there is of it. */
export interface Use {
  readonly requested: number;
  readonly capacity: number;
}

/**
 * Undefined for an extended resource that the pod does not ask for. `stated`: pods that ask for no cpu or memory count as taking
 * none, where otherwise they are taken to need a little.
 */
export function useOf(
  name: string,
  wanted: RequestedResources,
  { allocatable, requested }: Pick<NodeView, 'allocatable' | 'requested'>,
  stated = false,
): Use | undefined {
  switch (name) {
    case 'cpu':
      return {
        requested: stated ? requested.milliCpu + wanted.milliCpu : requested.nonZeroMilliCpu + wanted.nonZeroMilliCpu,
        capacity: allocatable.milliCpu,
      };
    case 'memory':
      return {
        requested: stated ? requested.memory + wanted.memory : requested.nonZeroMemory + wanted.nonZeroMemory,
        capacity: allocatable.memory,
      };
    case 'ephemeral-storage':
      return {
        requested: requested.ephemeralStorage + wanted.ephemeralStorage,
        capacity: allocatable.ephemeralStorage,
      };
    default: {
      const own = wanted.scalars.get(name) ?? 0;
      if (own === 0) return undefined;
      return { requested: (requested.scalars.get(name) ?? 0) + own, capacity: allocatable.scalars.get(name) ?? 0 };
    }
  }
}

function scoreOf(strategy: ScoringStrategy, { requested, capacity }: Use): number {
  const percent = requested > capacity ? bestScore : Math.trunc((requested * bestScore) / capacity);
  switch (strategy.kind) {
    case 'least-allocated':
      return requested > capacity ? 0 : Math.trunc(((capacity - requested) * bestScore) / capacity);
    case 'most-allocated':
      return percent;
    case 'ratio':
      return onLine(strategy.shape, percent);
  }
}

function onLine(shape: Shape, utilization: number): number {
  const at = shape.findIndex((point) => utilization <= point.utilization);
  const [before, after] = [shape[at - 1], shape[at]];
  if (after === undefined) return shape.at(-1)?.score ?? 0;
  if (before === undefined) return after.score;
  const rise = (after.score - before.score) * (utilization - before.utilization);
  return before.score + Math.trunc(rise / (after.utilization - before.utilization));
}
