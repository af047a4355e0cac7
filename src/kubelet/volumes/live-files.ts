import type { ConfigMap, Pod, Secret } from '#api/generated/core-v1.ts';
import type { Client } from '#client/client.ts';
import type { PodFiles } from '#kubelet/pod-files.ts';
import { MountError } from '#kubelet/volumes/mount-error.ts';
import { PodTokens } from '#kubelet/volumes/pod-tokens.ts';
import {
  type Files,
  filesOf,
  type ProjectionFacts,
  tokenKey,
  tokensWanted,
  VolumeError,
} from '#kubelet/volumes/projection.ts';
import type { Followed, SharedKind, SharedObjects } from '#kubelet/volumes/shared-objects.ts';
import type { ApiFilesPlan } from '#kubelet/volumes/volumes.ts';
import type { Clock } from '#lib/clock.ts';
import { isCancellation } from '#lib/scope.ts';
import { Signal } from '#lib/signal.ts';

export interface LiveDeps {
  readonly client: Client;
  readonly clock: Clock;
  readonly files: PodFiles;
  readonly objects: Pick<SharedObjects, 'follow'>;
  readonly allocatable: () => Readonly<Record<string, string>>;
  /** Something that a pod without its files refers to has changed: trying again may help. */
  readonly arrived: (uid: string) => void;
  readonly log: (message: string, error: unknown) => void;
}

/** After a write, or a request for a token, that failed for no fault of the pod's. */
const RETRY_MS = 5000;

/** The pod gives back its files: nobody waits for them any more. */
export class FilesReleased extends Error {
  override readonly name = 'FilesReleased';
}

/** The API volumes of one pod, from when they are first wanted until `end`: kept as the API says. */
export class LiveFiles {
  readonly #deps: LiveDeps;
  readonly #plans: readonly ApiFilesPlan[];
  readonly #tokens: PodTokens;
  readonly #followed = new Map<string, Followed>();
  readonly #changed = new Signal();
  readonly #end = new AbortController();
  #pod: Pod;
  #written = false;
  #retryAt: number | undefined;
  /** Volumes are written by one at a time. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(deps: LiveDeps, pod: Pod, plans: readonly ApiFilesPlan[]) {
    this.#deps = deps;
    this.#pod = pod;
    this.#plans = plans;
    this.#tokens = new PodTokens(deps.client, deps.clock);
    for (const source of plans.flatMap(({ sources }) => sources)) {
      if (source.kind === 'config-map') this.#follow('configmaps', source.name);
      if (source.kind === 'secret') this.#follow('secrets', source.name);
    }
  }

  /**
   * Makes all files of the pod. Throws MountError for what is missing, and `arrived` tells when that may be there;
   * FilesReleased once `end` was called.
   */
  prepare(pod: Pod, stop: AbortSignal): Promise<void> {
    this.#pod = pod;
    const signal = AbortSignal.any([stop, this.#end.signal]);
    return this.#exclusively(async () => {
      await Promise.all([...this.#followed.values()].map((followed) => followed.synced(signal)));
      await this.#deps.files.prepare(pod, await this.#content(signal), signal);
      this.#written = true;
      // What has changed meanwhile could not be told from what was read.
      this.#changed.raise();
    });
  }

  /** The pod's object is another one now: labels and annotations may be in files. */
  podChanged(pod: Pod): void {
    const { labels, annotations } = this.#pod.metadata;
    this.#pod = pod;
    if (same(labels, pod.metadata.labels) && same(annotations, pod.metadata.annotations)) return;
    this.#sourceChanged();
  }

  /** Until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    for (;;) {
      await this.#changed.wait(clock, this.#dueAt(), signal);
      this.#retryAt = undefined;
      try {
        await this.#exclusively(() => this.#update(signal));
      } catch (error) {
        if (isCancellation(error, signal)) throw error;
        this.#failed(error);
      }
    }
  }

  /** Nothing is written, and nothing followed, from when this resolves. */
  async end(): Promise<void> {
    this.#end.abort(new FilesReleased('the pod gives back its files'));
    for (const followed of this.#followed.values()) followed[Symbol.dispose]();
    await this.#turn;
  }

  #failed(error: unknown): void {
    const { clock, log } = this.#deps;
    // What was there stays; that what is missing has come back is a change.
    if (isMissing(error)) return;
    this.#retryAt = clock.now() + RETRY_MS;
    log(`updating the files of pod ${this.#pod.metadata.namespace}/${this.#pod.metadata.name} failed`, error);
  }

  #follow(kind: SharedKind, name: string): void {
    const key = `${kind} ${name}`;
    if (this.#followed.has(key)) return;
    const { namespace = '' } = this.#pod.metadata;
    this.#followed.set(
      key,
      this.#deps.objects.follow({ kind, namespace, name }, () => this.#sourceChanged()),
    );
  }

  #sourceChanged(): void {
    if (!this.#written) this.#deps.arrived(this.#pod.metadata.uid);
    this.#changed.raise();
  }

  #dueAt(): number | undefined {
    return this.#retryAt ?? (this.#written ? this.#tokens.dueAt : undefined);
  }

  /** Volume by volume: one that lacks something does not keep the others from being renewed. */
  async #update(signal: AbortSignal): Promise<void> {
    if (!this.#written) return;
    const pod = this.#pod;
    const failures: Error[] = [];
    for (const plan of this.#plans) {
      if (this.#end.signal.aborted) return;
      try {
        await this.#deps.files.update(pod, { volume: plan.name, files: await this.#filesOf(plan, signal) });
      } catch (error) {
        if (isCancellation(error, signal)) throw error;
        failures.push(error instanceof Error ? error : new Error(String(error)));
      }
    }
    // Whatever may pass by itself is to be tried again, so it comes before what only a change can help.
    const [failure = failures[0]] = failures.filter((error) => !isMissing(error));
    if (failure !== undefined) throw failure;
  }

  async #content(signal: AbortSignal): Promise<ReadonlyMap<string, Files>> {
    const content = new Map<string, Files>();
    for (const plan of this.#plans) content.set(plan.name, await this.#filesOf(plan, signal));
    return content;
  }

  async #filesOf(plan: ApiFilesPlan, signal: AbortSignal): Promise<Files> {
    try {
      return filesOf(plan, await this.#facts(plan, signal));
    } catch (error) {
      if (isCancellation(error, signal)) throw error;
      throw new MountError(plan.name, error);
    }
  }

  async #facts(plan: ApiFilesPlan, signal: AbortSignal): Promise<ProjectionFacts> {
    const pod = this.#pod;
    const tokens = await Promise.all(
      tokensWanted(plan).map(
        async (wanted) => [tokenKey(wanted), await this.#tokens.get(pod, wanted, signal)] as const,
      ),
    );
    return {
      pod,
      configMap: (name) => this.#followed.get(`configmaps ${name}`)?.object as ConfigMap | undefined,
      secret: (name) => this.#followed.get(`secrets ${name}`)?.object as Secret | undefined,
      tokens: new Map(tokens),
      allocatable: this.#deps.allocatable(),
    };
  }

  #exclusively<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(() => {
      this.#end.signal.throwIfAborted();
      return task();
    });
    this.#turn = result.catch(() => {});
    return result;
  }
}

const isMissing = (error: unknown): boolean => error instanceof MountError && error.cause instanceof VolumeError;

type Texts = Readonly<Record<string, string>> | undefined;
const same = (a: Texts = {}, b: Texts = {}): boolean =>
  Object.keys(a).length === Object.keys(b).length && Object.entries(a).every(([key, text]) => b[key] === text);
