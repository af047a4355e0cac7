import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type ClientHttp2Session } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * The API server beside a bare node:http2 server that does the same I/O with the same bytes, in one run: requests a second with 32
 * connections, and CPU for each event delivered to many watchers. Prints one JSON line a measurement:
 * the medians, and ours as a ratio of the bare server's.
 *
 *   bin/node test/bench/server.ts [--watchers 1000] [--rounds 3]
 */
const option = (name: string, otherwise: number): number => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? otherwise : Number(process.argv[at + 1]);
};
const WATCHERS = option('watchers', 1000);
const ROUNDS = option('rounds', 3);
const CONNECTIONS = 32;
const REQUESTS = 4000;
const EVENTS = 300;
const EVERY_MS = 10;

interface Side {
  readonly child: ChildProcess;
  readonly open: () => Promise<ClientHttp2Session>;
}

const body = (name: string): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: 'default' },
    data: { text: 'x'.repeat(1000) },
  });

async function start(kind: 'peapod' | 'bare', directory: string): Promise<Side> {
  const child = fork(join(import.meta.dirname, 'server-child.ts'), [kind, directory]);
  const [{ port, ca, cert, key }] = (await once(child, 'message')) as [Record<string, string>];
  const open = async (): Promise<ClientHttp2Session> => {
    const session = connect(`https://127.0.0.1:${port}`, { ca: ca!, cert: cert!, key: key! });
    session.on('error', () => {});
    await once(session, 'connect');
    return session;
  };
  return { child, open };
}

async function cpuMicros({ child }: Side): Promise<number> {
  child.send({ ask: 'cpu' });
  const [{ cpu }] = (await once(child, 'message')) as [{ cpu: NodeJS.CpuUsage }];
  return cpu.user + cpu.system;
}

function request(session: ClientHttp2Session, method: string, path: string, sent?: string): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const stream = session.request({
    ':method': method,
    ':path': path,
    ...(sent ? { 'content-type': 'application/json' } : {}),
  });
  let status = 0;
  stream.on('response', (headers) => (status = headers[':status']!));
  stream.on('data', () => {});
  stream.on('end', () => resolve(status)).on('error', reject);
  stream.end(sent);
  return promise;
}

/** Requests a second over 32 connections, one at a time on each. */
async function throughput(side: Side, make: (n: number) => readonly [string, string, string?]): Promise<number> {
  const sessions = await Promise.all(Array.from({ length: CONNECTIONS }, side.open));
  let next = 0;
  const begun = performance.now();
  await Promise.all(
    sessions.map(async (session) => {
      while (next < REQUESTS) {
        const [method, path, sent] = make(next++);
        const status = await request(session, method, path, sent);
        if (status >= 300) throw new Error(`${method} ${path}: ${status}`);
      }
    }),
  );
  const perSecond = (REQUESTS / (performance.now() - begun)) * 1000;
  for (const session of sessions) session.close();
  return perSecond;
}

const COLLECTION = '/api/v1/namespaces/default/configmaps';

/** CPU microseconds for each event delivered. */
async function fanOut(side: Side, kind: 'peapod' | 'bare', round: number): Promise<number> {
  const sessions = await Promise.all(Array.from({ length: WATCHERS }, side.open));
  let seen = 0;
  const done = Promise.withResolvers<void>();
  for (const session of sessions) {
    const stream = session.request({
      ':path': `/api/v1/namespaces/default/configmaps?watch=1&resourceVersion=${revision}`,
    });
    stream.on('data', (chunk: Buffer) => {
      for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) seen++;
      if (seen >= WATCHERS * EVENTS) done.resolve();
    });
    stream.on('error', () => {});
    await once(stream, 'response');
  }
  const before = await cpuMicros(side);
  if (kind === 'bare') side.child.send({ ask: 'events', count: EVENTS, everyMs: EVERY_MS });
  else await writeEvents(side, round);
  await done.promise;
  const used = (await cpuMicros(side)) - before;
  for (const session of sessions) session.destroy();
  return used / (WATCHERS * EVENTS);
}

let revision = '';

async function writeEvents(side: Side, round: number): Promise<void> {
  const session = await side.open();
  const pending: Promise<number>[] = [];
  const begun = performance.now();
  for (let n = 0; n < EVENTS; n++) {
    const due = begun + n * EVERY_MS;
    if (due > performance.now())
      await new Promise((resolve) => setTimeout(resolve, Math.max(1, due - performance.now())));
    pending.push(request(session, 'POST', COLLECTION, body(`event-${round}-${n}`)));
  }
  await Promise.all(pending);
  session.close();
}

async function newest(side: Side): Promise<string> {
  const session = await side.open();
  const stream = session.request({ ':path': '/api/v1/nodes' });
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  session.close();
  return (JSON.parse(Buffer.concat(chunks).toString()) as { metadata: { resourceVersion: string } }).metadata
    .resourceVersion;
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!;

const noted = new Map<string, { peapod: number[]; bare: number[] }>();

function note(what: string, kind: 'peapod' | 'bare', value: number): void {
  const sides = noted.get(what) ?? { peapod: [], bare: [] };
  sides[kind].push(value);
  noted.set(what, sides);
}

async function measure(side: Side, kind: 'peapod' | 'bare', round: number): Promise<void> {
  note('gets a second', kind, await throughput(side, () => ['GET', `${COLLECTION}/got`]));
  note('creates a second', kind, await throughput(side, (n) => ['POST', COLLECTION, body(`c-${round}-${n}`)]));
  if (kind === 'peapod') revision = await newest(side);
  note('CPU µs a delivered event', kind, await fanOut(side, kind, round));
}

const directory = await mkdtemp(join(tmpdir(), 'peapod-bench-server-'));
const sides: Side[] = [];
try {
  const peapod = await start('peapod', directory);
  sides.push(peapod);
  const bare = await start('bare', directory);
  sides.push(bare);
  const session = await peapod.open();
  await request(session, 'POST', COLLECTION, body('got'));
  session.close();
  // Both have been compiled by then: what is compared is how they run.
  for (const [side, name] of [
    [peapod, 'p'],
    [bare, 'b'],
  ] as const) {
    await throughput(side, () => ['GET', `${COLLECTION}/got`]);
    await throughput(side, (n) => ['POST', COLLECTION, body(`warm-${name}-${n}`)]);
  }
  for (let round = 0; round < ROUNDS; round++) {
    await measure(peapod, 'peapod', round);
    await measure(bare, 'bare', round);
  }
  for (const [what, { peapod: ours, bare: theirs }] of noted) {
    const [value, floor] = [median(ours), median(theirs)];
    console.log(JSON.stringify({ what, peapod: round2(value), bare: round2(floor), ratio: round2(value / floor) }));
  }
} finally {
  for (const { child } of sides) child.kill();
  await rm(directory, { recursive: true, force: true });
}
process.exit(0);

function round2(value: number): number {
  return Math.round(value * 100) / 100;
}
