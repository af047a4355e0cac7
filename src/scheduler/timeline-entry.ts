import type { SchedulingAttempt } from '#api/peapod/pod-timeline.ts';
import type { Attempt } from '#scheduler/attempts.ts';
import type { Ranked } from '#scheduler/placement.ts';
import type { WeightedPlugin } from '#scheduler/profile.ts';

const MOST_REASONS = 16;

/** What a pod's timeline says of an attempt. `nodes` is how many there were, `plugins` who decided. */
export function attemptEntry(
  { number, revisions, seed, outcome }: Attempt,
  nodes: number,
  plugins: readonly WeightedPlugin[],
): SchedulingAttempt {
  const { pods, nodes: nodesRevision } = revisions;
  const common = {
    type: 'SchedulingAttempt',
    attempt: number,
    revisions: {
      ...(pods === undefined ? {} : { pods }),
      ...(nodesRevision === undefined ? {} : { nodes: nodesRevision }),
    },
    nodes,
    refusals: [...outcome.reasons]
      .map(([reason, count]) => ({ reason, nodes: count }))
      .sort((a, b) => b.nodes - a.nodes)
      .slice(0, MOST_REASONS),
  } as const;
  if (outcome.kind === 'unschedulable') {
    return { ...common, feasible: 0, result: 'Unschedulable', message: outcome.message };
  }
  const { feasible, best } = outcome;
  if (feasible === 1) return { ...common, feasible, result: 'Placed', best: best.map(({ node }) => ({ node })) };
  const scored = best.map(({ node, total, byPlugin }) => ({ node, score: total, byPlugin }));
  return { ...common, feasible, result: 'Placed', best: scored, weights: weightsOf(best[0], plugins), seed };
}

const weightsOf = (ranked: Ranked | undefined, plugins: readonly WeightedPlugin[]): Readonly<Record<string, number>> =>
  Object.fromEntries(
    plugins.flatMap(({ plugin: { name }, weight }) => (name in (ranked?.byPlugin ?? {}) ? [[name, weight]] : [])),
  );
