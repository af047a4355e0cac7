import type { Hindrance } from '#api/peapod/node-verdict.ts';
import type { Obstacle } from '#api/peapod/obstacle.ts';
import { milliValue, parseQuantity } from '#api/quantity.ts';

export interface Hindered {
  readonly node: string;
  readonly obstacles: readonly Obstacle[];
}

/** As many kinds of nodes as people read. */
const MOST = 3;

/**
 * Where a pod that fits nowhere fits best: the nodes with the fewest obstacles; of those where the least is missing of what it asks
 * for, as a share of that, all resources added up; then by name. Nodes that nothing tells apart stand for each other.
 */
export function nearestNodes(nodes: readonly Hindered[], most = MOST): readonly Hindrance[] {
  const kinds = Map.groupBy(
    nodes.filter(({ obstacles }) => obstacles.length > 0),
    ({ obstacles }) => JSON.stringify(obstacles),
  );
  return [...kinds.values()]
    .map(([first, ...others]): Hindrance & { readonly lacking: number } => {
      const node = others.reduce((least, each) => (byName(each.node, least) < 0 ? each.node : least), first!.node);
      const { obstacles } = first!;
      return { node, alike: others.length, obstacles, lacking: lackingOf(obstacles) };
    })
    .toSorted((a, b) => a.obstacles.length - b.obstacles.length || a.lacking - b.lacking || byName(a.node, b.node))
    .slice(0, most)
    .map(({ node, alike, obstacles }) => ({ node, alike, obstacles }));
}

/** 1 for each resource of which there is nothing. */
function lackingOf(obstacles: readonly Obstacle[]): number {
  let lacking = 0;
  for (const each of obstacles) {
    if (each.kind === 'short') lacking += milliValue(parseQuantity(each.by)) / milliValue(parseQuantity(each.asked));
  }
  return lacking;
}

/** node2 before node10. */
const byName = (a: string, b: string): number => collator.compare(a, b);
const collator = new Intl.Collator('en', { numeric: true });
