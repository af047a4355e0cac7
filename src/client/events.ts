import type { KubeObject, ObjectMeta } from '#api/meta.ts';

// Made by createEventRecorder in #client/event-recorder.ts; this file is the contract.

/**
 * Events: what a component wants a person to know about an object (`kubectl describe` shows them).
 *
 * Recording never waits and never fails: it puts the event into a bounded queue, and `run` writes from it, best effort.
 * The rules are those of client-go's recorder, because people and tools know them:
 *  - the same event again (same object, type, reason, message) raises `count` and `lastTimestamp` of the one that is there;
 *  - ten of one reason that differ in their messages within ten minutes become one, "(combined from similar events): …";
 *  - an object may cause 25 events in one go and one every five minutes after that; the rest is dropped and counted.
 */
export interface EventRecorder {
  /** Never waits, never throws. `object` is what the event is about (it needs name, namespace and uid; of a Node or Namespace the name is enough). */
  record(object: Regarding, event: EventText): void;
  /**
   * Writes what is queued until `signal` aborts; then resolves. What is still queued then waits for the next `run`;
   * the one that is being written may be lost, and counts as failed.
   * A second call while the first one runs is refused (throws).
   */
  run(signal: AbortSignal): Promise<void>;
  /** Resolves when everything recorded so far has been written or dropped. Rejects with the signal's reason. */
  flushed(signal: AbortSignal): Promise<void>;
  /** How many events were not written, by cause. */
  readonly dropped: DroppedEvents;
}

export interface EventText {
  readonly type: 'Normal' | 'Warning';
  /** UpperCamelCase, short, for machines: `FailedScheduling`. */
  readonly reason: string;
  /** One sentence for people. */
  readonly message: string;
  /** What was done or tried, for machines: `Binding`. */
  readonly action?: string;
  /** A second object the event involves. */
  readonly related?: Regarding;
  /** The part of the object meant, as upstream spells it: `spec.containers{web}`. */
  readonly fieldPath?: string;
}

/** An object, or as much of one as a reference needs. */
export type Regarding = Pick<KubeObject, 'apiVersion' | 'kind'> & {
  readonly metadata: Pick<ObjectMeta, 'name'> & Partial<Pick<ObjectMeta, 'namespace' | 'uid' | 'resourceVersion'>>;
};

export interface DroppedEvents {
  /** The object had used up its allowance. */
  readonly spam: number;
  /** The queue was full. */
  readonly overflow: number;
  /** The server refused it, or could not be reached in twelve tries, or `run` was stopped while it was written. */
  readonly failed: number;
}
