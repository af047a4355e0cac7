import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { type IncomingMessage, type Server, createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, type Socket, connect, createServer as createTcpServer } from 'node:net';
import { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import test from 'node:test';
import { createCa, issue } from '#wire/certificates.ts';
import { join, SpliceError, type SpliceOutcome, splice } from '#wire/splice.ts';
import { tlsAgent } from '#wire/tls-agent.ts';

const never = new AbortController().signal;

interface Backend extends Disposable {
  readonly port: number;
  readonly requests: IncomingMessage[];
}

/** Something to be spliced to: agrees to every upgrade and gives the socket to `serve`, or refuses. */
async function backend(server: Server, serve: ((socket: Duplex, head: Buffer) => void) | undefined): Promise<Backend> {
  const requests: IncomingMessage[] = [];
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => sockets.add(socket));
  server.on('request', (request, response) => {
    requests.push(request);
    response.writeHead(403, { 'content-type': 'text/plain' }).end('unable to upgrade: no');
  });
  if (serve) {
    server.on('upgrade', (request, socket, head) => {
      requests.push(request);
      socket.on('error', () => {});
      socket.write(
        'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: v4\r\n\r\n',
      );
      serve(socket, head);
    });
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    requests,
    [Symbol.dispose]() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** The two ends of a client's connection: the one a client holds, and the one its server would splice. */
async function clientPair(): Promise<{ readonly far: Socket; readonly near: Socket } & Disposable> {
  const server = createTcpServer({ allowHalfOpen: true });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
  const far = connect({ host: '127.0.0.1', port: (server.address() as AddressInfo).port, allowHalfOpen: true });
  const near = await accepted;
  for (const end of [far, near]) end.on('error', () => {});
  return {
    far,
    near,
    [Symbol.dispose]() {
      far.destroy();
      near.destroy();
      server.close();
    },
  };
}

const targetAt = (port: number) => ({
  host: '127.0.0.1',
  port,
  method: 'POST',
  path: '/exec/abc?x=1',
  headers: { host: 'api:6443', connection: 'Upgrade', upgrade: 'SPDY/3.1', 'x-stream-protocol-version': ['v4', 'v3'] },
});

/** Resolves when this end learns that the connection is over, in whichever way. */
function overFor(end: Duplex): Promise<void> {
  end.resume();
  return new Promise((resolve) => void end.once('end', resolve).once('close', resolve));
}

async function textOf(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('latin1');
}

test('splice: the target gets the request, the client its answer, and each what the other says, ends included', async () => {
  using target = await backend(createServer(), (socket, head) => {
    let heard = head.toString();
    socket.on('data', (chunk: Buffer) => (heard += chunk.toString()));
    // It answers only after the client has ended: without half-close it never would.
    socket.on('end', () => socket.end(`you said ${heard}`));
  });
  using client = await clientPair();
  const spliced = splice(client.near, Buffer.from('early '), targetAt(target.port), never);
  client.far.end('late');
  assert.match(
    await textOf(client.far),
    /^HTTP\/1\.1 101 Switching Protocols\r\n.*X-Stream-Protocol-Version: v4\r\n\r\nyou said early late$/s,
  );
  assert.deepEqual(await spliced, { kind: 'spliced' });
  const [request] = target.requests;
  assert.deepEqual([request?.method, request?.url], ['POST', '/exec/abc?x=1']);
  assert.equal(request?.headers.host, `127.0.0.1:${target.port}`);
  assert.equal(request?.headers['x-stream-protocol-version'], 'v4, v3');
});

test('splice: what the target says in the same breath as its agreement is not lost', async () => {
  const server = createTcpServer((socket) => {
    socket.once('data', () =>
      socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nat once'),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  using client = await clientPair();
  const spliced = splice(client.near, Buffer.alloc(0), targetAt((server.address() as AddressInfo).port), never);
  client.far.end();
  assert.match(await textOf(client.far), /\r\n\r\nat once$/);
  await spliced;
  server.close();
});

test('splice: twenty megabytes arrive whole in both directions', async () => {
  using target = await backend(createServer(), (socket) => socket.pipe(socket));
  using client = await clientPair();
  const spliced = splice(client.near, Buffer.alloc(0), targetAt(target.port), never);
  const sent = randomBytes(20 * 2 ** 20);
  client.far.end(sent);
  const all = Buffer.from(await textOf(client.far), 'latin1');
  const body = all.subarray(all.indexOf('\r\n\r\n') + 4);
  const digest = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
  assert.equal(digest(body), digest(sent));
  await spliced;
});

test('splice: a refusal is returned, and nothing is written to the client', async () => {
  using target = await backend(createServer(), undefined);
  using client = await clientPair();
  const outcome: SpliceOutcome = await splice(client.near, Buffer.alloc(0), targetAt(target.port), never);
  assert.ok(outcome.kind === 'refused');
  assert.deepEqual([outcome.status, Buffer.from(outcome.body).toString()], [403, 'unable to upgrade: no']);
  assert.equal(outcome.headers['content-type'], 'text/plain');
  assert.equal(outcome.headers['transfer-encoding'], undefined);
  assert.equal(client.near.bytesWritten, 0);
  assert.ok(!client.near.destroyed);
});

test('splice: a target that is not there is an error that names it', async () => {
  using client = await clientPair();
  await assert.rejects(splice(client.near, Buffer.alloc(0), targetAt(1), never), (error) => {
    return error instanceof SpliceError && error.message.includes('127.0.0.1:1');
  });
});

test('splice: when one side is cut the other is cut as well', async () => {
  for (const side of ['client', 'target'] as const) {
    const reached = Promise.withResolvers<Duplex>();
    using target = await backend(createServer(), (socket) => reached.resolve(socket));
    using client = await clientPair();
    const spliced = splice(client.near, Buffer.alloc(0), targetAt(target.port), never);
    const far = await reached.promise;
    await new Promise((resolve) => client.far.once('data', resolve));
    const other = side === 'client' ? far : client.far;
    const cut = overFor(other);
    if (side === 'client') client.far.resetAndDestroy();
    else (far as Socket).resetAndDestroy();
    await cut;
    assert.deepEqual(await spliced, { kind: 'spliced' });
  }
});

test('splice: abort cuts both sides and rejects with the reason', async () => {
  const reached = Promise.withResolvers<Duplex>();
  using target = await backend(createServer(), (socket) => reached.resolve(socket));
  using client = await clientPair();
  const abort = new AbortController();
  const spliced = splice(client.near, Buffer.alloc(0), targetAt(target.port), abort.signal);
  const far = await reached.promise;
  await new Promise((resolve) => client.far.once('data', resolve));
  const cut = Promise.all([far, client.far].map(overFor));
  const reason = new Error('the server is closing');
  abort.abort(reason);
  await assert.rejects(spliced, (error) => error === reason);
  await cut;
});

test('splice: a TLS target is checked, and shown a client certificate, again where a session is resumed', async () => {
  const now = Date.now();
  const ca = await createCa('ca', now);
  const pair = await issue(ca, { kind: 'server', commonName: 'node', names: ['127.0.0.1'] }, now);
  const me = await issue(ca, { kind: 'client', commonName: 'kube-apiserver-kubelet-client' }, now);
  const server = createTlsServer({ cert: pair.certificate, key: pair.key, ca: ca.certificate, requestCert: true });
  const met: unknown[] = [];
  server.on('secureConnection', (socket: TLSSocket) =>
    met.push([socket.isSessionReused(), socket.authorized, socket.getPeerCertificate().subject.CN]),
  );
  using target = await backend(server, (socket) => socket.resume().on('end', () => socket.end('hello')));
  const tls = tlsAgent({ ca: ca.certificate, certificate: me.certificate, key: me.key });
  for (const _ of [1, 2]) {
    using client = await clientPair();
    const spliced = splice(client.near, Buffer.alloc(0), { ...targetAt(target.port), tls }, never);
    client.far.end();
    assert.match(await textOf(client.far), /hello$/);
    await spliced;
  }
  const name = 'kube-apiserver-kubelet-client';
  assert.deepEqual(met, [
    [false, true, name],
    [true, true, name],
  ]);
  using second = await clientPair();
  const stranger = tlsAgent({ ca: (await createCa('ca', now)).certificate });
  await assert.rejects(
    splice(second.near, Buffer.alloc(0), { ...targetAt(target.port), tls: stranger }, never),
    SpliceError,
  );
});

test('splice: what one side has said before it breaks off still reaches the other', async () => {
  const heard: string[] = [];
  const slow = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      if (chunk.length > 0) heard.push(chunk.toString());
      setTimeout(done, 20);
    },
  });
  const breaking = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
  const joined = join(slow, breaking, never);
  for (const word of ['last', 'words']) breaking.push(word);
  await new Promise((resolve) => setImmediate(resolve));
  breaking.destroy(new Error('reset'));
  await joined;
  assert.deepEqual([heard.join(' '), slow.destroyed], ['last words', true]);
});
