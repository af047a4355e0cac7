import { bestScore, type NodeView, type Scorer } from '#scheduler/plugin.ts';
import type { Spread, Spreads } from '#scheduler/plugins/pod-topology-spread/constraints.ts';
import type { Counted } from '#scheduler/plugins/pod-topology-spread/spread-counts.ts';
import { EACH_NODE } from '#scheduler/topology.ts';

const HOSTNAME = 'kubernetes.io/hostname';
/** Of a node that has no say. Before normalizing; nobody else's is below 0. */
const IGNORED = -1;

interface Weighed {
  readonly counted: Counted;
  readonly topologyKey: string;
  readonly maxSkew: number;
  /** With more domains each one's count says more (upstream's logarithm). */
  readonly weight: number;
}

/** Likes the domains with the fewest pods of its kind. */
export function spreadScorer(
  { soft, needsAllLabels }: Spreads,
  countsOf: (spread: Spread, topologyKey: string, keys: readonly string[]) => Counted,
): (feasible: readonly NodeView[]) => Scorer {
  const keys = soft.map(({ topologyKey }) => topologyKey);
  const everywhere = { includes: () => true };
  return (feasible) => {
    const isIgnored = ({ object }: NodeView): boolean =>
      needsAllLabels && keys.some((key) => object.metadata.labels?.[key] === undefined);
    const weighed = soft.map((spread): Weighed => {
      const { topologyKey, maxSkew } = spread;
      // A host's own pods count wherever it is; every node is one.
      const isHost = topologyKey === HOSTNAME;
      const counted = isHost
        ? countsOf({ ...spread, ...everywhere, text: `${spread.selection.text} anywhere` }, EACH_NODE, [])
        : countsOf(spread, topologyKey, needsAllLabels ? keys : []);
      const size = isHost ? count(feasible, isIgnored) : domainsAmong(feasible, counted, isIgnored);
      return { counted, topologyKey, maxSkew, weight: Math.log(size + 2) };
    });
    const score = (node: NodeView): number => {
      if (isIgnored(node)) return IGNORED;
      let sum = 0;
      for (const { counted, topologyKey, maxSkew, weight } of weighed) {
        if (node.object.metadata.labels?.[topologyKey] === undefined) continue;
        sum += counted.of(counted.topology.domainOf(node)) * weight + (maxSkew - 1);
      }
      return Math.round(sum);
    };
    return { score, normalize };
  };
}

const count = (nodes: readonly NodeView[], isIgnored: (node: NodeView) => boolean): number =>
  nodes.reduce((sum, node) => sum + (isIgnored(node) ? 0 : 1), 0);

function domainsAmong(
  nodes: readonly NodeView[],
  { topology }: Counted,
  isIgnored: (node: NodeView) => boolean,
): number {
  const found = new Set<number>();
  for (const node of nodes) if (!isIgnored(node)) found.add(topology.domains[node.position]!);
  found.delete(-1);
  return found.size;
}

function normalize(scores: Float64Array): void {
  let [least, most] = [Infinity, 0];
  for (const score of scores) {
    if (score === IGNORED) continue;
    if (score < least) least = score;
    if (score > most) most = score;
  }
  for (let at = 0; at < scores.length; at++) {
    const score = scores[at]!;
    if (score === IGNORED) scores[at] = 0;
    else scores[at] = most === 0 ? bestScore : Math.trunc((bestScore * (most + least - score)) / most);
  }
}
