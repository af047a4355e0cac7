import type { Revision } from '#store/store.ts';

/** How much history a store keeps by itself; the tighter bound wins. */
export interface RetentionPolicy {
  /** Changes younger than this stay readable, as long as `maxBytes` allows. */
  readonly maxAgeMs: number;
  /** Keys and values written since the floor. */
  readonly maxBytes: number;
}

/** Upstream's API server compacts what is older than five minutes. 64 MiB is 20,000 pod statuses. */
export const DEFAULT_RETENTION: RetentionPolicy = { maxAgeMs: 5 * 60_000, maxBytes: 64 * 2 ** 20 };

/** "Everything up to `revision` was committed by `at` (ms), when `bytes` had been written in all." */
export interface Mark {
  readonly revision: Revision;
  readonly at: number;
  readonly bytes: number;
}

// A bound is kept to within one part in this many: a mark a commit would cost more than it tells.
const MARKS_PER_BOUND = 32;

/**
 * Decides when the floor rises. It is asked at commits, so it needs no timer: a store nobody writes to has a history
 * that does not grow. Pure but for its own marks, which a durable store saves and gives back to the next one.
 */
export class Retention {
  readonly #policy: RetentionPolicy;
  readonly #marks: Mark[];
  #bytes: number;
  #bytesAtFloor: number;

  /** `marks` in order of revision; the first may stand at the floor. */
  constructor(policy: RetentionPolicy, marks: readonly Mark[]) {
    this.#policy = policy;
    this.#marks = [...marks];
    this.#bytes = marks.at(-1)?.bytes ?? 0;
    this.#bytesAtFloor = marks[0]?.bytes ?? 0;
  }

  /** Counts a commit. Returns the mark it set, if it was time for one. */
  note(revision: Revision, bytes: number, now: number): Mark | undefined {
    this.#bytes += bytes;
    const last = this.#marks.at(-1);
    const { maxAgeMs, maxBytes } = this.#policy;
    const due =
      last === undefined ||
      now - last.at >= maxAgeMs / MARKS_PER_BOUND ||
      this.#bytes - last.bytes >= maxBytes / MARKS_PER_BOUND;
    if (!due) return undefined;
    const mark: Mark = { revision, at: now, bytes: this.#bytes };
    this.#marks.push(mark);
    return mark;
  }

  /** The revision to compact up to now, if any. Each is returned once. */
  due(now: number): Revision | undefined {
    let floor: Revision | undefined;
    for (let mark = this.#marks[0]; mark && this.#outlived(mark, now); mark = this.#marks[0]) {
      floor = mark.revision;
      this.#bytesAtFloor = mark.bytes;
      this.#marks.shift();
    }
    return floor;
  }

  /** Somebody else has raised the floor. */
  compacted(upTo: Revision): void {
    for (let mark = this.#marks[0]; mark && mark.revision <= upTo; mark = this.#marks[0]) {
      this.#bytesAtFloor = mark.bytes;
      this.#marks.shift();
    }
  }

  #outlived(mark: Mark, now: number): boolean {
    return mark.at <= now - this.#policy.maxAgeMs || this.#bytes - this.#bytesAtFloor > this.#policy.maxBytes;
  }
}
