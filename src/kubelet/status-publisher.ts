import type { ResourceVersion } from '#api/meta.ts';
import type { Pod, PodStatus } from '#api/generated/core-v1.ts';
import { hasReason } from '#api/errors.ts';
import type { Client } from '#client/client.ts';
import { podResource } from '#client/resources.ts';
import { compareRevisions } from '#client/revision.ts';
import { publishDelay, sameStatus, statusPatch } from '#kubelet/status-patch.ts';
import type { OwnStatus } from '#kubelet/status.ts';
import { backoffDelay, type BackoffPolicy } from '#lib/backoff.ts';
import type { Clock } from '#lib/clock.ts';
import { isCancellation, Scope } from '#lib/scope.ts';
import { Signal } from '#lib/signal.ts';

interface Entry {
  /** Whose status is written: the pod, or its mirror; undefined while there is none. */
  readonly subject: Pod | undefined;
  readonly wanted: OwnStatus;
  /** What the API is known to have. */
  readonly acknowledged: PodStatus | undefined;
  /** Since which revision it has. */
  readonly acknowledgedAt: ResourceVersion | undefined;
  readonly onAcknowledged: () => void;
  readonly dueAt: number;
  readonly failures: number;
  /** What is on its way there. */
  readonly writing: OwnStatus | undefined;
  /** `wanted` is not what is acknowledged. Said here because every change of any pod asks it of all. */
  readonly owed: boolean;
}

const retry: BackoffPolicy = { baseMs: 200, factor: 2, maxMs: 10_000 };

/**
 * Tells the API what the kubelet thinks of its pods. A worker says what it thinks as often as it likes; what matters to
 * people is written at once, what will change again in a moment waits for that moment, and what the API has already is
 * not written at all. Each write is a patch of the kubelet's own part, good for that very UID only.
 */
export class StatusPublisher {
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #log: (message: string, error: unknown) => void;
  readonly #subjectOf: (pod: Pod) => Pod | undefined;
  readonly #entries = new Map<string, Entry>();
  readonly #changed = new Signal();

  constructor(deps: {
    readonly client: Client;
    readonly clock: Clock;
    readonly log: (message: string, error: unknown) => void;
    /** What the API has of a pod; undefined while it has nothing of it. */
    readonly subjectOf: (pod: Pod) => Pod | undefined;
  }) {
    this.#client = deps.client;
    this.#clock = deps.clock;
    this.#log = deps.log;
    this.#subjectOf = deps.subjectOf;
  }

  /** Replaces what was to be said of this pod. `onAcknowledged` is called once the API has it. */
  publish(pod: Pod, wanted: OwnStatus, onAcknowledged: () => void): void {
    const { uid } = pod.metadata;
    const subject = this.#subjectOf(pod);
    const before = this.#entries.get(uid);
    // Another object has taken the place of the one that was told.
    const known = before?.subject?.metadata.uid === subject?.metadata.uid ? before : undefined;
    const { acknowledged, acknowledgedAt } = acknowledgedOf(known, subject);
    const told = known?.writing ?? acknowledged;
    const dueAt = this.#clock.now() + publishDelay(told, wanted, pod.metadata.deletionTimestamp !== undefined);
    // What has begun to wait is not put off by what comes after it.
    const waiting = known && isWaiting(known) ? known.dueAt : Infinity;
    this.#entries.set(uid, {
      subject,
      wanted,
      acknowledged,
      acknowledgedAt,
      onAcknowledged,
      dueAt: known && known.failures > 0 ? known.dueAt : Math.min(dueAt, waiting),
      failures: known?.failures ?? 0,
      writing: known?.writing,
      owed: !sameStatus(acknowledged, wanted),
    });
    this.#changed.raise();
  }

  acknowledged(uid: string): PodStatus | undefined {
    return this.#entries.get(uid)?.acknowledged;
  }

  forget(uid: string): void {
    this.#entries.delete(uid);
  }

  /** Writes until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await using scope = new Scope(signal);
    while (!signal.aborted) {
      let next: number | undefined;
      for (const [uid, entry] of this.#entries) {
        const { subject } = entry;
        if (subject === undefined || entry.writing !== undefined || !entry.owed) continue;
        if (entry.dueAt > this.#clock.now()) {
          next = Math.min(next ?? Infinity, entry.dueAt);
          continue;
        }
        this.#entries.set(uid, { ...entry, writing: entry.wanted });
        scope.spawn(`status of pod ${uid}`, (inner) => this.#write(uid, { ...entry, subject }, inner));
      }
      await this.#changed.wait(this.#clock, next, signal).catch((error: unknown) => {
        if (!isCancellation(error, signal)) throw error;
      });
    }
  }

  async #write(
    uid: string,
    { subject, wanted, onAcknowledged }: Entry & { readonly subject: Pod },
    signal: AbortSignal,
  ): Promise<void> {
    const { namespace = '', name } = subject.metadata;
    try {
      const ref = { namespace, name, subresource: 'status' };
      const patch = { kind: 'strategic', body: statusPatch(subject, wanted) } as const;
      const { metadata } = await this.#client.patch(podResource, ref, patch, signal);
      this.#settle(uid, subject, { acknowledged: wanted, acknowledgedAt: metadata.resourceVersion, failures: 0 });
      onAcknowledged();
    } catch (error) {
      if (isCancellation(error, signal)) throw error;
      // The pod is gone, or a namesake stands in its place: there is nobody to tell.
      if (hasReason(error, 'NotFound') || hasReason(error, 'Conflict'))
        return this.#settle(uid, subject, { acknowledged: wanted, failures: 0 });
      this.#log(`writing the status of pod ${namespace}/${name} failed`, error);
      const failures = (this.#entries.get(uid)?.failures ?? 0) + 1;
      this.#settle(uid, subject, { failures, dueAt: this.#clock.now() + backoffDelay(retry, failures) });
    }
  }

  #settle(uid: string, { metadata }: Pod, over: Partial<Entry>): void {
    const entry = this.#entries.get(uid);
    if (entry?.subject?.metadata.uid === metadata.uid) {
      const settled = { ...entry, ...over };
      const owed = !sameStatus(settled.acknowledged, settled.wanted);
      this.#entries.set(uid, { ...settled, writing: undefined, owed });
    }
    this.#changed.raise();
  }
}

/**
 * What we have written, unless the API has been seen to say something else since: of a node that was thought to be lost others say
 * that its pods are not ready.
 */
function acknowledgedOf(
  known: Entry | undefined,
  subject: Pod | undefined,
): Pick<Entry, 'acknowledged' | 'acknowledgedAt'> {
  const seenAt = subject?.metadata.resourceVersion;
  const current = known?.acknowledgedAt;
  if (!known) return { acknowledged: subject?.status, acknowledgedAt: seenAt };
  const isNews = seenAt !== undefined && current !== undefined && compareRevisions(seenAt, current) > 0;
  return isNews ? { acknowledged: subject?.status, acknowledgedAt: seenAt } : known;
}

/** Something is to be written that is not on its way yet. */
const isWaiting = ({ writing, wanted, owed }: Entry): boolean =>
  writing === undefined ? owed : !sameStatus(writing, wanted);
