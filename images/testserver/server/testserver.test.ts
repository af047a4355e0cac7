import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { X509Certificate, createPrivateKey } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { get } from 'node:https';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { Client, credentials } from '@grpc/grpc-js';
import { parseArguments } from '#images/testserver/server/arguments.ts';
import { selfSigned } from '#images/testserver/server/certificate.ts';
import { durationMs } from '#images/testserver/server/duration.ts';

const main = join(import.meta.dirname, 'main.ts');

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

/** The real program; `line(text)` waits until it has printed that. */
function start(args: readonly string[]) {
  const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  const ended = once(child, 'exit').then(([code]) => Number(code));
  return {
    child,
    ended,
    output: () => output,
    line: async (text: string) => {
      while (!output.split('\n').includes(text))
        await Promise.race([once(child.stdout, 'data'), ended.then(() => assert.fail(`ended, saying ${output}`))]);
    },
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

async function serving(args: readonly string[] = []) {
  const [http, https, tcp, grpc] = [await freePort(), await freePort(), await freePort(), await freePort()];
  const program = start([
    'serve',
    '--http',
    String(http),
    '--https',
    String(https),
    '--tcp',
    String(tcp),
    '--grpc',
    String(grpc),
    ...args,
  ]);
  await program.line('serving');
  const page = async (path: string, init?: RequestInit) => {
    const response = await fetch(`http://127.0.0.1:${http}${path}`, { redirect: 'manual', ...init });
    return { status: response.status, text: (await response.text()).trim(), headers: response.headers };
  };
  return { ...program, page, https, tcp, grpc };
}

test('testserver: HTTP does what the path says', async () => {
  await using server = await serving();
  assert.equal((await server.page('/status/503')).status, 503);
  const before = performance.now();
  assert.equal((await server.page('/status/201?after=80ms')).status, 201);
  assert.ok(performance.now() - before >= 75);
  assert.equal((await server.page('/redirect?to=%2Fready&status=307')).headers.get('location'), '/ready');
  assert.equal(JSON.parse((await server.page('/headers', { headers: { 'x-test': 'yes' } })).text)['x-test'], 'yes');
  assert.equal((await server.page('/echo', { method: 'POST', body: 'again' })).text, 'again');
  assert.equal((await server.page('/nothing')).status, 404);
  assert.equal((await server.page('/status/99')).status, 400);
  await assert.rejects(server.page('/close'));
  await assert.rejects(server.page('/hang', { signal: AbortSignal.timeout(50) }), { name: 'TimeoutError' });
  assert.equal(JSON.parse((await server.page('/requests')).text)['/status/503'], 1);
});

test('testserver: toggles turn pages and gRPC health', async () => {
  await using server = await serving(['--off', 'db']);
  const health = new Client(`127.0.0.1:${server.grpc}`, credentials.createInsecure());
  const check = (service: string, method = 'Check'): Promise<number | string> =>
    new Promise((resolve) => {
      const request =
        service === '' ? Buffer.alloc(0) : Buffer.concat([Buffer.from([0x0a, service.length]), Buffer.from(service)]);
      const same = (bytes: Buffer): Buffer => bytes;
      health.makeUnaryRequest(`/grpc.health.v1.Health/${method}`, same, same, request, (error, answer) =>
        resolve(error ? `error ${error.code}` : answer![1]!),
      );
    });
  assert.deepEqual(
    [await check(''), await check('db'), await check('unknown'), await check('', 'Watch')],
    [1, 2, 'error 5', 'error 12'],
  );
  assert.equal((await server.page('/ready')).status, 200);
  await server.page('/toggle/ready/off');
  await server.page('/toggle/db/on');
  assert.equal((await server.page('/ready')).status, 503);
  assert.deepEqual([await check(''), await check('db')], [2, 1]);
  health.close();
});

test('testserver: what is off can be on after a while', async () => {
  await using server = await serving(['--off', 'live', '--on-after', '300ms']);
  while ((await server.page('/live')).status !== 200) await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal((await server.page('/live')).status, 200);
});

test('testserver: TCP echoes, HTTPS has a certificate of its own', async () => {
  await using server = await serving();
  const socket = connect(server.tcp, '127.0.0.1').end('hello');
  const [echoed] = await once(socket, 'data');
  assert.equal(String(echoed), 'hello');
  const status = await new Promise((resolve, reject) => {
    get(
      { host: '127.0.0.1', port: server.https, path: '/status/204', rejectUnauthorized: false, agent: false },
      (response) => resolve(response.resume().statusCode),
    ).on('error', reject);
  });
  assert.equal(status, 204);
});

test('testserver: the certificate is one', () => {
  const { key, cert } = selfSigned('testserver');
  const read = new X509Certificate(cert);
  assert.ok(read.verify(read.publicKey) && read.checkPrivateKey(createPrivateKey(key)));
  assert.deepEqual([read.subject, read.subjectAltName], ['CN=testserver', 'DNS:testserver']);
  assert.ok(read.validFromDate.getTime() <= Date.now() && read.validToDate.getTime() > Date.now());
});

test('testserver: ends with the code it is told, by its arguments or over HTTP', async () => {
  assert.equal(await start(['exit', '--code', '7', '--after', '20ms']).ended, 7);
  assert.equal(await start(['wait', '--exit-after', '20ms', '--exit-code', '4']).ended, 4);
  assert.equal(await start(['bogus']).ended, 64);
  const server = await serving();
  assert.equal((await server.page('/exit?code=3')).text, 'ending with 3');
  assert.equal(await server.ended, 3);
});

test('testserver: signals are noted, obeyed late or ignored', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'peapod-signals-'));
  const log = join(folder, 'log');
  await using program = start([
    'serve',
    '--http',
    '0',
    '--https',
    '0',
    '--tcp',
    '0',
    '--grpc',
    '0',
    '--ignore',
    'SIGINT',
    '--end-after',
    '50ms',
    '--exit-code',
    '9',
    '--signal-log',
    log,
  ]);
  await program.line('serving');
  for (const signal of ['SIGHUP', 'SIGINT'] as const) {
    program.child.kill(signal);
    await program.line(`signal ${signal}`);
  }
  program.child.kill('SIGTERM');
  assert.equal(await program.ended, 9);
  const lines = readFileSync(log, 'utf8').trim().split('\n');
  assert.deepEqual(
    lines.map((line) => line.split(' ')[0]),
    ['SIGHUP', 'SIGINT', 'SIGTERM'],
  );
  rmSync(folder, { recursive: true });
});

test('testserver: holds as much memory as it is told', async () => {
  await using program = start(['allocate', '24', '--step', '16', '--every', '1ms']);
  await program.line('holding 24 MiB');
  assert.equal(program.output(), 'holding 16 MiB\nholding 24 MiB\n');
});

test('testserver: prints its environment and arguments', async () => {
  const env = start(['env', 'PATH', 'NOT_THERE']);
  await env.ended;
  assert.equal(env.output(), `PATH=${process.env['PATH']}\nNOT_THERE=\n`);
  const args = start(['args', 'a b', '--ignore', '$(X)']);
  await args.ended;
  assert.equal(args.output(), 'a b\n--ignore\n$(X)\n');
});

const wrong = [
  { name: 'an unknown signal', args: ['wait', '--ignore', 'SIGNOTHING'], want: '"SIGNOTHING" is not a signal' },
  { name: 'a code above 255', args: ['exit', '--code', '256'], want: '"256" is not a whole number from 0 to 255' },
  {
    name: 'a duration without unit',
    args: ['exit', '--after', '5'],
    want: '"5" is not a duration like 250ms, 2s or 1m',
  },
];
for (const { name, args, want } of wrong)
  test(`testserver's arguments: ${name} is refused`, () =>
    assert.deepEqual(parseArguments(args), { kind: 'wrong', why: want }));

test('duration: milliseconds, seconds, minutes', () =>
  assert.deepEqual(['250ms', '1.5s', '2m'].map(durationMs), [250, 1500, 120_000]));
