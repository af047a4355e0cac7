import type { KubeObject, ListMeta, ObjectRef } from '#api/meta.ts';
import type { New, Resource } from '#api/resource.ts';
import type { WatchEvent } from '#api/transport.ts';

/**
 * The typed client: a `Resource<T>` describes a kind, and these generic methods serve all of them. It knows no kind by
 * name and holds no state; informers (`#client/informer.ts`) do.
 *
 * Every method throws ApiError, except that `get` answers `undefined` for an object that is not there. `signal` is
 * always last and never optional: an aborted call rejects with the signal's reason; whether a write took effect is then
 * unknown, as after any lost connection.
 */
export interface Client {
  get<T extends KubeObject>(resource: Resource<T>, ref: SubresourceRef, signal: AbortSignal): Promise<T | undefined>;
  list<T extends KubeObject>(resource: Resource<T>, options: ListOptions, signal: AbortSignal): Promise<List<T>>;
  create<T extends KubeObject>(resource: Resource<T>, object: New<T>, signal: AbortSignal): Promise<T>;
  /** What `create` would have made, fully defaulted and admitted, or the error it would have thrown. Nothing is stored. */
  tryCreate<T extends KubeObject>(resource: Resource<T>, object: New<T>, signal: AbortSignal): Promise<T>;
  /** Posts to a subresource that takes another kind: `binding`, `eviction`, `token`. Gives what the server answered. */
  post<R>(resource: Resource, ref: SubresourceRef, body: object, signal: AbortSignal): Promise<R>;
  /** Fails with reason Conflict unless `object.metadata.resourceVersion` is the stored one. */
  update<T extends KubeObject>(resource: Resource<T>, object: T, signal: AbortSignal): Promise<T>;
  updateStatus<T extends KubeObject>(resource: Resource<T>, object: T, signal: AbortSignal): Promise<T>;
  /** `update` of another part that takes the whole object: a namespace's `finalize`. */
  updateSubresource<T extends KubeObject>(
    resource: Resource<T>,
    object: T,
    subresource: string,
    signal: AbortSignal,
  ): Promise<T>;
  patch<T extends KubeObject>(
    resource: Resource<T>,
    ref: SubresourceRef,
    patch: Patch,
    signal: AbortSignal,
  ): Promise<T>;
  /**
   * Gives the object as the server answered it: as it now stands when it goes later (pods in their grace time, objects
   * with finalizers); undefined when the server only said that it is gone. An object that was already gone is NotFound;
   * with `uid`, a namesake is Conflict.
   */
  delete<T extends KubeObject>(
    resource: Resource<T>,
    ref: ObjectRef,
    options: DeleteOptions,
    signal: AbortSignal,
  ): Promise<T | undefined>;
  /** Deletes everything the selection holds, each object as `delete` would: some of it may go later. */
  deleteCollection(
    resource: Resource,
    selection: Selection,
    options: DeleteOptions,
    signal: AbortSignal,
  ): Promise<void>;
  /**
   * Ends when the server ends the watch. Throws the ApiError of an ERROR event: none is ever handed on. Bookmarks are
   * always asked for.
   */
  watch<T extends KubeObject>(
    resource: Resource<T>,
    options: WatchOptions,
    signal: AbortSignal,
  ): AsyncIterable<ClientEvent<T>>;
}

/** What a watch hands on: its errors are thrown. */
export type ClientEvent<T extends KubeObject = KubeObject> = Exclude<WatchEvent<T>, { readonly type: 'ERROR' }>;

export interface SubresourceRef extends ObjectRef {
  readonly subresource?: string;
}

/** Which objects of a kind; everything when empty. */
export interface Selection {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

export interface ListOptions extends Selection {
  readonly limit?: number;
  readonly continue?: string;
  readonly resourceVersion?: string;
  readonly resourceVersionMatch?: 'Exact' | 'NotOlderThan';
}

export interface WatchOptions extends Selection {
  /**
   * Changes after this one. With `sendInitialEvents`: first everything there is at this revision or a newer one (at the
   * newest, when absent), then a bookmark with `initialEventsEnd`, then what follows.
   */
  readonly resourceVersion?: string;
  readonly sendInitialEvents?: boolean;
  readonly timeoutSeconds?: number;
}

export interface List<T extends KubeObject> {
  readonly metadata: ListMeta;
  readonly items: readonly T[];
}

export interface DeleteOptions {
  readonly gracePeriodSeconds?: number;
  /** Preconditions: the delete is refused with Conflict unless they hold. */
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly propagationPolicy?: 'Orphan' | 'Background' | 'Foreground';
}

export type Patch =
  | { readonly kind: 'merge'; readonly body: object }
  | { readonly kind: 'strategic'; readonly body: object }
  | { readonly kind: 'json'; readonly operations: readonly object[] };
