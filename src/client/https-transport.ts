import { ApiError, errorOfStatus, reasons, type Reason, type Status } from '#api/errors.ts';
import type { KubeObject, ResourceVersion } from '#api/meta.ts';
import type { ApiRequest, ApiResponse, Transport, WatchEvent } from '#api/transport.ts';
import { ConnectionError, HttpClient, type HttpRequest } from '#wire/http-client.ts';
import type { Target } from '#wire/http2-connection.ts';

export interface HttpsTransportOptions {
  readonly target: Target;
  /** A bearer token, for who has no client certificate. */
  readonly token?: string;
  readonly userAgent?: string;
}

/**
 * The transport over HTTPS: one HTTP/2 connection for calls and watches alike, made anew after it was lost. The only part of
 * the client that knows of the wire. Disposing of it ends what is under way.
 */
export function httpsTransport({ target, token, userAgent = 'peapod' }: HttpsTransportOptions): Transport & Disposable {
  const http = new HttpClient(target);
  const headers = {
    accept: 'application/json',
    'user-agent': userAgent,
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  };
  return {
    async call(request, signal) {
      const {
        status,
        headers: answered,
        body,
      } = await reached(signal, (stop) => http.request(httpRequest(request, headers), stop));
      const answer = bodyOf(Buffer.from(body.buffer, body.byteOffset, body.byteLength), answered['content-type']);
      if (status >= 400) throw failureOf(status, answer);
      return { status, body: answer } satisfies ApiResponse;
    },
    async *watch(request, signal) {
      const query = { ...request.query, watch: 'true' };
      const { status, chunks } = await reached(signal, (stop) =>
        http.stream(httpRequest({ ...request, query }, headers), stop),
      );
      try {
        if (status >= 400) throw failureOf(status, bodyOf(await allOf(chunks), 'application/json'));
        for await (const line of linesOf(chunks)) yield eventOf(line);
      } catch (error) {
        throw error instanceof ConnectionError ? unreachableServer(error) : error;
      }
    },
    [Symbol.dispose]: () => http[Symbol.dispose](),
  };
}

/** What the server cannot have seen may be sent once more: the connection it was to go over had just been lost. */
async function reached<T>(signal: AbortSignal, send: (signal: AbortSignal) => Promise<T>): Promise<T> {
  for (let tried = 1; ; tried++) {
    try {
      return await send(signal);
    } catch (error) {
      if (!(error instanceof ConnectionError)) throw error;
      if (!error.unsent || error.untrusted || tried === 2) throw unreachableServer(error);
    }
  }
}

const unreachableServer = (cause: ConnectionError): ApiError =>
  new ApiError('ServiceUnavailable', `the API server cannot be reached: ${cause.message}`, { cause });

function httpRequest(request: ApiRequest, headers: Readonly<Record<string, string>>): HttpRequest {
  const { method, path, query = {}, body, contentType = 'application/json' } = request;
  const search = new URLSearchParams(query).toString();
  return {
    method,
    path: search === '' ? path : `${path}?${search}`,
    headers: body === undefined ? headers : { ...headers, 'content-type': contentType },
    body: body === undefined ? undefined : JSON.stringify(body),
  };
}

function bodyOf(bytes: Buffer, contentType: string | readonly string[] | undefined): unknown {
  const text = bytes.toString('utf8');
  if (!String(contentType ?? '').startsWith('application/json')) return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // A proxy's page, or an answer that was cut: as text it at least says so.
    return text;
  }
}

/** A refusal is a Status; what else stands between us and the server may answer with anything. */
function failureOf(code: number, body: unknown): ApiError {
  if (isRecord(body) && body['kind'] === 'Status') return errorOfStatus(body as unknown as Status);
  const entry = Object.entries(reasons).find(([, usual]) => usual === code);
  const said = typeof body === 'string' && body.trim() !== '' ? `: ${body.trim().slice(0, 200)}` : '';
  return new ApiError((entry?.[0] as Reason | undefined) ?? 'Unknown', `the server answered ${code}${said}`, { code });
}

async function allOf(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}

const NEWLINE = 10;

/** Lines may span chunks and chunks may hold many lines; what follows the last newline is an event that was cut off. */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string, void> {
  let parts: Uint8Array[] = [];
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      const last = chunk.subarray(start, end);
      const line = Buffer.concat(parts.length === 0 ? [last] : [...parts, last]).toString('utf8');
      parts = [];
      start = end + 1;
      if (line.trim() !== '') yield line;
    }
    if (start < chunk.length) parts.push(chunk.subarray(start));
  }
}

function eventOf(line: string): WatchEvent {
  const event: unknown = JSON.parse(line);
  const object = isRecord(event) ? event['object'] : undefined;
  if (!isRecord(event) || !isRecord(object))
    throw new ApiError('InternalError', 'the server sent what is not a watch event');
  switch (event['type']) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED':
      return { type: event['type'], object: object as unknown as KubeObject };
    case 'BOOKMARK': {
      const { resourceVersion, annotations } = (object as unknown as KubeObject).metadata;
      const initialEventsEnd = annotations?.['k8s.io/initial-events-end'] === 'true';
      return { type: 'BOOKMARK', resourceVersion: resourceVersion satisfies ResourceVersion, initialEventsEnd };
    }
    case 'ERROR':
      throw errorOfStatus(object as unknown as Status);
    default:
      throw new ApiError('InternalError', `the server sent a watch event of type "${String(event['type'])}"`);
  }
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;
