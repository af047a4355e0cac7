import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { type Exchange, overSocket } from '#kubelet/probes/exchange.ts';
import { AnswerReader, type Page } from '#kubelet/probes/http-answer.ts';
import type { Answer, HttpCall } from '#kubelet/probes/probe-call.ts';

/** As Go's HTTP client. */
const MOST_REDIRECTS = 10;
const USER_AGENT = 'kube-probe/1.36';

/**
 * GET, without looking at the certificate. 200 to 399 is a success. A redirect to the same host name is followed; one to
 * another is not, and counts as a success with a warning: the container cannot answer for others. Rejects when there was
 * no answer.
 */
export function askHttp(call: HttpCall): Exchange<Answer> {
  let under: Exchange<Page> | undefined;
  let reason: { readonly of: unknown } | undefined;
  const getNext = async (url: URL): Promise<Page> => {
    if (reason !== undefined) throw reason.of;
    under = get(url, call);
    return under.done;
  };
  const cut = (of: unknown): void => {
    reason = { of };
    under?.cut(of);
  };
  return { done: followed(call, getNext), cut };
}

async function followed(call: HttpCall, getPage: (url: URL) => Promise<Page>): Promise<Answer> {
  let url = firstUrl(call);
  for (let hops = 0; ; hops++) {
    const { status, location, body } = await getPage(url);
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

/** A call is put again and again, as long as nothing about it changes. */
const firstUrls = new WeakMap<HttpCall, URL>();
const requestTexts = new WeakMap<URL, string>();

function firstUrl(call: HttpCall): URL {
  const known = firstUrls.get(call);
  if (known) return known;
  const url = new URL(`${call.scheme}://${bracketed(call.host)}:${call.port}${call.path}`);
  firstUrls.set(call, url);
  return url;
}

const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

const answerOf = (status: number, body: string): Answer =>
  status >= 200 && status < 400
    ? { outcome: 'success', status, output: body }
    : { outcome: 'failure', status, output: `HTTP probe failed with statuscode: ${status}` };

function get(url: URL, call: HttpCall): Exchange<Page> {
  let request = requestTexts.get(url);
  if (request === undefined) requestTexts.set(url, (request = requestText(url, call)));
  return overSocket(connectTo(url), (socket, resolve, reject) => {
    const reader = new AnswerReader();
    const read = (next: () => Page | undefined): void => {
      try {
        const page = next();
        if (page) resolve(page);
      } catch (error) {
        reject(error);
      }
    };
    socket.on('data', (chunk: Buffer) => read(() => reader.push(chunk)));
    socket.on('end', () => read(() => reader.end()));
    socket.write(request);
  });
}

/** Each probe is a connection of its own, as upstream's: a kept one would not tell whether a new one can be made. */
function connectTo({ protocol, hostname, port }: URL): Socket {
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  if (protocol === 'http:') return connect({ host, port: Number(port || 80) });
  const servername = isIP(host) === 0 ? { servername: host } : {};
  return connectTls({ host, port: Number(port || 443), rejectUnauthorized: false, ...servername });
}

/** What the pod asks for goes first; an empty User-Agent or Accept means none at all. Throws on what no header can be. */
function requestText({ host, pathname, search }: URL, { headers }: HttpCall): string {
  const given = new Set(headers.map(([name]) => name.toLowerCase()));
  const usual = [
    ['Host', host],
    ['User-Agent', USER_AGENT],
    ['Accept', '*/*'],
    ['Connection', 'close'],
  ] as const;
  const all = [
    ...usual.filter(([name]) => !given.has(name.toLowerCase())),
    ...headers.filter(([name, value]) => value !== '' || !/^(?:user-agent|accept)$/i.test(name)),
  ];
  for (const [name, value] of all) {
    if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name)) throw new Error(`net/http: invalid header field name ${quoted(name)}`);
    if (/(?!\t)\p{Cc}/u.test(value)) throw new Error(`net/http: invalid header field value for ${quoted(name)}`);
  }
  const lines = all.map(([name, value]) => `${name}: ${value}\r\n`);
  return `GET ${pathname}${search} HTTP/1.1\r\n${lines.join('')}\r\n`;
}

const quoted = (text: string): string => JSON.stringify(text);
const bracketed = (host: string): string => (host.includes(':') ? `[${host}]` : host);
