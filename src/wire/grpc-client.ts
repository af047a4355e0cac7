/**
 * A gRPC client over node:http2: unary calls and server streams, which is all that container runtimes need. One connection, made when a call needs it and made anew after it was lost, so
 * a server may come and go: calls in between fail with Unavailable at once, and the next call tries again.
 *
 * Not here: compression, client streams, load balancing. Messages go in and come out as bytes.
 */
import { type ClientHttp2Stream, type IncomingHttpHeaders, constants } from 'node:http2';
import { type Clock, notAwaited, realClock } from '#lib/clock.ts';
import { type GrpcCode, GrpcError, grpcCodes } from '#wire/grpc-error.ts';
import { FrameReader, frame } from '#wire/grpc-frames.ts';
import { Http2Connection, type Target, rootCause } from '#wire/http2-connection.ts';

export interface CallOptions {
  /** After this the call fails with DeadlineExceeded; the server is told the deadline too. Infinity: none. */
  readonly deadlineMs: number;
  /** More headers, in lower case. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** Everything containerd lists for thousands of containers fits; a server that sends more is broken. */
const LARGEST_MESSAGE = 256 * 2 ** 20;

export class GrpcClient implements AsyncDisposable {
  readonly #connection: Http2Connection;
  readonly #clock: Clock;

  constructor(target: Target, clock: Clock = realClock) {
    this.#connection = new Http2Connection(target, clock);
    this.#clock = clock;
  }

  /** `method` is `/package.Service/Method`. Rejects with GrpcError, or with the signal's reason. */
  async unary(method: string, request: Uint8Array, options: CallOptions, signal: AbortSignal): Promise<Uint8Array> {
    signal.throwIfAborted();
    const deadline = new AbortController();
    const stream = this.#start(method, options);
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    const fail = (error: unknown): void => {
      reject(error);
      if (!stream.closed) stream.close(constants.NGHTTP2_CANCEL);
    };
    const onAbort = (): void => fail(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    if (Number.isFinite(options.deadlineMs)) {
      const expired = (): void => fail(new GrpcError('DeadlineExceeded', 'context deadline exceeded'));
      this.#clock.sleep(options.deadlineMs, deadline.signal).then(expired, () => {});
    }
    const frames = new FrameReader(LARGEST_MESSAGE);
    listen(stream, {
      data: (chunk) => frames.push(chunk),
      end: (error) => {
        const answer = frames.shift();
        if (error) reject(error);
        else if (answer) resolve(answer);
        else reject(new GrpcError('Internal', 'the server answered OK without a message'));
      },
    });
    stream.end(frame(request));
    return promise.finally(() => {
      deadline.abort(notAwaited);
      signal.removeEventListener('abort', onAbort);
    });
  }

  /**
   * Yields messages as they come. Ends when the server ends it with OK,
   * throws GrpcError otherwise and the signal's reason on cancellation. Leaving the loop cancels the call. The server is held back
   * by flow control while the consumer is busy.
   */
  async *stream(method: string, request: Uint8Array, signal: AbortSignal): AsyncGenerator<Uint8Array, void> {
    signal.throwIfAborted();
    const stream = this.#start(method, { deadlineMs: Infinity });
    const frames = new FrameReader(LARGEST_MESSAGE);
    let wake = (): void => {};
    let ended: { readonly error: GrpcError | undefined } | undefined;
    const onAbort = (): void => wake();
    signal.addEventListener('abort', onAbort, { once: true });
    listen(stream, {
      data(chunk) {
        frames.push(chunk);
        stream.pause();
        wake();
      },
      end(error) {
        ended ??= { error };
        wake();
      },
    });
    stream.end(frame(request));
    try {
      for (;;) {
        for (let next = frames.shift(); next; next = frames.shift()) yield next;
        if (signal.aborted) throw signal.reason;
        if (ended) {
          if (ended.error !== undefined) throw ended.error;
          return;
        }
        const { promise, resolve } = Promise.withResolvers<void>();
        wake = resolve;
        stream.resume();
        await promise;
      }
    } finally {
      signal.removeEventListener('abort', onAbort);
      if (!stream.closed) stream.close(constants.NGHTTP2_CANCEL);
    }
  }

  /** Ends the connection; calls under way fail with Unavailable, and so does every later one. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#connection[Symbol.dispose]();
  }

  #start(method: string, { deadlineMs, metadata = {} }: CallOptions): ClientHttp2Stream {
    const headers = { ':method': 'POST', ':path': method, 'content-type': 'application/grpc', te: 'trailers' };
    const timeout = Number.isFinite(deadlineMs) && { 'grpc-timeout': `${Math.ceil(deadlineMs)}m` };
    try {
      return this.#connection.request({ ...metadata, ...headers, ...timeout });
    } catch (error) {
      throw new GrpcError('Unavailable', `connection error: ${textOf(error)}`, { cause: error });
    }
  }
}

interface Listener {
  readonly data: (chunk: Buffer) => void;
  /** Exactly once; undefined is status OK. */
  readonly end: (error: GrpcError | undefined) => void;
}

function listen(stream: ClientHttp2Stream, listener: Listener): void {
  let status: GrpcError | 'ok' | undefined;
  let failure: unknown;
  const take = (headers: IncomingHttpHeaders): void => {
    if (headers['grpc-status'] !== undefined) status = statusOf(headers);
  };
  stream.on('response', (headers) => {
    take(headers);
    const http = Number(headers[':status']);
    if (status === undefined && http !== 200) status = new GrpcError('Unavailable', `the server answered HTTP ${http}`);
  });
  stream.on('trailers', take);
  stream.on('data', (chunk: Buffer) => {
    try {
      listener.data(chunk);
    } catch (error) {
      status = new GrpcError('ResourceExhausted', textOf(error), { cause: error });
      stream.close(constants.NGHTTP2_CANCEL);
    }
  });
  stream.on('error', (error) => (failure = error));
  stream.on('close', () => {
    if (status === 'ok') listener.end(undefined);
    else listener.end(status ?? lost(stream.rstCode, failure));
  });
}

function statusOf(headers: IncomingHttpHeaders): GrpcError | 'ok' {
  const number = Number(headers['grpc-status']);
  if (number === 0) return 'ok';
  const code: GrpcCode = grpcCodes[number] ?? 'Unknown';
  return new GrpcError(code, percentDecoded(String(headers['grpc-message'] ?? '')));
}

/** What ended without a status: the connection broke, or the server reset the stream. */
function lost(resetCode: number, failure: unknown): GrpcError {
  if (resetCode === constants.NGHTTP2_ENHANCE_YOUR_CALM) return new GrpcError('ResourceExhausted', 'stream was reset');
  const root = rootCause(failure);
  const why = root === undefined ? 'the server closed the connection' : textOf(root);
  return new GrpcError('Unavailable', `connection error: ${why}`, { cause: failure });
}

/** Servers percent-encode bytes of UTF-8, and some do it wrongly: then the text stays as it came. */
function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
