import { keyOf, type KubeObject, type ObjectKey, type ResourceVersion } from '#api/meta.ts';
import type { Resource } from '#api/resource.ts';
import type { ClientEvent, Selection } from '#client/client.ts';
import type { Change, Informer, InformerOptions } from '#client/informer.ts';
import { LocalCopy } from '#client/local-copy.ts';
import { refusesStreaming, RevisionWentBackError, StalledError, wantsRelist } from '#client/watch-failures.ts';
import { compareRevisions } from '#client/revision.ts';
import { SeenRevision } from '#client/seen-revision.ts';
import { backoffDelay, type BackoffPolicy } from '#lib/backoff.ts';
import { notAwaited } from '#lib/clock.ts';
import { isCancellation } from '#lib/scope.ts';
import { orAborted } from '#lib/or-aborted.ts';

/** Makes an informer; it does nothing until `run`. */
export function createInformer<T extends KubeObject, Index extends string = never>(
  options: InformerOptions<T, Index>,
): Informer<T, Index> {
  return new LiveInformer(options);
}

// A restarted server is back in under a second, so the first retries come sooner than client-go's 800 ms.
const retry: BackoffPolicy = { baseMs: 100, factor: 2, maxMs: 30_000 };
/** A server that knows sendInitialEvents sends something at once; one that ignores it falls silent after its objects. */
const INITIAL_SILENCE_MS = 10_000;
/** As client-go: watches are renewed after five to ten minutes, so that a server can shed them evenly. */
const WATCH_SECONDS = 300;
/** By how much a server may overrun the watch's time before the connection counts as dead. */
const OVERRUN_MS = 30_000;
const PAGE_SIZE = 500;

class LiveInformer<T extends KubeObject, Index extends string> implements Informer<T, Index> {
  readonly #options: InformerOptions<T, Index>;
  readonly #copy: LocalCopy<T, Index>;
  readonly #revision: SeenRevision;
  readonly #firstList = Promise.withResolvers<void>();
  #hasSynced = false;
  #running = false;
  /** False from the first time the server has refused a streaming list; asking again would cost a request each relist. */
  #streaming = true;
  #next: 'list' | 'watch' | 'check-then-watch' = 'list';
  /** Events and bookmarks that came after the list: what tells a watch that works from one that only connects. */
  #progress = 0;
  /** Everything that came, initial events included. */
  #received = 0;
  #failures = 0;
  /** Ends a pause; undefined while there is none. */
  #pause: AbortController | undefined;

  constructor(options: InformerOptions<T, Index>) {
    this.#options = options;
    this.#copy = new LocalCopy(options.indexes, (error) => this.#options.onError?.(error));
    this.#revision = new SeenRevision(options.clock, options.waitDeadlineMs ?? 1_000);
  }

  get resource(): Resource<T> {
    return this.#options.resource;
  }
  get size(): number {
    return this.#copy.size;
  }
  get hasSynced(): boolean {
    return this.#hasSynced;
  }
  get seen(): ResourceVersion | undefined {
    return this.#revision.seen;
  }
  get(key: ObjectKey): T | undefined {
    return this.#copy.get(key);
  }
  list(namespace?: string): readonly T[] {
    return this.#copy.list(namespace);
  }
  by(index: Index, value: string): readonly T[] {
    return this.#copy.by(index, value);
  }
  onChange(listener: (change: Change<T>) => void): Disposable {
    return this.#copy.onChange(listener);
  }
  waitFor(revision: ResourceVersion, signal: AbortSignal): Promise<boolean> {
    return this.#revision.waitFor(revision, signal);
  }
  synced(signal: AbortSignal): Promise<void> {
    return orAborted(this.#firstList.promise, signal);
  }

  hurry(): void {
    this.#failures = 0;
    this.#pause?.abort(notAwaited);
  }

  async run(signal: AbortSignal): Promise<void> {
    if (this.#running) throw new Error(`the informer of ${this.resource.plural} is running already`);
    this.#running = true;
    try {
      await this.#followForEver(signal);
    } catch (error) {
      if (!isCancellation(error, signal)) throw error;
    } finally {
      this.#running = false;
    }
  }

  async #followForEver(signal: AbortSignal): Promise<void> {
    const { clock, random = Math.random, onError } = this.#options;
    for (;;) {
      signal.throwIfAborted();
      const startedAt = clock.now();
      this.#progress = 0;
      const failed = await this.#follow(signal).then(
        () => false,
        (error: unknown) => {
          if (isCancellation(error, signal)) throw error;
          onError?.(error);
          this.#learn(error);
          return true;
        },
      );
      const worked = this.#progress > 0 || clock.now() - startedAt > retry.maxMs;
      if (worked) this.#failures = 0;
      // A watch that the server ended after a while is simply renewed; one that ends at once would make a hot loop.
      if (worked && !failed) continue;
      this.#failures++;
      await this.#pauseFor(backoffDelay(retry, this.#failures) * (1 + random()), signal);
    }
  }

  async #pauseFor(ms: number, signal: AbortSignal): Promise<void> {
    const pause = new AbortController();
    this.#pause = pause;
    try {
      await this.#options.clock.sleep(ms, AbortSignal.any([signal, pause.signal]));
    } catch (error) {
      if (signal.aborted || !pause.signal.aborted) throw error;
    } finally {
      this.#pause = undefined;
    }
  }

  /** What a failure says about how to go on. */
  #learn(error: unknown): void {
    if (refusesStreaming(error)) this.#streaming = false;
    if (wantsRelist(error)) this.#next = 'list';
    else if (this.#next === 'watch') this.#next = 'check-then-watch';
  }

  /** One connection: brings the copy up to date and follows until the watch ends (resolves) or breaks (throws). */
  async #follow(signal: AbortSignal): Promise<void> {
    if (this.#next === 'check-then-watch') await this.#checkRevision(signal);
    if (this.#next === 'list' && !this.#streaming) await this.#listPages(signal);
    const { clock, random = Math.random } = this.#options;
    const timeoutSeconds = Math.round(WATCH_SECONDS * (1 + random()));
    const attempt = new AbortController();
    const stop = AbortSignal.any([signal, attempt.signal]);
    const guard = this.#guard(attempt, clock.now() + timeoutSeconds * 1000 + OVERRUN_MS);
    try {
      await this.#watch(timeoutSeconds, stop);
    } catch (error) {
      // Whatever a transport makes of being cancelled: the guard's reason is the true one.
      throw attempt.signal.aborted && !signal.aborted ? attempt.signal.reason : error;
    } finally {
      attempt.abort();
      await guard;
    }
    if (this.#progress === 0) this.#next = 'check-then-watch';
  }

  /** One watch, which brings the list along where the copy needs one and the server knows how. */
  async #watch(timeoutSeconds: number, signal: AbortSignal): Promise<void> {
    const { client, resource } = this.#options;
    let listing = this.#next === 'list' ? new Map<ObjectKey, T>() : undefined;
    const from = listing ? { sendInitialEvents: true } : { resourceVersion: this.#position() };
    for await (const event of client.watch(resource, { ...this.#selection(), ...from, timeoutSeconds }, signal)) {
      this.#received++;
      if (!listing) this.#apply(event);
      else if (event.type !== 'BOOKMARK') collect(listing, event);
      else if (event.initialEventsEnd) {
        this.#become(listing, event.resourceVersion);
        listing = undefined;
      }
    }
    if (listing) throw new Error(`the watch of ${resource.plural} ended before its list was complete`);
  }

  /** For servers that do not stream lists. Pages are of one revision: when that is compacted midway, the list begins anew. */
  async #listPages(signal: AbortSignal): Promise<void> {
    const { client, resource } = this.#options;
    const objects = new Map<ObjectKey, T>();
    for (let token: string | undefined; ;) {
      const options = { ...this.#selection(), limit: PAGE_SIZE, ...(token === undefined ? {} : { continue: token }) };
      const page = await client.list(resource, options, signal);
      for (const object of page.items) objects.set(keyOf(object), object);
      token = page.metadata.continue;
      if (token) continue;
      const revision = page.metadata.resourceVersion;
      if (revision === undefined) throw new Error(`the list of ${resource.plural} has no resourceVersion`);
      return this.#become(objects, revision);
    }
  }

  /**
   * After a failure the server may be another one, or the same with older data: a watch from a revision it has not
   * reached yet might stay silent for ever. One list of one object tells.
   */
  async #checkRevision(signal: AbortSignal): Promise<void> {
    const { client, resource } = this.#options;
    const { metadata } = await client.list(resource, { ...this.#selection(), limit: 1 }, signal);
    const now = metadata.resourceVersion;
    const wentBack = now !== undefined && compareRevisions(now, this.#position()) < 0;
    this.#next = wentBack ? 'list' : 'watch';
  }

  #become(objects: ReadonlyMap<ObjectKey, T>, revision: ResourceVersion): void {
    this.#copy.replace(objects);
    this.#next = 'watch';
    this.#hasSynced = true;
    this.#revision.set(revision);
    this.#firstList.resolve();
  }

  #apply(event: ClientEvent<T>): void {
    const bookmark = event.type === 'BOOKMARK';
    const revision = bookmark ? event.resourceVersion : event.object.metadata.resourceVersion;
    const older = compareRevisions(revision, this.#position()) < 0;
    if (older && !bookmark) throw new RevisionWentBackError(this.resource.plural, this.#position(), revision);
    if (!bookmark && event.type === 'DELETED') this.#copy.delete(event.object);
    else if (!bookmark) this.#copy.set(event.object);
    this.#progress++;
    if (!older) this.#revision.set(revision);
  }

  /** Ends an attempt that waits for what will not come: the end of the initial events, or the end of the watch. */
  async #guard(attempt: AbortController, endsAt: number): Promise<void> {
    const { clock, resource } = this.#options;
    try {
      while (this.#next === 'list') {
        const before = this.#received;
        await clock.sleep(INITIAL_SILENCE_MS, attempt.signal);
        const silent = this.#next === 'list' && this.#received === before;
        if (silent) return attempt.abort(new StalledError(resource.plural, 'list'));
      }
      await clock.sleep(endsAt - clock.now(), attempt.signal);
      attempt.abort(new StalledError(resource.plural, 'watch'));
    } catch (error) {
      if (!attempt.signal.aborted) throw error;
    }
  }

  #position(): ResourceVersion {
    const { seen } = this.#revision;
    if (seen === undefined) throw new Error('a watch needs a revision to go on from');
    return seen;
  }

  #selection(): Selection {
    const { namespace, labelSelector, fieldSelector } = this.#options;
    return {
      ...(namespace === undefined ? {} : { namespace }),
      ...(labelSelector === undefined ? {} : { labelSelector }),
      ...(fieldSelector === undefined ? {} : { fieldSelector }),
    };
  }
}

/** Initial events may be followed by changes before the list is complete. */
function collect<T extends KubeObject>(
  into: Map<ObjectKey, T>,
  event: Exclude<ClientEvent<T>, { type: 'BOOKMARK' }>,
): void {
  if (event.type === 'DELETED') into.delete(keyOf(event.object));
  else into.set(keyOf(event.object), event.object);
}
