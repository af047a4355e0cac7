import type { Event } from '#api/generated/core-v1.ts';
import type { New } from '#api/resource.ts';
import { LruMap } from '#lib/lru-map.ts';

/**
 * Decides what becomes of an event before anybody is bothered with it: made, counted onto an earlier one, or dropped.
 * The numbers and the order of the steps (combine, count, filter) are those of client-go's EventCorrelator. It holds the
 * memory that takes, and asks neither the clock nor the server.
 */
export class EventCorrelator {
  readonly #similar = new LruMap<string, Similar>(MEMORY);
  readonly #sent = new LruMap<string, Sent>(MEMORY);
  readonly #allowances = new LruMap<string, Allowance>(MEMORY);

  /** `event` is as it was recorded, with count 1. `now` in ms since the epoch. */
  correlate(event: NewEvent, now: number): Correlated {
    const { key, combined } = this.#combine(event, now);
    const earlier = this.#sent.get(key);
    const { count, firstTimestamp, name } = earlier ? { ...earlier, count: earlier.count + 1 } : firstOf(combined);
    this.#sent.set(key, { count, firstTimestamp, name });
    if (!this.#allows(objectOf(event), now)) return { kind: 'drop' };
    const counted = { ...combined, count, firstTimestamp, metadata: { ...combined.metadata, name } };
    return { kind: earlier ? 'count' : 'create', event: counted };
  }

  /** Ten events that differ in nothing but their messages, each within ten minutes of the one before, become one. */
  #combine(event: NewEvent, now: number): { readonly key: string; readonly combined: NewEvent } {
    const group = key(objectOf(event), event.type, event.reason, event.reportingComponent, event.reportingInstance);
    const known = this.#similar.get(group);
    const recent = known && now - known.lastAt <= SIMILAR_MS;
    const messages = recent ? known.messages : new Set<string>();
    const message = event.message ?? '';
    messages.add(message);
    this.#similar.set(group, { messages, lastAt: now });
    if (messages.size < SIMILAR_EVENTS)
      return {
        key: key(objectOf(event), event.involvedObject?.fieldPath, event.type, event.reason, message),
        combined: event,
      };
    // The set stays one below the limit, so that the next new message is combined again.
    for (const any of messages) {
      messages.delete(any);
      break;
    }
    return { key: group, combined: { ...event, message: `(combined from similar events): ${message}` } };
  }

  /** A token bucket for each object: 25 at once, one more every five minutes. */
  #allows(object: string, now: number): boolean {
    const known = this.#allowances.get(object) ?? { tokens: BURST, at: now };
    const tokens = Math.min(BURST, known.tokens + (now - known.at) / REFILL_MS);
    const allowed = tokens >= 1;
    this.#allowances.set(object, { tokens: allowed ? tokens - 1 : tokens, at: now });
    return allowed;
  }
}

export type NewEvent = New<Event>;

export type Correlated =
  /** To be made. */
  | { readonly kind: 'create'; readonly event: NewEvent }
  /** One of that name was made before: its count, message and lastTimestamp are to be brought up to this. */
  | { readonly kind: 'count'; readonly event: NewEvent }
  /** The object has used up its allowance. */
  | { readonly kind: 'drop' };

const MEMORY = 4096;
const SIMILAR_EVENTS = 10;
const SIMILAR_MS = 600_000;
const BURST = 25;
const REFILL_MS = 300_000;

interface Similar {
  readonly messages: Set<string>;
  readonly lastAt: number;
}

interface Sent {
  readonly name: string;
  readonly count: number;
  readonly firstTimestamp: string;
}

interface Allowance {
  readonly tokens: number;
  readonly at: number;
}

const firstOf = (event: NewEvent): Sent => ({
  name: event.metadata.name ?? '',
  count: 1,
  firstTimestamp: event.firstTimestamp ?? '',
});

function objectOf({ source, involvedObject: object }: NewEvent): string {
  return key(
    source?.component,
    source?.host,
    object?.kind,
    object?.namespace,
    object?.name,
    object?.uid,
    object?.apiVersion,
  );
}

/** Unlike a concatenation, JSON keeps ('a', 'bc') and ('ab', 'c') apart. */
const key = (...parts: readonly (string | undefined)[]): string => JSON.stringify(parts);
