import { ApiError, hasReason } from '#api/errors.ts';
import {
  type EntryBody,
  type PodTimeline,
  type PodTimelineEntries,
  timelineApiVersion,
} from '#api/peapod/pod-timeline.ts';
import type { KubeObject } from '#api/meta.ts';
import type { Resource } from '#api/resource.ts';
import type { Client } from '#client/client.ts';
import { backoffDelay, type BackoffPolicy } from '#lib/backoff.ts';
import type { Clock } from '#lib/clock.ts';
import { isCancellation } from '#lib/scope.ts';
import { Signal } from '#lib/signal.ts';

export const podTimelineResource: Resource<PodTimeline> = {
  group: 'peapod.dev',
  version: 'v1alpha1',
  plural: 'podtimelines',
  kind: 'PodTimeline',
  namespaced: true,
};

/** What a component adds to the timelines of pods. */
export interface Timeline {
  /** Never waits, never throws. `at` is when it happened, epoch ms: now when left out. */
  record(pod: Pick<KubeObject, 'metadata'>, entry: EntryBody, at?: number): void;
}

export interface TimelineRecorderOptions {
  readonly client: Client;
  readonly clock: Clock;
  /** Told why entries were lost. */
  readonly onError?: (error: unknown) => void;
}

type Told = PodTimelineEntries['entries'][number];
interface Waiting {
  readonly metadata: PodTimelineEntries['metadata'];
  readonly entries: Told[];
}

/** What is told within this time goes in one request a pod: a pod's start is two or three. */
const BATCH_MS = 250;
/** As many as one request may bring. */
const MOST_A_REQUEST = 256;
/** Entries that wait while the server is away; what comes on top is lost. */
const MOST_WAITING = 4_000;
/** How many requests are under way at once. */
const WIDTH = 8;
/** How long the last words may take when the recorder is stopped. */
const LAST_WORDS_MS = 500;
const retry: BackoffPolicy = { baseMs: 500, factor: 2, maxMs: 10_000 };

/**
 * Takes entries at once and appends them through the API while `run` runs, best effort: a server that is away is waited
 * for, what it refuses is lost. Nothing anybody does depends on it.
 */
export class TimelineRecorder implements Timeline {
  readonly #options: TimelineRecorderOptions;
  readonly #told = new Signal();
  #waiting = new Map<string, Waiting>();
  #count = 0;
  #lost = 0;
  #running = false;

  constructor(options: TimelineRecorderOptions) {
    this.#options = options;
  }

  record({ metadata }: Pick<KubeObject, 'metadata'>, entry: EntryBody, at = this.#options.clock.now()): void {
    const { name, namespace, uid } = metadata;
    if (namespace === undefined) return;
    if (this.#count >= MOST_WAITING) {
      this.#lost++;
      return;
    }
    this.#count++;
    const told: Told = { time: new Date(at).toISOString(), ...entry };
    const known = this.#waiting.get(uid);
    if (known === undefined) this.#waiting.set(uid, { metadata: { name, namespace, uid }, entries: [told] });
    else known.entries.push(told);
    this.#told.raise();
  }

  /** Until `signal` aborts, and then until what is left has been told, for half a second at most. A second call meanwhile throws. */
  async run(signal: AbortSignal): Promise<void> {
    if (this.#running) throw new Error('this timeline recorder is running already');
    this.#running = true;
    const { clock } = this.#options;
    try {
      for (let failures = 0; ;) {
        if (this.#waiting.size === 0) await this.#told.wait(clock, undefined, signal);
        await clock.sleep(failures === 0 ? BATCH_MS : backoffDelay(retry, failures), signal);
        failures = (await this.#send(signal)) ? 0 : failures + 1;
      }
    } catch (error) {
      if (!isCancellation(error, signal)) throw error;
      if (this.#waiting.size > 0) await this.#send(AbortSignal.timeout(LAST_WORDS_MS)).catch(() => {});
    } finally {
      this.#running = false;
    }
  }

  /** All that waits. False when the server was away: what it has not got waits still. */
  async #send(signal: AbortSignal): Promise<boolean> {
    this.#tellLoss();
    const batches = [...this.#waiting.values()].flatMap(cutToRequests);
    this.#waiting = new Map();
    let reached = true;
    const next = batches.values();
    const lane = async (): Promise<void> => {
      for (const batch of next) {
        if (reached && !signal.aborted && (await this.#sendOne(batch, signal))) this.#count -= batch.entries.length;
        else {
          reached = false;
          this.#putBack(batch);
        }
      }
    };
    await Promise.all(Array.from({ length: Math.min(WIDTH, batches.length) }, lane));
    signal.throwIfAborted();
    return reached;
  }

  async #sendOne(batch: Waiting, signal: AbortSignal): Promise<boolean> {
    const { name, namespace } = batch.metadata;
    const body: PodTimelineEntries = { apiVersion: timelineApiVersion, kind: 'PodTimelineEntries', ...batch };
    try {
      await this.#options.client.post(podTimelineResource, { name, namespace, subresource: 'entries' }, body, signal);
      return true;
    } catch (error) {
      // Stopped in the middle, it may be told twice: better than not at all.
      if (isCancellation(error, signal) || mayPass(error)) return false;
      // A pod that was forgotten is nothing to complain of.
      if (!hasReason(error, 'NotFound')) this.#options.onError?.(error);
      return true;
    }
  }

  /** Before what was told of the same pod since. */
  #putBack({ metadata, entries }: Waiting): void {
    const since = this.#waiting.get(metadata.uid)?.entries ?? [];
    this.#waiting.set(metadata.uid, { metadata, entries: [...entries, ...since] });
  }

  #tellLoss(): void {
    if (this.#lost === 0) return;
    this.#options.onError?.(new Error(`${this.#lost} entries of pod timelines were lost: too many waited`));
    this.#lost = 0;
  }
}

function cutToRequests({ metadata, entries }: Waiting): readonly Waiting[] {
  const parts: Waiting[] = [];
  for (let from = 0; from < entries.length; from += MOST_A_REQUEST) {
    parts.push({ metadata, entries: entries.slice(from, from + MOST_A_REQUEST) });
  }
  return parts;
}

/** A server that cannot be reached or is too busy may be better later; one that has refused has decided. */
const mayPass = (error: unknown): boolean =>
  !(error instanceof ApiError) || hasReason(error, 'ServiceUnavailable') || hasReason(error, 'TooManyRequests');
