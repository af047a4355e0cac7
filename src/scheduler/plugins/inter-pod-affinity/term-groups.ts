import type { Pod } from '#api/generated/core-v1.ts';
import { LruMap } from '#lib/lru-map.ts';
import type { ClusterChange, ClusterView, NodeView } from '#scheduler/plugin.ts';
import { ownTermsOf } from '#scheduler/plugins/inter-pod-affinity/own-terms.ts';
import { DomainCounts, follow, type PodCounter } from '#scheduler/pod-counts.ts';
import type { PodTerm } from '#scheduler/pod-term.ts';

/** A term that pods on nodes have, and how many that have it each domain holds. */
export interface TermGroup {
  readonly term: PodTerm;
  readonly counts: DomainCounts;
  /** What one pod of it is worth to a pod the term means; undefined for a term that keeps such a pod out. */
  readonly weight: number | undefined;
}

/** The groups whose terms mean a pod. */
export interface Matching {
  readonly keepOut: readonly TermGroup[];
  readonly like: readonly TermGroup[];
}

/** For how many kinds of pods it is remembered which groups mean them. */
const KINDS = 256;

/**
 * What pods that have a node ask of those to come. There are as many groups as there are different terms, which is about as many
 * as there are workloads; a pod that comes or goes is counted in its own few.
 */
export class TermGroups {
  readonly #cluster: ClusterView;
  readonly #hardWeight: number;
  readonly #groups = new Map<string, TermGroup>();
  readonly #matching = new LruMap<string, { readonly version: number; readonly found: Matching }>(KINDS);
  #isStale = true;
  /** Grows when a group comes or goes. */
  #version = 0;
  readonly #counter: PodCounter = {
    count: (pod, node, by) => this.#count(pod, node, by),
    forget: () => (this.#isStale = true),
  };

  /** `hardWeight`: what a pod that must be near another is worth to that other. */
  constructor(cluster: ClusterView, hardWeight: number) {
    this.#cluster = cluster;
    this.#hardWeight = hardWeight;
  }

  apply(change: ClusterChange): void {
    if (!this.#isStale) follow(change, this.#counter);
  }

  matching(pod: Pod): Matching {
    if (this.#isStale) this.#countAll();
    if (this.#groups.size === 0) return nobody;
    const { namespace, labels } = pod.metadata;
    const text = JSON.stringify([namespace, labels]);
    const version = this.#version + this.#cluster.namespacesEpoch;
    const known = this.#matching.get(text);
    if (known?.version === version) return known.found;
    const groups = [...this.#groups.values()].filter(({ term }) => term.matches(pod, this.#cluster));
    const found = {
      keepOut: groups.filter(({ weight }) => weight === undefined),
      like: groups.filter(({ weight }) => weight !== undefined),
    };
    this.#matching.set(text, { version, found });
    return found;
  }

  #countAll(): void {
    this.#groups.clear();
    this.#version++;
    this.#isStale = false;
    for (const node of this.#cluster.nodes) for (const pod of node.pods.values()) this.#count(pod, node, 1);
  }

  #count(pod: Pod, node: NodeView, by: 1 | -1): void {
    const { affinity, antiAffinity, preferred } = ownTermsOf(pod);
    for (const term of antiAffinity) this.#countTerm(term, undefined, { node, by });
    for (const term of affinity) this.#countTerm(term, this.#hardWeight, { node, by });
    for (const { term, weight } of preferred) this.#countTerm(term, weight, { node, by });
  }

  #countTerm(term: PodTerm, weight: number | undefined, { node, by }: { node: NodeView; by: 1 | -1 }): void {
    const name = `${weight} ${term.text}`;
    let group = this.#groups.get(name);
    if (group === undefined) {
      group = { term, weight, counts: new DomainCounts(this.#cluster.topology(term.topologyKey)) };
      this.#groups.set(name, group);
      this.#version++;
    }
    group.counts.add(group.counts.topology.domainOf(node), by);
    if (group.counts.total > 0) return;
    this.#groups.delete(name);
    this.#version++;
  }
}

const nobody: Matching = { keepOut: [], like: [] };
