import type { Obstacle, PodName } from '#api/peapod/obstacle.ts';

/** What the scheduler's plugins say of one node for one pod. Every plugin is asked, also after one that refuses. */
export interface NodeVerdict {
  readonly node: string;
  readonly fits: boolean;
  /** In the order in which they are asked: the node is counted under the first that refuses it. */
  readonly plugins: readonly PluginVerdict[];
  /** Pods for which room is being made on the node, and which it must have room for as well. Absent: none. */
  readonly reservedFor?: readonly PodName[];
  /** Of a node that fits: its place among those that do, from 1, and the sum of its scores, each times its weight. */
  readonly rank?: number;
  readonly total?: number;
  /** How many nodes fit, of how many. */
  readonly feasible: number;
  readonly nodes: number;
}

export interface PluginVerdict {
  readonly plugin: string;
  /** `silent`: it would let this pod go anywhere; it may have a score. */
  readonly verdict: 'fits' | 'refuses' | 'silent';
  /** Upstream's words; [] unless it refuses. */
  readonly reasons: readonly string[];
  /** [] unless it refuses. */
  readonly obstacles: readonly Obstacle[];
  /** From 0 to 100, among the nodes that fit; absent where it does not score, or the node does not fit. */
  readonly score?: number;
  readonly weight?: number;
}

/** Nodes with the same obstacles. */
export interface Hindrance {
  /** The first of them by name. */
  readonly node: string;
  /** How many others are like it. */
  readonly alike: number;
  readonly obstacles: readonly Obstacle[];
}

/** Whether evicting pods of lower priority would let a pod in. */
export type Eviction =
  | {
      readonly kind: 'helps';
      readonly node: string;
      readonly victims: readonly Victim[];
      /** How many of them a PodDisruptionBudget would have stay. */
      readonly violations: number;
    }
  /** Those who must go from the node it is nominated for are on their way. */
  | { readonly kind: 'under-way'; readonly node: string }
  | { readonly kind: 'does-not-help' }
  /** The pod may not have others evicted; upstream's words. */
  | { readonly kind: 'not-eligible'; readonly why: string };

export interface Victim extends PodName {
  readonly priority: number;
}

/** What stands in the way of a pod that fits nowhere. */
export interface Impasse {
  /** The nodes with the fewest obstacles, then those that are least short; at most three kinds. */
  readonly nearest: readonly Hindrance[];
  /** Absent where the scheduler's configuration makes room for nobody. */
  readonly eviction?: Eviction;
}
