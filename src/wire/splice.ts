/**
 * Passes an upgraded HTTP/1.1 connection on: asks another server for the same upgrade, and once it agrees joins the two
 * connections byte for byte, knowing nothing of what is spoken over them (SPDY/3.1, WebSocket). Both hops of an exec do it:
 * API server → node's server → the runtime's streaming server.
 *
 * If the other server does not agree, its answer is returned instead and the client's connection is untouched: a client must
 * never be left on a kept-alive connection that leads past the server it asked.
 */
import type { IncomingMessage } from 'node:http';
import { type Agent, request as httpsRequest } from 'node:https';
import type { Duplex } from 'node:stream';
import { request as httpRequest } from '#wire/node-http.ts';
import type { RequestHeaders, ResponseHeaders } from '#wire/exchange.ts';

export interface SpliceTarget {
  readonly host: string;
  readonly port: number;
  /** Makes the connection, over TLS (tls-agent.ts). Undefined: plain HTTP. */
  readonly tls?: Agent | undefined;
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  /** The client's, as far as the target may see them: credentials are the caller's to take out. `host` is replaced. */
  readonly headers: RequestHeaders;
}

export type SpliceOutcome =
  | { readonly kind: 'spliced' }
  | { readonly kind: 'refused'; readonly status: number; readonly headers: ResponseHeaders; readonly body: Uint8Array };

/** The target could not be reached or did not speak HTTP; nothing was written to the client. */
export class SpliceError extends Error {
  override readonly name = 'SpliceError';
}

/** Refusals are short texts; what is longer is cut. */
const LONGEST_REFUSAL = 1 << 20;
const hopByHop: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'content-length',
  'trailer',
]);

/**
 * Resolves when the target has refused, or when both directions of an agreed connection have ended. One side's end is passed on
 * as an end, the other goes on; an error on either side cuts both. When `signal` aborts it rejects
 * with its reason, and both are cut if they were joined already.
 */
export async function splice(
  client: Duplex,
  head: Uint8Array,
  target: SpliceTarget,
  signal: AbortSignal,
): Promise<SpliceOutcome> {
  const answer = await askUpgrade(target, signal);
  if (answer.kind === 'refused') return answer;
  const { response, socket } = answer;
  client.write(headOf(response));
  if (answer.head.length > 0) client.write(answer.head);
  if (head.length > 0) socket.write(head);
  await join(client, socket, signal);
  return { kind: 'spliced' };
}

type UpgradeRefusal = Extract<SpliceOutcome, { kind: 'refused' }>;
export type UpgradeAnswer =
  | { readonly kind: 'agreed'; readonly response: IncomingMessage; readonly socket: Duplex; readonly head: Buffer }
  | UpgradeRefusal;

/** Only asks: the connection is the caller's once `agreed`. Throws SpliceError, or `signal`'s reason. */
export function askUpgrade(target: SpliceTarget, signal: AbortSignal): Promise<UpgradeAnswer> {
  signal.throwIfAborted();
  const { host, port, method, path, tls } = target;
  const name = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  const headers = { ...outgoing(target.headers), host: name };
  const options = { host, port, method, path, headers };
  const { promise, resolve, reject } = Promise.withResolvers<UpgradeAnswer>();
  const request = tls ? httpsRequest({ ...options, agent: tls }) : httpRequest({ ...options, agent: false });
  const onAbort = (): void => {
    reject(signal.reason);
    request.destroy();
  };
  signal.addEventListener('abort', onAbort, { once: true });
  request.on('error', (cause) => reject(new SpliceError(`connect to ${name}: ${cause.message}`, { cause })));
  request.on('upgrade', (response, socket, head) => resolve({ kind: 'agreed', response, socket, head }));
  request.on('response', (response) => void refusal(response).then(resolve, reject));
  request.end();
  return promise.finally(() => signal.removeEventListener('abort', onAbort));
}

async function refusal(response: IncomingMessage): Promise<UpgradeRefusal> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of response) {
      chunks.push(chunk as Buffer);
      size += (chunk as Buffer).length;
      if (size >= LONGEST_REFUSAL) break;
    }
  } catch (cause) {
    throw new SpliceError('the answer broke off', { cause });
  } finally {
    response.destroy();
  }
  const headers = Object.entries(response.headers).filter(([name]) => !hopByHop.has(name));
  const body = Buffer.concat(chunks).subarray(0, LONGEST_REFUSAL);
  return {
    kind: 'refused',
    status: response.statusCode ?? 502,
    headers: Object.fromEntries(headers) as ResponseHeaders,
    body,
  };
}

/** The target's own words, header by header. */
function headOf(response: IncomingMessage): string {
  const lines = [`HTTP/1.1 ${response.statusCode} ${response.statusMessage}`];
  for (let at = 0; at < response.rawHeaders.length; at += 2) {
    lines.push(`${response.rawHeaders[at]}: ${response.rawHeaders[at + 1]}`);
  }
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/**
 * Each takes what the other gives, until both are over. An end is passed on as an end; an error, a cut, or `signal` cuts both,
 * and the last rejects with its reason.
 */
export async function join(one: Duplex, other: Duplex, signal: AbortSignal): Promise<void> {
  const cut = (): void => {
    one.destroy();
    other.destroy();
  };
  signal.addEventListener('abort', cut, { once: true });
  if (signal.aborted) cut();
  const directions = [
    [one, other],
    [other, one],
  ] as const;
  for (const [end, opposite] of directions) {
    end.on('error', () => cutAfterFlush(opposite));
    // A side that was cut without an end takes the other with it; after an orderly end this finds nothing left to cut.
    end.once('close', () => !end.readableEnded && cutAfterFlush(opposite));
  }
  one.pipe(other);
  other.pipe(one);
  await Promise.all([one, other].map(closed));
  signal.removeEventListener('abort', cut);
  signal.throwIfAborted();
}

/** How long a side that is to be cut may take for what it was given before. */
const FLUSH_WITHIN_MS = 2000;

/**
 * What a side had said before it broke off belongs to the other: a runtime that closes with something unread of ours resets the
 * connection behind the last words of a command and its exit code.
 */
function cutAfterFlush(end: Duplex): void {
  if (end.destroyed) return;
  if (end.writableLength === 0 || !end.writable) return void end.destroy();
  const timer = setTimeout(() => end.destroy(), FLUSH_WITHIN_MS);
  end.once('close', () => clearTimeout(timer));
  end.write(Buffer.alloc(0), () => end.destroy());
}

const closed = (end: Duplex): Promise<void> =>
  end.closed ? Promise.resolve() : new Promise((resolve) => end.once('close', () => resolve()));

const outgoing = (headers: RequestHeaders): Record<string, string | string[]> =>
  Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined || name.startsWith(':') ? [] : [[name, typeof value === 'string' ? value : [...value]]],
    ),
  );
