import assert from 'node:assert/strict';
import { createServer } from 'node:http2';
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net';
import test from 'node:test';
import { FakeClock } from '#lib/fake-clock.ts';
import { ConnectionError, HttpClient } from '#wire/http-client.ts';

test('http2 connection: a server that was cut off without a word is given up after 45 s, one that answers is not', async (t) => {
  const server = createServer((_request, response) => void response.writeHead(200).write('x'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // A link that can be cut: bytes then go nowhere, and neither side is told.
  let cut = (): void => {};
  let answers = 0;
  const link = createTcpServer((near) => {
    const far = connect((server.address() as AddressInfo).port, '127.0.0.1');
    for (const end of [near, far]) end.setNoDelay(true).on('error', () => {});
    near.pipe(far).pipe(near);
    far.on('data', () => answers++);
    near.once('close', () => far.destroy());
    cut = () => {
      near.unpipe().resume();
      far.unpipe().resume();
    };
  });
  await new Promise<void>((resolve) => link.listen(0, '127.0.0.1', resolve));
  const clock = new FakeClock();
  const { port } = link.address() as AddressInfo;
  const client = new HttpClient({ kind: 'tcp', host: '127.0.0.1', port }, clock);
  t.after(() => {
    client[Symbol.dispose]();
    link.close();
    server.close();
  });
  const never = new AbortController().signal;
  const watch = await client.stream({ method: 'GET', path: '/', headers: {} }, never);
  const failures: unknown[] = [];
  const watching = (async () => {
    for await (const chunk of watch.chunks) assert.equal(chunk.length, 1);
  })().catch((error: unknown) => failures.push(error));

  const breathe = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 100));
  for (let round = 0; round < 3; round++) {
    const before = answers;
    await clock.advance(30_000);
    while (answers === before) await breathe();
    await breathe();
  }
  assert.equal(failures.length, 0, 'it answers');
  cut();
  await clock.advance(30_000);
  await breathe();
  await clock.advance(14_999);
  assert.equal(failures.length, 0, 'not yet');
  await clock.advance(1);
  await watching;
  const [failure] = failures;
  assert.ok(failure instanceof ConnectionError);
  assert.match(failure.message, /does not answer any more/);
});
