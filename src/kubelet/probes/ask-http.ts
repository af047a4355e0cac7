import { type ClientRequestArgs, type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { connect, type Socket } from 'node:net';
import type { Answer, HttpCall } from '#kubelet/probes/probe-call.ts';

/** Upstream reads no more of an answer than this, bytes. */
const LARGEST_BODY = 10 * 1024;
/** As Go's HTTP client. */
const MOST_REDIRECTS = 10;
const USER_AGENT = 'kube-probe/1.36';

/**
 * GET, without looking at the certificate. 200 to 399 is a success. A redirect to the same host name is followed; one to
 * another is not, and counts as a success with a warning: the container cannot answer for others. Rejects when there was
 * no answer, and with the signal's reason.
 */
export async function askHttp(call: HttpCall, signal: AbortSignal): Promise<Answer> {
  let url = new URL(`${call.scheme}://${bracketed(call.host)}:${call.port}${call.path}`);
  for (let hops = 0; ; hops++) {
    const { status, location, body } = await get(url, call, signal);
    if (status < 300 || status >= 400) return answerOf(status, body);
    const next = location === undefined ? undefined : URL.parse(location, url);
    if (!next || !redirects.has(status)) return answerOf(status, body);
    if (next.hostname !== url.hostname || !next.protocol.startsWith('http')) {
      return { outcome: 'warning', status, output: `Probe terminated redirects, Response body: ${body}` };
    }
    if (hops + 1 >= MOST_REDIRECTS) throw new Error(`stopped after ${MOST_REDIRECTS} redirects`);
    url = next;
  }
}

const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

const answerOf = (status: number, body: string): Answer =>
  status >= 200 && status < 400
    ? { outcome: 'success', status, output: body }
    : { outcome: 'failure', status, output: `HTTP probe failed with statuscode: ${status}` };

interface Page {
  readonly status: number;
  readonly location: string | undefined;
  readonly body: string;
}

function get(url: URL, call: HttpCall, signal: AbortSignal): Promise<Page> {
  const { promise, resolve, reject } = Promise.withResolvers<Page>();
  // Each probe is a connection of its own, as upstream's: a kept one would not tell whether a new one can be made.
  const sent =
    url.protocol === 'https:'
      ? requestHttps(url, { agent: false, headers: headersOf(call), rejectUnauthorized: false })
      : requestHttp(url, { createConnection: connectTo, headers: headersOf(call) });
  // Not as the request's own option: that makes an error for each request that ends as it should.
  const cut = (): void => void sent.destroy();
  signal.addEventListener('abort', cut, { once: true });
  sent.on('response', (response) => {
    const { statusCode: status = 0, headers } = response;
    bodyOf(response, (body) => resolve({ status, location: headers.location, body }), reject);
  });
  sent.on('error', reject);
  sent.end();
  return promise
    .catch((error: unknown) => Promise.reject(signal.aborted ? signal.reason : error))
    .finally(() => signal.removeEventListener('abort', cut));
}

/** Without an agent: one that is made for a single request does nothing but this. */
const connectTo = ({ host, port }: ClientRequestArgs): Socket => connect({ host: host ?? '', port: Number(port) });

/** Not by iterating: that costs as much as all the rest of a probe. */
function bodyOf(response: IncomingMessage, done: (body: string) => void, failed: (error: unknown) => void): void {
  const chunks: Buffer[] = [];
  let size = 0;
  const finish = (): void => done(Buffer.concat(chunks).subarray(0, LARGEST_BODY).toString());
  response.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    size += chunk.length;
    if (size < LARGEST_BODY) return;
    finish();
    response.destroy();
  });
  response.on('end', finish);
  response.on('error', failed);
}

/** What the pod asks for goes first; an empty User-Agent or Accept means none at all. */
function headersOf({ headers }: HttpCall): Record<string, string | string[]> {
  const all = new Map<string, string[]>([
    ['user-agent', [USER_AGENT]],
    ['accept', ['*/*']],
  ]);
  const given = new Map<string, string[]>();
  for (const [name, value] of headers) {
    const key = name.toLowerCase();
    given.set(key, [...(given.get(key) ?? []), value]);
  }
  for (const [name, values] of given) all.set(name, values);
  const told = [...all].filter(([name, values]) => values.join('') !== '' || !['user-agent', 'accept'].includes(name));
  return Object.fromEntries(told.map(([name, values]) => [name, values.length === 1 ? values[0]! : values]));
}

const bracketed = (host: string): string => (host.includes(':') ? `[${host}]` : host);
