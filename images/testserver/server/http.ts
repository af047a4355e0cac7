/**
 * What can be asked for over HTTP and HTTPS. Any method; GET is enough for all of it, as little clients have no other.
 *
 *   /                    200, "testserver on HOSTNAME"
 *   /status/CODE         that status; with ?after=DURATION, later
 *   /delay/DURATION      200, later
 *   /hang                never answers; /close: ends the connection without an answer
 *   /headers             the request's headers as JSON; /echo: its body
 *   /redirect?to=URL     302, or ?status=CODE
 *   /toggle/NAME         200 when it is on, 503 when it is off; /toggle/NAME/on, /toggle/NAME/off turn it
 *   /ready, /live, /started   the toggles of these names, as a probe asks for them
 *   /exit?code=N         answers, then ends the process; ?after=DURATION
 *   /allocate?mib=N      holds that much more memory
 *   /signals             what was received, as JSON; /requests: how often each path was asked for; /toggles: all of them
 *   /env, /args          JSON
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { hostname } from 'node:os';
import { integer } from '#images/testserver/server/arguments.ts';
import { durationMs } from '#images/testserver/server/duration.ts';
import type { Journal } from '#images/testserver/server/journal.ts';
import { hold } from '#images/testserver/server/memory.ts';
import type { Toggles } from '#images/testserver/server/toggles.ts';

interface Call {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly query: URLSearchParams;
  /** What follows the first part of the path. */
  readonly rest: readonly string[];
}

type Page = (call: Call) => void;

export function httpHandler(toggles: Toggles, journal: Journal): RequestListener {
  const requests = new Map<string, number>();
  const pages: Readonly<Record<string, Page>> = {
    ...plainPages,
    ...togglePages(toggles),
    signals: ({ response }) => sendJson(response, journal.signals),
    requests: ({ response }) => sendJson(response, Object.fromEntries(requests)),
  };
  return (request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    requests.set(url.pathname, (requests.get(url.pathname) ?? 0) + 1);
    const [first = '', ...rest] = url.pathname.slice(1).split('/').map(decodeURIComponent);
    const page = pages[first];
    try {
      if (page) page({ request, response, query: url.searchParams, rest });
      else send(response, 404, `no such page: ${url.pathname}`);
    } catch (error) {
      send(response, 400, error instanceof Error ? error.message : String(error));
    }
  };
}

const plainPages: Readonly<Record<string, Page>> = {
  '': ({ response }) => send(response, 200, `testserver on ${hostname()}`),
  status: ({ response, query, rest: [code = ''] }) => {
    const status = integer(code, 599);
    if (status < 200) throw new Error('a final status is 200 or more');
    later(query.get('after'), () => send(response, status, `status ${status}`));
  },
  delay: ({ response, rest: [duration = ''] }) => later(duration, () => send(response, 200, `after ${duration}`)),
  hang: () => undefined,
  close: ({ request }) => request.socket.destroy(),
  headers: ({ request, response }) => sendJson(response, request.headers),
  echo: ({ request, response }) => void request.pipe(response),
  redirect: ({ response, query }) =>
    response.writeHead(integer(query.get('status') ?? '302', 399), { location: query.get('to') ?? '/' }).end(),
  exit: ({ response, query }) => {
    const code = integer(query.get('code') ?? '0', 255);
    send(response, 200, `ending with ${code}`);
    response.once('close', () => later(query.get('after'), () => process.exit(code)));
  },
  allocate: ({ response, query }) => {
    hold(integer(query.get('mib') ?? '', 1 << 20));
    send(response, 200, 'held');
  },
  env: ({ response }) => sendJson(response, process.env),
  args: ({ response }) => sendJson(response, process.argv.slice(2)),
};

function togglePages(toggles: Toggles): Readonly<Record<string, Page>> {
  const show = (response: ServerResponse, name: string): void =>
    send(response, toggles.isOn(name) ? 200 : 503, `${name} is ${toggles.isOn(name) ? 'on' : 'off'}`);
  const named =
    (name: string): Page =>
    ({ response }) =>
      show(response, name);
  return {
    ready: named('ready'),
    live: named('live'),
    started: named('started'),
    toggles: ({ response }) => sendJson(response, toggles.all()),
    toggle: ({ response, rest: [name = '', wish] }) => {
      if (wish === undefined) return show(response, name);
      if (wish !== 'on' && wish !== 'off') throw new Error(`"${wish}" is neither on nor off`);
      toggles.set(name, wish === 'on');
      send(response, 200, `${name} is ${wish}`);
    },
  };
}

function later(duration: string | null, act: () => void): void {
  if (duration === null) act();
  else setTimeout(act, durationMs(duration));
}

function send(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${text}\n`);
}

function sendJson(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(`${JSON.stringify(value)}\n`);
}
