import type { Pod } from '#api/generated/core-v1.ts';
import { isStaticPod } from '#api/pod-source.ts';
import type { EventRecorder } from '#client/events.ts';
import type { Timeline } from '#client/timeline-recorder.ts';
import type { ContainerId, ContainerRuntime, SandboxId } from '#cri/runtime.ts';
import { RuntimeFault } from '#cri/fault.ts';
import {
  courseOf,
  desiredOf,
  evicted,
  type Heading,
  headOn,
  type PodNews,
  type Rejection,
  setOut,
  turnsAt,
} from '#kubelet/desired.ts';
import { currentSandbox, type Failure, type ImageState, type Observed, step, type StepKey } from '#kubelet/observed.ts';
import { type HostPort, hostPorts } from '#kubelet/host-ports.ts';
import { type Action, isCompleted, planPod } from '#kubelet/plan.ts';
import { eventsOf, fieldPathOf } from '#kubelet/pod-events.ts';
import { type EarlyEnd, PodObserver, type RuntimeSight } from '#kubelet/pod-observer.ts';
import type { ProbeAsker } from '#kubelet/probes/ask.ts';
import type { Attempt } from '#kubelet/probes/history.ts';
import { PodProbers } from '#kubelet/probes/pod-probers.ts';
import { isTerminal, type OwnStatus, statusOf } from '#kubelet/status.ts';
import type { NodeFacts } from '#kubelet/status-context.ts';
import type { StatusPublisher } from '#kubelet/status-publisher.ts';
import { StepFailure } from '#kubelet/step-failure.ts';
import type { Steps } from '#kubelet/steps.ts';
import { logTail } from '#kubelet/timeline/log-tail.ts';
import { endEntry, statusEntries } from '#kubelet/timeline/status-entries.ts';
import type { BackoffPolicy } from '#lib/backoff.ts';
import type { Clock } from '#lib/clock.ts';
import { isCancellation, Scope } from '#lib/scope.ts';
import { Signal } from '#lib/signal.ts';

export interface WorkerDeps {
  readonly runtime: ContainerRuntime;
  readonly clock: Clock;
  readonly node: () => NodeFacts;
  readonly steps: Steps;
  readonly publisher: StatusPublisher;
  readonly events: EventRecorder;
  readonly timeline: Timeline;
  /** Whether the pod's cgroup, volumes and folders are there. */
  readonly files: (uid: string) => Observed['files'];
  /** Told once a look at the runtime has shown what is the pod's, so that the runtime's events find their way here. */
  readonly noticed: (uid: string, ids: readonly string[]) => void;
  readonly asker: ProbeAsker;
  /** Which ports of the host are the pod's from now on. */
  readonly ports: (uid: string, open: readonly HostPort[]) => void;
  readonly crashLoop: BackoffPolicy;
  /** When this kubelet began, epoch ms. */
  readonly since: number;
  readonly log: (message: string, error: unknown) => void;
}

/** A runtime that does not answer is asked again this often; its next event does it sooner. */
const RUNTIME_RETRY_MS = 1000;
const MAX_FAILURE_TEXT = 4096;

/**
 * Keeps one pod, known by its UID, as it should be: look, report, plan, do; then wait until something may have changed.
 * It is told that something happened (`wake`), never what: it looks for itself, and is right when woken for no reason.
 *
 * Steps run beside each other and beside the loop; each that ends wakes it. A worker that is stopped leaves containers
 * as they are: another one, in another process, goes on from what it finds.
 */
export class PodWorker {
  readonly uid: string;
  readonly #deps: WorkerDeps;
  readonly #observer: PodObserver;
  readonly #probers: PodProbers;
  readonly #woken = new Signal();
  readonly #looked = Promise.withResolvers<void>();
  readonly #inFlight = new Map<StepKey, { readonly since: number; readonly cancel: AbortController }>();
  readonly #failures = new Map<StepKey, Failure>();
  readonly #images = new Map<string, ImageState>();
  readonly #stopped = new Set<SandboxId>();
  readonly #hooked = new Set<ContainerId>();
  #pod: Pod | undefined;
  #known: 'yes' | 'gone' = 'yes';
  #heading = setOut;
  #previous: OwnStatus | undefined;

  constructor(uid: string, deps: WorkerDeps) {
    this.uid = uid;
    this.#deps = deps;
    this.#observer = new PodObserver(deps.runtime, uid);
    const { clock, asker, since } = deps;
    this.#probers = new PodProbers({
      clock,
      asker,
      since,
      tell: (container, event) => {
        const pod = this.#pod;
        if (pod) deps.events.record(pod, { ...event, fieldPath: fieldPathOf(pod, container) });
      },
      note: (entry) => this.#pod && deps.timeline.record(this.#pod, entry),
      changed: () => this.#woken.raise(),
      log: deps.log,
    });
  }

  /** The pod as the API has it now; undefined when it has it no more. The deadline of an end only ever comes nearer. */
  update(pod: Pod | undefined): void {
    if (pod === undefined) this.#known = 'gone';
    else this.#pod = pod;
    this.#woken.raise();
  }

  /** Resolves once it has looked at the pod for the first time, or has tried to. */
  get looked(): Promise<void> {
    return this.#looked.promise;
  }

  /** What the runtime holds of the pod may be another now. */
  wake(): void {
    this.#observer.outdate();
    this.#woken.raise();
  }

  /** One of its containers has ended, ahead of what the runtime's status says. */
  ended(id: ContainerId, end: EarlyEnd): void {
    this.#observer.ended(id, end);
    this.#woken.raise();
  }

  /** As `wake`; and the runtime's status is good again of this container, or of all. */
  settled(id?: ContainerId): void {
    this.#observer.settled(id);
    this.#woken.raise();
  }

  /** The node cannot keep it: it ends now, as failed. Does nothing to a pod that ends already. */
  evict(message: string): void {
    this.#head(evicted(this.#heading, this.#news, { message, now: this.#deps.clock.now() }));
    this.wake();
  }

  /** This node will never run it. Before it was looked at for the first time. */
  reject(rejection: Rejection): void {
    this.#heading = { ...this.#heading, rejection };
    if (this.#pod) this.#deps.events.record(this.#pod, { type: 'Warning', ...rejection });
    this.wake();
  }

  /** Whether the API, or who else wanted it, knows it no more: what is left of it only has to go. */
  get isGone(): boolean {
    return this.#known === 'gone';
  }

  /** Whether it takes part of what its node has: it was let in, and has not ended. */
  get isActive(): boolean {
    return !this.isGone && this.#heading.rejection === undefined && !isTerminal(this.#news.status?.phase);
  }

  /** Files that could not be made are tried again at once. */
  retryFiles(): void {
    this.#failures.delete(step.prepare());
    this.#woken.raise();
  }

  get pod(): Pod | undefined {
    return this.#pod;
  }

  /** What the probes of the containers that are still here have heard. */
  probeHistory(): readonly (Attempt & { readonly container: ContainerId })[] {
    return [...this.#probers.results().keys()].flatMap((container) =>
      this.#probers.history(container).map((attempt) => ({ ...attempt, container })),
    );
  }

  /** Until nothing of the pod is left, or `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await using scope = new Scope(signal);
    while (!signal.aborted) {
      const wakeAt = await this.#turn(scope, signal);
      this.#looked.resolve();
      if (wakeAt === 'finished') return;
      await this.#woken.wait(this.#deps.clock, wakeAt, signal).catch((error: unknown) => {
        if (!isCancellation(error, signal)) throw error;
      });
    }
  }

  /** One look and what follows from it. Gives when to look again at the latest. */
  async #turn(scope: Scope, signal: AbortSignal): Promise<number | undefined | 'finished'> {
    const { clock } = this.#deps;
    try {
      const observed = await this.#observe(scope, signal);
      const now = clock.now();
      const told = !observed.containers.some(({ isClearing }) => isClearing);
      const completed = told && this.#pod !== undefined && isCompleted({ pod: this.#pod, observed, now });
      this.#head(headOn(this.#heading, this.#news, { now, completed }));
      const desired = desiredOf(this.#heading, this.#news);
      if (told) this.#report(observed);
      const plan = planPod(desired, { ...observed, previous: this.#previous }, clock.now());
      for (const key of plan.cancel) this.#inFlight.get(key)?.cancel.abort(new Error('no longer wanted'));
      for (const action of plan.actions) this.#begin(action, observed, scope);
      const idle = plan.actions.length === 0 && this.#inFlight.size === 0;
      if (idle && desired.kind === 'forget' && nothingLeft(observed)) return 'finished';
      return earliest(plan.wakeAt, turnsAt(this.#heading, this.#news));
    } catch (error) {
      if (isCancellation(error, signal)) return undefined;
      this.#deps.log(`looking at pod ${this.#name()} failed`, error);
      return clock.now() + RUNTIME_RETRY_MS;
    }
  }

  async #observe(scope: Scope, signal: AbortSignal): Promise<Observed> {
    // A step that ends while we look may or may not show in what we see: it counts as under way until the next look.
    const before = this.#stepsUnderWay();
    const sight = await this.#observer.look(signal);
    this.#deps.noticed(this.uid, [...sight.sandboxes.map(({ id }) => id), ...sight.containers.map(({ id }) => id)]);
    await this.#lookUpImages(
      sight.containers.filter(({ state }) => state.kind !== 'exited').map(({ name }) => name),
      signal,
    );
    this.#probe(sight, scope);
    this.#deps.ports(this.uid, hostPorts(this.#pod, sight));
    return {
      ...sight,
      probes: this.#probers.results(),
      images: this.#images,
      files: this.#deps.files(this.uid),
      crashLoop: this.#deps.crashLoop,
      hooked: this.#hooked,
      stopped: this.#stopped,
      inFlight: new Map([...before, ...this.#stepsUnderWay()]),
      failures: this.#failures,
      previous: this.#previous ?? (this.#pod?.status as OwnStatus | undefined),
      terminalReported: this.#isTerminalReported(),
    };
  }

  /** Nobody waits for the end of a static pod: what the API has of it may be missing. */
  #isTerminalReported(): boolean {
    if (this.#pod && isStaticPod(this.#pod)) return true;
    return isTerminal((this.#deps.publisher.acknowledged(this.uid) ?? this.#pod?.status)?.phase);
  }

  #probe({ containers, sandboxes }: RuntimeSight, scope: Scope): void {
    const pod = this.#pod;
    if (pod === undefined) return;
    const sandbox = currentSandbox({ sandboxes });
    const podIP = pod.spec.hostNetwork === true ? this.#deps.node().addresses[0] : sandbox?.addresses[0];
    const ending =
      this.#heading.ending !== undefined || pod.metadata.deletionTimestamp !== undefined || this.#known === 'gone';
    // Whose postStart hook is under way is not asked yet.
    const started = containers.filter(({ id }) => !this.#inFlight.has(step.start(id)));
    this.#probers.follow({ pod, containers: started, podIP, ending, previous: this.#previous ?? pod.status }, scope);
  }

  #stepsUnderWay(): readonly (readonly [StepKey, number])[] {
    return [...this.#inFlight].map(([key, { since }]) => [key, since] as const);
  }

  /** Only of containers that may have to be made, and only until the image is there. */
  async #lookUpImages(alive: readonly string[], signal: AbortSignal): Promise<void> {
    const { spec } = this.#pod ?? {};
    const { initContainers = [], containers = [], ephemeralContainers = [] } = spec ?? {};
    const wanted = [...initContainers, ...containers, ...ephemeralContainers].filter(
      ({ name }) => !alive.includes(name),
    );
    const names = new Set(wanted.map(({ image }) => image ?? '').filter((image) => !this.#images.has(image)));
    await Promise.all([...names].map((name) => this.#lookUpImage(name, signal)));
  }

  async #lookUpImage(name: string, signal: AbortSignal): Promise<void> {
    try {
      const image = await this.#deps.runtime.images.status(name, signal);
      if (image) this.#images.set(name, { kind: 'present', ref: image.id, pulledAt: undefined });
    } catch (error) {
      if (!(error instanceof RuntimeFault) || error.kind !== 'invalid') throw error;
      // The pull will say the same, in the words people look for.
    }
  }

  get #news(): PodNews {
    return { pod: this.#pod, known: this.#known, status: this.#previous ?? this.#pod?.status };
  }

  /** Goes on; what is new about it is told. */
  #head(next: Heading): void {
    const before = this.#heading;
    this.#heading = next;
    const pod = this.#pod;
    if (pod === undefined || next.ending === undefined || next.ending.cause === before.ending?.cause) return;
    const { timeline, events, since } = this.#deps;
    const entry = endEntry(pod, next.ending, since);
    if (entry) timeline.record(pod, entry);
    const { cause, why } = next.ending;
    if (why) events.record(pod, { type: cause === 'evicted' ? 'Warning' : 'Normal', ...why });
  }

  #report(observed: Observed): void {
    const pod = this.#pod;
    if (pod === undefined || this.#known === 'gone') return;
    const { clock, node, publisher, events, timeline } = this.#deps;
    const course = courseOf(this.#heading);
    const now = clock.now();
    const status = statusOf({ pod, course, node: node() }, observed, now);
    publisher.publish(pod, status, () => this.#woken.raise());
    for (const event of eventsOf(pod, this.#previous, status)) events.record(pod, event);
    for (const { entry, at } of statusEntries({ pod, observed, course, status, now, logTail }))
      timeline.record(pod, entry, at);
    this.#previous = status;
  }

  #begin(action: Action, observed: Observed, scope: Scope): void {
    const cancel = new AbortController();
    this.#inFlight.set(action.key, { since: this.#deps.clock.now(), cancel });
    scope.spawn(action.key, async (signal) => {
      try {
        const done = await this.#deps.steps.take(
          action,
          { uid: this.uid, pod: this.#pod, observed },
          AbortSignal.any([signal, cancel.signal]),
        );
        this.#succeeded(action, done?.image);
      } catch (error) {
        if (isCancellation(error, signal)) throw error;
        if (!cancel.signal.aborted) this.#failed(action, error);
      } finally {
        this.#inFlight.delete(action.key);
        this.wake();
      }
    });
  }

  #succeeded(action: Action, image: ImageState | undefined): void {
    this.#failures.delete(action.key);
    if (action.kind === 'pull-image' && image) this.#images.set(action.container.image ?? '', image);
    if (action.kind === 'stop-sandbox') this.#stopped.add(action.id);
    if (action.kind === 'run-pre-stop') this.#hooked.add(action.id);
    // Gone with its sandbox or removed: what was known of its steps means nothing to its successor.
    if (action.kind === 'remove-sandbox') this.#failures.clear();
  }

  #failed(action: Action, error: unknown): void {
    const { clock, log } = this.#deps;
    const reason = error instanceof StepFailure ? error.reason : 'Failed';
    const text = error instanceof Error ? error.message : String(error);
    const message = text.length > MAX_FAILURE_TEXT ? `${text.slice(0, MAX_FAILURE_TEXT)}…` : text;
    const count = (this.#failures.get(action.key)?.count ?? 0) + 1;
    this.#failures.set(action.key, { reason, message, count, at: clock.now() });
    // Somebody removed the image since it was looked up.
    if (action.kind === 'create-container' && error instanceof StepFailure && error.imageGone) {
      this.#images.delete(action.container.image ?? '');
    }
    if (!(error instanceof StepFailure)) log(`${action.key} of pod ${this.#name()} failed`, error);
  }

  #name(): string {
    const { namespace, name } = this.#pod?.metadata ?? {};
    return name === undefined ? this.uid : `${namespace}/${name}`;
  }
}

const nothingLeft = (observed: Observed): boolean =>
  observed.sandboxes.length === 0 && observed.containers.length === 0 && observed.files === 'absent';

function earliest(...times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length > 0 ? Math.min(...known) : undefined;
}
