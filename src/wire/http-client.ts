/**
 * A small HTTPS client over HTTP/2, for talking to one server for a long time: one connection for everything, kept alive, made
 * anew when a request finds it lost, given up when the server no longer answers (a ping every 30 s, 15 s to reply). Answers of any status are answers; only what kept an answer from coming is an error.
 */
import { type ClientHttp2Stream, type IncomingHttpHeaders, constants } from 'node:http2';
import { type Clock, realClock } from '#lib/clock.ts';
import type { RequestHeaders } from '#wire/exchange.ts';
import { Http2Connection, type Target, rootCause } from '#wire/http2-connection.ts';

export interface HttpRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string | undefined;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: RequestHeaders;
  readonly body: Uint8Array;
}

export interface HttpStream {
  readonly status: number;
  readonly headers: RequestHeaders;
  /**
   * The body as it comes; once only. Throws ConnectionError when it breaks off, the signal's reason on cancellation. Leaving the
   * loop ends the request. Not reading it holds the server back.
   */
  readonly chunks: AsyncIterable<Uint8Array>;
}

/** No answer came, or not all of it. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';
  /** The server cannot have seen the request: it may be sent again, whatever it asks for. */
  readonly unsent: boolean;
  /** The server is not whom we trust: trying again will not help. */
  readonly untrusted: boolean;

  constructor(message: string, options: ErrorOptions & { readonly unsent: boolean; readonly untrusted: boolean }) {
    super(message, options);
    this.unsent = options.unsent;
    this.untrusted = options.untrusted;
  }
}

export class HttpClient implements Disposable {
  readonly #connection: Http2Connection;
  readonly #name: string;

  constructor(target: Target, clock: Clock = realClock) {
    this.#connection = new Http2Connection(target, clock);
    this.#name = target.kind === 'unix' ? target.path : `${target.host}:${target.port}`;
  }

  /** Rejects with ConnectionError, or the signal's reason; there is no deadline but the signal. */
  async request(request: HttpRequest, signal: AbortSignal): Promise<HttpResponse> {
    const { status, headers, chunks } = await this.stream(request, signal);
    const all: Uint8Array[] = [];
    for await (const chunk of chunks) all.push(chunk);
    return { status, headers, body: all.length === 1 && all[0] ? all[0] : Buffer.concat(all) };
  }

  /** Resolves with the answer's headers. `signal` ends the body as well. */
  async stream(request: HttpRequest, signal: AbortSignal): Promise<HttpStream> {
    signal.throwIfAborted();
    const stream = this.#send(request);
    const { promise, resolve, reject } = Promise.withResolvers<IncomingHttpHeaders>();
    const onAbort = (): void => {
      reject(signal.reason);
      stream.close(constants.NGHTTP2_CANCEL);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    let failure: unknown;
    stream.on('error', (error) => (failure = error));
    stream.once('response', resolve);
    stream.once('close', () => {
      signal.removeEventListener('abort', onAbort);
      reject(this.#lost(stream, failure));
    });
    const headers = await promise;
    const failed = (): ConnectionError => this.#lost(stream, failure);
    return { status: Number(headers[':status']), headers, chunks: chunksOf(stream, failed, signal) };
  }

  /** Ends the connection; requests under way fail, and every later one. */
  [Symbol.dispose](): void {
    this.#connection[Symbol.dispose]();
  }

  #send({ method, path, headers, body }: HttpRequest): ClientHttp2Stream {
    try {
      // Said outright: by itself node takes a DELETE for one without a body.
      const stream = this.#connection.request({ ...headers, ':method': method, ':path': path }, body === undefined);
      if (body !== undefined) stream.end(body);
      return stream;
    } catch (error) {
      throw this.#error(error, true);
    }
  }

  #lost(stream: ClientHttp2Stream, failure: unknown): ConnectionError {
    const refused = stream.rstCode === constants.NGHTTP2_REFUSED_STREAM;
    // Without an id it was never given to the connection.
    return this.#error(rootCause(failure) ?? new Error('the server closed the connection'), refused || !stream.id);
  }

  #error(cause: unknown, unsent: boolean): ConnectionError {
    const why = cause instanceof Error ? cause.message : String(cause);
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
    const untrusted = /CERT|SELF_SIGNED|UNABLE_TO_|ERR_TLS/.test(code);
    return new ConnectionError(`connect to ${this.#name}: ${why}`, { cause, unsent: unsent || untrusted, untrusted });
  }
}

async function* chunksOf(
  stream: ClientHttp2Stream,
  failed: () => ConnectionError,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  try {
    for await (const chunk of stream) yield chunk as Buffer;
    signal.throwIfAborted();
    // A reset that node reports as an end: what came is not all.
    if (stream.rstCode !== constants.NGHTTP2_NO_ERROR) throw failed();
  } catch (error) {
    signal.throwIfAborted();
    throw error instanceof ConnectionError ? error : failed();
  } finally {
    if (!stream.closed) stream.close(constants.NGHTTP2_CANCEL);
  }
}
