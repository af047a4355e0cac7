import type { KubeObject, ObjectMeta } from '#api/meta.ts';

/**
 * A pod's life, told by those who took part in it: `GET /apis/peapod.dev/v1alpha1/namespaces/NS/podtimelines/NAME`.
 *
 * Scheduler and kubelet append what they did and saw (`PodTimelineEntries`, below); the API server adds who created,
 * changed and deleted the pod. It is kept beside the store, not in it: no revision, no watch. It outlives events,
 * restarts and, for an hour, the pod. One timeline a pod UID: the newest pod of the name unless `?uid=` names another.
 */
export interface PodTimeline extends KubeObject {
  readonly apiVersion: 'peapod.dev/v1alpha1';
  readonly kind: 'PodTimeline';
  /** Name, namespace, uid and creationTimestamp are the pod's own; resourceVersion grows with each entry and is good for nothing else. */
  readonly metadata: ObjectMeta;
  /** The server's clock when it answered: what "38 s from now" is to be counted from. */
  readonly observedAt: Timestamp;
  /** `gone`: the API has no such pod any more; since when is the time of the entry `Gone`, if that was seen. */
  readonly pod: 'present' | 'gone';
  /** By time; those of one moment in the order they arrived. Never empty. */
  readonly entries: readonly TimelineEntry[];
  /** Why the pod is not ready at `observedAt`, worked out when it was asked for. */
  readonly status: PodTimelineStatus;
}

/** What a timeline and its pod come to, for people (`sentence`, `help`) and for programs (`ready`, `container`). */
export interface PodTimelineStatus {
  /** It is Ready and not being deleted. A pod that has done its work is not, and nothing is wrong with it. */
  readonly ready: boolean;
  /** One sentence, without a full stop: what it is that keeps the pod from being ready, or since when it is. */
  readonly sentence: string;
  /** What would help; '' when nothing needs to be done. */
  readonly help: string;
  /** The container that the sentence is about; absent when it is about the pod as a whole. */
  readonly container?: string;
}

/** RFC 3339 in UTC with milliseconds: `2026-01-02T03:04:05.678Z`. */
export type Timestamp = string;

export type TimelineEntry = EntryHead & EntryBody;

export interface EntryHead {
  readonly time: Timestamp;
  readonly source: EntrySource;
}

export interface EntrySource {
  readonly component: 'apiserver' | 'scheduler' | 'kubelet';
  /** Of a kubelet: its node. */
  readonly node?: string;
}

/** Who asked for something. */
export interface Actor {
  /** `system:admin`, `system:serviceaccount:ci:deployer`. */
  readonly user: string;
  /** As the client calls itself: `kubectl/v1.36.0 (linux/amd64) …`; absent for a component of the cluster's own process. */
  readonly agent?: string;
}

export type EntryBody =
  // Of the API server: what was asked for, by whom.
  | { readonly type: 'Created'; readonly by: Actor }
  /** Its spec, labels, annotations, owners or finalizers were changed. Status is not told of. */
  | {
      readonly type: 'Changed';
      readonly by: Actor;
      /** `spec.containers[web].image`, `metadata.labels[app]`: the first sixteen. */
      readonly fields: readonly string[];
      /** How many more there were; absent when none. */
      readonly moreFields?: number;
    }
  | { readonly type: 'Bound'; readonly by: Actor; readonly node: string }
  | {
      readonly type: 'DeletionAsked';
      readonly by: Actor;
      readonly graceSeconds: number;
      /** It was evicted, as `kubectl drain` does: disruption budgets were asked. Absent for a plain deletion. */
      readonly evicted?: true;
      /** Why others wanted it gone, as its condition DisruptionTarget says: to make room, for a taint. */
      readonly because?: string;
    }
  /** Its object is gone from the API. */
  | { readonly type: 'Gone'; readonly by: Actor }

  // Of the scheduler.
  | SchedulingAttempt
  /** A node was chosen and the pod did not get there; it is tried again. */
  | { readonly type: 'BindingFailed'; readonly node: string; readonly message: string }

  // Of the kubelet, the pod as a whole.
  /** The kubelet has taken the pod on. A kubelet that comes back does not say it again. */
  | { readonly type: 'Admitted' }
  /** It never ran here, by the kubelet's own admission. */
  | { readonly type: 'Rejected'; readonly reason: string; readonly message: string }
  /** Volumes could not be made; tried again. Told once for each new message. */
  | { readonly type: 'MountFailed'; readonly message: string }
  /** `attempt` counts from 0: a pod whose sandbox was lost goes on in another. */
  | { readonly type: 'SandboxCreated'; readonly attempt: number; readonly durationMs: number }
  | { readonly type: 'SandboxFailed'; readonly message: string; readonly durationMs: number }
  /** It ended by itself; the pod's containers are made anew in another. */
  | { readonly type: 'SandboxLost' }
  | { readonly type: 'AddressAssigned'; readonly addresses: readonly string[] }
  | {
      readonly type: 'PhaseChanged';
      readonly phase: 'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Unknown';
      readonly reason?: string;
      readonly message?: string;
    }
  /** The pod's condition Ready. */
  | { readonly type: 'ReadyChanged'; readonly ready: boolean }
  /** The kubelet has begun to end the pod: asked to by its deletion, or by itself (a deadline, eviction). */
  | {
      readonly type: 'Terminating';
      /** `Deleted`, `DeadlineExceeded`, `Evicted`, …: as the pod's status.reason is, or will be. */
      readonly reason: string;
      readonly message?: string;
      /** Whatever still runs then is killed. */
      readonly deadline: Timestamp;
    }

  // Of the kubelet, one container. `container` is its name; init and ephemeral ones included.
  | { readonly type: 'PullStarted'; readonly container: string; readonly image: string }
  | {
      readonly type: 'Pulled';
      readonly container: string;
      readonly image: string;
      readonly durationMs: number;
      /** Absent when the runtime does not say. */
      readonly sizeBytes?: number;
    }
  | {
      readonly type: 'PullFailed';
      readonly container: string;
      readonly image: string;
      /** `ErrImagePull`, `InvalidImageName`, … */
      readonly reason: string;
      readonly message: string;
      readonly durationMs: number;
    }
  /** The image was on the node already: no pull. */
  | { readonly type: 'ImagePresent'; readonly container: string; readonly image: string }
  /** `attempt` is 0 for the first container of the name, 1 after its first restart, … */
  | {
      readonly type: 'ContainerCreated';
      readonly container: string;
      readonly attempt: number;
      readonly durationMs: number;
    }
  | {
      readonly type: 'ContainerCreateFailed';
      readonly container: string;
      readonly attempt: number;
      /** `CreateContainerConfigError`, `CreateContainerError`, … */
      readonly reason: string;
      readonly message: string;
    }
  | { readonly type: 'ContainerStarted'; readonly container: string; readonly attempt: number }
  | {
      readonly type: 'ContainerStartFailed';
      readonly container: string;
      readonly attempt: number;
      readonly reason: string;
      readonly message: string;
    }
  | {
      readonly type: 'HookFailed';
      readonly container: string;
      readonly hook: 'postStart' | 'preStop';
      /** What the hook said or did: for people. */
      readonly message: string;
    }
  | ProbeTransition
  | ContainerExit
  /** It waits before it is tried again. Told once each time a wait begins. */
  | {
      readonly type: 'BackOff';
      readonly container: string;
      readonly reason: 'CrashLoopBackOff' | 'ImagePullBackOff';
      /** When it is tried next. */
      readonly until: Timestamp;
      readonly message?: string;
    }
  /** The kubelet stops it. */
  | {
      readonly type: 'Killing';
      readonly container: string;
      /** `Container web failed liveness probe, will be restarted`. */
      readonly message: string;
      /** Killed by force then. */
      readonly deadline: Timestamp;
    }

  // Of the journal itself.
  /** In this place `count` entries, from `time` until `until`, were dropped to stay within bounds. */
  | { readonly type: 'Dropped'; readonly count: number; readonly until: Timestamp };

export interface SchedulingAttempt {
  readonly type: 'SchedulingAttempt';
  /** The how manieth for this pod, from 1. */
  readonly attempt: number;
  /** What the scheduler had seen of the cluster when it decided; absent where it was not told. */
  readonly revisions: { readonly pods?: string; readonly nodes?: string };
  /** How many nodes there were. */
  readonly nodes: number;
  /** How many of them could take the pod. */
  readonly feasible: number;
  /** Why the others could not: upstream's words, and how many nodes. Most nodes first; at most sixteen. */
  readonly refusals: readonly { readonly reason: string; readonly nodes: number }[];
  readonly result: 'Placed' | 'Unschedulable';
  /** Placed: the chosen node first, at most three; scores only where there was a choice. */
  readonly best?: readonly RankedNode[];
  /** What a plugin's score counts times, for those in `byPlugin`. */
  readonly weights?: Readonly<Record<string, number>>;
  /** Ties were broken by it: with the revisions and the seed the attempt can be repeated. */
  readonly seed?: number;
  /** Unschedulable: as in the pod's condition PodScheduled. */
  readonly message?: string;
}

/** A node that could take a pod. */
export interface RankedNode {
  readonly node: string;
  /** The sum of what plugins gave it, each times its weight. */
  readonly score?: number;
  /** From 0 to 100, by upstream's names of the plugins, before weights. */
  readonly byPlugin?: Readonly<Record<string, number>>;
}

/**
 * What a probe is believed to say has changed, or has begun to.
 *  - `FirstFailure`: the first answer that failed after one that did not (or since the container started);
 *  - `Recovered`: an answer that did not fail, before the threshold was reached;
 *  - `ThresholdReached`: so many failures in a row that the container is unready (readiness) or killed (others);
 *  - `Ready`, `Started`: a readiness or a startup probe has succeeded often enough;
 *  - `Unknown`: it could not be asked. Told once for each new output.
 */
export interface ProbeTransition {
  readonly type: 'Probe';
  readonly container: string;
  readonly probe: 'startup' | 'liveness' | 'readiness';
  readonly transition: 'FirstFailure' | 'Recovered' | 'ThresholdReached' | 'Ready' | 'Started' | 'Unknown';
  /** What the answer was that caused it. At most 1 KiB. */
  readonly output: string;
  /** The how manieth such answer in a row it was, and how many it takes. */
  readonly run: number;
  readonly threshold: number;
  /** How long the answer took. */
  readonly latencyMs: number;
}

export interface ContainerExit {
  readonly type: 'ContainerExited';
  readonly container: string;
  readonly attempt: number;
  readonly exitCode: number;
  /** When a signal ended it: 9, 15, … */
  readonly signal?: number;
  /** `Completed`, `Error`, `OOMKilled`, …: as in the container's status. */
  readonly reason: string;
  /** Its termination message. */
  readonly message?: string;
  /** How long it ran; absent when that is not known. */
  readonly ranMs?: number;
  /** The last lines it wrote, oldest first: at most 10, at most 1 KiB together. Of what came in the last moment stderr is last. */
  readonly logTail: readonly string[];
}

/**
 * What a component appends: `POST …/podtimelines/NAME/entries`. Answered with a Status. The server says who `source` is
 * from who asks: a node may only tell of pods that are bound to it, a scheduler of any.
 */
export interface PodTimelineEntries {
  readonly apiVersion: 'peapod.dev/v1alpha1';
  readonly kind: 'PodTimelineEntries';
  /** Of the pod: its uid says which pod of the name is meant. */
  readonly metadata: { readonly name: string; readonly namespace: string; readonly uid: string };
  /** At most 256. */
  readonly entries: readonly (Pick<EntryHead, 'time'> & EntryBody)[];
}

export const timelineApiVersion = 'peapod.dev/v1alpha1';

/** No text in an entry is longer than this, in characters; what was is cut and ends in `…`. */
export const MOST_TEXT = 1024;
/** The end of a log that an exit carries. */
export const MOST_TAIL_LINES = 10;
export const MOST_TAIL_CHARACTERS = 1024;
