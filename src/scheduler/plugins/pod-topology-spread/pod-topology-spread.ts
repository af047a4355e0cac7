import type { Pod } from '#api/generated/core-v1.ts';
import type { Obstacle } from '#api/peapod/obstacle.ts';
import { LruMap } from '#lib/lru-map.ts';
import {
  fits,
  skip,
  type ClusterChange,
  type ClusterView,
  type NodeView,
  type Opinion,
  type Refuse,
  type Rejected,
  type SchedulerPlugin,
  type Verdict,
} from '#scheduler/plugin.ts';
import {
  type DefaultSpread,
  type Spread,
  spreadsOf,
  systemSpread,
} from '#scheduler/plugins/pod-topology-spread/constraints.ts';
import { type Counted, SpreadCounts } from '#scheduler/plugins/pod-topology-spread/spread-counts.ts';
import { spreadScorer } from '#scheduler/plugins/pod-topology-spread/score.ts';

const tooMany: Rejected = {
  kind: 'rejected',
  reasons: ["node(s) didn't match pod topology spread constraints"],
  final: false,
};
const noLabel: Rejected = {
  kind: 'rejected',
  reasons: ["node(s) didn't match pod topology spread constraints (missing required label)"],
  final: true,
};

/** How many constraints are counted for at a time. */
const CONSTRAINTS = 128;

/**
 * Spreads pods evenly over zones, hosts or whatever else nodes have labels for: no domain may have more than `maxSkew` more of them
 * than the one with the fewest. `defaults` are for pods that ask for nothing themselves.
 */
export function podTopologySpread(defaults: DefaultSpread = systemSpread): SchedulerPlugin {
  let cluster: ClusterView;
  let kept = new LruMap<string, SpreadCounts>(CONSTRAINTS);
  const countsOf = (spread: Spread, topologyKey: string, keys: readonly string[]): Counted => {
    const text = JSON.stringify([topologyKey, keys, spread.text]);
    let counts = kept.get(text);
    if (counts === undefined) {
      counts = new SpreadCounts(cluster, { spread, topologyKey, keys });
      kept.set(text, counts);
    }
    return counts.counted;
  };
  return {
    name: 'PodTopologySpread',
    index: {
      init(view) {
        cluster = view;
        kept = new LruMap<string, SpreadCounts>(CONSTRAINTS);
      },
      apply(change) {
        for (const counts of kept.values()) counts.apply(change);
      },
    },
    consider(pod) {
      const spreads = spreadsOf(pod, cluster, defaults);
      const { hard, soft } = spreads;
      if (hard.length === 0 && soft.length === 0) return skip;
      const keys = hard.map(({ topologyKey }) => topologyKey);
      const held = hard.map((spread): Held => ({ spread, counted: countsOf(spread, spread.topologyKey, keys) }));
      const scorer = soft.length === 0 ? undefined : spreadScorer(spreads, countsOf);
      return { ...opinionOn(held, cluster), ...(scorer === undefined ? {} : { scorer }) };
    },
    interests: [
      'node-added',
      'node-removed',
      'node-labels',
      'node-taints',
      'pod-added',
      'pod-removed',
      'pod-updated',
      'pod-itself',
    ],
    mightHelp: (pod, change) => mightHelp(pod, change, { cluster, defaults }),
  };
}

function mightHelp(
  pod: Pod,
  change: ClusterChange,
  { cluster, defaults }: { readonly cluster: ClusterView; readonly defaults: DefaultSpread },
): boolean {
  const { hard } = spreadsOf(pod, cluster, defaults);
  const isSpread = (other: Pod): boolean => hard.some(({ selection }) => selection.matches(other, cluster));
  switch (change.kind) {
    case 'pod-added':
    case 'pod-removed':
      return isSpread(change.pod);
    case 'pod-updated':
      return isSpread(change.pod) !== isSpread(change.before);
    case 'pod-itself':
      return wishes(pod) !== wishes(change.before);
    default:
      return true;
  }
}

const wishes = ({ metadata, spec }: Pod): string => JSON.stringify([metadata.labels, spec.topologySpreadConstraints]);

interface Held {
  readonly spread: Spread;
  readonly counted: Counted;
}

function opinionOn(held: readonly Held[], cluster: ClusterView): Opinion {
  if (held.length === 0) return { kind: 'opinion' };
  const limits = held.map(limitOf);
  return {
    kind: 'opinion',
    filter: (node) => verdictOn(node, held, limits),
    filterAll: (refuse) => refuseAll(held, limits, { nodes: cluster.nodes.length, refuse }),
    explain: (node) => held.flatMap((one, at) => spreadObstacles(node, one, limits[at]!)),
    adjusted: (change, other, node) =>
      opinionOn(
        held.map((one) => adjusted(one, { other, node, by: change === 'added' ? 1 : -1 }, cluster)),
        cluster,
      ),
  };
}

function spreadObstacles(node: NodeView, { spread, counted }: Held, limit: number): readonly Obstacle[] {
  const { topologyKey, maxSkew, minDomains } = spread;
  const domain = counted.topology.domainOf(node);
  if (domain < 0) return [{ kind: 'no-domain', rule: 'topology spread', topologyKey }];
  const pods = counted.of(domain);
  if (pods <= limit) return [];
  const least = counted.domains < minDomains ? 0 : counted.least;
  return [{ kind: 'spread', topologyKey, domain: counted.topology.nameOf(domain), pods, least, maxSkew }];
}

/** How many pods a domain may have already. */
function limitOf({ spread, counted }: Held): number {
  const least = counted.domains < spread.minDomains ? 0 : counted.least;
  return spread.maxSkew + least - (spread.isOwn ? 1 : 0);
}

function verdictOn(node: NodeView, held: readonly Held[], limits: readonly number[]): Verdict {
  for (const [at, { counted }] of held.entries()) {
    const domain = counted.topology.domainOf(node);
    if (domain < 0) return noLabel;
    if (counted.of(domain) > limits[at]!) return tooMany;
  }
  return fits;
}

function refuseAll(
  held: readonly Held[],
  limits: readonly number[],
  { nodes, refuse }: { readonly nodes: number; readonly refuse: Refuse },
): void {
  for (const [at, { counted }] of held.entries()) {
    const limit = limits[at]!;
    const { domains, size } = counted.topology;
    const isFull = Uint8Array.from({ length: size }, (_, domain) => (counted.of(domain) > limit ? 1 : 0));
    for (let position = 0; position < nodes; position++) {
      const domain = domains[position]!;
      if (domain < 0) refuse(position, noLabel);
      else if (isFull[domain] === 1) refuse(position, tooMany);
    }
  }
}

function adjusted(
  { spread, counted }: Held,
  { other, node, by }: { readonly other: Pod; readonly node: NodeView; readonly by: 1 | -1 },
  cluster: ClusterView,
): Held {
  if (!counted.includes(node) || !spread.selection.matches(other, cluster)) return { spread, counted };
  return { spread, counted: counted.shifted(counted.topology.domainOf(node), by) };
}
