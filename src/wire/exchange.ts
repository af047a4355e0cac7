/**
 * One request and its answer, whichever HTTP it came in: what a server's pipeline works with. It knows bytes, headers
 * and who is at the other end; paths and statuses mean nothing to it.
 */
import type { Duplex } from 'node:stream';

export type Handler = (exchange: Exchange) => Promise<void>;

/**
 * HTTP/1.1 `Upgrade`: the connection itself is handed over, with what was already read of it. Until `socket` is used the
 * exchange's `respond` refuses the upgrade: it answers and closes the connection.
 */
export type UpgradeHandler = (exchange: Exchange, socket: Duplex, head: Buffer) => Promise<void>;

/** Names in lower case. HTTP/2's pseudo-headers are among them, so look at `method`, `url` and `authority` instead. */
export type RequestHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;
/** Names in lower case. `content-length` is added by `respond`. */
export type ResponseHeaders = Readonly<Record<string, string | number | readonly string[]>>;

export interface Exchange {
  readonly method: string;
  /** Path and query as they came. */
  readonly url: string;
  /** Host and port the client meant; '' if it did not say. */
  readonly authority: string;
  readonly headers: RequestHeaders;
  readonly peer: Peer;
  readonly protocol: 'http/1.1' | 'h2';
  /**
   * Aborts when the client goes before the answer is complete (reason: ClientGoneError), and, once `stream` was called or for a
   * request to upgrade, when the server closes (reason: ServerClosingError).
   */
  readonly signal: AbortSignal;
  /** Whether `respond` or `stream` was called. */
  readonly responded: boolean;
  /**
   * The whole request body; empty for none. Once only. Throws BodyTooLargeError as soon as more than `limitBytes` are announced or
   * seen (the rest is thrown away), the signal's reason, or ClientGoneError.
   */
  body(limitBytes: number, signal: AbortSignal): Promise<Uint8Array>;
  /** Answers in one piece. A client that is gone is not told; that is no error. Calling it, or `stream`, twice throws. */
  respond(status: number, headers: ResponseHeaders, body?: Uint8Array | string): void;
  /** Sends the headers now and the rest piece by piece. */
  stream(status: number, headers: ResponseHeaders): ResponseStream;
}

export interface ResponseStream {
  /** Sends at once. False: the client reads too slowly, and whoever can wait should wait for `drained`. Ignored when `closed`. */
  write(chunk: Uint8Array | string): boolean;
  /** Resolves when what was written has been taken, or nobody is there to take it. */
  drained(): Promise<void>;
  /** Bytes written and not taken yet. */
  readonly bufferedBytes: number;
  /** Ended, or the client is gone. */
  readonly closed: boolean;
  end(): void;
}

export interface Peer {
  /** IP address; '' when it is gone already. */
  readonly address: string;
  /** Set only if the client showed a certificate that the server's client CA vouches for, and that is valid now. */
  readonly certificate: PeerCertificate | undefined;
  /** Why the certificate it showed was not accepted; undefined when it showed none or `certificate` is set. */
  readonly certificateError: string | undefined;
}

export interface PeerCertificate {
  readonly commonName: string;
  readonly organizations: readonly string[];
}

/** What upstream's API server takes in a request. */
export const DEFAULT_BODY_LIMIT = 3 * 2 ** 20;

export class BodyTooLargeError extends Error {
  override readonly name = 'BodyTooLargeError';
  readonly limitBytes: number;

  constructor(limitBytes: number) {
    super(`limit is ${limitBytes}`);
    this.limitBytes = limitBytes;
  }
}

export class ClientGoneError extends Error {
  override readonly name = 'ClientGoneError';
}

export class ServerClosingError extends Error {
  override readonly name = 'ServerClosingError';
}
