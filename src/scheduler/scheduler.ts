import type { ObjectKey } from '#api/meta.ts';
import type { Client } from '#client/client.ts';
import type { EventRecorder } from '#client/events.ts';
import type { Timeline } from '#client/timeline-recorder.ts';
import type { BackoffPolicy } from '#lib/backoff.ts';
import type { Clock } from '#lib/clock.ts';
import type { Attempt } from '#scheduler/attempts.ts';
import type { Profile } from '#scheduler/profile.ts';
import type { QueueCounts } from '#scheduler/queue.ts';

// Made by createScheduler in #scheduler/create-scheduler.ts; this file is the contract.

/**
 * The scheduler gives each pod without a node a node, once.
 *
 * It watches pods and nodes and keeps a table of the cluster (`cluster-state.ts`). Pods without a node wait in a queue
 * (`queue.ts`); one at a time is decided upon by a pure function (`place.ts`) of the table and the plugins' opinions.
 * The chosen node is taken for granted at once (the pod is *assumed* there), and the binding is written while the next
 * pod is decided upon. When the write fails, the pod is taken off the table and tried again later. When a pod fits
 * nowhere, its condition and an event say why, and it sleeps until a change comes that may help it. When it is more important than
 * pods that are on nodes, room is made for it (`preemption/`).
 *
 * The only authority is the server, which binds a pod once: two schedulers may both try.
 */
export interface Scheduler {
  /**
   * Schedules until `signal` aborts; then resolves, once no write is under way. A second call while the first one runs
   * is refused (throws). It may be run again later.
   */
  run(signal: AbortSignal): Promise<void>;
  /** The latest attempts for a pod, eldest first; in memory, bounded. */
  attempts(pod: ObjectKey): readonly Attempt[];
  /** How many pods wait where. */
  readonly waiting: QueueCounts;
}

export interface SchedulerOptions {
  readonly client: Client;
  readonly clock: Clock;
  /** Not run by the scheduler: who makes it runs it. Its component should be the profile's `schedulerName`. */
  readonly events: EventRecorder;
  /** Told of each attempt. Not run by the scheduler either. Nobody is told when absent. */
  readonly timeline?: Timeline;
  /** In [0, 1): breaks ties, so that the same numbers give the same placements. Math.random when absent. */
  readonly random?: () => number;
  /** Told how long each try to find a node took, in ms of this thread. */
  readonly onAttempt?: (ms: number) => void;
  /** Told of what went wrong and is tried again. */
  readonly log: (message: string, error: unknown) => void;
  /** `[defaultProfile()]` when absent; no two of one name. Their plugins must be nobody else's. */
  readonly profiles?: readonly Profile[];
  /** Between attempts that come to nothing: upstream's 1 to 10 s when absent. */
  readonly backoff?: BackoffPolicy;
}
