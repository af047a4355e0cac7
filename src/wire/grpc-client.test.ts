import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import {
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  createServer,
} from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { GrpcClient } from '#wire/grpc-client.ts';
import { GrpcError, type GrpcCode } from '#wire/grpc-error.ts';
import { FrameError, FrameReader, frame } from '#wire/grpc-frames.ts';

const never = new AbortController().signal;
const options = { deadlineMs: 5000 };
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

class Server implements AsyncDisposable {
  readonly dir = mkdtempSync(join(tmpdir(), 'grpc-'));
  readonly path = join(this.dir, 's');
  readonly seen: IncomingHttpHeaders[] = [];
  readonly #sessions = new Set<ServerHttp2Session>();
  #server: Http2Server | undefined;

  async listen(serve: (stream: ServerHttp2Stream, path: string) => void): Promise<void> {
    const server = (this.#server = createServer());
    server.on('session', (session) => this.#sessions.add(session));
    server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
      stream.on('error', () => {});
      this.seen.push(headers);
      serve(stream, headers[':path'] ?? '');
    });
    await new Promise<void>((resolve) => server.listen(this.path, resolve));
  }

  async stop(): Promise<void> {
    const server = this.#server;
    const closed = new Promise<void>((resolve) => server?.close(() => resolve()));
    for (const session of this.#sessions) session.destroy();
    this.#sessions.clear();
    await closed;
  }

  client(): GrpcClient {
    return new GrpcClient({ kind: 'unix', path: this.path });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    rmSync(this.dir, { recursive: true });
  }
}

const ok = { 'grpc-status': '0' };
function answer(stream: ServerHttp2Stream, messages: readonly string[], trailers: Record<string, string> = ok): void {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers(trailers));
  for (const message of messages) stream.write(frame(Buffer.from(message)));
  stream.end();
}

const failsWith = (code: GrpcCode, description?: string) => (error: unknown) => {
  assert.ok(error instanceof GrpcError, String(error));
  assert.equal(error.code, code, error.message);
  if (description !== undefined) assert.equal(error.description, description);
  return true;
};

test('grpc: a call sends its message with the deadline and gets the answer', async () => {
  await using server = new Server();
  await server.listen((stream) => {
    const frames = new FrameReader(1000);
    stream.on('data', (chunk: Buffer) => frames.push(chunk));
    stream.on('end', () => answer(stream, [`heard ${text(frames.shift() ?? Buffer.alloc(0))}`]));
  });
  await using client = server.client();
  assert.equal(text(await client.unary('/p.S/M', Buffer.from('hi'), options, never)), 'heard hi');
  const [headers] = server.seen;
  const { ':path': path, 'content-type': type, te, 'grpc-timeout': timeout } = headers ?? {};
  assert.deepEqual([path, type, te, timeout], ['/p.S/M', 'application/grpc', 'trailers', '5000m']);
  await client.unary('/p.S/M', Buffer.alloc(0), { deadlineMs: Infinity }, never);
  assert.equal(server.seen[1]?.['grpc-timeout'], undefined);
});

test('grpc: failures have their code and text, wherever the server put them', async () => {
  await using server = new Server();
  await server.listen((stream, path) => {
    const failure = { 'grpc-status': '5', 'grpc-message': 'caf%C3%A9 100% not found' };
    if (path === '/trailers-only')
      stream.respond({ ':status': 200, ...failure, 'grpc-message': 'caf%C3%A9' }, { endStream: true });
    else if (path === '/trailers') answer(stream, [], failure);
    else if (path === '/unknown-code') answer(stream, [], { 'grpc-status': '77' });
    else if (path === '/http') stream.respond({ ':status': 503 }, { endStream: true });
    else if (path === '/nothing') answer(stream, []);
    else stream.close(2);
  });
  await using client = server.client();
  const call = (path: string): Promise<Uint8Array> => client.unary(path, Buffer.alloc(0), options, never);
  await assert.rejects(call('/trailers-only'), failsWith('NotFound', 'café'));
  await assert.rejects(call('/trailers'), failsWith('NotFound', 'caf%C3%A9 100% not found'));
  await assert.rejects(call('/unknown-code'), failsWith('Unknown'));
  await assert.rejects(call('/http'), failsWith('Unavailable'));
  await assert.rejects(call('/nothing'), failsWith('Internal'));
  await assert.rejects(call('/reset'), failsWith('Unavailable'));
  await assert.rejects(call('/trailers'), /^GrpcError: rpc error: code = NotFound desc = caf/);
});

test('grpc: a server that does not answer in time is left, and so is one nobody waits for', async () => {
  const left: number[] = [];
  await using server = new Server();
  await server.listen((stream) => stream.on('close', () => left.push(stream.rstCode)));
  await using client = server.client();
  await assert.rejects(
    client.unary('/slow', Buffer.alloc(0), { deadlineMs: 20 }, never),
    failsWith('DeadlineExceeded'),
  );
  const reason = new Error('changed my mind');
  const abort = new AbortController();
  const call = client.unary('/slow', Buffer.alloc(0), options, abort.signal);
  setTimeout(() => abort.abort(reason), 20);
  await assert.rejects(call, (error) => error === reason);
  await assert.rejects(client.unary('/slow', Buffer.alloc(0), options, abort.signal), (error) => error === reason);
  while (left.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.deepEqual(left, [8, 8], 'both were cancelled at the server');
});

test('grpc: while the server is away calls fail as unavailable; the same client finds it again', async () => {
  await using server = new Server();
  await using client = server.client();
  const call = (): Promise<Uint8Array> => client.unary('/x', Buffer.alloc(0), options, never);
  await assert.rejects(call(), failsWith('Unavailable'));
  await server.listen((stream) => answer(stream, ['one']));
  assert.equal(text(await call()), 'one');
  await server.stop();
  await assert.rejects(call(), failsWith('Unavailable'));
  await server.listen((stream) => answer(stream, ['two']));
  assert.equal(text(await call()), 'two');
  await client[Symbol.asyncDispose]();
  await assert.rejects(call(), failsWith('Unavailable'));
});

test('grpc: a call under way when the server dies is unavailable', async () => {
  await using server = new Server();
  const asked = Promise.withResolvers<void>();
  await server.listen(() => asked.resolve());
  await using client = server.client();
  const failed = assert.rejects(client.unary('/x', Buffer.alloc(0), options, never), failsWith('Unavailable'));
  await asked.promise;
  await server.stop();
  await failed;
});

test('grpc: a stream gives its messages in order, and ends as the server says', async () => {
  await using server = new Server();
  await server.listen((stream, path) => answer(stream, ['a', '', 'c'], path === '/ok' ? ok : { 'grpc-status': '14' }));
  await using client = server.client();
  const collect = async (path: string): Promise<string[]> => {
    const all: string[] = [];
    try {
      for await (const message of client.stream(path, Buffer.alloc(0), never)) all.push(text(message));
    } catch (error) {
      assert.ok(error instanceof GrpcError);
      all.push(error.code);
    }
    return all;
  };
  assert.deepEqual(await collect('/ok'), ['a', '', 'c']);
  assert.deepEqual(await collect('/not-ok'), ['a', '', 'c', 'Unavailable']);
});

test('grpc: a stream can be left, and aborted while it waits; either way the server is told', async () => {
  const closed: string[] = [];
  await using server = new Server();
  await server.listen((stream, path) => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
    stream.write(frame(Buffer.from('first')));
    stream.on('close', () => closed.push(path));
  });
  await using client = server.client();
  for await (const message of client.stream('/left', Buffer.alloc(0), never)) {
    assert.equal(text(message), 'first');
    break;
  }
  const reason = new Error('enough');
  const abort = new AbortController();
  const waiting = (async () => {
    for await (const _ of client.stream('/aborted', Buffer.alloc(0), abort.signal))
      setTimeout(() => abort.abort(reason), 10);
  })();
  await assert.rejects(waiting, (error) => error === reason);
  while (closed.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.deepEqual(closed, ['/left', '/aborted']);
});

test('grpc: a large answer arrives whole', async () => {
  await using server = new Server();
  await server.listen((stream) => answer(stream, ['x'.repeat(20_000_000)]));
  await using client = server.client();
  assert.equal((await client.unary('/large', Buffer.alloc(0), options, never)).length, 20_000_000);
});

test('grpc frames: any cutting of the bytes gives the same messages', () => {
  const messages = ['', 'a', 'x'.repeat(300), '', 'end'];
  const all = Buffer.concat(messages.map((message) => frame(Buffer.from(message))));
  for (const size of [1, 2, 3, 5, 7, 300, all.length]) {
    const reader = new FrameReader(1000);
    const got: string[] = [];
    for (let at = 0; at < all.length; at += size) {
      reader.push(all.subarray(at, at + size));
      for (let next = reader.shift(); next; next = reader.shift()) got.push(text(next));
    }
    assert.deepEqual(got, messages, `in pieces of ${size}`);
  }
});

test('grpc frames: a message that is too large or compressed is refused at its header', () => {
  assert.throws(() => new FrameReader(10).push(frame(Buffer.alloc(11))), FrameError);
  assert.throws(() => new FrameReader(10).push(Buffer.from([1, 0, 0, 0, 1, 0])), FrameError);
});
