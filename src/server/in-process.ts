import { ApiError, badRequest, statusOfError } from '#api/errors.ts';
import type { KubeObject, ResourceVersion } from '#api/meta.ts';
import { apiVersionOf } from '#api/resource.ts';
import type { ApiRequest, ApiResponse, Transport, User, WatchEvent } from '#api/transport.ts';
import { Inbox, SlowReaderError } from '#lib/inbox.ts';
import { unreachable } from '#lib/unreachable.ts';
import type { Answer } from '#server/answer.ts';
import { authenticated } from '#server/authentication.ts';
import type { Listing } from '#server/registry/list.ts';
import type { Watch, Watches, WatchItem } from '#server/registry/watch.ts';
import { parseRequestInfo, type RequestBody, type ServerRequest } from '#server/request.ts';
import type { Descriptor } from '#server/descriptor.ts';

/**
 * How many events a watcher in this process may lag behind before it is closed. They are the cache's own objects, not copies; and over a
 * MemoryStore, where writers need not wait for anything, thirty of them outrun a reader by ten thousand before it has its turn.
 */
export const WATCH_BUFFER = 20_000;

/** The stages, and the watches under way: what a carrier needs. */
export interface Stages {
  readonly watches: Watches;
  handle(request: ServerRequest): Promise<Answer>;
}

/**
 * The transport for parts of the cluster that live in the server's own process. It goes through the same stages as HTTP does and
 * hands over the very objects of the watch cache. It uses no socket, timer of its own, worker or thread pool: over a MemoryStore
 * everything settles in microtasks.
 */
export function inProcessTransport(stages: Stages, user: User): Transport {
  const who = authenticated(user);
  return {
    async call(request, signal) {
      signal.throwIfAborted();
      const answer = await stages.handle(serverRequest(request, who, signal));
      return responseOf(answer);
    },
    async *watch(request, signal) {
      signal.throwIfAborted();
      const query = { ...request.query, watch: 'true' };
      const answer = await stages.handle(serverRequest({ ...request, query }, who, signal));
      if (answer.kind !== 'watch') throw new ApiError('BadRequest', `${request.path} cannot be watched`);
      yield* events(answer.watch, stages.watches, signal);
    },
  };
}

function serverRequest(request: ApiRequest, user: User, signal: AbortSignal): ServerRequest {
  const { method, path, query = {}, body, contentType = 'application/json' } = request;
  const info = parseRequestInfo(method, path, query);
  const accept = 'application/json';
  const rawQuery = search(query);
  return {
    info,
    method,
    path,
    query,
    rawQuery,
    user,
    body: valueBody(body),
    contentType,
    accept,
    warn: () => {},
    signal,
  };
}

/** Most requests have no query, and a URLSearchParams is not for nothing. */
function search(query: Readonly<Record<string, string>>): string {
  for (const _ in query) return new URLSearchParams(query).toString();
  return '';
}

/** What comes from the same process is of the right types already. */
const valueBody = (value: unknown): RequestBody => ({
  object() {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as KubeObject;
    throw badRequest('the body of the request must be an object');
  },
  document: () => value,
  options: () => value,
});

function responseOf(answer: Answer): ApiResponse {
  switch (answer.kind) {
    case 'stored':
      return { status: answer.code, body: answer.stored.object };
    case 'object':
      return { status: answer.code, body: answer.object };
    case 'value':
      return { status: answer.code, body: answer.value };
    case 'list':
      return { status: 200, body: listOf(answer.descriptor, answer.listing) };
    case 'text':
      if (answer.code < 400) return { status: answer.code, body: answer.text };
      throw new ApiError(
        answer.code === 404 ? 'NotFound' : 'InternalError',
        `the server answered ${answer.code}: ${answer.text.trim()}`,
      );
    case 'document':
      return { status: 200, body: JSON.parse(Buffer.from(answer.document.body).toString('utf8')) as unknown };
    case 'watch':
      throw new ApiError('BadRequest', 'a watch is not answered by a call');
    case 'node':
      throw new ApiError('NotImplemented', 'logs and exec are served over HTTPS only');
    default:
      return unreachable(answer);
  }
}

const listOf = (descriptor: Descriptor, { items, ...listing }: Listing): object => ({
  kind: descriptor.listKind,
  apiVersion: apiVersionOf(descriptor),
  metadata: listMeta(listing),
  items: items.map(({ object }) => object),
});

export const listMeta = ({ revision, continueToken, remaining }: Omit<Listing, 'items'>): object => ({
  resourceVersion: String(revision),
  ...(continueToken === undefined ? {} : { continue: continueToken }),
  ...(remaining === undefined ? {} : { remainingItemCount: remaining }),
});

async function* events(watch: Watch, watches: Watches, signal: AbortSignal): AsyncGenerator<WatchEvent> {
  const inbox = new Inbox<WatchEvent | 'end'>(WATCH_BUFFER);
  const { items, revision } = watch.begin();
  const unlisten = watch.listen((event) => {
    const item = watch.select(event);
    if (item) inbox.push(eventOf(item));
  });
  using _ = watches.open(watch, {
    bookmark: (at, initialEventsEnd) => inbox.push(bookmark(String(at), initialEventsEnd)),
    end: () => inbox.push('end'),
  });
  try {
    for (const item of items) yield eventOf(item);
    if (watch.query.sendInitialEvents) yield bookmark(String(revision), true);
    for await (const event of inbox.drain(signal)) {
      if (event === 'end') return;
      yield event;
    }
  } catch (error) {
    if (!(error instanceof SlowReaderError)) throw error;
    throw tooSlow(error);
  } finally {
    unlisten();
  }
}

/** A reader that lagged behind too far has missed events: it must list again. */
const tooSlow = (cause?: unknown): ApiError =>
  new ApiError('Expired', 'the watch was closed because its reader is too slow', { cause });

export const tooSlowStatus = statusOfError(tooSlow());

const eventOf = ({ type, stored }: WatchItem): WatchEvent => ({ type, object: stored.object });

const bookmark = (resourceVersion: string, initialEventsEnd: boolean): WatchEvent => ({
  type: 'BOOKMARK',
  resourceVersion: resourceVersion as ResourceVersion,
  initialEventsEnd,
});
