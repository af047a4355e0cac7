import type { RankedNode, SchedulingAttempt } from '#api/peapod/pod-timeline.ts';

/**
 * What a choice was made by, a line a node: `node2 561: NodeResourcesFit 76, TaintToleration 3×100`. Nodes that came out alike
 * share one; what gave nobody anything is left out. None where there was no choice.
 */
export function scoreLines({
  best = [],
  weights = {},
}: Pick<SchedulingAttempt, 'best' | 'weights'>): readonly string[] {
  const scored = best.filter(({ score }) => score !== undefined);
  if (scored.length < 2) return [];
  const alike = Map.groupBy(scored, (one) => scoreText(one, weights));
  return [...alike].map(([text, nodes]) => `${nodes.map(({ node }) => node).join(', ')} ${text}`);
}

function scoreText({ score, byPlugin = {} }: RankedNode, weights: Readonly<Record<string, number>>): string {
  const parts = Object.entries(byPlugin)
    .filter(([, points]) => points !== 0)
    .map(([name, points]) => `${name} ${weightedScore(points, weights[name])}`);
  return parts.length === 0 ? `${score}` : `${score}: ${parts.join(', ')}`;
}

/** `76`, or `3×100`. */
export const weightedScore = (score: number, weight = 1): string => (weight === 1 ? `${score}` : `${weight}×${score}`);
