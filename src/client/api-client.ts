import { ApiError, badRequest, errorOfStatus, hasReason, type Status } from '#api/errors.ts';
import type { KubeObject, ListMeta, ObjectRef } from '#api/meta.ts';
import { apiVersionOf, collectionPath, type New, objectPath, type Resource } from '#api/resource.ts';
import type { ApiRequest, Transport } from '#api/transport.ts';
import type { Client, ClientEvent, DeleteOptions, List, Patch, SubresourceRef, WatchOptions } from '#client/client.ts';
import { unreachable } from '#lib/unreachable.ts';

/** The client over any transport. It holds no state: one serves any number of callers. */
export function createClient(transport: Transport): Client {
  const call: Call = async (request, signal) => {
    signal.throwIfAborted();
    const { body } = await transport.call(request, signal);
    if (isStatus(body) && body.status === 'Failure') throw errorOfStatus(body);
    return body;
  };
  return {
    ...readsOver(call),
    ...writesOver(call),
    ...deletesOver(call),
    watch: (resource, options, signal) => watchEvents(transport, resource, options, signal),
  };
}

type Call = (request: ApiRequest, signal: AbortSignal) => Promise<unknown>;

const readsOver = (call: Call): Pick<Client, 'get' | 'list'> => ({
  async get(resource, ref, signal) {
    const path = pathOf(resource, ref);
    try {
      return objectOf(resource, await call({ method: 'GET', path }, signal));
    } catch (error) {
      if (isAbsence(error, resource, ref)) return undefined;
      throw error;
    }
  },

  async list(resource, options, signal) {
    const { namespace, limit, ...rest } = options;
    const query = only({ ...rest, limit: limit?.toString() });
    return listOf(resource, await call({ method: 'GET', path: collectionPath(resource, namespace), query }, signal));
  },
});

function writesOver(
  call: Call,
): Pick<Client, 'create' | 'tryCreate' | 'post' | 'update' | 'updateStatus' | 'updateSubresource' | 'patch'> {
  const put = async <T extends KubeObject>(
    resource: Resource<T>,
    object: T,
    subresource: string | undefined,
    signal: AbortSignal,
  ): Promise<T> => {
    const { name, namespace } = object.metadata;
    const path = pathOf(resource, { name, ...only({ namespace, subresource }) });
    return objectOf(resource, await call({ method: 'PUT', path, body: object }, signal));
  };
  const post = async <T extends KubeObject>(
    resource: Resource<T>,
    object: New<T>,
    more: Pick<ApiRequest, 'query'>,
    signal: AbortSignal,
  ): Promise<T> => {
    const { namespace } = object.metadata;
    if (resource.namespaced && namespace === undefined) throw needsNamespace(resource);
    const path = collectionPath(resource, namespace);
    return objectOf(resource, await call({ method: 'POST', path, body: object, ...more }, signal));
  };
  return {
    create: (resource, object, signal) => post(resource, object, {}, signal),
    tryCreate: (resource, object, signal) => post(resource, object, { query: { dryRun: 'All' } }, signal),

    async post<R>(resource: Resource, ref: SubresourceRef, body: object, signal: AbortSignal) {
      // What a subresource answers with is its own: the caller, who names the subresource, names the type.
      return (await call({ method: 'POST', path: pathOf(resource, ref), body }, signal)) as R;
    },

    update: (resource, object, signal) => put(resource, object, undefined, signal),
    updateStatus: (resource, object, signal) => put(resource, object, 'status', signal),
    updateSubresource: put,

    async patch(resource, ref, patch, signal) {
      const path = pathOf(resource, ref);
      return objectOf(resource, await call({ method: 'PATCH', path, ...patchBody(patch) }, signal));
    },
  };
}

const deletesOver = (call: Call): Pick<Client, 'delete' | 'deleteCollection'> => ({
  async delete(resource, ref, options, signal) {
    const answer = await call({ method: 'DELETE', path: pathOf(resource, ref), body: deleteBody(options) }, signal);
    return isStatus(answer) ? undefined : objectOf(resource, answer);
  },

  async deleteCollection(resource, { namespace, ...selectors }, options, signal) {
    const path = collectionPath(resource, namespace);
    await call({ method: 'DELETE', path, query: only(selectors), body: deleteBody(options) }, signal);
  },
});

async function* watchEvents<T extends KubeObject>(
  transport: Transport,
  resource: Resource<T>,
  options: WatchOptions,
  signal: AbortSignal,
): AsyncGenerator<ClientEvent<T>, void> {
  signal.throwIfAborted();
  const { namespace, sendInitialEvents = false, timeoutSeconds, ...rest } = options;
  const query = only({
    ...rest,
    watch: 'true',
    allowWatchBookmarks: 'true',
    timeoutSeconds: timeoutSeconds?.toString(),
    // The server insists on the match whenever initial events are asked for.
    ...(sendInitialEvents ? { sendInitialEvents: 'true', resourceVersionMatch: 'NotOlderThan' } : {}),
  });
  const request: ApiRequest = { method: 'GET', path: collectionPath(resource, namespace), query };
  for await (const event of transport.watch(request, signal)) {
    switch (event.type) {
      case 'ERROR':
        throw errorOfStatus(event.status);
      case 'BOOKMARK':
        yield event;
        break;
      case 'ADDED':
      case 'MODIFIED':
      case 'DELETED':
        yield { type: event.type, object: objectOf(resource, event.object) };
        break;
      default:
        unreachable(event);
    }
  }
}

function pathOf(resource: Resource, ref: SubresourceRef): string {
  if (resource.namespaced && ref.namespace === undefined) throw needsNamespace(resource);
  // The server's own routing would take an empty name for the collection: a delete would then empty it.
  if (ref.name === '') throw badRequest('resource name may not be empty');
  return objectPath(resource, ref);
}

const needsNamespace = (resource: Resource): ApiError =>
  badRequest(`an empty namespace may not be set for ${resource.plural}`);

/** Only the object itself may be absent: a missing path or kind is NotFound as well, and a fault of the caller's. */
function isAbsence(error: unknown, resource: Resource, ref: ObjectRef): boolean {
  if (!hasReason(error, 'NotFound') || error.details?.name !== ref.name) return false;
  const { kind, group } = error.details;
  return (kind === undefined || kind === resource.plural || kind === resource.kind) && (group ?? '') === resource.group;
}

const patchTypes = {
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  json: 'application/json-patch+json',
} as const;

const patchBody = (patch: Patch): Pick<ApiRequest, 'body' | 'contentType'> => ({
  body: patch.kind === 'json' ? patch.operations : patch.body,
  contentType: patchTypes[patch.kind],
});

function deleteBody({ uid, resourceVersion, ...options }: DeleteOptions): object {
  const preconditions = only({ uid, resourceVersion });
  return {
    apiVersion: 'v1',
    kind: 'DeleteOptions',
    ...options,
    ...(Object.keys(preconditions).length === 0 ? {} : { preconditions }),
  };
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

const isStatus = (body: unknown): body is Status => isRecord(body) && body['kind'] === 'Status';

/**
 * What the server says is a T is taken for one once it has the outline of an object: checking every field again would
 * cost as much as the call. The items of a list do not say their kind; an object that does is handed on as it is.
 */
function objectOf<T extends KubeObject>(resource: Resource<T>, body: unknown): T {
  if (!isRecord(body) || !isRecord(body['metadata']) || typeof body['metadata']['name'] !== 'string')
    throw notWhatWasAsked(resource, 'an object', body);
  const named =
    body['kind'] === undefined ? { apiVersion: apiVersionOf(resource), kind: resource.kind, ...body } : body;
  return named as unknown as T;
}

function listOf<T extends KubeObject>(resource: Resource<T>, body: unknown): List<T> {
  if (!isRecord(body) || !isRecord(body['metadata'])) throw notWhatWasAsked(resource, 'a list', body);
  // A list of nothing is `null` in Go's JSON.
  const items: unknown = body['items'] ?? [];
  if (!Array.isArray(items)) throw notWhatWasAsked(resource, 'a list', body);
  return { metadata: body['metadata'] as ListMeta, items: items.map((item: unknown) => objectOf(resource, item)) };
}

const notWhatWasAsked = (resource: Resource, wanted: string, body: unknown): ApiError =>
  new ApiError('InternalError', `the server answered with something other than ${wanted} of ${resource.plural}`, {
    cause: body,
  });

/** Without the fields that are undefined. */
function only<V>(fields: Readonly<Record<string, V | undefined>>): Record<string, V> {
  const kept = Object.entries(fields).filter((field): field is [string, V] => field[1] !== undefined);
  return Object.fromEntries(kept);
}
