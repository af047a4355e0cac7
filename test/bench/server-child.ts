import { createSecureServer, type ServerHttp2Stream } from 'node:http2';
import { realClock } from '#lib/clock.ts';
import { encodeForStore } from '#server/cache/stored.ts';
import { openSqliteStore } from '#store/sqlite/sqlite-store.ts';
import type { StoreKey } from '#store/store.ts';
import { createCa, issue } from '#wire/certificates.ts';
import { serve } from '#test/integration/support/serve.ts';

/**
 * The server side of `server.ts`, in a process of its own so that its CPU can be told apart: `peapod`, or `bare`, a plain node:http2
 * server that does the same I/O with the same bytes and nothing else. Talks to its parent over IPC.
 */
const [kind, directory] = process.argv.slice(2) as ['peapod' | 'bare', string];
const body = (name: string): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: 'default' },
    data: { text: 'x'.repeat(1000) },
  });

process.on('disconnect', () => process.exit(0));
process.on('message', (message: { ask: 'cpu' } | { ask: 'events'; count: number; everyMs: number }) => {
  if (message.ask === 'cpu') process.send!({ cpu: process.cpuUsage() });
  else emit(message.count, message.everyMs);
});
let emit: (count: number, everyMs: number) => void = () => {};

const store = await openSqliteStore(`${directory}/${kind}.db`);
if (kind === 'peapod') {
  const served = await serve({ store, clock: realClock });
  const { certificate, key } = await served.credentials('admin', ['system:masters']);
  process.send!({ port: served.port, ca: served.ca.certificate, cert: certificate, key });
} else await bare();

async function bare(): Promise<void> {
  const ca = await createCa('bench-ca', Date.now());
  const leaf = await issue(ca, { kind: 'server', commonName: 'bench', names: ['127.0.0.1'] }, Date.now());
  const client = await issue(ca, { kind: 'client', commonName: 'bench' }, Date.now());
  const watchers = new Set<ServerHttp2Stream>();
  const got = Buffer.from(encodeForStore(JSON.parse(body('got'))));
  const line = Buffer.concat([Buffer.from('{"type":"MODIFIED","object":'), got, Buffer.from('}\n')]);
  const server = createSecureServer({ cert: leaf.certificate, key: leaf.key, ca: ca.certificate, requestCert: true });
  server.on('stream', (plain, headers) => {
    const stream = plain as ServerHttp2Stream;
    stream.on('error', () => {});
    if (headers[':method'] === 'POST') return void create(stream);
    if (headers[':path']!.includes('watch')) {
      stream.respond({ ':status': 200 });
      watchers.add(stream);
      stream.once('close', () => watchers.delete(stream));
      return;
    }
    stream.respond({ ':status': 200, 'content-type': 'application/json', 'content-length': got.length });
    stream.end(got);
  });
  let made = 0;
  const create = async (stream: ServerHttp2Stream): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk as Buffer);
    const value = Buffer.concat(chunks);
    await store.commit([{ key: `bare/${made++}` as StoreKey, expect: 'absent', value }], 'synced');
    stream.respond({ ':status': 201, 'content-type': 'application/json', 'content-length': value.length });
    stream.end(value);
  };
  emit = (count, everyMs) => {
    let sent = 0;
    const timer = setInterval(() => {
      for (const stream of watchers) stream.write(line);
      if (++sent === count) clearInterval(timer);
    }, everyMs);
  };
  server.listen(0, '127.0.0.1', 1024, () => {
    const { port } = server.address() as { port: number };
    process.send!({ port, ca: ca.certificate, cert: client.certificate, key: client.key });
  });
}
