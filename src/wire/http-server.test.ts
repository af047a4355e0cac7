import assert from 'node:assert/strict';
import { request as httpsRequest } from 'node:https';
import { connect as connectTcp, createServer as createTcpServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import test from 'node:test';
import { connect as connectTls } from 'node:tls';
import { type KeyPair, createCa, issue } from '#wire/certificates.ts';
import {
  BodyTooLargeError,
  ClientGoneError,
  type Exchange,
  type Handler,
  ServerClosingError,
  type UpgradeHandler,
} from '#wire/exchange.ts';
import { ConnectionError, HttpClient } from '#wire/http-client.ts';
import { HttpServer, PortTakenError } from '#wire/http-server.ts';

const now = Date.now();
const ca = await createCa('test-ca', now);
const strangers = await createCa('test-ca', now);
const serverPair = await issue(ca, { kind: 'server', commonName: 'server', names: ['127.0.0.1'] }, now);
const alice = await issue(ca, { kind: 'client', commonName: 'alice', organizations: ['admins', 'staff'] }, now);
const mallory = await issue(strangers, { kind: 'client', commonName: 'alice', organizations: ['admins'] }, now);
const never = new AbortController().signal;

interface Running extends AsyncDisposable {
  readonly server: HttpServer;
  readonly port: number;
  readonly errors: unknown[];
  client(pair?: KeyPair, ca?: string): HttpClient;
}

async function serve(handler: Handler, upgrade?: UpgradeHandler): Promise<Running> {
  const errors: unknown[] = [];
  const server = new HttpServer({
    certificate: serverPair.certificate,
    key: serverPair.key,
    clientCa: ca.certificate,
    handler,
    upgrade,
    onError: (error) => errors.push(error),
  });
  const { port } = await server.listen('127.0.0.1', 0);
  const clients: HttpClient[] = [];
  return {
    server,
    port,
    errors,
    client(pair, trusted = ca.certificate) {
      const tls = { ca: trusted, certificate: pair?.certificate, key: pair?.key };
      const made = new HttpClient({ kind: 'tls', host: '127.0.0.1', port, tls });
      clients.push(made);
      return made;
    },
    async [Symbol.asyncDispose]() {
      for (const client of clients) client[Symbol.dispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}
type Ask = (method: string, path: string, body?: string | Buffer) => Promise<Answer>;

/** The same request over either protocol, so that one table can hold both to the same answers. */
const protocols: readonly { readonly protocol: string; ask(running: Running, pair?: KeyPair): Ask }[] = [
  {
    protocol: 'h2',
    ask: (running, pair) => async (method, path, body) => {
      const response = await running.client(pair).request({ method, path, headers: { 'x-test': 'yes' }, body }, never);
      return { ...response, body: Buffer.from(response.body).toString() };
    },
  },
  {
    protocol: 'http/1.1',
    ask: (running, pair) => (method, path, body) =>
      new Promise((resolve, reject) => {
        const identity = { cert: pair?.certificate, key: pair?.key, ca: ca.certificate, agent: false };
        const options = { host: '127.0.0.1', port: running.port, method, path, headers: { 'x-test': 'yes' } };
        const request = httpsRequest({ ...identity, ...options }, (response) => {
          const chunks: Buffer[] = [];
          response
            .on('data', (chunk: Buffer) => chunks.push(chunk))
            .on('end', () => {
              const { statusCode: status = 0, headers } = response;
              resolve({ status, headers, body: Buffer.concat(chunks).toString() });
            });
        });
        request.on('error', reject).end(body);
      }),
  },
];

const echo: Handler = async (exchange) => {
  const body = await exchange.body(1000, exchange.signal);
  const { method, url, protocol, peer, authority, headers } = exchange;
  const seen = { method, url, protocol, peer, authority, test: headers['x-test'], body: Buffer.from(body).toString() };
  exchange.respond(200, { 'content-type': 'application/json' }, JSON.stringify(seen));
};

for (const { protocol, ask } of protocols) {
  test(`http server over ${protocol}: a request is seen as it came, and answered`, async () => {
    await using running = await serve(echo);
    const answer = await ask(running)('POST', '/a%2Fb?x=1&x=2', 'grüß');
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['content-type'], 'application/json');
    const peer = { address: '127.0.0.1' };
    const authority = `127.0.0.1:${running.port}`;
    const want = { method: 'POST', url: '/a%2Fb?x=1&x=2', protocol, peer, authority, test: 'yes', body: 'grüß' };
    assert.deepEqual(JSON.parse(answer.body), want);
  });

  test(`http server over ${protocol}: who shows a certificate of the client CA is known by it, others are not`, async () => {
    await using running = await serve(echo);
    const peerOf = async (pair?: KeyPair): Promise<unknown> =>
      JSON.parse((await ask(running, pair)('GET', '/')).body).peer;
    const address = '127.0.0.1';
    const certificate = { commonName: 'alice', organizations: ['admins', 'staff'] };
    assert.deepEqual(await peerOf(alice), { address, certificate });
    assert.deepEqual(await peerOf(mallory), { address, certificateError: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' });
    assert.deepEqual(await peerOf(), { address });
  });

  test(`http server over ${protocol}: a body over the limit is refused before it is read whole, and the client hears why`, async () => {
    await using running = await serve(async (exchange) => {
      try {
        await exchange.body(1000, exchange.signal);
        exchange.respond(200, {});
      } catch (error) {
        assert.ok(error instanceof BodyTooLargeError);
        exchange.respond(413, {}, `limit is ${error.limitBytes}`);
      }
    });
    assert.equal((await ask(running)('POST', '/', Buffer.alloc(1000))).status, 200);
    const refused = await ask(running)('POST', '/', Buffer.alloc(3_000_000));
    assert.deepEqual([refused.status, refused.body], [413, 'limit is 1000']);
    assert.equal((await ask(running)('POST', '/', 'small')).status, 200);
  });

  test(`http server over ${protocol}: HEAD and empty answers have no body but say their length`, async () => {
    await using running = await serve(async (exchange) => {
      if (exchange.url === '/empty') exchange.respond(204, {});
      else exchange.respond(200, { 'x-list': ['a', 'b'] }, 'twelve bytes');
    });
    const head = await ask(running)('HEAD', '/');
    assert.deepEqual([head.status, head.body, head.headers['x-list']], [200, '', 'a, b']);
    assert.deepEqual((await ask(running)('GET', '/')).headers['content-length'], '12');
    assert.equal((await ask(running)('GET', '/empty')).status, 204);
  });

  test(`http server over ${protocol}: a handler that fails is reported and answered with 500`, async () => {
    const failure = new Error('a defect');
    await using running = await serve(async () => {
      throw failure;
    });
    assert.equal((await ask(running)('GET', '/')).status, 500);
    assert.deepEqual(running.errors, [failure]);
  });
}

test('http server: bodies that nobody reads do not hold up what else the connection carries', async () => {
  await using running = await serve(async (exchange) => {
    if (exchange.method === 'POST') exchange.respond(401, {}, 'who?');
    else exchange.respond(200, {}, 'fine');
  });
  const client = running.client();
  for (let round = 0; round < 5; round++) {
    const post = { method: 'POST', path: '/', headers: {}, body: Buffer.alloc(1_000_000) };
    assert.equal((await client.request(post, AbortSignal.timeout(3000))).status, 401);
    const get = { method: 'GET', path: '/', headers: {} };
    assert.equal((await client.request(get, AbortSignal.timeout(3000))).status, 200);
  }
});

test('http server: many requests at once share a connection', async () => {
  await using running = await serve(echo);
  const client = running.client();
  const all = Array.from({ length: 300 }, (_, number) => {
    return client.request({ method: 'PUT', path: `/${number}`, headers: {}, body: 'x'.repeat(900) }, never);
  });
  const answers = await Promise.all(all);
  const urls = answers.map(({ body }) => (JSON.parse(Buffer.from(body).toString()) as { url: string }).url);
  assert.deepEqual(
    urls,
    all.map((_, number) => `/${number}`),
  );
});

test('http server: a stream arrives piece by piece, and its handler learns that the client left', async () => {
  const gone = Promise.withResolvers<unknown>();
  await using running = await serve(async (exchange) => {
    exchange.signal.addEventListener('abort', () => gone.resolve(exchange.signal.reason));
    const stream = exchange.stream(200, { 'content-type': 'text/plain' });
    stream.write('one\n');
    await new Promise((resolve) => setTimeout(resolve, 20));
    stream.write('two\n');
  });
  const response = await running.client().stream({ method: 'GET', path: '/', headers: {} }, never);
  let text = '';
  for await (const chunk of response.chunks) {
    text += Buffer.from(chunk).toString();
    if (text.endsWith('two\n')) break;
  }
  assert.equal(text, 'one\ntwo\n');
  assert.ok((await gone.promise) instanceof ClientGoneError);
});

test('http server: an answer that was completed does not look like a client that left', async () => {
  const signals: AbortSignal[] = [];
  await using running = await serve(async (exchange) => {
    signals.push(exchange.signal);
    if (exchange.url === '/stream') {
      const stream = exchange.stream(200, {});
      stream.write('x');
      stream.end();
    } else exchange.respond(200, {}, 'x');
  });
  for (const { ask } of protocols)
    for (const path of ['/', '/stream']) assert.equal((await ask(running)('GET', path)).body, 'x');
  await running.server.close(1000);
  assert.deepEqual(
    signals.map(({ aborted }) => aborted),
    [false, false, false, false],
  );
});

test('http server: writing says when a client reads too slowly, and waits for it', async () => {
  const refused = Promise.withResolvers<number>();
  const drained = Promise.withResolvers<void>();
  await using running = await serve(async (exchange) => {
    const stream = exchange.stream(200, {});
    let written = 0;
    while (stream.write(Buffer.alloc(65_536)) && written < 1000) written++;
    refused.resolve(stream.bufferedBytes);
    await stream.drained();
    drained.resolve();
    stream.end();
  });
  const response = await running.client().stream({ method: 'GET', path: '/', headers: {} }, never);
  assert.ok((await refused.promise) > 0);
  for await (const chunk of response.chunks) assert.ok(chunk.length > 0);
  await drained.promise;
});

test('http server: an upgrade gets the socket itself; a refused one an answer', async () => {
  await using running = await serve(echo, async (exchange, socket, head) => {
    if (exchange.peer.certificate === undefined) return exchange.respond(401, { 'x-why': 'who?' }, 'Unauthorized');
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${exchange.headers['upgrade']}\r\n\r\n`,
    );
    socket.write(head);
    socket.pipe(socket);
  });
  const talk = (pair: KeyPair | undefined, method: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const identity = { cert: pair?.certificate, key: pair?.key, ca: ca.certificate };
      const socket = connectTls({ ...identity, host: '127.0.0.1', port: running.port, ALPNProtocols: ['http/1.1'] });
      socket.write(`${method} /exec HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\nhead`);
      let text = '';
      socket.on('data', (chunk: Buffer) => {
        text += chunk.toString();
        if (text.endsWith('head')) socket.end('tail');
      });
      socket.on('end', () => resolve(text)).on('error', reject);
    });
  for (const method of ['GET', 'POST']) {
    assert.match(await talk(alice, method), /^HTTP\/1\.1 101 .*Upgrade: SPDY\/3\.1\r\n\r\nheadtail$/s);
  }
  assert.match(
    await talk(undefined, 'POST'),
    /^HTTP\/1\.1 401 Unauthorized\r\n.*x-why: who\?\r\n.*\r\n\r\nUnauthorized$/s,
  );
});

test('http server: closing ends what streams, lets a request finish, and takes no more', async () => {
  const started = Promise.withResolvers<void>();
  const finish = Promise.withResolvers<void>();
  let reason: unknown;
  await using running = await serve(async (exchange) => {
    if (exchange.url === '/watch') {
      const stream = exchange.stream(200, {});
      exchange.signal.addEventListener('abort', () => {
        reason = exchange.signal.reason;
        stream.end();
      });
      return;
    }
    started.resolve();
    await finish.promise;
    exchange.respond(200, {}, 'done');
  });
  const client = running.client();
  const watch = await client.stream({ method: 'GET', path: '/watch', headers: {} }, never);
  const slow = client.request({ method: 'GET', path: '/slow', headers: {} }, never);
  await started.promise;
  const closed = running.server.close(5000);
  for await (const chunk of watch.chunks) assert.fail(`nothing was written, yet ${chunk.length} bytes came`);
  assert.ok(reason instanceof ServerClosingError);
  finish.resolve();
  assert.equal(Buffer.from((await slow).body).toString(), 'done');
  await closed;
  await assert.rejects(running.client().request({ method: 'GET', path: '/', headers: {} }, never), (error) => {
    return error instanceof ConnectionError && error.unsent;
  });
});

test('http server: what does not end in time is cut', async () => {
  await using running = await serve(async (exchange) => {
    exchange.stream(200, {}).write('x');
  });
  const watch = await running.client().stream({ method: 'GET', path: '/', headers: {} }, never);
  const before = performance.now();
  await running.server.close(100);
  assert.ok(performance.now() - before < 2000);
  await assert.rejects(async () => {
    for await (const chunk of watch.chunks) assert.ok(chunk);
  }, ConnectionError);
});

test('http server: an idle kept-alive connection does not hold up closing', async () => {
  await using running = await serve(echo);
  const socket = connectTls({ host: '127.0.0.1', port: running.port, ca: ca.certificate, ALPNProtocols: ['http/1.1'] });
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await new Promise((resolve) => socket.once('data', resolve));
  const before = performance.now();
  await running.server.close(5000);
  assert.ok(performance.now() - before < 1000);
  socket.destroy();
});

test('http server: a port that is taken is named', async () => {
  const other = createTcpServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const { port } = other.address() as AddressInfo;
  const options = { certificate: serverPair.certificate, key: serverPair.key, clientCa: ca.certificate };
  const server = new HttpServer({ ...options, handler: echo, onError: () => {} });
  await assert.rejects(
    server.listen('127.0.0.1', port),
    (error) => error instanceof PortTakenError && error.port === port,
  );
  other.close();
});

test('http server: noise on the port harms nobody', async () => {
  await using running = await serve(echo);
  const noise = connectTcp(running.port, '127.0.0.1');
  noise.on('error', () => {});
  noise.end('GET / HTTP/1.1\r\n\r\n');
  await new Promise((resolve) => noise.once('close', resolve));
  assert.equal((await running.client().request({ method: 'GET', path: '/', headers: {} }, never)).status, 200);
});

test('http client: a server that cannot be trusted is not asked', async () => {
  const asked: Exchange[] = [];
  await using running = await serve(async (exchange) => void asked.push(exchange));
  const request = running
    .client(undefined, strangers.certificate)
    .request({ method: 'GET', path: '/', headers: {} }, never);
  await assert.rejects(request, (error) => error instanceof ConnectionError && error.untrusted && error.unsent);
  assert.deepEqual(asked, []);
});

test('http client: a server that was away is found again by the same client', async () => {
  await using first = await serve(echo);
  const client = first.client();
  const request = { method: 'GET', path: '/', headers: {} };
  assert.equal((await client.request(request, never)).status, 200);
  await first.server.close(0);
  await assert.rejects(client.request(request, never), (error) => error instanceof ConnectionError && error.unsent);
  const options = { certificate: serverPair.certificate, key: serverPair.key, clientCa: ca.certificate };
  await using again = new HttpServer({ ...options, handler: echo, onError: () => {} });
  await again.listen('127.0.0.1', first.port);
  assert.equal((await client.request(request, never)).status, 200);
});

test('http client: an aborted request rejects with the reason, a body that is aborted too', async () => {
  await using running = await serve(async (exchange) => {
    if (exchange.url === '/stream') exchange.stream(200, {}).write('x');
  });
  const client = running.client();
  for (const path of ['/never', '/stream']) {
    const reason = new Error(`enough of ${path}`);
    const abort = new AbortController();
    const request = client.request({ method: 'GET', path, headers: {} }, abort.signal);
    setTimeout(() => abort.abort(reason), 30);
    await assert.rejects(request, (error) => error === reason);
  }
});
