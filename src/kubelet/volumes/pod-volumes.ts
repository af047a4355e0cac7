import type { Pod } from '#api/generated/core-v1.ts';
import type { PodFiles } from '#kubelet/pod-files.ts';
import { ClaimedVolumes } from '#kubelet/volumes/claimed-volumes.ts';
import { type LiveDeps, LiveFiles } from '#kubelet/volumes/live-files.ts';
import { SharedObjects } from '#kubelet/volumes/shared-objects.ts';
import { volumesOf } from '#kubelet/volumes/volumes.ts';
import { Scope } from '#lib/scope.ts';

interface Live {
  readonly files: LiveFiles;
  readonly stop: AbortController;
}

/** The files of this node's pods, those that come from the API kept as it says (volumes.ts tells how). */
export class PodVolumes {
  readonly #deps: LiveDeps;
  readonly #files: PodFiles;
  readonly #claims: ClaimedVolumes;
  readonly #scope = new Scope();
  readonly #live = new Map<string, Live>();

  constructor(deps: Omit<LiveDeps, 'objects'>) {
    const { client, clock, log } = deps;
    const objects = new SharedObjects({ client, clock, log, scope: this.#scope });
    this.#files = deps.files;
    this.#deps = { ...deps, objects };
    this.#claims = new ClaimedVolumes(client, deps.files);
  }

  /** Until `signal` aborts; the files then stay as they are. Throws what made it fail. Once. */
  async run(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const ends = AbortSignal.any([signal, this.#scope.signal]);
    ends.addEventListener('abort', () => resolve(), { once: true });
    if (ends.aborted) resolve();
    await promise;
    await this.#scope[Symbol.asyncDispose]();
  }

  /** May be repeated. Throws MountError, in upstream's words. */
  async prepare(pod: Pod, signal: AbortSignal): Promise<void> {
    await this.#claims.link(pod, signal);
    const plans = volumesOf(pod).filter((plan) => plan.kind === 'api-files');
    if (plans.length === 0) return this.#files.prepare(pod, new Map(), signal);
    const { uid } = pod.metadata;
    const live = this.#live.get(uid) ?? this.#begin(uid, new LiveFiles(this.#deps, pod, plans));
    await live.files.prepare(pod, signal);
  }

  podChanged(pod: Pod): void {
    this.#live.get(pod.metadata.uid)?.files.podChanged(pod);
  }

  /** Its files are kept up no more; they stay until `PodFiles.remove`. */
  async release(uid: string): Promise<void> {
    const live = this.#live.get(uid);
    if (live === undefined) return;
    this.#live.delete(uid);
    live.stop.abort(new Error('the pod gives back its files'));
    await live.files.end();
  }

  #begin(uid: string, files: LiveFiles): Live {
    const stop = new AbortController();
    const live = { files, stop };
    this.#live.set(uid, live);
    this.#scope.spawn(`files of pod ${uid}`, async (signal) => {
      const both = AbortSignal.any([signal, stop.signal]);
      // Once it was told to stop nobody waits for it any more.
      await files.run(both).catch((error: unknown) => {
        if (!stop.signal.aborted) throw error;
      });
    });
    return live;
  }
}
