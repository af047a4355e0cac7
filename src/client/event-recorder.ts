import { ApiError, hasReason } from '#api/errors.ts';
import type { ObjectReference } from '#api/generated/core-v1.ts';
import type { Client } from '#client/client.ts';
import { EventCorrelator, type NewEvent } from '#client/event-correlator.ts';
import type { DroppedEvents, EventRecorder, EventText, Regarding } from '#client/events.ts';
import { eventResource } from '#client/resources.ts';
import type { Clock } from '#lib/clock.ts';
import { orAborted } from '#lib/or-aborted.ts';
import { isCancellation } from '#lib/scope.ts';

export interface EventRecorderOptions {
  readonly client: Client;
  readonly clock: Clock;
  /** Who reports (`default-scheduler`, `kubelet`) and, where that matters, on which host: the kubelet's node. */
  readonly source: { readonly component: string; readonly host?: string };
  /** Told why an event could not be written. */
  readonly onError?: (error: unknown) => void;
  /** In [0, 1); spreads the first retry. Math.random when absent. */
  readonly random?: () => number;
}

/** Makes a recorder; it takes events at once and writes them while `run` runs. */
export const createEventRecorder = (options: EventRecorderOptions): EventRecorder => new QueueingRecorder(options);

/** client-go's numbers. */
const QUEUE_LIMIT = 1_000;
const TRIES = 12;
const RETRY_MS = 10_000;

class QueueingRecorder implements EventRecorder {
  readonly #options: EventRecorderOptions;
  readonly #correlator = new EventCorrelator();
  readonly #queue: NewEvent[] = [];
  #counts: DroppedEvents = { spam: 0, overflow: 0, failed: 0 };
  /** Begins anywhere: two recorders that report on one object in one millisecond must not give one name. */
  #sequence: number;
  #running = false;
  #recorded = Promise.withResolvers<void>();
  #emptied = Promise.withResolvers<void>();

  constructor(options: EventRecorderOptions) {
    this.#sequence = Math.floor((options.random ?? Math.random)() * 1_000_000);
    this.#options = options;
    this.#emptied.resolve();
  }

  get dropped(): DroppedEvents {
    return this.#counts;
  }

  record(object: Regarding, text: EventText): void {
    if (this.#queue.length >= QUEUE_LIMIT) return this.#drop('overflow');
    if (this.#queue.length === 0) this.#emptied = Promise.withResolvers<void>();
    this.#queue.push(this.#eventOf(object, text));
    this.#recorded.resolve();
  }

  flushed(signal: AbortSignal): Promise<void> {
    return orAborted(this.#emptied.promise, signal);
  }

  async run(signal: AbortSignal): Promise<void> {
    if (this.#running) throw new Error(`the event recorder of ${this.#options.source.component} is running already`);
    this.#running = true;
    try {
      for (;;) await this.#writeNext(signal);
    } catch (error) {
      if (!isCancellation(error, signal)) throw error;
    } finally {
      this.#running = false;
    }
  }

  /** The event stays in the queue while it is written, so that `flushed` waits for it. */
  async #writeNext(signal: AbortSignal): Promise<void> {
    const [event] = this.#queue;
    if (!event) {
      this.#recorded = Promise.withResolvers<void>();
      await orAborted(this.#recorded.promise, signal);
      return;
    }
    try {
      const correlated = this.#correlator.correlate(event, this.#options.clock.now());
      if (correlated.kind === 'drop') this.#drop('spam');
      else await this.#write(correlated.event, correlated.kind, signal);
    } finally {
      this.#queue.shift();
      if (this.#queue.length === 0) this.#emptied.resolve();
    }
  }

  async #write(event: NewEvent, how: 'create' | 'count', signal: AbortSignal): Promise<void> {
    const { clock, onError, random = Math.random } = this.#options;
    for (let tried = 1; ; tried++) {
      try {
        return await this.#send(event, how, signal);
      } catch (error) {
        const stopped = isCancellation(error, signal);
        if (stopped || !mayPass(error) || tried === TRIES) this.#drop('failed');
        if (stopped) throw error;
        if (!mayPass(error) || tried === TRIES) return onError?.(error);
        // The first wait is cut at random, so that the components of a cluster do not all come back at once.
        await clock.sleep(tried === 1 ? RETRY_MS * random() : RETRY_MS, signal);
      }
    }
  }

  async #send(event: NewEvent, how: 'create' | 'count', signal: AbortSignal): Promise<void> {
    const { client } = this.#options;
    const { name = '', namespace = '' } = event.metadata;
    if (how === 'count') {
      const { count, message, lastTimestamp } = event;
      const patch = { kind: 'strategic', body: { count, message, lastTimestamp } } as const;
      try {
        await client.patch(eventResource, { name, namespace }, patch, signal);
        return;
      } catch (error) {
        // It has expired since: it is made anew, with the count it had come to.
        if (!hasReason(error, 'NotFound')) throw error;
      }
    }
    await client.create(eventResource, event, signal);
  }

  #eventOf(object: Regarding, text: EventText): NewEvent {
    const { clock, source } = this.#options;
    const now = clock.now();
    const { name, namespace = 'default' } = object.metadata;
    const timestamp = `${new Date(now).toISOString().slice(0, 19)}Z`;
    return {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: `${name}.${this.#instant(now).toString(16)}`, namespace },
      involvedObject: {
        ...referenceTo(object),
        ...(text.fieldPath === undefined ? {} : { fieldPath: text.fieldPath }),
      },
      type: text.type,
      reason: text.reason,
      message: text.message,
      ...(text.action === undefined ? {} : { action: text.action }),
      ...(text.related === undefined ? {} : { related: referenceTo(text.related) }),
      source,
      reportingComponent: source.component,
      reportingInstance: source.host ?? '',
      firstTimestamp: timestamp,
      lastTimestamp: timestamp,
      count: 1,
    };
  }

  /** Upstream names events by the nanosecond; ours come by the millisecond, so the rest is a running number. */
  #instant(now: number): bigint {
    this.#sequence = (this.#sequence + 1) % 1_000_000;
    return BigInt(now) * 1_000_000n + BigInt(this.#sequence);
  }

  #drop(why: keyof DroppedEvents): void {
    this.#counts = { ...this.#counts, [why]: this.#counts[why] + 1 };
  }
}

/** A server that cannot be reached or is too busy may be better later; one that has refused the event has decided. */
const mayPass = (error: unknown): boolean =>
  !(error instanceof ApiError) || hasReason(error, 'ServiceUnavailable') || hasReason(error, 'TooManyRequests');

function referenceTo({ apiVersion, kind, metadata }: Regarding): ObjectReference {
  const { name, namespace, uid, resourceVersion } = metadata;
  return {
    kind,
    ...(namespace === undefined ? {} : { namespace }),
    name,
    ...(uid === undefined ? {} : { uid }),
    apiVersion,
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
  };
}
