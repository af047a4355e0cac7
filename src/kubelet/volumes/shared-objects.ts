import type { ConfigMap, Secret } from '#api/generated/core-v1.ts';
import { keyOfRef } from '#api/meta.ts';
import type { Resource } from '#api/resource.ts';
import type { Client } from '#client/client.ts';
import { createInformer } from '#client/create-informer.ts';
import type { Informer } from '#client/informer.ts';
import { configMapResource, secretResource } from '#client/resources.ts';
import type { Clock } from '#lib/clock.ts';
import type { Scope } from '#lib/scope.ts';

export type SharedKind = 'configmaps' | 'secrets';

export interface SharedRef {
  readonly kind: SharedKind;
  readonly namespace: string;
  readonly name: string;
}

/** One who follows an object. Disposing a second time does nothing. */
export interface Followed extends Disposable {
  /** Rejects with the signal's reason. */
  synced(signal: AbortSignal): Promise<void>;
  /** undefined: it does not exist, or has not been read yet. */
  readonly object: ConfigMap | Secret | undefined;
}

interface Shared {
  readonly informer: Informer<ConfigMap> | Informer<Secret>;
  readonly listeners: Set<() => void>;
  readonly stop: AbortController;
}

/**
 * The ConfigMaps and Secrets that pods of this node refer to: each is watched once, by its name, however many pods refer to it,
 * from the first that does to the last. Nothing else is read: a node knows no secret of pods it does not have.
 * What is `immutable` is read once and watched no more.
 */
export class SharedObjects {
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #scope: Scope;
  readonly #log: (message: string, error: unknown) => void;
  readonly #shared = new Map<string, Shared>();

  constructor(deps: {
    readonly client: Client;
    readonly clock: Clock;
    readonly scope: Scope;
    readonly log: (message: string, error: unknown) => void;
  }) {
    this.#client = deps.client;
    this.#clock = deps.clock;
    this.#scope = deps.scope;
    this.#log = deps.log;
  }

  /** How many objects are followed. */
  get size(): number {
    return this.#shared.size;
  }

  /** How many of them are watched: all but those that never change. */
  get watched(): number {
    return [...this.#shared.values()].filter(({ stop }) => !stop.signal.aborted).length;
  }

  /** `changed` is called synchronously for whatever happens to the object after this call; its first appearance counts. */
  follow(ref: SharedRef, changed: () => void): Followed {
    const key = `${ref.kind} ${keyOfRef(ref)}`;
    const shared = this.#shared.get(key) ?? this.#begin(key, ref);
    const listener = (): void => changed();
    shared.listeners.add(listener);
    return {
      get object() {
        return shared.informer.get(keyOfRef(ref));
      },
      synced: (signal) => shared.informer.synced(signal),
      [Symbol.dispose]: () => {
        if (!shared.listeners.delete(listener) || shared.listeners.size > 0) return;
        this.#shared.delete(key);
        shared.stop.abort(new Error('nobody refers to it any more'));
      },
    };
  }

  #begin(key: string, ref: SharedRef): Shared {
    const shared =
      ref.kind === 'configmaps' ? this.#watch(configMapResource, ref, key) : this.#watch(secretResource, ref, key);
    this.#shared.set(key, shared);
    return shared;
  }

  #watch<T extends ConfigMap | Secret>(resource: Resource<T>, ref: SharedRef, key: string): Shared {
    const informer = createInformer<T>({
      client: this.#client,
      clock: this.#clock,
      resource,
      namespace: ref.namespace,
      fieldSelector: `metadata.name=${ref.name}`,
      onError: (error) => this.#log(`following ${key} failed`, error),
    });
    const stop = new AbortController();
    const listeners = new Set<() => void>();
    informer.onChange(({ after }) => {
      if (after?.immutable === true) stop.abort(new Error('it never changes'));
      for (const listener of listeners) listener();
    });
    this.#scope.spawn(`follow ${key}`, (signal) => informer.run(AbortSignal.any([signal, stop.signal])));
    return { informer: informer as unknown as Shared['informer'], listeners, stop };
  }
}
