import type { Node, Pod, Taint } from '#api/generated/core-v1.ts';
import type { Uid } from '#api/meta.ts';
import type { Obstacle } from '#api/peapod/obstacle.ts';
import type { Labels } from '#api/selectors.ts';
import type { NominationsView } from '#scheduler/nominations.ts';
import type { StorageChange, StorageView } from '#scheduler/storage/storage-view.ts';
import type { Topology } from '#scheduler/topology.ts';

/**
 * What the scheduler asks of its plugins, and what they may see.
 *
 * A plugin forms one opinion per pod per attempt. What is worth computing once is computed in `consider` and captured by
 * the functions it returns: there is no shared scratch state to key, clone or cast. Everything here is pure and
 * synchronous, so an attempt sees one state of the cluster without copying it: nothing changes until it is over. Effects
 * (reserving, waiting for permission, binding) belong to `BindingPlugin` and to the scheduler's own loop.
 *
 * `filter` and `score` of single nodes are the definition: they explain a decision, and whatever a plugin does faster
 * (narrowing, tables over all nodes, indexes) must come to the same.
 *
 * Weights are not a plugin's business but the profile's (`#scheduler/profile.ts`).
 */
export interface SchedulerPlugin {
  /** Upstream's name, which configuration, messages and records use: `NodeResourcesFit`. */
  readonly name: string;
  /** What must not be recomputed per pod. `init` is called once, then `apply` after every change, before anything else. */
  readonly index?: PluginIndex;
  consider(pod: Pod, cluster: ClusterView): PodVerdict | Opinion;
  /**
   * For a plugin whose answer about a node follows from that node, from this text and from `share.epoch` alone. What is
   * worked out for one pod then serves every other of the same text, and only nodes that have changed are asked about again.
   * Its scorer must not look at who else is feasible. Undefined: this pod shares with nobody.
   */
  readonly share?: {
    textOf(pod: Pod): string | undefined;
    /** Differs when what was shared is no longer true though no node has changed. Absent: that does not happen. */
    epoch?(cluster: ClusterView): number;
  };
  /** Which changes may let a pod fit that this plugin has refused; absent: any. */
  readonly interests?: readonly ChangeKind[];
  /** Whether this change may; asked for `interests` only, after the change is in the cluster. Absent: it may. */
  mightHelp?(pod: Pod, change: ClusterChange): boolean;
}

export interface PluginIndex {
  init(cluster: ClusterView): void;
  apply(change: ClusterChange): void;
}

/** Nothing to say about this pod; or no node can take it, whatever the nodes are like. */
export type PodVerdict =
  | { readonly kind: 'skip' }
  | { readonly kind: 'rejected'; readonly reasons: readonly string[]; readonly final: boolean };

export interface Opinion {
  readonly kind: 'opinion';
  /** No other node need be looked at. */
  readonly nodes?: ReadonlySet<string>;
  filter?(node: NodeView): Verdict;
  /**
   * Comes to the same as `filter` of every node, for plugins that can tell of all nodes at once: calls `refuse` with the position
   * of each node it refuses, in any order.
   */
  filterAll?(refuse: Refuse): void;
  /**
   * What stands in the way on a node: something wherever `filter` refuses it, nothing where it does not. For who asks why, so it may
   * take its time. Absent: the reasons have to do.
   */
  explain?(node: NodeView): readonly Obstacle[];
  /**
   * The opinion there would be with a pod more or less on a node, for preemption and nominated pods, as far as it follows from more
   * than the node that is asked about (that one is shown as it would be). May be asked of its own result. Absent: the same.
   */
  adjusted?(change: 'added' | 'removed', pod: Pod, node: NodeView): Opinion;
  /** Asked once, when it is known which nodes can take the pod. Undefined: it has no preference. */
  scorer?(feasible: readonly NodeView[]): Scorer | undefined;
}

export interface Scorer {
  /** 0 (worst) to 100 (best), whole; any whole number when `normalize` brings them there. */
  score(node: NodeView): number;
  /** Comes to the same as `score` of each, for plugins that can tell of all at once. `positions` are those of `feasible`. */
  scoreAll?(positions: Int32Array, into: Float64Array): void;
  /** In place; in the order of `feasible`. */
  normalize?(scores: Float64Array): void;
}

/** `final`: evicting other pods would not help, so preemption need not look at this node. */
export type Verdict =
  | { readonly kind: 'fits' }
  | { readonly kind: 'rejected'; readonly reasons: readonly string[]; readonly final: boolean };

export type Rejected = Extract<Verdict, { readonly kind: 'rejected' }>;
export type Refuse = (position: number, why: Rejected) => void;

export const fits: Verdict = { kind: 'fits' };
export const skip: PodVerdict = { kind: 'skip' };
export const bestScore = 100;

/**
 * The cluster as it stands. It is the scheduler's own table, kept up change by change, not a copy of it: it must not be
 * held on to across an await.
 */
export interface ClusterView {
  /** In no particular order; each stands at its own `position`. */
  readonly nodes: readonly NodeView[];
  /** How many changes of single nodes there have been: what `changedSince` counts from. */
  readonly changes: number;
  /** The positions that have changed since, some of them several times; undefined when that is too long ago to say. */
  changedSince(changes: number): readonly number[] | undefined;
  /** Grows whenever `nodesWithImage` or the number of nodes has changed. */
  readonly imagesEpoch: number;
  node(name: string): NodeView | undefined;
  /** Made when first asked for, and kept up from then on. */
  topology(key: string): Topology;
  /** undefined for a namespace that is not known (yet). */
  namespaceLabels(name: string): Labels | undefined;
  /** What the selectors of the Services that select a pod ask for, taken together; undefined when none does. */
  servedLabels(pod: Pod): Labels | undefined;
  /** Grows whenever a namespace comes, goes or gets other labels. */
  readonly namespacesEpoch: number;
  /** How many nodes have an image, by a name that a node's status gives it. */
  nodesWithImage(name: string): number;
  /** Pods for which room is being made; none of them counts on a node. */
  readonly nominations: NominationsView;
  readonly storage: StorageView;
  /** Whether any pod on any node has a priority below this one. */
  hasPodBelow(priority: number): boolean;
}

/** One node with everything that is counted on it: pods bound to it, and those about to be (assumed). */
export interface NodeView {
  readonly name: string;
  readonly object: Node;
  /** In `ClusterView.nodes`. Another node's once this one is gone. */
  readonly position: number;
  /** Grows with every change of the node or of its pods; never the same for two states of any two nodes. */
  readonly generation: number;
  readonly pods: ReadonlyMap<Uid, Pod>;
  readonly allocatable: Amounts & { readonly pods: number };
  readonly requested: Amounts & { readonly nonZeroMilliCpu: number; readonly nonZeroMemory: number };
  readonly taints: readonly Taint[];
  /** Sizes in bytes by name. */
  readonly images: ReadonlyMap<string, number>;
  /** A number made of the name, for tie-breaks. */
  readonly hash: number;
}

export interface Amounts {
  readonly milliCpu: number;
  /** Bytes. */
  readonly memory: number;
  /** Bytes. */
  readonly ephemeralStorage: number;
  /** Extended resources and huge pages, in whole units. */
  readonly scalars: ReadonlyMap<string, number>;
}

/**
 * What has changed. One update of an object may be several changes, one a kind. `node` is the node afterwards;
 * undefined when there is no such node (any more).
 */
export type ClusterChange =
  | StorageChange
  | { readonly kind: 'node-added'; readonly node: NodeView }
  | { readonly kind: NodeUpdate; readonly node: NodeView; readonly before: Node }
  /** The node as it was, with the pods that are now without one. */
  | { readonly kind: 'node-removed'; readonly name: string; readonly node: NodeView }
  /** On a node: bound, or assumed to be. */
  | { readonly kind: 'pod-added'; readonly pod: Pod; readonly node: NodeView | undefined }
  /** No longer on its node: gone, ended, or the binding failed. */
  | { readonly kind: 'pod-removed'; readonly pod: Pod; readonly node: NodeView | undefined }
  /** On a node still, with other labels or requests. */
  | {
      readonly kind: 'pod-updated';
      readonly pod: Pod;
      readonly before: Pod;
      readonly node: NodeView | undefined;
    }
  /** The waiting pod itself: told of that pod alone. */
  | { readonly kind: 'pod-itself'; readonly pod: Pod; readonly before: Pod };
export type NodeUpdate = 'node-allocatable' | 'node-labels' | 'node-taints' | 'node-unschedulable' | 'node-images';
export type ChangeKind = ClusterChange['kind'];

/** Among nodes of the same score the one with the highest rank is taken. Ranks must differ where names do, mostly. */
export type TieBreak = (node: NodeView) => number;

/**
 * What happens around the write of the binding; effects live here alone. `reserve` is called, in order, as soon as a node
 * is chosen; from then on either everything succeeds or `unreserve` is called, in reverse, of all that were reserved.
 */
export interface BindingPlugin {
  readonly name: string;
  reserve(pod: Pod, node: string): void;
  unreserve(pod: Pod, node: string): void;
  /** May take as long as it wants; others are scheduled meanwhile. Rejects with the signal's reason. */
  permit?(pod: Pod, node: string, signal: AbortSignal): Promise<Permit>;
  /** What must be done before the binding is written. A failure calls everything off. */
  preBind?(pod: Pod, node: string, signal: AbortSignal): Promise<void>;
}
export type Permit = { readonly kind: 'allowed' } | { readonly kind: 'refused'; readonly reason: string };
