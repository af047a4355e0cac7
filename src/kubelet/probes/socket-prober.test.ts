import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createServer as createHttp2Server, type ServerHttp2Stream } from 'node:http2';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import test from 'node:test';
import { aContainer } from '#kubelet/fixtures.ts';
import type { ContainerId } from '#cri/runtime.ts';
import { type NetworkCall, probeCall, UnaskableError } from '#kubelet/probes/probe-call.ts';
import { SocketProber } from '#kubelet/probes/socket-prober.ts';
import { realClock } from '#lib/clock.ts';

const signal = new AbortController().signal;
const options = { container: 'c' as ContainerId, timeoutMs: 2000 };
const prober = new SocketProber(realClock);
const host = '127.0.0.1';

async function listening(server: Server): Promise<AsyncDisposable & { readonly port: number }> {
  server.listen(0, host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { port, [Symbol.asyncDispose]: async () => void server.close() };
}
const http = (port: number, path: string, headers: readonly (readonly [string, string])[] = []): NetworkCall => ({
  kind: 'http',
  scheme: 'http',
  host,
  port,
  path,
  headers,
});

test('SocketProber: HTTP is judged by status; redirects are followed to the same host only', async () => {
  const seen: Record<string, unknown>[] = [];
  const server = createServer((request, response) => {
    seen.push(request.headers);
    const [, what = '', to] = /^\/(\w+)(?:\?(.*))?$/.exec(request.url!) ?? [];
    if (what === 'hang') return;
    if (what === 'loop') return void response.writeHead(302, { location: '/loop' }).end();
    if (to !== undefined) return void response.writeHead(302, { location: to }).end('moved');
    response.writeHead(Number(what)).end('body');
  });
  await using at = await listening(server);
  const ask = (path: string, headers: readonly (readonly [string, string])[] = [], timeoutMs = 2000) =>
    prober.ask(http(at.port, path, headers), { ...options, timeoutMs }, signal);
  assert.deepEqual(await ask('/200'), { outcome: 'success', status: 200, output: 'body' });
  assert.equal((await ask('/399')).outcome, 'success');
  assert.deepEqual(await ask('/503'), {
    outcome: 'failure',
    status: 503,
    output: 'HTTP probe failed with statuscode: 503',
  });
  assert.equal((await ask('/x?/200')).outcome, 'success');
  assert.equal((await ask('/x?/404')).outcome, 'failure');
  const away = await ask('/x?http://0.0.0.0/');
  assert.deepEqual([away.outcome, away.output], ['warning', 'Probe terminated redirects, Response body: moved']);
  assert.match((await ask('/loop')).output, /stopped after 10 redirects/);
  const late = await ask('/hang', [], 50);
  assert.match(late.output, /^Get "http:.*\/hang": context deadline exceeded/);
  assert.equal(late.outcome, 'failure');
  await ask('/200', [
    ['Host', 'example.test'],
    ['X-A', '1'],
    ['User-Agent', ''],
  ]);
  assert.equal(seen[0]!['user-agent'], 'kube-probe/1.36');
  assert.equal(seen[0]!['connection'], 'close');
  const split = await ask('/200', [['X-A', 'a\r\nX-B: b']]);
  assert.deepEqual(
    [split.outcome, split.output],
    ['failure', `Get "http://${host}:${at.port}/200": net/http: invalid header field value for "X-A"`],
  );
  const last = seen.at(-1)!;
  assert.deepEqual([last['host'], last['x-a'], last['user-agent']], ['example.test', '1', undefined]);
  server.closeAllConnections();
});

test('SocketProber: TCP succeeds where somebody listens, and a cancelled question is no answer', async () => {
  const at = await listening(createTcpServer((socket) => socket.destroy()));
  const call: NetworkCall = { kind: 'tcp', host, port: at.port };
  assert.equal((await prober.ask(call, options, signal)).outcome, 'success');
  await at[Symbol.asyncDispose]();
  assert.deepEqual(await prober.ask(call, options, signal), {
    outcome: 'failure',
    output: `dial tcp ${host}:${at.port}: connect: connection refused`,
  });
  const stop = AbortSignal.abort(new Error('enough'));
  await assert.rejects(prober.ask(call, options, stop), /enough/);
});

test('SocketProber: gRPC health in all its answers', async () => {
  let answer: number | undefined = 1;
  const server = createHttp2Server();
  server.on('stream', (stream: ServerHttp2Stream) => {
    if (answer === undefined) {
      stream.respond({ ':status': 200, 'grpc-status': '12' }, { endStream: true });
      return;
    }
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.end(Buffer.from([0, 0, 0, 0, 2, 8, answer]));
  });
  await using at = await listening(server);
  const ask = () => prober.ask({ kind: 'grpc', host, port: at.port, service: 'db' }, options, signal);
  assert.deepEqual(await ask(), { outcome: 'success', output: 'service healthy' });
  answer = 2;
  assert.deepEqual(await ask(), { outcome: 'failure', output: 'service unhealthy (responded with "NOT_SERVING")' });
  answer = undefined;
  assert.match((await ask()).output, /does not implement the grpc health protocol/);
});

test("probeCall: ports by number, in letters and by name; hosts of one's own", () => {
  const container = aContainer('main', { ports: [{ name: 'web', containerPort: 8080 }] });
  const target = { id: 'c' as ContainerId, container, podIP: '10.0.0.1' };
  const tcp = (port: number | string) => probeCall({ tcpSocket: { port } }, target);
  assert.deepEqual(tcp('web'), { kind: 'tcp', host: '10.0.0.1', port: 8080 });
  assert.deepEqual(tcp('99'), { kind: 'tcp', host: '10.0.0.1', port: 99 });
  for (const bad of ['nosuch', 0, 70_000]) assert.throws(() => tcp(bad), UnaskableError);
  assert.deepEqual(probeCall({ httpGet: { port: 'web', path: 'a?b=c', host: 'h', scheme: 'HTTPS' } }, target), {
    kind: 'http',
    scheme: 'https',
    host: 'h',
    port: 8080,
    path: '/a?b=c',
    headers: [],
  });
  assert.throws(() => probeCall({ grpc: { port: 1 } }, { ...target, podIP: undefined }), UnaskableError);
});
