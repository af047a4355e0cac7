import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import test from 'node:test';
import { WebSocket } from 'ws';
import type { Pod } from '#api/generated/core-v1.ts';
import type { AttachRequest, ContainerId, ContainerRuntime, ExecRequest, SandboxId } from '#cri/runtime.ts';
import { simulatedRuntime } from '#cri/simulated/simulated-runtime.ts';
import { Refusal } from '#kubelet/server/refusal.ts';
import { streamHandlers } from '#kubelet/server/streams.ts';
import { realClock } from '#lib/clock.ts';
import { H1Exchange } from '#wire/h1-exchange.ts';

const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'one', namespace: 'default', uid: 'u1' },
  spec: {
    containers: [
      { name: 'c', image: 'x' },
      { name: 'tty', image: 'x', tty: true },
    ],
  },
} as unknown as Pod;

const listening = async (server: Server): Promise<number> => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
};

interface World extends Disposable {
  readonly node: number;
  /** What the runtime was asked for over CRI. */
  readonly asked: unknown[];
  /** What its streaming server was sent. */
  readonly upgrades: IncomingMessage[];
  /** The runtime's end of the next connection. */
  reached(): Promise<Duplex>;
}

/** A node's streams between clients and a streaming server that agrees to all, or refuses. */
async function world(refuses = false): Promise<World> {
  const [asked, upgrades, sockets]: [unknown[], IncomingMessage[], Set<Duplex>] = [[], [], new Set()];
  let reached = Promise.withResolvers<Duplex>();
  const streaming = createServer((_, response) => response.writeHead(404).end('no such token'));
  if (!refuses) {
    streaming.on('upgrade', (request, socket) => {
      upgrades.push(request);
      sockets.add(socket.on('error', () => {}));
      const protocol = request.headers['x-stream-protocol-version'];
      const lines = ['HTTP/1.1 101 Switching Protocols', 'Connection: Upgrade', 'Upgrade: SPDY/3.1'];
      socket.write([...lines, `X-Stream-Protocol-Version: ${protocol}`, '', ''].join('\r\n'));
      reached.resolve(socket);
    });
  }
  const runtime = runtimeWith(asked, `http://127.0.0.1:${await listening(streaming)}/token`);
  const node = createServer();
  node.on('upgrade', (request, socket, head) => {
    sockets.add(socket.on('error', () => {}));
    const nobody = { address: '', certificate: undefined, certificateError: undefined };
    const exchange = new H1Exchange(
      request,
      { kind: 'socket', socket },
      () => nobody,
      () => {},
    );
    const url = new URL(request.url!, 'http://node');
    const [, kind = '', container = ''] = url.pathname.split('/');
    const serve = streamHandlers.get(kind)!;
    serve(runtime, { exchange, socket, head, pod, container, query: url.searchParams }).catch((error: unknown) => {
      if (error instanceof Refusal) exchange.respond(error.status, {}, error.message);
    });
  });
  return {
    node: await listening(node),
    asked,
    upgrades,
    async reached() {
      const socket = await reached.promise;
      reached = Promise.withResolvers();
      return socket;
    },
    [Symbol.dispose]() {
      for (const socket of sockets) socket.destroy();
      for (const server of [node, streaming]) server.close();
    },
  };
}

function runtimeWith(asked: unknown[], url: string): ContainerRuntime {
  const runtime = simulatedRuntime({ clock: realClock });
  const told =
    (what: string) =>
    async (...args: readonly unknown[]): Promise<string> => {
      asked.push([what, ...args.slice(0, -1)]);
      return url;
    };
  const running = ['c', 'tty'];
  const containers = {
    list: async ({ labels }: { readonly labels?: Readonly<Record<string, string>> }) =>
      Object.values(labels ?? {}).some((label) => running.includes(label)) ? [{ id: 'id' as ContainerId }] : [],
  };
  const sandboxes = { list: async () => [{ id: 'box' as SandboxId }] };
  const streams = {
    exec: (request: ExecRequest, signal: AbortSignal) => told('exec')(request, signal),
    attach: (request: AttachRequest, signal: AbortSignal) => told('attach')(request, signal),
    portForward: (...args: readonly unknown[]) => told('portForward')(...args),
  };
  return { ...runtime, containers, sandboxes, streams } as unknown as ContainerRuntime;
}

async function refused(port: number, path: string, headers: Readonly<Record<string, string>>): Promise<string> {
  const socket = asking(port, path, headers);
  let all = '';
  for await (const chunk of socket) all += String(chunk);
  return all;
}

function asking(port: number, path: string, headers: Readonly<Record<string, string>>): Socket {
  const socket = connect(port, '127.0.0.1');
  const lines = Object.entries({ Host: 'x', Connection: 'Upgrade', ...headers }).map(
    ([name, value]) => `${name}: ${value}`,
  );
  socket.write([`GET ${path} HTTP/1.1`, ...lines, '', ''].join('\r\n'));
  return socket.on('error', () => {});
}

const webSocket = {
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
} as const;

test('node streams: exec over a WebSocket is SPDY at the runtime; a client that goes takes it along', async () => {
  using here = await world();
  const client = new WebSocket(`ws://127.0.0.1:${here.node}/exec/c?command=sh&command=-c&input=1&output=1&error=1`, [
    'v5.channel.k8s.io',
  ]);
  const first = once(client, 'message');
  const runtime = await here.reached();
  assert.deepEqual([...((await first)[0] as Buffer)], [1], 'it is told that the command is running');
  const command = { container: 'id', command: ['sh', '-c'], stdin: true, stdout: true, stderr: true, tty: false };
  assert.deepEqual(here.asked, [['exec', command]]);
  const { method, url, headers } = here.upgrades[0]!;
  assert.deepEqual([method, url, headers['upgrade']], ['POST', '/token', 'SPDY/3.1']);
  assert.equal(headers['x-stream-protocol-version'], 'v4.channel.k8s.io');
  assert.equal(headers['sec-websocket-key'], undefined);
  const gone = once(runtime.resume(), 'end');
  client.terminate();
  await gone;
});

test('node streams: who speaks SPDY, or channels of old, is joined to the runtime as he is', async () => {
  using here = await world();
  for (const [upgrade, protocol] of [
    ['SPDY/3.1', ''],
    ['websocket', 'channel.k8s.io'],
  ] as const) {
    const socket = asking(here.node, '/exec/c?command=sh&output=1', {
      Upgrade: upgrade,
      'Sec-WebSocket-Protocol': protocol,
    });
    const runtime = await here.reached();
    const request = here.upgrades.at(-1)!;
    assert.deepEqual([request.method, request.headers['upgrade']], ['GET', upgrade]);
    runtime.on('data', (chunk: Buffer) => runtime.write(`back ${chunk.toString()}`));
    await once(socket, 'data');
    socket.write('bytes');
    assert.equal(String((await once(socket, 'data'))[0]), 'back bytes');
    socket.destroy();
  }
});

test('node streams: attach has the terminal that the container has', async () => {
  using here = await world();
  for (const [container, tty] of [
    ['c', false],
    ['tty', true],
  ] as const) {
    const query = 'input=1&output=1&error=1&tty=1';
    const socket = asking(here.node, `/attach/${container}?${query}`, { Upgrade: 'SPDY/3.1' });
    await here.reached();
    socket.destroy();
    const want = { container: 'id', stdin: true, stdout: true, stderr: !tty, tty };
    assert.deepEqual(here.asked.at(-1), ['attach', want], container);
  }
});

test('node streams: port-forward in a WebSocket is its bytes, both ways', async () => {
  using here = await world();
  const socket = asking(here.node, '/portForward?port=80', {
    ...webSocket,
    'Sec-WebSocket-Protocol': 'SPDY/3.1+portforward.k8s.io',
  });
  const runtime = await here.reached();
  assert.deepEqual(here.asked, [['portForward', 'box', [80]]]);
  assert.equal(here.upgrades[0]!.headers['x-stream-protocol-version'], 'portforward.k8s.io');
  const [answer] = (await once(socket, 'data')) as [Buffer];
  assert.match(answer.toString(), /101 [^]*Sec-WebSocket-Protocol: SPDY\/3\.1\+portforward\.k8s\.io/);
  // A masked message of two bytes, with a mask of zeros.
  socket.write(Buffer.from([0x82, 0x82, 0, 0, 0, 0, 0x68, 0x69]));
  assert.equal(String((await once(runtime, 'data'))[0]), 'hi');
  const back = once(socket, 'data');
  runtime.write('there');
  assert.deepEqual((await back)[0], Buffer.from([0x82, 5, ...Buffer.from('there')]));
  const closing = once(socket, 'data');
  runtime.end();
  assert.deepEqual((await closing)[0], Buffer.from([0x88, 2, 0x03, 0xe8]), 'a normal end');
  socket.destroy();
});

test('node streams: what cannot be is said before anything is agreed to', async () => {
  const tunnelled = { ...webSocket, 'Sec-WebSocket-Protocol': 'SPDY/3.1+portforward.k8s.io' };
  const v5 = { ...webSocket, 'Sec-WebSocket-Protocol': 'v5.channel.k8s.io' };
  const cases = [
    { path: '/exec/gone?command=sh&output=1', headers: v5, want: /500 [^]*container not found \("gone"\)$/ },
    { path: '/attach/gone?output=1', headers: v5, want: /500 [^]*container gone not found in pod one_default$/ },
    { path: '/exec/c?output=1', headers: v5, want: /400 [^]*you must specify at least 1 command for the container$/ },
    { path: '/exec/c?command=sh', headers: v5, want: /400 [^]*at least 1 of stdin, stdout, stderr$/ },
    { path: '/exec/c?command=sh&output=1', headers: v5, want: /404 [^]*no such token$/ },
    { path: '/portForward?port=x', headers: tunnelled, want: /400 [^]*invalid port "x"$/ },
    { path: '/portForward?port=80', headers: tunnelled, want: /404 [^]*no such token$/ },
  ];
  using here = await world(true);
  for (const { path, headers, want } of cases) assert.match(await refused(here.node, path, headers), want, path);
});
