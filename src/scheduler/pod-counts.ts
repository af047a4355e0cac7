import type { Pod } from '#api/generated/core-v1.ts';
import type { ClusterChange, ClusterView, NodeView } from '#scheduler/plugin.ts';
import type { PodSelection } from '#scheduler/pod-term.ts';
import type { Topology } from '#scheduler/topology.ts';

/** Numbers by the domains of a topology. What is not counted is 0. */
export class DomainCounts {
  readonly topology: Topology;
  #counts = new Int32Array(16);
  #total = 0;

  constructor(topology: Topology) {
    this.topology = topology;
  }

  /** Of all domains. */
  get total(): number {
    return this.#total;
  }

  /** By domain; may be shorter than there are domains. */
  get counts(): Int32Array {
    return this.#counts;
  }

  of(domain: number): number {
    return this.#counts[domain] ?? 0;
  }

  add(domain: number, count: number): void {
    if (domain < 0 || count === 0) return;
    if (domain >= this.#counts.length) {
      const counts = new Int32Array(Math.max(domain + 1, this.#counts.length * 2));
      counts.set(this.#counts);
      this.#counts = counts;
    }
    this.#counts[domain]! += count;
    this.#total += count;
  }

  clear(): void {
    this.#counts.fill(0);
    this.#total = 0;
  }
}

export interface PodCounter {
  /** A pod on a node is one more (1) or one less (-1). */
  count(pod: Pod, node: NodeView, by: 1 | -1): void;
  /** All the pods of a node are in another domain now, or count no more. */
  forget(): void;
}

/** What a change means for whoever counts pods by domain. */
export function follow(change: ClusterChange, counter: PodCounter): void {
  if (!('node' in change) || change.node === undefined) return;
  const { node } = change;
  switch (change.kind) {
    case 'pod-added':
      return counter.count(change.pod, node, 1);
    case 'pod-removed':
      return counter.count(change.pod, node, -1);
    case 'pod-updated':
      counter.count(change.before, node, -1);
      return counter.count(change.pod, node, 1);
    case 'node-added':
    case 'node-removed':
    case 'node-labels':
    case 'node-taints':
      if (node.pods.size > 0) counter.forget();
      return;
    default:
  }
}

/**
 * How many pods of a selection each domain holds, kept up change by change. Counted anew when something has changed that cannot be
 * followed: a node with pods that came, went or moved to another domain, a namespace's labels.
 */
export class PodCounts {
  readonly selection: PodSelection;
  readonly #cluster: ClusterView;
  readonly #topologyKey: string;
  readonly #isCounted: (node: NodeView) => boolean;
  #counts: DomainCounts | undefined;
  #namespaces = -1;
  readonly #counter: PodCounter = {
    count: (pod, node, by) => this.#count(pod, node, by),
    forget: () => (this.#counts = undefined),
  };

  /** `isCounted`: on which nodes pods count at all; it must not depend on more than the node's labels and taints. */
  constructor(
    cluster: ClusterView,
    selection: PodSelection,
    topologyKey: string,
    isCounted: (node: NodeView) => boolean = () => true,
  ) {
    this.selection = selection;
    this.#cluster = cluster;
    this.#topologyKey = topologyKey;
    this.#isCounted = isCounted;
  }

  /** As things stand. It is the same object until something cannot be followed; then it is a new one. */
  get counts(): DomainCounts {
    if (this.selection.followsNamespaces && this.#namespaces !== this.#cluster.namespacesEpoch)
      this.#counts = undefined;
    this.#counts ??= this.#countAll();
    return this.#counts;
  }

  apply(change: ClusterChange): void {
    if (this.#counts !== undefined) follow(change, this.#counter);
  }

  #count(pod: Pod, node: NodeView, by: 1 | -1): void {
    if (this.#counts === undefined || !this.#isCounted(node)) return;
    if (this.selection.matches(pod, this.#cluster)) this.#counts.add(this.#counts.topology.domainOf(node), by);
  }

  #countAll(): DomainCounts {
    const counts = new DomainCounts(this.#cluster.topology(this.#topologyKey));
    this.#namespaces = this.#cluster.namespacesEpoch;
    for (const node of this.#cluster.nodes) {
      if (node.pods.size === 0 || !this.#isCounted(node)) continue;
      let found = 0;
      for (const pod of node.pods.values()) if (this.selection.matches(pod, this.#cluster)) found++;
      counts.add(counts.topology.domainOf(node), found);
    }
    return counts;
  }
}
