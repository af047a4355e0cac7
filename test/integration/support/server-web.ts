import { HttpClient, type HttpResponse } from '#wire/http-client.ts';
import type { Reply } from '#test/integration/support/server-subject.ts';
import { serve, type Served } from '#test/integration/support/serve.ts';

// The API server over HTTPS, and bare requests to it: for what is HTTP alone has.
const never = new AbortController().signal;

export interface Web extends AsyncDisposable {
  readonly served: Served;
  send(
    method: string,
    path: string,
    more?: { headers?: Record<string, string>; body?: unknown },
  ): Promise<HttpResponse>;
  /** A client without any certificate. */
  readonly stranger: HttpClient;
}

export async function startWeb(): Promise<Web> {
  const stack = new AsyncDisposableStack();
  const served = stack.use(await serve());
  const { certificate, key } = await served.credentials('admin', ['system:masters']);
  const target = { kind: 'tls', host: '127.0.0.1', port: served.port } as const;
  const admin = stack.use(new HttpClient({ ...target, tls: { ca: served.ca.certificate, certificate, key } }));
  const stranger = stack.use(new HttpClient({ ...target, tls: { ca: served.ca.certificate } }));
  return {
    served,
    stranger,
    send(method, path, { headers = {}, body } = {}) {
      const raw =
        body === undefined || body instanceof Uint8Array || typeof body === 'string' ? body : JSON.stringify(body);
      return admin.request(
        { method, path, headers: { 'content-type': 'application/json', ...headers }, body: raw },
        never,
      );
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

export const text = ({ body }: HttpResponse): string => Buffer.from(body).toString('utf8');
export const json = (response: HttpResponse): Reply => JSON.parse(text(response)) as Reply;
