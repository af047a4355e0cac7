import type { Pod } from '#api/generated/core-v1.ts';
import { mirroredUid } from '#api/pod-source.ts';
import type { Informer } from '#client/informer.ts';
import type { ContainerRuntime, RuntimeEvent } from '#cri/runtime.ts';
import type { Rejection } from '#kubelet/desired.ts';
import type { PodFiles } from '#kubelet/pod-files.ts';
import { PodWorker, type WorkerDeps } from '#kubelet/pod-worker.ts';
import { RuntimeLists } from '#kubelet/runtime-lists.ts';
import { isTerminal } from '#kubelet/status.ts';
import type { StaticPods } from '#kubelet/static-pods/static-pods.ts';
import type { Clock } from '#lib/clock.ts';
import { isCancellation, Scope } from '#lib/scope.ts';
import { Signal } from '#lib/signal.ts';

export interface PodWorkersDeps {
  readonly runtime: ContainerRuntime;
  readonly clock: Clock;
  /** The pods of this node. */
  readonly pods: Informer<Pod>;
  /** Those that come from files. */
  readonly statics?: StaticPods;
  /** What this node writes on all it makes in the runtime (`labels.owner`). */
  readonly owner: string;
  readonly files: PodFiles;
  /** Asked once a pod before anything is made for it; `others` are those that were let in and have not ended. */
  readonly admit: (pod: Pod, others: readonly Pod[], signal: AbortSignal) => Promise<Rejection | undefined>;
  readonly worker: Omit<WorkerDeps, 'noticed' | 'files'>;
  readonly log: (message: string, error: unknown) => void;
}

/**
 * The runtime's events may be lost without anyone noticing; this is how long a pod could then be wrong at most. Two lists of a
 * full node take some milliseconds, and only pods are looked at whose lines in them have changed since the last time.
 */
const RELIST_MS = 10_000;
const RESUBSCRIBE_MS = 500;
/** How long pods from files wait for an API that does not answer. */
const API_PATIENCE_MS = 5000;

/**
 * One worker for each pod this node has anything to do with: by UID, because the old pod of a name may still be ending
 * when its namesake arrives. Workers come from two sides, the API (pods bound here) and the runtime (what is left of
 * pods the API has forgotten), and go when nothing of their pod is left.
 */
export class PodWorkers {
  readonly #deps: PodWorkersDeps;
  readonly #workers = new Map<string, PodWorker>();
  readonly #lookedAtAll = Promise.withResolvers<void>();
  /** Which pod a sandbox or container belongs to. */
  readonly #owners = new Map<string, string>();
  /** Pods that have come and have no worker yet, in the order in which they are let in. */
  #arrivals = new Map<string, Pod>();
  readonly #arrived = new Signal();
  readonly #lists: RuntimeLists;

  constructor(deps: PodWorkersDeps) {
    this.#deps = deps;
    this.#lists = new RuntimeLists(deps.runtime, deps.owner);
  }

  get size(): number {
    return this.#workers.size;
  }

  /** What the files of a pod waited for may be there now. */
  retryFiles(uid: string): void {
    this.#workers.get(uid)?.retryFiles();
  }

  /** `message` says what it has too much of. */
  evict(uid: string, message: string): void {
    this.#workers.get(uid)?.evict(message);
  }

  /** What the probes of a pod's containers have heard, oldest first for each container; empty for a pod that is not here. */
  probeHistory(uid: string): ReturnType<PodWorker['probeHistory']> {
    return this.#workers.get(uid)?.probeHistory() ?? [];
  }

  /** Resolves once every pod the API had at the start has been looked at: from then on statuses are of this life. */
  get lookedAtAll(): Promise<void> {
    return this.#lookedAtAll.promise;
  }

  /** Until `signal` aborts; containers are then left as they are. */
  async run(signal: AbortSignal): Promise<void> {
    const { pods } = this.#deps;
    await using scope = new Scope(signal);
    using _statics = await this.#followStatics(scope, signal);
    // An API that has not answered yet knows of no pods: nothing may be taken for an orphan before it has.
    await pods.synced(signal);
    using _listening = pods.onChange(({ before, after }) => this.#heard((after ?? before)!, after));
    this.#arrivals = new Map(this.#inOrder([...this.#arrivals.values()]).map((pod) => [pod.metadata.uid, pod]));
    await this.#admitArrivals(scope, signal);
    void Promise.all([...this.#workers.values()].map(({ looked }) => looked)).then(() => this.#lookedAtAll.resolve());
    scope.spawn('arrivals', (inner) => this.#receive(scope, inner));
    scope.spawn('runtime events', (inner) => this.#follow(scope, inner));
    scope.spawn('relist', (inner) => this.#relist(scope, inner));
    await scope.join();
  }

  /** Pods from files need no API: they wait for it a while, to learn what was said of them before, and then begin. */
  async #followStatics(scope: Scope, signal: AbortSignal): Promise<Disposable | undefined> {
    const { statics, pods, clock } = this.#deps;
    if (statics === undefined) return undefined;
    await statics.synced(signal);
    const over = new AbortController();
    const patience = clock.sleep(API_PATIENCE_MS, AbortSignal.any([signal, over.signal])).catch(() => {});
    await Promise.race([pods.synced(signal), patience]);
    over.abort();
    const listening = statics.onChange(({ uid, pod }) => this.#changed(uid, pod && this.#withKnownStatus(pod)));
    if (!pods.hasSynced) await this.#runWithoutApi(scope, signal);
    return listening;
  }

  /** Until the API answers. What lies here and belongs to nobody is left alone: the API may know whose it is. */
  async #runWithoutApi(scope: Scope, signal: AbortSignal): Promise<void> {
    const { pods, clock } = this.#deps;
    const answered = new AbortController();
    void pods.synced(signal).then(
      () => answered.abort(new Error('the API answers')),
      () => {},
    );
    const over = AbortSignal.any([signal, answered.signal]);
    scope.spawn('runtime events without the API', async () => {
      await this.#follow(scope, over).catch((error: unknown) => {
        if (!isCancellation(error, over)) throw error;
      });
    });
    while (!over.aborted) {
      await this.#admitArrivals(scope, signal);
      await this.#arrived.wait(clock, undefined, over).catch((error: unknown) => {
        if (!isCancellation(error, over)) throw error;
      });
    }
  }

  /** What an earlier kubelet has said of a static pod stands on its mirror. */
  #withKnownStatus(pod: Pod): Pod {
    const mirror = this.#deps.pods.list().find((each) => mirroredUid(each) === pod.metadata.uid);
    return mirror?.status === undefined ? pod : { ...pod, status: mirror.status };
  }

  /** Of a mirror only matters that it is there: what it shows has to be told anew. */
  #heard(pod: Pod, after: Pod | undefined): void {
    const mirrored = mirroredUid(pod);
    if (mirrored === undefined) this.#changed(pod.metadata.uid, after);
    else this.#workers.get(mirrored)?.wake();
  }

  #changed(uid: string, after: Pod | undefined): void {
    const worker = this.#workers.get(uid);
    if (worker && (after === undefined || !worker.isGone)) return worker.update(after);
    if (after === undefined) this.#arrivals.delete(uid);
    else {
      this.#arrivals.set(uid, after);
      this.#arrived.raise();
    }
  }

  /** Who was let in before goes first, whatever has come since: a kubelet that begins anew takes nothing away. Then as they were made. */
  #inOrder(pods: readonly Pod[]): readonly Pod[] {
    const rank = (pod: Pod): string => `${this.#wasAdmitted(pod) ? 0 : 1} ${pod.metadata.creationTimestamp}`;
    return pods
      .map((pod) => ({ pod, at: rank(pod) }))
      .sort((a, b) => (a.at < b.at ? -1 : Number(a.at > b.at)))
      .map(({ pod }) => pod);
  }

  /** A kubelet has said something of it, or has made something for it. */
  #wasAdmitted({ metadata, status }: Pod): boolean {
    return status?.startTime !== undefined || this.#deps.files.state(metadata.uid) !== 'absent';
  }

  /** Nobody asks for room for what has ended, or is to end before it has begun. */
  #hasToBeAsked(pod: Pod): boolean {
    const over = isTerminal(pod.status?.phase) || pod.metadata.deletionTimestamp !== undefined;
    return !over && !this.#wasAdmitted(pod);
  }

  async #receive(scope: Scope, signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.#arrived.wait(this.#deps.clock, undefined, signal);
      await this.#admitArrivals(scope, signal);
    }
  }

  /** One after the other: whether there is room for a pod depends on those before it. */
  async #admitArrivals(scope: Scope, signal: AbortSignal): Promise<void> {
    for (;;) {
      // Of an earlier one with the same UID everything must be gone first; its end wakes us.
      const next = [...this.#arrivals.values()].find(({ metadata }) => !this.#workers.has(metadata.uid));
      if (next === undefined) return;
      const { uid } = next.metadata;
      const others = [...this.#workers.values()].flatMap((worker) =>
        worker.isActive && worker.pod ? [worker.pod] : [],
      );
      const rejection = this.#hasToBeAsked(next) ? await this.#deps.admit(next, others, signal) : undefined;
      const pod = this.#arrivals.get(uid);
      this.#arrivals.delete(uid);
      // It may have gone while it was asked for.
      if (pod === undefined) continue;
      const worker = this.#ensure(scope, uid);
      worker.update(pod);
      if (rejection !== undefined) worker.reject(rejection);
    }
  }

  #ensure(scope: Scope, uid: string): PodWorker {
    const known = this.#workers.get(uid);
    if (known) return known;
    const { worker: shared, files } = this.#deps;
    const worker = new PodWorker(uid, {
      ...shared,
      files: (id) => files.state(id),
      noticed: (id, ids) => this.#notice(id, ids),
    });
    this.#workers.set(uid, worker);
    scope.spawn(`pod ${uid}`, async (signal) => {
      try {
        await worker.run(signal);
      } finally {
        this.#workers.delete(uid);
        shared.publisher.forget(uid);
        for (const [id, owner] of this.#owners) if (owner === uid) this.#owners.delete(id);
        this.#arrived.raise();
      }
    });
    return worker;
  }

  #notice(uid: string, ids: readonly string[]): void {
    for (const id of ids) this.#owners.set(id, uid);
  }

  async #follow(scope: Scope, signal: AbortSignal): Promise<void> {
    for (;;) {
      try {
        for await (const event of this.#deps.runtime.events.subscribe(signal)) this.#happened(scope, event, signal);
      } catch (error) {
        if (isCancellation(error, signal)) throw error;
        this.#deps.log('following the runtime failed', error);
      }
      await this.#deps.clock.sleep(RESUBSCRIBE_MS, signal);
    }
  }

  #happened(scope: Scope, event: RuntimeEvent, signal: AbortSignal): void {
    if (event.kind === 'resync') {
      this.#lists.forget();
      for (const worker of this.#workers.values()) worker.settled();
      scope.spawn('look at everything', () => this.#list(scope, signal));
      return;
    }
    const owner =
      this.#owners.get(event.id) ?? (event.kind === 'container' ? this.#owners.get(event.sandbox ?? '') : undefined);
    const worker = this.#workers.get(owner ?? '');
    if (event.kind === 'container' && event.change === 'ended') worker?.ended(event.id, event);
    else if (event.kind === 'container' && event.change === 'exited') worker?.settled(event.id);
    else worker?.wake();
  }

  async #relist(scope: Scope, signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.#deps.clock.sleep(RELIST_MS, signal);
      await this.#list(scope, signal);
    }
  }

  /**
   * Wakes the workers whose pods the lists show otherwise than the last time, all if there was none, and makes one for whatever
   * lies here and belongs to no pod that the API knows.
   */
  async #list(scope: Scope, signal: AbortSignal): Promise<void> {
    const { files, log } = this.#deps;
    try {
      const [{ uids, hasChanged }, left] = await Promise.all([this.#lists.next(signal), files.found()]);
      for (const [uid, worker] of this.#workers) if (hasChanged(uid)) worker.wake();
      if (!this.#deps.pods.hasSynced) return;
      const wanted = [...this.#deps.pods.list(), ...(this.#deps.statics?.list() ?? [])];
      const known = new Set(wanted.map(({ metadata }) => metadata.uid as string));
      for (const uid of new Set([...uids, ...left])) {
        if (!known.has(uid)) this.#ensure(scope, uid).update(undefined);
      }
    } catch (error) {
      if (isCancellation(error, signal)) throw error;
      log('listing what the runtime has failed', error);
    }
  }
}
