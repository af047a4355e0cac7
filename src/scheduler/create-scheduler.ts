import { ApiError, hasReason } from '#api/errors.ts';
import type { Pod } from '#api/generated/core-v1.ts';
import { keyOf, type ObjectKey } from '#api/meta.ts';
import { claimsOf } from '#api/persistent-volumes.ts';
import type { EventText } from '#client/events.ts';
import type { Timeline } from '#client/timeline-recorder.ts';
import { podResource } from '#client/resources.ts';
import { isCancellation, Scope } from '#lib/scope.ts';
import { Signal } from '#lib/signal.ts';
import { AttemptLog, attemptOf, outcomeOf, type Attempt } from '#scheduler/attempts.ts';
import { PermitRefused, prepare, reserve, unreserve, writeBinding } from '#scheduler/bind.ts';
import { ClusterWatch } from '#scheduler/cluster-watch.ts';
import { permitMessage, unschedulableMessage } from '#scheduler/message.ts';
import type { BindingPlugin } from '#scheduler/plugin.ts';
import { seededTieBreak } from '#scheduler/place.ts';
import { Placer } from '#scheduler/placer.ts';
import { writeCondition, type NotScheduled } from '#scheduler/pod-condition.ts';
import { isUnbound, nameOf } from '#scheduler/pod-facts.ts';
import { defaultProfile, type Profile } from '#scheduler/profile.ts';
import { Preemptor, type Spawn } from '#scheduler/preemption/preemptor.ts';
import { defaultBackoff, type QueueCounts, type Taken } from '#scheduler/queue.ts';
import type { Scheduler, SchedulerOptions } from '#scheduler/scheduler.ts';
import { VolumeBinder, VolumeBindingFailed } from '#scheduler/storage/volume-binder.ts';
import { attemptEntry } from '#scheduler/timeline-entry.ts';

/** Makes a scheduler; it does nothing until `run`. */
export const createScheduler = (options: SchedulerOptions): Scheduler =>
  new LiveScheduler({
    random: Math.random,
    profiles: [defaultProfile()],
    backoff: defaultBackoff,
    timeline: noTimeline,
    onAttempt: () => {},
    ...options,
  });

const noTimeline: Timeline = { record: () => {} };

/** Writes under way, of bindings and conditions; more would only wait in the server. */
const MOST_WRITES = 64;
/** How long it decides without letting anybody else in the process have a turn. */
const TURN_MS = 4;
/** The same where the clock stands still. */
const TURN_ATTEMPTS = 256;

class LiveScheduler implements Scheduler {
  readonly #options: Required<SchedulerOptions>;
  readonly #watch: ClusterWatch;
  readonly #byName: ReadonlyMap<string, Decider>;
  readonly #preemptor: Preemptor;
  readonly #log = new AttemptLog();
  /** Raised when there may be something to do: a pod to try, a write that is over. */
  readonly #wake = new Signal();
  #writes = 0;
  #running = false;

  constructor(options: Required<SchedulerOptions>) {
    this.#options = options;
    const { profiles, client, clock, events } = options;
    this.#watch = new ClusterWatch(options, () => this.#news());
    this.#byName = new Map(profiles.map((profile) => [profile.schedulerName, this.#decider(profile)]));
    this.#preemptor = new Preemptor({ client, clock, events, watch: this.#watch });
  }

  #decider(profile: Profile): Decider {
    const { client, clock } = this.#options;
    const { cluster } = this.#watch;
    const isWanted = (pod: Pod): boolean => this.#watch.isWanted(pod);
    const volumes =
      profile.volumeBinding && new VolumeBinder({ client, clock, cluster, isWanted, ...profile.volumeBinding });
    return { profile, placer: new Placer(profile), volumes };
  }

  #news(): void {
    for (const { volumes } of this.#byName.values()) volumes?.news();
    this.#wake.raise();
  }

  attempts(pod: ObjectKey): readonly Attempt[] {
    return this.#log.of(pod);
  }

  get waiting(): QueueCounts {
    return this.#watch.queue.counts;
  }

  async run(signal: AbortSignal): Promise<void> {
    if (this.#running) throw new Error('the scheduler is running already');
    this.#running = true;
    try {
      await using scope = new Scope(signal);
      this.#watch.run(scope);
      scope.spawn('schedule', (stop) => this.#schedule(scope, stop));
      await scope.join();
    } finally {
      this.#running = false;
    }
  }

  async #schedule(scope: Scope, signal: AbortSignal): Promise<void> {
    await this.#watch.synced(signal);
    const { clock } = this.#options;
    const { queue } = this.#watch;
    let turn = { since: clock.now(), attempts: 0 };
    for (;;) {
      signal.throwIfAborted();
      const isFull = this.#writes >= MOST_WRITES;
      const next = isFull ? undefined : queue.take(clock.now());
      if (next === undefined) {
        await this.#wake.wait(clock, isFull ? undefined : queue.nextAt, signal);
        turn = { since: clock.now(), attempts: 0 };
        continue;
      }
      const begun = performance.now();
      this.#attempt(next, scope);
      this.#options.onAttempt(performance.now() - begun);
      turn.attempts++;
      if (turn.attempts < TURN_ATTEMPTS && clock.now() - turn.since < TURN_MS) continue;
      await othersTurn();
      turn = { since: clock.now(), attempts: 0 };
    }
  }

  #attempt({ pod, attempts: number }: Taken, scope: Scope): void {
    const { clock, random, timeline } = this.#options;
    const { cluster, queue, revisions } = this.#watch;
    const seed = Math.floor(random() * 2 ** 32);
    const { placer, profile } = this.#deciderOf(pod);
    const placement = placer.place(pod, cluster, seededTieBreak(seed));
    const preemption = placement.kind === 'nowhere' ? this.#preemptor.decide(pod, placement, profile, seed) : undefined;
    const message = placement.kind === 'nowhere' ? unschedulableMessage(placement, preemption) : '';
    const at = clock.now();
    const attempt = attemptOf(pod, { number, at, seed, revisions, outcome: outcomeOf(placement, message) });
    this.#log.add(attempt);
    timeline.record(pod, attemptEntry(attempt, cluster.nodes.length, profile.plugins), at);
    if (placement.kind === 'chosen') return this.#assume(pod, placement.node, scope);
    queue.refused(pod.metadata.uid, placement.refusals.plugins, at);
    const spawn: Spawn = (what, task) => this.#spawn(scope, what, (signal) => this.#writing(() => task(signal)));
    const nominated = this.#preemptor.act(pod, preemption, spawn);
    this.#tell(pod, { reason: 'Unschedulable', message, nominated }, scope);
  }

  /** Only pods of a profile get as far as this. */
  #deciderOf({ spec }: Pod): Decider {
    const decider = this.#byName.get(spec.schedulerName ?? '');
    if (decider === undefined) throw new Error(`there is no profile for pods of ${JSON.stringify(spec.schedulerName)}`);
    return decider;
  }

  #assume(pod: Pod, node: string, scope: Scope): void {
    try {
      reserve(bindersFor(pod, this.#deciderOf(pod)), pod, node);
    } catch (error) {
      return this.#failed(pod, error, scope);
    }
    this.#watch.assume(pod, node);
    this.#spawn(scope, `binding ${nameOf(pod)}`, (signal) => this.#bind(pod, node, { scope, signal }));
  }

  async #bind(pod: Pod, node: string, { scope, signal }: { scope: Scope; signal: AbortSignal }): Promise<void> {
    const { client, clock } = this.#options;
    const binding = bindersFor(pod, this.#deciderOf(pod));
    const { uid } = pod.metadata;
    try {
      // Not even a microtask where there is nothing to prepare: what is under way is counted before the next pod is tried.
      if (binding.length > 0) await prepare(binding, pod, node, signal);
      await this.#writing(() => writeBinding(client, pod, node, signal));
    } catch (error) {
      unreserve(binding, pod, node);
      this.#watch.forget(pod);
      if (isCancellation(error, signal)) {
        this.#watch.queue.failed(uid, clock.now());
        throw error;
      }
      const isWanted = this.#watch.isWanted(pod) && (await this.#isStillUnbound(pod, error, signal));
      return isWanted ? this.#failed(pod, error, scope) : this.#overtaken(pod, error);
    }
    this.#watch.queue.delete(uid);
    this.#log.settle(uid, { kind: 'bound' });
    const message = `Successfully assigned ${nameOf(pod)} to ${node}`;
    this.#record(pod, { type: 'Normal', reason: 'Scheduled', action: 'Binding', message });
  }

  /** The server knows it before the informer does; it is asked only when it has refused. */
  async #isStillUnbound(pod: Pod, refusal: unknown, signal: AbortSignal): Promise<boolean> {
    if (!hasReason(refusal, 'Conflict') && !hasReason(refusal, 'NotFound')) return true;
    const { name, namespace = '', uid } = pod.metadata;
    try {
      const latest = await this.#options.client.get(podResource, { name, namespace }, signal);
      return latest?.metadata.uid === uid && isUnbound(latest);
    } catch {
      // The next attempt will find out.
      return true;
    }
  }

  /** Somebody else has bound it, or deleted it: there is nothing left to do or to say. */
  #overtaken(pod: Pod, error: unknown): void {
    this.#log.settle(pod.metadata.uid, { kind: 'failed', message: textOf(error) });
    this.#watch.queue.delete(pod.metadata.uid);
  }

  /** A node was found and the pod did not get there. */
  #failed(pod: Pod, error: unknown, scope: Scope): void {
    const { clock, log, timeline } = this.#options;
    const { uid } = pod.metadata;
    const text = textOf(error);
    const last = this.#log.of(keyOf(pod)).at(-1)?.outcome;
    if (last?.kind === 'placed') timeline.record(pod, { type: 'BindingFailed', node: last.node, message: text });
    this.#log.settle(uid, { kind: 'failed', message: text });
    this.#watch.queue.failed(uid, clock.now());
    if (error instanceof PermitRefused) {
      return this.#tell(pod, { reason: 'Unschedulable', message: permitMessage(text) }, scope);
    }
    if (!(error instanceof ApiError || error instanceof VolumeBindingFailed))
      log(`binding ${nameOf(pod)} failed`, error);
    this.#tell(pod, { reason: 'SchedulerError', message: text }, scope);
  }

  /** Says on the pod and in an event why it has no node. */
  #tell(pod: Pod, why: NotScheduled, scope: Scope): void {
    const { client, clock } = this.#options;
    this.#record(pod, { type: 'Warning', reason: 'FailedScheduling', action: 'Scheduling', message: why.message });
    this.#spawn(scope, `writing the status of ${nameOf(pod)}`, (signal) =>
      this.#writing(() => writeCondition(client, pod, why, { now: clock.now(), signal })),
    );
  }

  #record(pod: Pod, event: EventText): void {
    this.#options.events.record(pod, event);
  }

  /** Starts what nobody waits for; when it fails it must not bring the others down. */
  #spawn(scope: Scope, what: string, task: (signal: AbortSignal) => Promise<void>): void {
    scope.spawn(what, async (signal) => {
      try {
        await task(signal);
      } catch (error) {
        if (isCancellation(error, signal)) throw error;
        this.#options.log(`${what} failed`, error);
      }
    });
  }

  /** Counts what is under way; while it is too much, no further pod is tried. */
  async #writing(write: () => Promise<void>): Promise<void> {
    this.#writes++;
    try {
      await write();
    } finally {
      this.#writes--;
      this.#wake.raise();
    }
  }
}

/** How pods of one schedulerName get their node. */
interface Decider {
  readonly profile: Profile;
  readonly placer: Placer;
  readonly volumes: VolumeBinder | undefined;
}

/** Most pods have no claims: for them there is nothing to prepare. */
function bindersFor(pod: Pod, { profile, volumes }: Decider): readonly BindingPlugin[] {
  if (volumes === undefined || claimsOf(pod).length === 0) return profile.binding;
  return [...profile.binding, volumes];
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Long work in one process must not keep the server, which is in it too, from answering. */
const othersTurn = (): Promise<void> => new Promise((done) => setImmediate(done));
