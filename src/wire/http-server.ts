/**
 * The HTTPS server: HTTP/2 and HTTP/1.1 on one port, told apart by ALPN, client certificates asked for and never required.
 * It turns each request into an Exchange (exchange.ts) for one handler; what requests mean is the handler's business.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  type Http2SecureServer,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
  createSecureServer,
} from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { type Clock, realClock } from '#lib/clock.ts';
import {
  ClientGoneError,
  type Exchange,
  type Handler,
  type Peer,
  ServerClosingError,
  type UpgradeHandler,
} from '#wire/exchange.ts';
import { H1Exchange } from '#wire/h1-exchange.ts';
import { H2Exchange } from '#wire/h2-exchange.ts';

export interface HttpServerOptions {
  /** PEM: the server's certificate (with its chain) and key, and whose client certificates are accepted. */
  readonly certificate: string;
  readonly key: string;
  readonly clientCa: string;
  readonly handler: Handler;
  /** Undefined: requests to upgrade are served as if they had not asked. */
  readonly upgrade?: UpgradeHandler | undefined;
  /** A handler threw; the client was answered with 500 unless it had its answer. Never called for a client that went away. */
  readonly onError: (error: unknown, exchange: Exchange) => void;
  readonly clock?: Clock;
}

export class PortTakenError extends Error {
  override readonly name = 'PortTakenError';
  readonly port: number;

  constructor(host: string, port: number, options: ErrorOptions) {
    super(`listen on ${host}:${port}: the port is taken`, options);
    this.port = port;
  }
}

/** A connection that carries watches carries many: a client that multiplexes must not run into a limit. */
const STREAMS_PER_CONNECTION = 2000;
const WINDOW = 1 << 20;
/** How long a connection may be silent before the kernel asks whether anybody is there; as Go's servers do. */
const KEEP_ALIVE_MS = 15_000;

export class HttpServer implements AsyncDisposable {
  readonly #options: HttpServerOptions;
  readonly #clock: Clock;
  readonly #server: Http2SecureServer;
  readonly #sockets = new Set<Socket>();
  readonly #streaming = new Set<H1Exchange | H2Exchange>();
  readonly #peers = new WeakMap<object, Peer>();
  #closing = false;

  constructor(options: HttpServerOptions) {
    this.#options = options;
    this.#clock = options.clock ?? realClock;
    this.#server = createSecureServer({
      cert: options.certificate,
      key: options.key,
      ca: options.clientCa,
      allowHTTP1: true,
      requestCert: true,
      rejectUnauthorized: false,
      settings: { maxConcurrentStreams: STREAMS_PER_CONNECTION, initialWindowSize: WINDOW },
      maxSessionMemory: 256,
    });
    this.#listenForRequests();
    this.#listenForConnections();
  }

  /** Port 0 takes any free one. Throws PortTakenError. Once only. */
  async listen(host: string, port: number): Promise<AddressInfo> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#server.once('error', reject);
    this.#server.listen({ host, port, backlog: 1024 }, resolve);
    try {
      await promise;
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      throw code === 'EADDRINUSE' ? new PortTakenError(host, port, { cause: error }) : error;
    } finally {
      this.#server.off('error', reject);
    }
    return this.#server.address() as AddressInfo;
  }

  /** New certificates for new connections, without a restart. */
  renew(certificate: string, key: string): void {
    this.#server.setSecureContext({ cert: certificate, key, ca: this.#options.clientCa });
  }

  /**
   * Takes no more connections, tells handlers that stream or were given a socket to end, lets requests under way finish, and
   * after `graceMs` cuts what is left. Resolves when nothing is open. A second call does nothing more than wait.
   */
  async close(graceMs: number): Promise<void> {
    // Node asks HTTP/2 connections to end after what they carry, and ends idle HTTP/1.1 ones.
    const closed = new Promise<void>((resolve) => {
      if (this.#server.listening) this.#server.close(() => resolve());
      else resolve();
    });
    this.#closing = true;
    for (const exchange of this.#streaming) exchange.abort(new ServerClosingError('the server is closing'));
    const over = new AbortController();
    const cut = (): void => this.#sockets.forEach((socket) => socket.destroy());
    this.#clock.sleep(graceMs, over.signal).then(cut, () => {});
    await Promise.all([closed, ...[...this.#sockets].map(closing)]);
    over.abort();
  }

  /** Cuts everything. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close(0);
  }

  #listenForConnections(): void {
    this.#server.on('secureConnection', (socket: TLSSocket) => {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      // Who vanished without a word (a machine that lost its power, a cut link) is noticed in minutes, not in days.
      socket.setKeepAlive(true, KEEP_ALIVE_MS);
      socket.on('error', () => {});
      socket.once('close', () => this.#sockets.delete(socket));
      if (this.#closing) socket.destroy();
    });
    this.#server.on('session', (session) => {
      session.on('error', () => {});
      session.setLocalWindowSize(WINDOW);
    });
    // Handshakes fail whenever somebody probes the port; there is nobody to answer.
    this.#server.on('tlsClientError', (_error, socket) => socket.destroy());
    this.#server.on('sessionError', () => {});
  }

  #listenForRequests(): void {
    const server = this.#server;
    const { handler, upgrade } = this.#options;
    server.on('request', (request: unknown, response: unknown) => {
      const [message, answer] = [request as IncomingMessage, response as ServerResponse];
      if (this.#closing) answer.shouldKeepAlive = false;
      const { socket } = message;
      answer.on('error', () => {});
      const streaming = (exchange: H1Exchange): void => this.#track(exchange, answer);
      const peerOf = (): Peer => this.#peer(socket, socket as TLSSocket);
      this.#run(handler, new H1Exchange(message, { kind: 'response', response: answer }, peerOf, streaming));
    });
    // Listening for 'request' makes node serve HTTP/2 through it as well; its own path is kept for HTTP/1.1 alone.
    server.removeAllListeners('stream');
    server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
      stream.on('error', () => {});
      const { session } = stream;
      const peerOf = (): Peer => (session ? this.#peer(session, session.socket as TLSSocket) : goneAlready);
      this.#run(handler, new H2Exchange(stream, headers, peerOf, (exchange) => this.#track(exchange, stream)));
    });
    if (!upgrade) return;
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      socket.on('error', () => {});
      const peerOf = (): Peer => this.#peer(request.socket, request.socket as TLSSocket);
      const exchange = new H1Exchange(request, { kind: 'socket', socket }, peerOf, () => {});
      this.#track(exchange, socket);
      this.#run((each) => upgrade(each, socket, head), exchange);
    });
  }

  #run(handler: Handler, exchange: Exchange): void {
    Promise.try(handler, exchange).catch((error: unknown) => {
      if (!exchange.responded) {
        exchange.respond(500, { 'content-type': 'text/plain' }, 'Internal Server Error\n');
      }
      if (!(error instanceof ClientGoneError)) this.#options.onError(error, exchange);
    });
  }

  #track(exchange: H1Exchange | H2Exchange, end: { once(event: 'close', listener: () => void): unknown }): void {
    this.#streaming.add(exchange);
    end.once('close', () => this.#streaming.delete(exchange));
    if (this.#closing) exchange.abort(new ServerClosingError('the server is closing'));
  }

  /** Reading a certificate is slow and it does not change, so it is done once a connection. */
  #peer(connection: object, socket: TLSSocket): Peer {
    const known = this.#peers.get(connection);
    if (known) return known;
    const peer = peerOfSocket(socket);
    this.#peers.set(connection, peer);
    return peer;
  }
}

const goneAlready: Peer = { address: '', certificate: undefined, certificateError: undefined };

function peerOfSocket(socket: TLSSocket): Peer {
  const address = socket.remoteAddress ?? '';
  // An ended socket has null here, whatever the types say.
  const shown = socket.getPeerCertificate() as ReturnType<TLSSocket['getPeerCertificate']> | null;
  if (!shown?.subject) return { address, certificate: undefined, certificateError: undefined };
  if (!socket.authorized) {
    return { address, certificate: undefined, certificateError: String(socket.authorizationError) };
  }
  const organizations = listOf(shown.subject.O);
  const [commonName = ''] = listOf(shown.subject.CN);
  return { address, certificate: { commonName, organizations }, certificateError: undefined };
}

const listOf = (value: string | string[] | undefined): string[] => (value === undefined ? [] : [value].flat());

function closing(socket: Socket): Promise<void> {
  if (socket.destroyed) return Promise.resolve();
  return new Promise((resolve) => socket.once('close', () => resolve()));
}
