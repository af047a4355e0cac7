import { type IncomingHttpHeaders, type ServerHttp2Stream, constants } from 'node:http2';
import {
  ClientGoneError,
  type Exchange,
  type Peer,
  type RequestHeaders,
  type ResponseHeaders,
  type ResponseStream,
} from '#wire/exchange.ts';
import { readBody } from '#wire/read-body.ts';
import { WritableResponse } from '#wire/response-stream.ts';

/** An exchange over one HTTP/2 stream. What a simple request does not need (signal, peer) is made when it is asked for. */
export class H2Exchange implements Exchange {
  readonly #stream: ServerHttp2Stream;
  readonly #peerOf: () => Peer;
  readonly #onStreaming: (exchange: H2Exchange) => void;
  readonly headers: RequestHeaders;
  readonly protocol = 'h2';
  #controller: AbortController | undefined;
  #responded = false;
  #complete = false;

  constructor(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    peerOf: () => Peer,
    onStreaming: (exchange: H2Exchange) => void,
  ) {
    this.#stream = stream;
    this.headers = headers;
    this.#peerOf = peerOf;
    this.#onStreaming = onStreaming;
  }

  get method(): string {
    return this.headers[':method'] as string;
  }

  get url(): string {
    return this.headers[':path'] as string;
  }

  get authority(): string {
    return String(this.headers[':authority'] ?? this.headers['host'] ?? '');
  }

  get peer(): Peer {
    return this.#peerOf();
  }

  get responded(): boolean {
    return this.#responded;
  }

  get signal(): AbortSignal {
    if (this.#controller) return this.#controller.signal;
    const controller = (this.#controller = new AbortController());
    const gone = (): void => {
      if (!this.#complete) controller.abort(new ClientGoneError('the client went away'));
    };
    if (this.#stream.destroyed || this.#stream.closed) gone();
    else this.#stream.once('close', gone);
    return controller.signal;
  }

  body(limitBytes: number, signal: AbortSignal): Promise<Uint8Array> {
    const announced = this.headers['content-length'];
    return readBody(this.#stream, announced === undefined ? undefined : String(announced), limitBytes, signal);
  }

  respond(status: number, headers: ResponseHeaders, body?: Uint8Array | string): void {
    this.#begin();
    this.#complete = true;
    const stream = this.#stream;
    if (stream.destroyed || stream.closed) return;
    const length = body === undefined ? 0 : typeof body === 'string' ? Buffer.byteLength(body) : body.length;
    const all = { ':status': status, ...headers, [constants.HTTP2_HEADER_CONTENT_LENGTH]: length };
    if (length === 0 || this.method === 'HEAD') {
      stream.respond(all, { endStream: true });
      return;
    }
    stream.respond(all);
    stream.end(body);
  }

  stream(status: number, headers: ResponseHeaders): ResponseStream {
    this.#begin();
    const stream = this.#stream;
    if (!stream.destroyed && !stream.closed) stream.respond({ ':status': status, ...headers });
    this.#onStreaming(this);
    return new WritableResponse(stream, () => (this.#complete = true));
  }

  /** Tells a handler that streams to come to an end. */
  abort(reason: Error): void {
    void this.signal;
    this.#controller?.abort(reason);
  }

  #begin(): void {
    if (this.#responded) throw new Error('the request was answered already');
    this.#responded = true;
  }
}
