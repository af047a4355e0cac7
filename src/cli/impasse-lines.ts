import type { Eviction, Hindrance, Impasse } from '#api/peapod/node-verdict.ts';
import { unreachable } from '#lib/unreachable.ts';
import { obstacleWords } from '#cli/obstacle-words.ts';

/** What stands in the way on the nearest nodes, a line each, and whether evicting others would help. */
export function impasseLines({ nearest, eviction }: Impasse): readonly string[] {
  const lines = nearest.map(
    (each, at) =>
      `${at === 0 ? 'nearest: ' : '         '}${nodesText(each)}: ${each.obstacles.map(obstacleWords).join('; ')}`,
  );
  return eviction === undefined ? lines : [...lines, evictionText(eviction)];
}

const nodesText = ({ node, alike }: Hindrance): string => (alike === 0 ? node : `${node} and ${alike} like it`);

function evictionText(eviction: Eviction): string {
  switch (eviction.kind) {
    case 'does-not-help':
      return 'evicting pods of lower priority would not help';
    case 'under-way':
      return `room is being made on ${eviction.node}: who must go is on the way`;
    case 'not-eligible':
      return `it may have nobody evicted: ${eviction.why.replace(/\.$/, '')}`;
    case 'helps': {
      const { node, victims, violations } = eviction;
      const who = victims
        .map(({ namespace, name, priority }) => `${namespace}/${name} (priority ${priority})`)
        .join(', ');
      const budget = violations === 0 ? '' : ', against a disruption budget';
      return victims.length === 0
        ? `room is kept on ${node}`
        : `room would be made on ${node}: the scheduler would evict ${who}${budget}`;
    }
    default:
      return unreachable(eviction);
  }
}
