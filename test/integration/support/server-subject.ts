import { ApiError } from '#api/errors.ts';
import type { KubeObject } from '#api/meta.ts';
import type { ApiRequest, Transport, WatchEvent } from '#api/transport.ts';
import { httpsTransport } from '#client/https-transport.ts';
import { FakeClock } from '#lib/fake-clock.ts';
import { realClock } from '#lib/clock.ts';
import { ApiServer } from '#server/server.ts';
import { ServiceAccountTokens } from '#server/tokens/service-account-tokens.ts';
import { MemoryStore } from '#store/memory-store.ts';
import { serve } from '#test/integration/support/serve.ts';

/** The API server as a test sees it, however it is reached. */
export interface Subject extends AsyncDisposable {
  readonly admin: Talk;
  as(name: string, groups?: readonly string[]): Promise<Talk>;
}

/** Short forms for requests; all answers are bodies, all failures ApiErrors. */
export class Talk {
  readonly transport: Transport;

  constructor(transport: Transport) {
    this.transport = transport;
  }

  async call(
    method: ApiRequest['method'],
    path: string,
    body?: unknown,
    more: Partial<ApiRequest> = {},
  ): Promise<Reply> {
    const request = { method, ...splitQuery(path), ...(body === undefined ? {} : { body }), ...more };
    return (await this.transport.call(request, never)).body as Reply;
  }
  get(path: string): Promise<Reply> {
    return this.call('GET', path);
  }
  post(path: string, body: object): Promise<Reply> {
    return this.call('POST', path, body);
  }
  put(path: string, body: object): Promise<Reply> {
    return this.call('PUT', path, body);
  }
  patch(path: string, body: unknown, kind: 'merge' | 'json' | 'strategic-merge' = 'merge'): Promise<Reply> {
    return this.call('PATCH', path, body, { contentType: `application/${kind}-patch+json` });
  }
  delete(path: string, options: object = {}): Promise<Reply> {
    return this.call('DELETE', path, options);
  }
  /** The error a request fails with. */
  async failure(request: Promise<unknown>): Promise<ApiError> {
    const answer = await request.then(
      (body) => ({ body }),
      (error: unknown) => ({ error }),
    );
    if ('error' in answer && answer.error instanceof ApiError) return answer.error;
    throw new Error(`no ApiError but ${JSON.stringify('body' in answer ? answer.body : String(answer.error))}`);
  }
  /** Begins a watch; `take` gives the next events as `TYPE name` or, of bookmarks, `BOOKMARK`. */
  watch(path: string): Watching {
    return new Watching(this.transport, path);
  }
}

const never = new AbortController().signal;

function splitQuery(path: string): { path: string; query?: Record<string, string> } {
  const mark = path.indexOf('?');
  if (mark < 0) return { path };
  return { path: path.slice(0, mark), query: Object.fromEntries(new URLSearchParams(path.slice(mark + 1))) };
}

/** A body, loosely: tests say what they expect of it. */
export interface Reply extends KubeObject {
  readonly [field: string]: any; // oxlint-disable-line typescript/no-explicit-any
}

export class Watching implements AsyncDisposable {
  readonly #stop = new AbortController();
  readonly #events: AsyncIterator<WatchEvent>;

  constructor(transport: Transport, path: string) {
    this.#events = transport.watch({ method: 'GET', ...splitQuery(path) }, this.#stop.signal)[Symbol.asyncIterator]();
  }

  async next(): Promise<WatchEvent | undefined> {
    const { value, done } = await this.#events.next();
    return done === true ? undefined : (value as WatchEvent);
  }

  async take(count: number): Promise<string[]> {
    const seen: string[] = [];
    while (seen.length < count) {
      const event = await this.next();
      if (!event) return [...seen, 'END'];
      seen.push(wordsOf(event));
    }
    return seen;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error('enough'));
    await this.#events.return?.(undefined);
  }
}

function wordsOf(event: WatchEvent): string {
  switch (event.type) {
    case 'BOOKMARK':
      return event.initialEventsEnd ? 'BOOKMARK end' : 'BOOKMARK';
    case 'ERROR':
      return `ERROR ${event.status.code}`;
    default:
      return `${event.type} ${event.object.metadata.name}`;
  }
}

/** In this process. Time stands still but when `clock` is moved. */
export interface InProcess extends Subject {
  readonly clock: FakeClock;
  readonly server: ApiServer;
  readonly store: MemoryStore;
}

export async function inProcess(options: { eventTtlMs?: number } = {}): Promise<InProcess> {
  const clock = new FakeClock(Date.parse('2026-01-31T09:00:00Z'));
  const store = new MemoryStore({ clock });
  const tokens = new ServiceAccountTokens({ keyPem: await ServiceAccountTokens.newKey(), clock });
  const unreachable = (): Promise<never> => Promise.reject(new Error('no node'));
  const server = new ApiServer({
    store,
    clock,
    tokens,
    nodes: { stream: unreachable, splice: unreachable },
    // Nobody makes accounts for the namespaces of these tests, or looks after their nodes.
    disabledAdmission: ['ServiceAccount', 'TaintNodesByCondition'],
    ...options,
  });
  await server.start(never);
  const as = (name: string, groups: readonly string[] = []): Promise<Talk> =>
    Promise.resolve(new Talk(server.transport({ name, groups })));
  return {
    clock,
    server,
    store,
    as,
    admin: await as('admin', ['system:masters']),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
    },
  };
}

/** Over HTTPS, with certificates. */
export async function overHttps(): Promise<Subject> {
  const stack = new AsyncDisposableStack();
  const served = stack.use(await serve({ clock: realClock }));
  const as = async (name: string, groups: readonly string[] = []): Promise<Talk> => {
    const { certificate, key } = await served.credentials(name, groups);
    const tls = { ca: served.ca.certificate, certificate, key };
    return new Talk(stack.use(httpsTransport({ target: { kind: 'tls', host: '127.0.0.1', port: served.port, tls } })));
  };
  return { as, admin: await as('admin', ['system:masters']), [Symbol.asyncDispose]: () => stack.disposeAsync() };
}
