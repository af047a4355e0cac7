import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { ApiError, hasReason, statusOfError } from '#api/errors.ts';
import type { ApiRequest, Transport, WatchEvent } from '#api/transport.ts';
import { httpsTransport, linesOf } from '#client/https-transport.ts';
import { createCa, issue } from '#wire/certificates.ts';
import type { Exchange } from '#wire/exchange.ts';
import { HttpServer } from '#wire/http-server.ts';

const never = new AbortController().signal;
const json = { 'content-type': 'application/json' };
const get: ApiRequest = { method: 'GET', path: '/x' };

interface Served extends AsyncDisposable {
  readonly transport: Transport;
  readonly server: HttpServer;
}
/** A server of one answer; what a real API server answers is tested in test/integration. */
async function serve(answer: (exchange: Exchange) => void, token?: string): Promise<Served> {
  const ca = await createCa('test-ca', Date.now());
  const pair = await issue(ca, { kind: 'server', commonName: 'x', names: ['127.0.0.1'] }, Date.now());
  const handler = async (exchange: Exchange): Promise<void> => answer(exchange);
  const server = new HttpServer({
    ...pair,
    clientCa: ca.certificate,
    handler,
    onError: (error) => console.error(error),
  });
  const { port } = await server.listen('127.0.0.1', 0);
  const target = { kind: 'tls', host: '127.0.0.1', port, tls: { ca: ca.certificate } } as const;
  const transport = httpsTransport({ target, ...(token === undefined ? {} : { token }) });
  const dispose = async (): Promise<void> => {
    transport[Symbol.dispose]();
    await server[Symbol.asyncDispose]();
  };
  return { transport, server, [Symbol.asyncDispose]: dispose };
}
const failureOf = async (promise: Promise<unknown>): Promise<ApiError> => {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof ApiError, String(error));
  return error;
};
async function watched(transport: Transport): Promise<{ readonly events: WatchEvent[]; readonly error: unknown }> {
  const events: WatchEvent[] = [];
  try {
    for await (const event of transport.watch(get, never)) events.push(event);
    return { events, error: undefined };
  } catch (error) {
    return { events, error };
  }
}

test('httpsTransport: says what is asked, with its query, its body and who asks', async () => {
  const seen: string[] = [];
  await using served = await serve((exchange) => {
    const { method, url, headers } = exchange;
    seen.push(`${method} ${url} ${String(headers['content-type'])} ${String(headers['authorization'])}`);
    exchange.respond(200, json, '{"a":1}');
  }, 't0ken');
  const request = {
    method: 'PATCH',
    path: '/x',
    query: { labelSelector: 'a in (b,c)' },
    body: {},
    contentType: 'application/merge-patch+json',
  } as const;
  assert.deepEqual(await served.transport.call(request, never), { status: 200, body: { a: 1 } });
  assert.deepEqual(seen, ['PATCH /x?labelSelector=a+in+%28b%2Cc%29 application/merge-patch+json Bearer t0ken']);
});

test('httpsTransport: text is handed on as text', async () => {
  await using served = await serve((exchange) => exchange.respond(200, { 'content-type': 'text/plain' }, 'ok'));
  assert.equal((await served.transport.call(get, never)).body, 'ok');
});

const refusals = [
  {
    name: 'a Status',
    code: 409,
    headers: json,
    body: JSON.stringify(statusOfError(new ApiError('Conflict', 'stale'))),
    reason: 'Conflict',
    message: /^stale$/,
  },
  {
    name: 'a page of a proxy',
    code: 504,
    headers: { 'content-type': 'text/html' },
    body: '<h1>no</h1>',
    reason: 'Timeout',
    message: /answered 504: <h1>no/,
  },
  {
    name: 'nothing but a code nobody knows',
    code: 418,
    headers: {},
    body: '',
    reason: 'Unknown',
    message: /^the server answered 418$/,
  },
] as const;
for (const { name, code, headers, body, reason, message } of refusals) {
  test(`httpsTransport: a refusal with ${name} is an ApiError, of a call and of a watch`, async () => {
    await using served = await serve((exchange) => exchange.respond(code, headers, body));
    const error = await failureOf(served.transport.call(get, never));
    assert.equal(error.reason, reason);
    assert.equal(error.code, code);
    assert.match(error.message, message);
    assert.ok(hasReason((await watched(served.transport)).error, reason));
  });
}

test('httpsTransport: a watch gives events and bookmarks, and throws the ERROR event', async () => {
  const object = { kind: 'Pod', apiVersion: 'v1', metadata: { name: 'a', resourceVersion: '7' } };
  const annotations = { 'k8s.io/initial-events-end': 'true' };
  await using served = await serve((exchange) => {
    const stream = exchange.stream(200, json);
    stream.write(`${JSON.stringify({ type: 'ADDED', object })}\n`);
    stream.write(
      `${JSON.stringify({ type: 'BOOKMARK', object: { metadata: { resourceVersion: '8', annotations } } })}\n`,
    );
    stream.write(`${JSON.stringify({ type: 'BOOKMARK', object: { metadata: { resourceVersion: '9' } } })}\n`);
    stream.write(`${JSON.stringify({ type: 'ERROR', object: statusOfError(new ApiError('Expired', 'too old')) })}\n`);
  });
  const { events, error } = await watched(served.transport);
  assert.deepEqual(events, [
    { type: 'ADDED', object },
    { type: 'BOOKMARK', resourceVersion: '8', initialEventsEnd: true },
    { type: 'BOOKMARK', resourceVersion: '9', initialEventsEnd: false },
  ]);
  assert.ok(hasReason(error, 'Expired'));
});

test('httpsTransport: a watch that the server ends, ends; what was cut off in the middle is no event', async () => {
  await using served = await serve((exchange) => {
    const stream = exchange.stream(200, json);
    stream.write('{"type":"ADDED","object":{"metadata":{"name":"a"}}}\n{"type":"ADDED","obj');
    stream.end();
  });
  const { events, error } = await watched(served.transport);
  assert.equal(events.length, 1);
  assert.equal(error, undefined);
});

test('httpsTransport: a server that is not there is ServiceUnavailable, for a call and for a watch', async () => {
  await using served = await serve((exchange) => exchange.respond(200, json, '{}'));
  await served.transport.call(get, never);
  await served.server[Symbol.asyncDispose]();
  assert.ok(hasReason(await failureOf(served.transport.call(get, never)), 'ServiceUnavailable'));
  assert.ok(hasReason((await watched(served.transport)).error, 'ServiceUnavailable'));
});

test('httpsTransport: a cancelled watch rejects with the reason of its signal', async () => {
  await using served = await serve((exchange) => exchange.stream(200, json).write('\n'));
  const stop = new AbortController();
  setTimeout(() => stop.abort(new Error('enough')), 20);
  await assert.rejects(async () => {
    for await (const _ of served.transport.watch(get, stop.signal)) assert.fail('an event');
  }, /enough/);
});

test('linesOf: lines are the same however they are cut into chunks', async () => {
  const text = fc.array(
    fc.string({ unit: 'grapheme', minLength: 1 }).filter((s) => s.trim() !== '' && !s.includes('\n')),
  );
  await fc.assert(
    fc.asyncProperty(text, fc.array(fc.nat(40)), async (lines, cuts) => {
      const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
      async function* chunks(): AsyncGenerator<Uint8Array> {
        let at = 0;
        for (const size of cuts) yield bytes.subarray(at, (at += size));
        yield bytes.subarray(at);
      }
      const got: string[] = [];
      for await (const line of linesOf(chunks())) got.push(line);
      assert.deepEqual(got, lines);
    }),
  );
});
