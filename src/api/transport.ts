import type { KubeObject, ResourceVersion } from '#api/meta.ts';
import type { Status } from '#api/errors.ts';

/**
 * How a request reaches an API server: over HTTPS, or by a call in the same process. Both ends agree on this file alone.
 *
 * In one process the very objects of the watch cache are handed over: they are shared, so they must never be changed.
 * A failure is thrown as an ApiError by either transport; a transport that cannot reach the server throws one with
 * reason ServiceUnavailable.
 */
export interface Transport {
  call(request: ApiRequest, signal: AbortSignal): Promise<ApiResponse>;
  /** Ends when the server ends the watch; throws the ApiError of an ERROR event; rejects with the signal's reason. */
  watch(request: ApiRequest, signal: AbortSignal): AsyncIterable<WatchEvent>;
}

export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** `/api/v1/namespaces/default/pods/web`, percent-encoded where needed. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Of the body; `application/json` when absent. A patch says which kind it is here. */
  readonly contentType?: string;
}

export interface ApiResponse {
  readonly status: number;
  /** An object, a list, a Status, or text for the few paths that answer with it (`/healthz`, logs). */
  readonly body: unknown;
}

export type WatchEvent<T extends KubeObject = KubeObject> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: T }
  /** Nothing older than this will come; `initialEventsEnd` closes the list that `sendInitialEvents` asked for. */
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: ResourceVersion; readonly initialEventsEnd: boolean }
  | { readonly type: 'ERROR'; readonly status: Status };

/** Who is asking. The transport carries it: authorization, admission and audit see the same user in process as over the wire. */
export interface User {
  readonly name: string;
  readonly uid?: string;
  readonly groups: readonly string[];
}
