import { bestScore } from '#scheduler/plugin.ts';

/** Stretches counts over 0 to 100, the highest becoming 100 (or 0, when more is worse), as upstream's default does. */
export function normalize(scores: Float64Array, order: 'more-is-better' | 'more-is-worse'): void {
  let most = 0;
  for (const score of scores) if (score > most) most = score;
  const isReversed = order === 'more-is-worse';
  for (let at = 0; at < scores.length; at++) {
    const share = most === 0 ? 0 : Math.trunc((bestScore * (scores[at] ?? 0)) / most);
    scores[at] = isReversed ? bestScore - share : share;
  }
}
