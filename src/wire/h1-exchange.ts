import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { STATUS_CODES } from '#wire/node-http.ts';
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

/** Where an HTTP/1.1 answer goes: an ordinary response, or the bare socket of a request to upgrade. */
export type H1Answer =
  | { readonly kind: 'response'; readonly response: ServerResponse }
  | { readonly kind: 'socket'; readonly socket: Duplex };

export class H1Exchange implements Exchange {
  readonly #request: IncomingMessage;
  readonly #answer: H1Answer;
  readonly #peerOf: () => Peer;
  readonly #onStreaming: (exchange: H1Exchange) => void;
  readonly protocol = 'http/1.1';
  #controller: AbortController | undefined;
  #responded = false;
  #complete = false;

  constructor(
    request: IncomingMessage,
    answer: H1Answer,
    peerOf: () => Peer,
    onStreaming: (exchange: H1Exchange) => void,
  ) {
    this.#request = request;
    this.#answer = answer;
    this.#peerOf = peerOf;
    this.#onStreaming = onStreaming;
  }

  get method(): string {
    return this.#request.method ?? 'GET';
  }

  get url(): string {
    return this.#request.url ?? '/';
  }

  get authority(): string {
    return this.#request.headers.host ?? '';
  }

  get headers(): RequestHeaders {
    return this.#request.headers;
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
    const end = this.#answer.kind === 'response' ? this.#answer.response : this.#answer.socket;
    if (end.destroyed) gone();
    else end.once('close', gone);
    return controller.signal;
  }

  body(limitBytes: number, signal: AbortSignal): Promise<Uint8Array> {
    return readBody(this.#request, this.#request.headers['content-length'], limitBytes, signal);
  }

  respond(status: number, headers: ResponseHeaders, body: Uint8Array | string = ''): void {
    this.#begin();
    this.#complete = true;
    const length = typeof body === 'string' ? Buffer.byteLength(body) : body.length;
    const all = { ...headers, 'content-length': length };
    if (this.#answer.kind === 'socket') {
      const { socket } = this.#answer;
      if (socket.destroyed) return;
      socket.write(headOf(status, { ...all, connection: 'close' }));
      socket.end(body);
      return;
    }
    const { response } = this.#answer;
    if (response.destroyed) return;
    // A body that was refused, or not asked for, may still be on its way: this connection cannot carry another request.
    if (!this.#request.complete) response.shouldKeepAlive = false;
    response.writeHead(status, outgoing(all));
    response.end(body);
  }

  stream(status: number, headers: ResponseHeaders): ResponseStream {
    if (this.#answer.kind === 'socket') throw new Error('a request to upgrade is answered in one piece');
    this.#begin();
    const { response } = this.#answer;
    if (!response.destroyed) {
      response.writeHead(status, outgoing(headers));
      response.flushHeaders();
    }
    this.#onStreaming(this);
    return new WritableResponse(response, () => (this.#complete = true));
  }

  abort(reason: Error): void {
    void this.signal;
    this.#controller?.abort(reason);
  }

  #begin(): void {
    if (this.#responded) throw new Error('the request was answered already');
    this.#responded = true;
  }
}

/** The first lines of an answer on a bare socket. */
export function headOf(status: number, headers: ResponseHeaders): string {
  const lines = Object.entries(headers).flatMap(([name, value]) => listOf(value).map((each) => `${name}: ${each}`));
  return [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Unknown'}`, ...lines, '', ''].join('\r\n');
}

const listOf = (value: ResponseHeaders[string]): readonly (string | number)[] =>
  typeof value === 'object' ? value : [value];

const outgoing = (headers: ResponseHeaders): Record<string, string | number | string[]> =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, typeof value === 'object' ? [...value] : value]),
  );
