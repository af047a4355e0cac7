import type { Event } from '#api/generated/core-v1.ts';
import type { Clock } from '#lib/clock.ts';
import { isCancellation } from '#lib/scope.ts';
import type { Stored } from '#server/cache/stored.ts';
import type { ResourceCache } from '#server/cache/resource-cache.ts';
import type { Writer } from '#server/registry/writer.ts';

/** How long events are kept, as upstream's default. */
export const EVENT_TTL_MS = 3_600_000;
const CHECK_MS = 60_000;

/** Takes events away that have not happened again for a while. Runs until aborted. */
export class EventExpiry {
  readonly #cache: ResourceCache;
  readonly #writer: Writer;
  readonly #clock: Clock;
  readonly #ttlMs: number;
  /** Reading the times of an event means parsing it, so it is done once a version. */
  readonly #happened = new WeakMap<Stored, number>();

  constructor(cache: ResourceCache, writer: Writer, { clock, ttlMs }: { clock: Clock; ttlMs: number }) {
    this.#cache = cache;
    this.#writer = writer;
    this.#clock = clock;
    this.#ttlMs = ttlMs;
  }

  async run(signal: AbortSignal): Promise<void> {
    try {
      for (;;) {
        await this.#clock.sleep(CHECK_MS, signal);
        await this.#sweep();
      }
    } catch (error) {
      if (!isCancellation(error, signal)) throw error;
    }
  }

  async #sweep(): Promise<void> {
    const before = this.#clock.now() - this.#ttlMs;
    const old = this.#cache.under(this.#cache.prefix).filter((stored) => this.#happenedAt(stored) <= before);
    // Whoever has just told of one again has the newer version: that one stays.
    for (const stored of old) await this.#writer.remove(stored, 'relaxed');
  }

  #happenedAt(stored: Stored): number {
    const known = this.#happened.get(stored);
    if (known !== undefined) return known;
    const { metadata, lastTimestamp, eventTime, series } = stored.object as unknown as Event;
    const times = [metadata.creationTimestamp, lastTimestamp, eventTime, series?.lastObservedTime];
    const at = Math.max(...times.map((time) => (time ? Date.parse(time) : 0)));
    this.#happened.set(stored, at);
    return at;
  }
}
