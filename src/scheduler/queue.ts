import type { Pod } from '#api/generated/core-v1.ts';
import type { Uid } from '#api/meta.ts';
import { backoffDelay, type BackoffPolicy } from '#lib/backoff.ts';
import { Heap } from '#scheduler/heap.ts';
import { isGated, priorityOf } from '#scheduler/pod-facts.ts';
import type { ClusterChange, SchedulerPlugin } from '#scheduler/plugin.ts';
import type { Profile } from '#scheduler/profile.ts';

/**
 * The pods that wait for a node. Pure: it knows no clock and sets no timer; who uses it says what time it is and asks
 * when to come back (`nextAt`).
 *
 * A pod is in exactly one place:
 *   gated          its gates are for others to take away;
 *   active         to be tried, the highest priority first, then who has waited longest;
 *   backing-off    has failed lately: 1 s after the first failure, doubling up to 10 s. Pods that something has woken
 *                  are taken from here before their time when nothing else is to do (as upstream's do since 1.33);
 *                  those whose binding failed are not;
 *   unschedulable  fits nowhere: until a change that may help, or five minutes at most;
 *   in flight      being tried or bound. What changes meanwhile is kept, and replayed when the attempt fails: or a
 *                  change that came too late for the attempt and too early for the pool would be lost on it.
 */
export class SchedulingQueue {
  /** By the name of the profile and its own. */
  readonly #plugins: ReadonlyMap<string, SchedulerPlugin>;
  readonly #policy: BackoffPolicy;
  readonly #entries = new Map<Uid, Entry>();
  readonly #active = new Heap<Ticket>(isAhead);
  readonly #backoff = new Heap<Ticket>(isSooner);
  /** Those whose binding failed: the same, but they do wait. */
  readonly #penalized = new Heap<Ticket>(isSooner);
  /** Who may be woken by which plugin's changes; under '' those that no plugin has refused: anything wakes them. */
  readonly #sleeping = new Map<string, Set<Entry>>();
  /** All that sleep, those who went to sleep first in front. */
  readonly #asleep = new Set<Entry>();
  /** In the order in which their attempts began. */
  readonly #inFlight = new Set<Entry>();
  /** What has changed since the eldest attempt in flight began, numbered from `#firstChange`. */
  #changes: ClusterChange[] = [];
  #firstChange = 0;
  #order = 0;

  constructor(profiles: readonly Pick<Profile, 'schedulerName' | 'plugins'>[], policy: BackoffPolicy = defaultBackoff) {
    this.#policy = policy;
    this.#plugins = new Map(
      profiles.flatMap(({ schedulerName, plugins }) =>
        plugins.map(({ plugin }) => [keyOf(schedulerName, plugin.name), plugin] as const),
      ),
    );
  }

  /** A pod that is to be scheduled, or that has changed while it waits. */
  set(pod: Pod, now: number): void {
    const known = this.#entries.get(pod.metadata.uid);
    if (known === undefined) return this.#admit(newEntry(pod, now), now);
    const before = known.pod;
    known.pod = pod;
    if (known.place === 'gated') return this.#admit(known, now);
    if (known.place !== 'unschedulable' && known.place !== 'in-flight') return;
    if (isSameWish(before, pod)) return;
    const change: ClusterChange = { kind: 'pod-itself', pod, before };
    if (known.place === 'in-flight') known.ownChanges.push(change);
    else if (this.#mayHelp(known, change)) this.#wake(known, now);
  }

  /** It needs no node any more: bound, gone, or ending. */
  delete(uid: Uid): void {
    const entry = this.#entries.get(uid);
    if (entry === undefined) return;
    this.#entries.delete(uid);
    this.#leave(entry);
  }

  get(uid: Uid): Pod | undefined {
    return this.#entries.get(uid)?.pod;
  }

  /** Takes the next pod to try; its attempt must end in `delete`, `refused` or `failed`. */
  take(now: number): Taken | undefined {
    this.#flush(now);
    // All of them, so that among themselves the priority counts and not whose back-off is the shortest.
    if (this.#next(this.#active, 'active') === undefined) this.#activateUntil(Infinity, this.#backoff, now);
    const entry = this.#next(this.#active, 'active');
    if (entry === undefined) return undefined;
    this.#leave(entry);
    entry.place = 'in-flight';
    entry.attempts++;
    entry.ownChanges = [];
    entry.changesSeen = this.#firstChange + this.#changes.length;
    this.#inFlight.add(entry);
    return { pod: entry.pod, attempts: entry.attempts };
  }

  /** No node can take it; `plugins` are those that refused one. */
  refused(uid: Uid, plugins: ReadonlySet<string>, now: number): void {
    const entry = this.#entries.get(uid);
    if (entry?.place !== 'in-flight') return;
    const from = entry.changesSeen - this.#firstChange;
    const missed = [...this.#changes.slice(Math.max(0, from)), ...entry.ownChanges];
    this.#leave(entry);
    const { schedulerName } = entry.pod.spec;
    entry.refusedBy = new Set([...plugins].map((name) => keyOf(schedulerName, name)));
    entry.failedAt = now;
    if (from < 0 || missed.some((change) => this.#mayHelp(entry, change))) return this.#wake(entry, now);
    entry.place = 'unschedulable';
    this.#asleep.add(entry);
    for (const name of sleepsUnder(entry)) {
      const others = this.#sleeping.get(name);
      if (others === undefined) this.#sleeping.set(name, new Set([entry]));
      else others.add(entry);
    }
  }

  /** A node was found, but it came to nothing. It is tried again after its back-off. */
  failed(uid: Uid, now: number): void {
    const entry = this.#entries.get(uid);
    if (entry?.place !== 'in-flight') return;
    this.#leave(entry);
    entry.refusedBy = noPlugins;
    entry.failedAt = now;
    this.#backOff(entry, now, this.#penalized);
  }

  /** Ends a pod's sleep: somebody knows that it is worth a try. */
  wake(uid: Uid, now: number): void {
    const entry = this.#entries.get(uid);
    if (entry?.place === 'unschedulable') this.#wake(entry, now);
  }

  /** What was done for it while it sleeps has failed: it is tried again after its back-off, whatever else there is to do. */
  retry(uid: Uid, now: number): void {
    const entry = this.#entries.get(uid);
    if (entry?.place !== 'unschedulable') return;
    this.#leave(entry);
    entry.failedAt = now;
    this.#backOff(entry, now, this.#penalized);
  }

  /** Wakes those whom the change may help. Costs nothing for pods that no interested plugin has refused. */
  changed(change: ClusterChange, now: number): void {
    if (this.#inFlight.size > 0) this.#remember(change);
    if (this.#asleep.size === 0) return;
    for (const [name, entries] of this.#sleeping) {
      const interests = this.#plugins.get(name)?.interests;
      if (interests !== undefined && !interests.includes(change.kind)) continue;
      for (const entry of entries) if (this.#helps(name, entry, change)) this.#wake(entry, now);
    }
  }

  /** When there is something to do that there is not now; undefined: not before something changes. */
  get nextAt(): number | undefined {
    if (this.#next(this.#active, 'active') !== undefined) return -Infinity;
    const [eldest] = this.#asleep;
    const flushAt = eldest === undefined ? Infinity : eldest.failedAt + LONGEST_SLEEP_MS;
    const at = Math.min(flushAt, this.#dueAt(this.#backoff), this.#dueAt(this.#penalized));
    return at === Infinity ? undefined : at;
  }

  get counts(): QueueCounts {
    const counts = { active: 0, 'backing-off': 0, unschedulable: 0, gated: 0, 'in-flight': 0 };
    for (const { place } of this.#entries.values()) counts[place]++;
    return counts;
  }

  #admit(entry: Entry, now: number): void {
    this.#entries.set(entry.pod.metadata.uid, entry);
    if (isGated(entry.pod)) entry.place = 'gated';
    else this.#activate(entry, now);
  }

  #activate(entry: Entry, now: number): void {
    entry.place = 'active';
    entry.ticket = { entry, at: now, order: this.#order++, priority: priorityOf(entry.pod) };
    this.#active.push(entry.ticket);
  }

  #backOff(entry: Entry, now: number, heap: Heap<Ticket>): void {
    const at = entry.failedAt + backoffDelay(this.#policy, entry.attempts);
    if (at <= now) return this.#activate(entry, now);
    entry.place = 'backing-off';
    entry.ticket = { entry, at, order: this.#order++, priority: priorityOf(entry.pod) };
    heap.push(entry.ticket);
  }

  #wake(entry: Entry, now: number): void {
    this.#leave(entry);
    this.#backOff(entry, now, this.#backoff);
  }

  /** Takes an entry out of where it is. Tickets in heaps are left behind: they are no longer the entry's own. */
  #leave(entry: Entry): void {
    entry.ticket = undefined;
    if (this.#asleep.delete(entry)) {
      for (const name of sleepsUnder(entry)) {
        const others = this.#sleeping.get(name);
        others?.delete(entry);
        if (others?.size === 0) this.#sleeping.delete(name);
      }
    }
    if (this.#inFlight.delete(entry)) this.#forget();
    entry.place = 'active';
  }

  #remember(change: ClusterChange): void {
    // Who has been in flight for that many changes is woken without a look at them.
    if (this.#changes.length === MOST_CHANGES) this.#drop(MOST_CHANGES / 2);
    this.#changes.push(change);
  }

  #forget(): void {
    const [eldest] = this.#inFlight;
    this.#drop(eldest === undefined ? this.#changes.length : Math.max(0, eldest.changesSeen - this.#firstChange));
  }

  #drop(count: number): void {
    if (count === 0) return;
    this.#changes = this.#changes.slice(count);
    this.#firstChange += count;
  }

  #flush(now: number): void {
    for (const entry of this.#asleep) {
      if (entry.failedAt + LONGEST_SLEEP_MS > now) break;
      this.#wake(entry, now);
    }
    this.#activateUntil(now, this.#backoff, now);
    this.#activateUntil(now, this.#penalized, now);
  }

  /** Ends the back-off of those whose time is up at `until`. */
  #activateUntil(until: number, heap: Heap<Ticket>, now: number): void {
    for (;;) {
      const entry = this.#next(heap, 'backing-off');
      if (entry?.ticket === undefined || entry.ticket.at > until) return;
      this.#leave(entry);
      this.#activate(entry, now);
    }
  }

  /** The first whose ticket is still good. */
  #next(heap: Heap<Ticket>, place: Place): Entry | undefined {
    for (let ticket = heap.peek(); ticket !== undefined; ticket = heap.peek()) {
      if (ticket.entry.ticket === ticket && ticket.entry.place === place) return ticket.entry;
      heap.pop();
    }
    return undefined;
  }

  #dueAt(heap: Heap<Ticket>): number {
    return this.#next(heap, 'backing-off')?.ticket?.at ?? Infinity;
  }

  #mayHelp(entry: Entry, change: ClusterChange): boolean {
    return [...sleepsUnder(entry)].some((name) => this.#helps(name, entry, change));
  }

  #helps(name: string, { pod }: Entry, change: ClusterChange): boolean {
    const plugin = this.#plugins.get(name);
    if (plugin?.interests?.includes(change.kind) === false) return false;
    return plugin?.mightHelp?.(pod, change) ?? true;
  }
}

export interface Taken {
  readonly pod: Pod;
  /** How often it has been tried, this time included. */
  readonly attempts: number;
}

export type QueueCounts = Readonly<Record<Place, number>>;

type Place = 'active' | 'backing-off' | 'unschedulable' | 'gated' | 'in-flight';

interface Entry {
  pod: Pod;
  place: Place;
  attempts: number;
  failedAt: number;
  refusedBy: ReadonlySet<string>;
  ticket: Ticket | undefined;
  /** How many changes there had been when the attempt in flight began. */
  changesSeen: number;
  ownChanges: ClusterChange[];
}

interface Ticket {
  readonly entry: Entry;
  /** Since when it has waited, or until when it backs off. */
  readonly at: number;
  readonly order: number;
  readonly priority: number;
}

/** Upstream's defaults (podInitialBackoffSeconds, podMaxBackoffSeconds, podMaxInUnschedulablePodsDuration). */
export const defaultBackoff: BackoffPolicy = { baseMs: 1_000, factor: 2, maxMs: 10_000 };
const LONGEST_SLEEP_MS = 5 * 60_000;
/** How many changes are kept for attempts in flight. */
const MOST_CHANGES = 8_192;

const keyOf = (schedulerName = 'default-scheduler', plugin: string): string => `${schedulerName}/${plugin}`;

const noPlugins: ReadonlySet<string> = new Set();
const anybody: ReadonlySet<string> = new Set(['']);

const sleepsUnder = ({ refusedBy }: Entry): ReadonlySet<string> => (refusedBy.size === 0 ? anybody : refusedBy);

const newEntry = (pod: Pod, now: number): Entry => ({
  pod,
  place: 'active',
  attempts: 0,
  failedAt: now,
  refusedBy: noPlugins,
  ticket: undefined,
  changesSeen: 0,
  ownChanges: [],
});

function isAhead(a: Ticket, b: Ticket): boolean {
  if (a.priority !== b.priority) return a.priority > b.priority;
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

const isSooner = (a: Ticket, b: Ticket): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

/** Its status changes with every failure: that alone is no reason to try again. */
const isSameWish = (before: Pod, after: Pod): boolean =>
  (before.spec === after.spec || JSON.stringify(before.spec) === JSON.stringify(after.spec)) &&
  JSON.stringify(before.metadata.labels) === JSON.stringify(after.metadata.labels);
