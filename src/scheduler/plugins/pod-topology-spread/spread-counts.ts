import type { ClusterChange, ClusterView, NodeView } from '#scheduler/plugin.ts';
import type { Spread } from '#scheduler/plugins/pod-topology-spread/constraints.ts';
import { DomainCounts, PodCounts } from '#scheduler/pod-counts.ts';
import type { Topology } from '#scheduler/topology.ts';

/** How the pods of a constraint are spread. */
export interface Counted {
  readonly topology: Topology;
  /** Domains with at least one node that counts. */
  readonly domains: number;
  /** What the one of them with the fewest pods has; Infinity when there is none. */
  readonly least: number;
  includes(node: NodeView): boolean;
  of(domain: number): number;
  /** With so many more in a domain. */
  shifted(domain: number, by: number): Counted;
}

interface What {
  readonly spread: Spread;
  readonly topologyKey: string;
  /** Nodes without one of these labels do not count. */
  readonly keys: readonly string[];
}

/** Keeps up what a constraint needs to know: pods by domain, and which domains there are. */
export class SpreadCounts {
  readonly #cluster: ClusterView;
  readonly #pods: PodCounts;
  readonly #topologyKey: string;
  readonly #includes: (node: NodeView) => boolean;
  #nodes: DomainCounts | undefined;

  constructor(cluster: ClusterView, { spread, topologyKey, keys }: What) {
    this.#cluster = cluster;
    this.#topologyKey = topologyKey;
    this.#includes = (node) =>
      keys.every((key) => node.object.metadata.labels?.[key] !== undefined) && spread.includes(node);
    this.#pods = new PodCounts(cluster, spread.selection, topologyKey, this.#includes);
  }

  get counted(): Counted {
    this.#nodes ??= this.#countNodes();
    const [pods, nodes] = [this.#pods.counts, this.#nodes];
    return countedOf({ nodes, includes: this.#includes, of: (domain) => pods.of(domain) });
  }

  apply(change: ClusterChange): void {
    this.#pods.apply(change);
    switch (change.kind) {
      case 'node-added':
      case 'node-removed':
      case 'node-labels':
      case 'node-taints':
        this.#nodes = undefined;
        return;
      default:
    }
  }

  #countNodes(): DomainCounts {
    const counts = new DomainCounts(this.#cluster.topology(this.#topologyKey));
    for (const node of this.#cluster.nodes) if (this.#includes(node)) counts.add(counts.topology.domainOf(node), 1);
    return counts;
  }
}

interface Basis extends Pick<Counted, 'includes' | 'of'> {
  /** How many nodes that count each domain has. */
  readonly nodes: DomainCounts;
}

function countedOf(basis: Basis): Counted {
  const { nodes, of } = basis;
  let [domains, least] = [0, Infinity];
  for (let domain = 0; domain < nodes.topology.size; domain++) {
    if (nodes.of(domain) === 0) continue;
    domains++;
    least = Math.min(least, of(domain));
  }
  return withMore(basis, new Map(), { domains, least });
}

/** With so many more by domain. */
function withMore(
  basis: Basis,
  more: ReadonlyMap<number, number>,
  { domains, least }: Pick<Counted, 'domains' | 'least'>,
): Counted {
  const { nodes, includes, of } = basis;
  const now = (domain: number): number => of(domain) + (more.get(domain) ?? 0);
  return {
    includes,
    topology: nodes.topology,
    domains,
    least,
    of: now,
    shifted: (where, by) => {
      const next = new Map(more).set(where, (more.get(where) ?? 0) + by);
      const counts = where >= 0 && nodes.of(where) > 0;
      // Only where the one with the fewest got more is it another one, and has to be looked for.
      if (counts && by > 0 && now(where) === least)
        return countedOf({ ...basis, of: (domain) => of(domain) + (next.get(domain) ?? 0) });
      return withMore(basis, next, { domains, least: counts ? Math.min(least, now(where) + by) : least });
    },
  };
}
