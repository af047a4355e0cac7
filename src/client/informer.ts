import type { KubeObject, ObjectKey, ResourceVersion } from '#api/meta.ts';
import type { Resource } from '#api/resource.ts';
import type { Client } from '#client/client.ts';
import type { Clock } from '#lib/clock.ts';

/**
 * An informer: a local copy of one kind (or of what a selector leaves of it), kept up by list and watch.
 *
 * The copy may be late, never wrong for ever. Listeners are told which object changed, with what it was and what it is;
 * they are never told what to do, because the same code must work after a restart, when no event was seen.
 *
 *   // createInformer is in #client/create-informer.ts; this file is the contract.
 *   const pods = createInformer({ client, clock, resource: podResource, indexes: { byNode: (p) => [p.spec.nodeName ?? ''] } });
 *   scope.spawn('watch pods', (signal) => pods.run(signal));
 *   await pods.synced(signal);
 *   pods.by('byNode', 'n1');
 *
 * Objects are those of the watch cache when the transport is the in-process one: shared, never to be changed.
 * Everything but `run`, `synced` and `waitFor` is synchronous; an event costs the same however large the copy is.
 */
export interface Informer<T extends KubeObject = KubeObject, Index extends string = never> {
  readonly resource: Resource<T>;
  /** How many objects the copy holds. */
  readonly size: number;
  get(key: ObjectKey): T | undefined;
  /** A new array, in no particular order; with `namespace` only that namespace's (a walk over all of them). */
  list(namespace?: string): readonly T[];
  /** The objects for which the index function gave `value`; a new array. Costs as much as what it returns. */
  by(index: Index, value: string): readonly T[];
  /**
   * Calls `listener` for every change, in order and synchronously: while it runs, `get(change.key)` is `change.after`.
   * It is first called at once for everything the copy holds already. What it throws goes to `onError`.
   */
  onChange(listener: (change: Change<T>) => void): Disposable;
  /** True once the first list is in the copy; it stays true from then on. */
  readonly hasSynced: boolean;
  /** Resolves once the first list is in the copy and has been told to the listeners. Rejects with the signal's reason. */
  synced(signal: AbortSignal): Promise<void>;
  /**
   * Lists, then watches, and recovers from every failure with back-off, until `signal` aborts; then it resolves.
   * A second call while the first one runs is refused (throws). It may be run again later: it goes on where it was.
   */
  run(signal: AbortSignal): Promise<void>;
  /** Ends a pause between two tries: the API is known to answer again. Else it does nothing. */
  hurry(): void;
  /** The newest revision the copy is known to show, bookmarks included; undefined before the first list. */
  readonly seen: ResourceVersion | undefined;
  /**
   * Reading your own writes: resolves with true once `seen` has reached `revision`, with false when that has not
   * happened within `waitDeadlineMs`: the caller goes on with what there is. Rejects with the signal's reason.
   * (Kubernetes has no request for a bookmark; a change of something outside the selection is seen with the next one.)
   */
  waitFor(revision: ResourceVersion, signal: AbortSignal): Promise<boolean>;
}

/**
 * Exactly one of `before` and `after` may be undefined. Both have the same UID: when an object was deleted and one of
 * the same name created while nobody watched, that is told as two changes, the deletion first.
 */
export interface Change<T extends KubeObject = KubeObject> {
  readonly key: ObjectKey;
  readonly before: T | undefined;
  readonly after: T | undefined;
}

/**
 * Under which values an object is to be found in each index; an object may have none, one or several. The functions are
 * called again with the same object when it goes: they must depend on nothing else, and must not throw.
 */
export type IndexFunctions<T, Index extends string> = Readonly<Record<Index, (object: T) => readonly string[]>>;

export interface InformerOptions<T extends KubeObject, Index extends string = never> {
  readonly client: Client;
  readonly clock: Clock;
  readonly resource: Resource<T>;
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly indexes?: IndexFunctions<T, Index>;
  /** Told of every failure it recovers from (a dropped watch, a refused list) and of what a listener threw. */
  readonly onError?: (error: unknown) => void;
  /** How long `waitFor` waits; 1,000 ms when absent. */
  readonly waitDeadlineMs?: number;
  /** In [0, 1); spreads retries and watch timeouts so that many informers do not come at once. Math.random when absent. */
  readonly random?: () => number;
}
