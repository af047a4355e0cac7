import { ApiError, statusOfError } from '#api/errors.ts';
import { keyOfRef, type KubeObject, type ObjectKey, type ResourceVersion, type Uid } from '#api/meta.ts';
import type { Resource } from '#api/resource.ts';
import type { ApiRequest, ApiResponse, Transport, WatchEvent } from '#api/transport.ts';
import { Inbox } from '#lib/inbox.ts';

export interface Thing extends KubeObject {
  readonly apiVersion: 'v1';
  readonly kind: 'Thing';
  readonly spec: { readonly node: string };
}
export const thingResource: Resource<Thing> = {
  group: '',
  version: 'v1',
  plural: 'things',
  kind: 'Thing',
  namespaced: true,
};

type Change = Extract<WatchEvent, { type: 'ADDED' | 'MODIFIED' | 'DELETED' }>;
type Sent = WatchEvent | { readonly type: 'end' } | { readonly type: 'break'; readonly error: unknown };

/**
 * For tests of what a real server does too seldom: a server of one kind, `things`, that does as it is told. It drops
 * watches, forgets its history, goes back in time, refuses or ignores streaming lists. It knows no selectors; everything
 * that a real server does every day is tested against the real one.
 */
export class FakeServer implements Transport {
  streaming: 'served' | 'refused' | 'ignored' = 'served';
  /** Thrown by every call and watch until it is taken away. */
  unreachable: Error | undefined;
  readonly requests: { readonly verb: 'list' | 'watch'; readonly query: Readonly<Record<string, string>> }[] = [];

  #revision = 1;
  #compacted = 0;
  #nextUid = 1;
  readonly #objects = new Map<ObjectKey, Thing>();
  readonly #history: { readonly revision: number; readonly change: Change }[] = [];
  readonly #watchers = new Set<Inbox<Sent>>();
  readonly #pages = new Map<string, { readonly revision: number; readonly rest: readonly Thing[] }>();

  get objects(): readonly Thing[] {
    return [...this.#objects.values()];
  }
  get revision(): ResourceVersion {
    return String(this.#revision) as ResourceVersion;
  }
  get watchers(): number {
    return this.#watchers.size;
  }

  put(name: string, node = 'n1'): Thing {
    const key = keyOfRef({ namespace: 'default', name });
    const before = this.#objects.get(key);
    this.#revision++;
    const uid = before?.metadata.uid ?? (`uid-${this.#nextUid++}` as Uid);
    const object: Thing = {
      apiVersion: 'v1',
      kind: 'Thing',
      metadata: {
        name,
        namespace: 'default',
        uid,
        resourceVersion: this.revision,
        creationTimestamp: '2026-01-01T00:00:00Z',
      },
      spec: { node },
    };
    this.#objects.set(key, object);
    this.#commit({ type: before ? 'MODIFIED' : 'ADDED', object });
    return object;
  }

  delete(name: string): void {
    const key = keyOfRef({ namespace: 'default', name });
    const before = this.#objects.get(key);
    if (!before) return;
    this.#revision++;
    this.#objects.delete(key);
    const object = { ...before, metadata: { ...before.metadata, resourceVersion: this.revision } };
    this.#commit({ type: 'DELETED', object });
  }

  /** Something happened to another kind: the revision grows and watchers only learn of it from a bookmark. */
  bookmark(changes = 1): void {
    this.#revision += changes;
    this.#send({ type: 'BOOKMARK', resourceVersion: this.revision, initialEventsEnd: false });
  }

  end(): void {
    this.#send({ type: 'end' });
  }
  drop(error: unknown = new ApiError('ServiceUnavailable', 'connection reset')): void {
    this.#send({ type: 'break', error });
  }
  sendError(error: ApiError): void {
    this.#send({ type: 'ERROR', status: statusOfError(error) });
  }
  compact(): void {
    this.#compacted = this.#revision;
    this.#history.length = 0;
  }
  /** As after `rm state.db`: everything is gone and the revisions begin anew; the objects given back have new UIDs. */
  reset(): void {
    this.drop();
    this.#objects.clear();
    this.#history.length = 0;
    this.#pages.clear();
    this.#revision = 1;
    this.#compacted = 0;
  }

  async call(request: ApiRequest, signal: AbortSignal): Promise<ApiResponse> {
    await Promise.resolve();
    signal.throwIfAborted();
    if (this.unreachable) throw this.unreachable;
    const { query = {} } = request;
    this.requests.push({ verb: 'list', query });
    const { revision, rest } = this.#pageOf(query['continue']);
    const items = rest.slice(0, Number(query['limit'] ?? Infinity));
    const left = rest.slice(items.length);
    const token = `${revision}/${left.length}`;
    this.#pages.set(token, { revision, rest: left });
    const metadata = { resourceVersion: String(revision), ...(left.length === 0 ? {} : { continue: token }) };
    return { status: 200, body: { kind: 'ThingList', apiVersion: 'v1', metadata, items } };
  }

  async *watch(request: ApiRequest, signal: AbortSignal): AsyncGenerator<WatchEvent, void> {
    await Promise.resolve();
    signal.throwIfAborted();
    if (this.unreachable) throw this.unreachable;
    const { query = {} } = request;
    this.requests.push({ verb: 'watch', query });
    const inbox = new Inbox<Sent>(100_000);
    for (const event of this.#past(query)) inbox.push(event);
    this.#watchers.add(inbox);
    try {
      for await (const event of inbox.drain(signal)) {
        if (event.type === 'end') return;
        if (event.type === 'break') throw event.error;
        yield event;
      }
    } finally {
      this.#watchers.delete(inbox);
    }
  }

  #past(query: Readonly<Record<string, string>>): readonly WatchEvent[] {
    const from = query['resourceVersion'];
    if (from === undefined) {
      const all = this.objects.map((object): WatchEvent => ({ type: 'ADDED', object }));
      if (this.streaming === 'ignored') return all;
      if (this.streaming === 'refused') throw new ApiError('Invalid', 'sendInitialEvents: Forbidden');
      return [...all, { type: 'BOOKMARK', resourceVersion: this.revision, initialEventsEnd: true }];
    }
    if (Number(from) < this.#compacted) throw new ApiError('Expired', `too old resource version: ${from}`);
    return this.#history.filter(({ revision }) => revision > Number(from)).map(({ change }) => change);
  }

  #pageOf(token: string | undefined): { readonly revision: number; readonly rest: readonly Thing[] } {
    if (token === undefined) return { revision: this.#revision, rest: this.objects };
    const page = this.#pages.get(token);
    if (!page || page.revision < this.#compacted)
      throw new ApiError('Expired', 'The provided continue parameter is too old');
    return page;
  }

  #commit(change: Change): void {
    this.#history.push({ revision: this.#revision, change });
    this.#send(change);
  }

  #send(event: Sent): void {
    for (const inbox of this.#watchers) inbox.push(event);
  }
}
