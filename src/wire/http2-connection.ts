/** One HTTP/2 client connection to one place, made when a request needs it and made anew after it was lost. */
import { type ClientHttp2Session, type ClientHttp2Stream, type OutgoingHttpHeaders, connect } from 'node:http2';
import { connect as connectSocket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Duplex } from 'node:stream';
import type { Clock } from '#lib/clock.ts';

export type Target =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'tls'; readonly host: string; readonly port: number; readonly tls: TlsOptions };

/** All PEM. */
export interface TlsOptions {
  /** Whose server certificates are accepted. */
  readonly ca: string;
  /** What to show when asked who one is. */
  readonly certificate?: string | undefined;
  readonly key?: string | undefined;
  /** The name the server's certificate must carry, if not `host`. */
  readonly serverName?: string | undefined;
}

/** Flow control must not pace a local socket. */
const WINDOW = 8 * 2 ** 20;

/** As client-go asks its servers whether they are still there. A cut link shows in no other way for many minutes. */
const PING_EVERY_MS = 30_000;
const PING_PATIENCE_MS = 15_000;

export class Http2Connection implements Disposable {
  readonly #target: Target;
  readonly #clock: Clock;
  #session: ClientHttp2Session | undefined;
  #closed = false;

  constructor(target: Target, clock: Clock) {
    this.#target = target;
    this.#clock = clock;
  }

  /** `endStream`: nothing follows the headers. Throws when it was closed. Everything else that goes wrong is the returned stream's error. */
  request(headers: OutgoingHttpHeaders, endStream = false): ClientHttp2Stream {
    if (this.#closed) throw new Error('the client was closed');
    try {
      return this.#connected().request(headers, { endStream });
    } catch (error) {
      // The session ended between our look at it and this call.
      this.#session = undefined;
      if (error instanceof Error && 'code' in error && error.code === 'ERR_HTTP2_INVALID_SESSION') {
        return this.#connected().request(headers, { endStream });
      }
      throw error;
    }
  }

  /** Ends the connection and what runs over it. */
  [Symbol.dispose](): void {
    this.#closed = true;
    this.#session?.destroy();
    this.#session = undefined;
  }

  #connected(): ClientHttp2Session {
    const known = this.#session;
    if (known && !known.destroyed && !known.closed) return known;
    const session = connect(authority(this.#target), {
      createConnection: () => socketTo(this.#target),
      settings: { initialWindowSize: WINDOW, enablePush: false },
      maxSessionMemory: 1024,
    });
    const forget = (): void => {
      if (this.#session === session) this.#session = undefined;
    };
    // The error of a lost connection reaches every request through its own stream; here it only must not be unhandled.
    session.on('error', forget).on('close', forget).on('goaway', forget);
    session.on('connect', () => {
      // Given up while it was being made: told of all the same, in its turn.
      if (session.destroyed) return;
      session.setLocalWindowSize(WINDOW);
      // The other end of a unix socket cannot be cut off.
      if (this.#target.kind !== 'unix') this.#watchOver(session);
    });
    this.#session = session;
    return session;
  }

  #watchOver(session: ClientHttp2Session): void {
    const ended = new AbortController();
    session.once('close', () => ended.abort());
    const watch = async (): Promise<void> => {
      for (;;) {
        await this.#clock.sleep(PING_EVERY_MS, ended.signal);
        const answered = new AbortController();
        session.ping(() => answered.abort());
        const silence = this.#clock.sleep(PING_PATIENCE_MS, AbortSignal.any([ended.signal, answered.signal]));
        const lost = await silence.then(
          () => true,
          () => false,
        );
        if (lost) session.destroy(new Error('the server does not answer any more'));
      }
    };
    // It ends with the session, by the abort of a sleep.
    watch().catch(() => {});
  }
}

export function socketTo(target: Target): Duplex {
  switch (target.kind) {
    case 'unix':
      return connectSocket(target.path);
    case 'tcp':
      return connectSocket({ host: target.host, port: target.port, noDelay: true });
    case 'tls': {
      const { ca, certificate, key, serverName } = target.tls;
      const socket = connectTls({
        host: target.host,
        port: target.port,
        ca,
        cert: certificate,
        key,
        ALPNProtocols: ['h2'],
        ...(serverName !== undefined && { servername: serverName }),
      });
      return socket.setNoDelay(true);
    }
  }
}

/** The `:authority` of requests; unix sockets have none, and 'localhost' is what their servers expect. */
export function authority(target: Target): string {
  if (target.kind === 'unix') return 'http://localhost';
  const host = target.host.includes(':') ? `[${target.host}]` : target.host;
  return `${target.kind === 'tls' ? 'https' : 'http'}://${host}:${target.port}`;
}

/** What really happened to a stream: one that waited for its connection is "cancelled", because of something. */
export function rootCause(error: unknown): unknown {
  return error instanceof Error && error.cause !== undefined ? error.cause : error;
}
