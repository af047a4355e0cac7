import type { Impasse } from '#api/peapod/node-verdict.ts';
import type { PodName } from '#api/peapod/obstacle.ts';
import type { SchedulingAttempt } from '#api/peapod/pod-timeline.ts';

/** Where a pod would go, or why nowhere. */
export interface SimulatedPod {
  readonly pod: PodName;
  readonly outcome: 'placed' | 'nowhere' | 'not-scheduled';
  /** Placed: where it would run. Of one that is not scheduled: the node that it names. */
  readonly node?: string;
  /** Absent of a pod that is not scheduled: one that is gated, that names its node, or that is another scheduler's. */
  readonly attempt?: SchedulingAttempt;
  /** Why it gets no node, as `peapod why` would say; '' for one that does. */
  readonly sentence: string;
  /** What would help; '' when nothing needs to be done. */
  readonly help: string;
  /** Nowhere: what stands in the way. */
  readonly impasse?: Impasse;
}

export interface Simulation {
  /** Every pod got a node. */
  readonly fits: boolean;
  /** In the order in which they were placed: each counts for those behind it. */
  readonly pods: readonly SimulatedPod[];
}
