import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import type { Duplex } from 'node:stream';
import test from 'node:test';
import { WebSocket } from 'ws';
import { H1Exchange } from '#wire/h1-exchange.ts';
import { acceptWebSocket, isWebSocketRequest, offeredProtocols } from '#wire/websocket.ts';

const slash = 'SPDY/3.1+portforward.k8s.io';
const nobody = { address: '', certificate: undefined, certificateError: undefined };

interface Serving extends AsyncDisposable {
  readonly port: number;
  readonly accepted: Promise<Duplex>;
}

async function serving(protocol: string): Promise<Serving> {
  const server: Server = createServer();
  const { promise: accepted, resolve, reject } = Promise.withResolvers<Duplex>();
  accepted.catch(() => {});
  server.on('upgrade', (request, socket, head) => {
    const exchange = new H1Exchange(
      request,
      { kind: 'socket', socket },
      () => nobody,
      () => {},
    );
    acceptWebSocket(exchange, { socket, head }, protocol).then(resolve, reject);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    port: (server.address() as AddressInfo).port,
    accepted,
    async [Symbol.asyncDispose]() {
      await accepted.then((stream) => stream.destroy()).catch(() => {});
      server.closeAllConnections();
      server.close();
    },
  };
}

const dial = (port: number, protocol: string): WebSocket => new WebSocket(`ws://127.0.0.1:${port}/`, [protocol]);

test('websocket: which requests, which protocols', () => {
  assert.ok(isWebSocketRequest({ headers: { upgrade: 'WebSocket' } }));
  assert.ok(!isWebSocketRequest({ headers: { upgrade: 'SPDY/3.1' } }));
  assert.deepEqual(offeredProtocols({ 'sec-websocket-protocol': 'a, b,,c ' }), ['a', 'b', 'c']);
  assert.deepEqual(offeredProtocols({}), []);
});

test('websocket: messages come and go whole, and the end is a normal one', async () => {
  await using server = await serving('v5.channel.k8s.io');
  const client = dial(server.port, 'v5.channel.k8s.io');
  await once(client, 'open');
  assert.equal(client.protocol, 'v5.channel.k8s.io');
  const stream = await server.accepted;
  const messages: string[] = [];
  stream.on('data', (message: Buffer) => messages.push(message.toString()));
  client.send(Buffer.alloc(0));
  client.send(Buffer.from('one'));
  client.send('two');
  const came = once(client, 'message');
  stream.write('back');
  assert.equal(String((await came)[0]), 'back');
  const closed = once(client, 'close');
  stream.end();
  assert.equal((await closed)[0], 1000);
  await once(stream, 'close');
  assert.deepEqual(messages, ['', 'one', 'two']);
});

test('websocket: a client that closes or vanishes ends the stream', async () => {
  for (const go of ['close', 'terminate'] as const) {
    await using server = await serving('v5.channel.k8s.io');
    const client = dial(server.port, 'v5.channel.k8s.io');
    await once(client, 'open');
    const stream = await server.accepted;
    stream.on('error', () => {});
    const ended = once(stream.resume(), 'end');
    client[go]();
    await ended;
  }
});

test('websocket: nobody reads, so the client is held back', async () => {
  await using server = await serving('v5.channel.k8s.io');
  const client = dial(server.port, 'v5.channel.k8s.io');
  await once(client, 'open');
  const stream = await server.accepted;
  for (let index = 0; index < 400; index++) client.send(Buffer.alloc(64 * 1024));
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.ok(stream.readableLength < 20, `${stream.readableLength} messages wait`);
  assert.ok(client.bufferedAmount > 1 << 20, 'the rest waits at the client');
  let got = 0;
  for await (const message of stream) {
    got += (message as Buffer).length;
    if (got === 400 * 64 * 1024) break;
  }
});

test('websocket: a protocol with a slash in it is agreed to', async () => {
  await using server = await serving(slash);
  const socket = connect(server.port, '127.0.0.1');
  const lines = ['GET / HTTP/1.1', 'Host: x', 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'];
  const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==';
  socket.write([...lines, key, `Sec-WebSocket-Protocol: ${slash}`, '', ''].join('\r\n'));
  const [answer] = (await once(socket, 'data')) as [Buffer];
  assert.match(
    answer.toString(),
    /^HTTP\/1\.1 101 [^]*\r\nSec-WebSocket-Protocol: SPDY\/3\.1\+portforward\.k8s\.io\r\n/,
  );
  assert.match(answer.toString(), /\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r\n/);
  socket.destroy();
});

test('websocket: no proper handshake is answered so', async () => {
  await using server = await serving('v5.channel.k8s.io');
  const socket = connect(server.port, '127.0.0.1');
  socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
  const [answer] = (await once(socket, 'data')) as [Buffer];
  assert.match(answer.toString(), /^HTTP\/1\.1 400 /);
  await assert.rejects(server.accepted, /Sec-WebSocket/);
});
