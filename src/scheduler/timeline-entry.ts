import type { SchedulingAttempt } from '#api/peapod/pod-timeline.ts';
import type { Attempt } from '#scheduler/attempts.ts';

const MOST_REASONS = 16;

/** What a pod's timeline says of an attempt. `nodes` is how many there were. */
export function attemptEntry({ number, revisions, outcome }: Attempt, nodes: number): SchedulingAttempt {
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
  const scored = best.map(({ node, total }) => ({ node, ...(feasible > 1 ? { score: total } : {}) }));
  return { ...common, feasible, result: 'Placed', best: scored };
}
