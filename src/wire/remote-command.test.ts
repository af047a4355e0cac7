import assert from 'node:assert/strict';
import { duplexPair, type Duplex } from 'node:stream';
import test from 'node:test';
import { constants, inflateSync } from 'node:zlib';
import fc from 'fast-check';
import {
  bridgeRemoteCommand,
  channelMessage,
  parseClientMessage,
  remoteCommandProtocol,
  type RemoteCommandProtocol,
} from '#wire/remote-command.ts';
import { data } from '#wire/spdy/frames.ts';
import { SpdyConnection } from '#wire/spdy/spdy-connection.ts';

const v5 = 'v5.channel.k8s.io';
const v4 = 'v4.channel.k8s.io';
const never = new AbortController().signal;
const all = { stdin: true, stdout: true, stderr: true, tty: false } as const;

test('remote command: the best protocol both sides speak', () => {
  assert.equal(remoteCommandProtocol([v4, v5]), v5);
  assert.equal(remoteCommandProtocol(['channel.k8s.io', v4]), v4);
  assert.equal(remoteCommandProtocol(['base64.channel.k8s.io']), undefined);
});

test('remote command: messages', () => {
  const cases: readonly { name: string; message: readonly number[]; protocol: RemoteCommandProtocol; want: string }[] =
    [
      { name: 'data', message: [0, 1, 2], protocol: v5, want: 'data stdin 0102' },
      { name: 'no data', message: [4], protocol: v5, want: 'data resize ' },
      { name: 'empty', message: [], protocol: v5, want: 'nothing' },
      { name: 'a channel that nobody knows', message: [9, 1], protocol: v5, want: 'nothing' },
      { name: 'the end of a channel', message: [255, 0], protocol: v5, want: 'end stdin' },
      { name: 'the end of no channel', message: [255], protocol: v5, want: 'nonsense' },
      { name: 'the end of an unknown channel', message: [255, 7], protocol: v5, want: 'nonsense' },
      { name: 'ends of two', message: [255, 0, 1], protocol: v5, want: 'nonsense' },
      { name: 'version 4 knows no end', message: [255, 0], protocol: v4, want: 'nothing' },
    ];
  for (const { name, message, protocol, want } of cases) {
    const said = parseClientMessage(Buffer.from(message), protocol);
    const channel = 'channel' in said ? ` ${said.channel}` : '';
    const bytes = said.kind === 'data' ? ` ${Buffer.from(said.bytes).toString('hex')}` : '';
    assert.equal(`${said.kind}${channel}${bytes}`, want, name);
  }
});

test('remote command: what is framed can be read again', () => {
  const channel = fc.constantFrom('stdin', 'stdout', 'stderr', 'error', 'resize');
  fc.assert(
    fc.property(channel, fc.uint8Array(), (name, bytes) => {
      const said = parseClientMessage(channelMessage(name as 'stdin', bytes), v5);
      assert.deepEqual(said, { kind: 'data', channel: name, bytes: Buffer.from(bytes) });
    }),
  );
});

/** RST_STREAM, byte by byte: only servers send it. */
function reset(stream: number, status: number): Buffer {
  const frame = Buffer.from('80030003000000080000000000000000', 'hex');
  frame.writeUInt32BE(stream, 8);
  frame.writeUInt32BE(status, 12);
  return frame;
}

/** A runtime's streaming server as far as one command goes: what came on which stream, and a pen for each. */
class FakeRuntime {
  readonly end: Duplex;
  readonly #socket: Duplex;
  readonly #heard = new Map<string, { text: string; ended: boolean }>();
  readonly #ids = new Map<string, number>();
  #unread = Buffer.alloc(0);
  #blocks = Buffer.alloc(0);
  #told = 0;

  constructor() {
    [this.end, this.#socket] = duplexPair();
    this.#socket.on('data', (chunk: Buffer) => this.#read(chunk)).on('error', () => {});
  }

  get streams(): readonly string[] {
    return [...this.#ids.keys()];
  }

  get gone(): boolean {
    return this.end.destroyed;
  }

  heard(stream: string): { readonly text: string; readonly ended: boolean } {
    return this.#heard.get(stream)!;
  }

  say(stream: string, text: string, last = false): void {
    for (const piece of data(this.#ids.get(stream)!, Buffer.from(text), last)) this.#socket.write(piece);
  }

  /** As Go's server ends: every stream is reset, then the connection goes. */
  finish(): void {
    for (const id of this.#ids.values()) this.#socket.write(reset(id, 5));
    this.#socket.end();
  }

  drop(): void {
    this.#socket.end();
  }

  #read(chunk: Buffer): void {
    this.#unread = Buffer.concat([this.#unread, chunk]);
    while (this.#unread.length >= 8) {
      const [word, length] = [this.#unread.readUInt32BE(0), this.#unread.readUIntBE(5, 3)];
      if (this.#unread.length < 8 + length) return;
      const last = this.#unread[4] === 1;
      const payload = this.#unread.subarray(8, 8 + length);
      this.#unread = this.#unread.subarray(8 + length);
      if (word === 0x80030001) this.#opened(payload);
      else if (word >>> 31 === 0) {
        const name = [...this.#ids].find(([, id]) => id === word)![0];
        const stream = this.#heard.get(name)!;
        stream.text += payload.toString();
        stream.ended ||= last;
      }
    }
  }

  #opened(payload: Buffer): void {
    this.#blocks = Buffer.concat([this.#blocks, payload.subarray(10)]);
    const plain = inflateSync(this.#blocks, { finishFlush: constants.Z_SYNC_FLUSH });
    const name = plain.subarray(this.#told + 22).toString();
    this.#told = plain.length;
    this.#ids.set(name, payload.readUInt32BE(0));
    this.#heard.set(name, { text: '', ended: false });
  }
}

/** A client's end of a WebSocket, by messages. */
function fakeClient(): { readonly near: Duplex; readonly far: Duplex; readonly messages: string[] } {
  const [near, far] = duplexPair({ objectMode: true });
  const messages: string[] = [];
  far.on('data', (message: Buffer) => messages.push(`${message[0]} ${message.subarray(1).toString()}`));
  far.on('error', () => {});
  return { near, far, messages };
}

async function until(what: string, holds: () => boolean): Promise<void> {
  for (let turn = 0; turn < 1000; turn++) {
    if (holds()) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.fail(`never: ${what}`);
}

test('remote command: a command from its start to its end', async () => {
  const [runtime, client] = [new FakeRuntime(), fakeClient()];
  client.far.on('end', () => client.far.end());
  const connection = new SpdyConnection(runtime.end, Buffer.alloc(0));
  const bridged = bridgeRemoteCommand(client.near, connection, { streams: all, protocol: v5 }, never);
  await until('the streams are open', () => runtime.streams.length === 4);
  assert.deepEqual(runtime.streams, ['error', 'stdin', 'stdout', 'stderr']);
  client.far.write(Buffer.from('\0typed'));
  client.far.write(Buffer.from([1, 65]));
  client.far.write(Buffer.from([255, 0]));
  await until('standard input has ended', () => runtime.heard('stdin').ended);
  assert.equal(runtime.heard('stdin').text, 'typed');
  assert.equal(runtime.heard('stdout').text, '');
  runtime.say('stdout', 'out');
  runtime.say('stderr', 'err');
  runtime.say('stdout', ' more', true);
  runtime.say('error', '{"status":"Success"}', true);
  runtime.finish();
  await bridged;
  assert.deepEqual(client.messages, ['1 ', '1 out', '2 err', '1  more', '3 {"status":"Success"}']);
});

test('remote command: a terminal has its size, and no standard error', async () => {
  const [runtime, client] = [new FakeRuntime(), fakeClient()];
  client.far.on('end', () => client.far.end());
  const connection = new SpdyConnection(runtime.end, Buffer.alloc(0));
  const streams = { ...all, stderr: false, tty: true };
  const bridged = bridgeRemoteCommand(client.near, connection, { streams, protocol: v4 }, never);
  await until('the streams are open', () => runtime.streams.length === 4);
  client.far.write(Buffer.from('\u0004{"Width":80,"Height":25}\n'));
  await until('it has its size', () => runtime.heard('resize').text === '{"Width":80,"Height":25}\n');
  runtime.finish();
  await bridged;
});

test('remote command: a runtime that goes without a word has not succeeded', async () => {
  const [runtime, client] = [new FakeRuntime(), fakeClient()];
  client.far.on('end', () => client.far.end());
  const connection = new SpdyConnection(runtime.end, Buffer.alloc(0));
  const bridged = bridgeRemoteCommand(client.near, connection, { streams: all, protocol: v5 }, never);
  await until('the streams are open', () => runtime.streams.length === 4);
  runtime.say('stdout', 'half');
  runtime.drop();
  await bridged;
  assert.deepEqual(client.messages.slice(0, 2), ['1 ', '1 half']);
  assert.match(client.messages[2]!, /^3 .*"status":"Failure".*connection to the container runtime was lost/);
});

test('remote command: a client that goes, or talks nonsense, cuts the runtime’s side', async () => {
  for (const go of ['end', 'destroy', 'nonsense'] as const) {
    const [runtime, client] = [new FakeRuntime(), fakeClient()];
    client.far.on('end', () => client.far.end());
    const connection = new SpdyConnection(runtime.end, Buffer.alloc(0));
    const bridged = bridgeRemoteCommand(client.near, connection, { streams: all, protocol: v5 }, never);
    await until('the streams are open', () => runtime.streams.length === 4);
    if (go === 'end') client.far.end();
    else if (go === 'nonsense') client.far.write(Buffer.from([255]));
    else client.near.destroy();
    await bridged;
    assert.ok(runtime.gone, go);
  }
});

test('remote command: abort cuts both and rejects with the reason', async () => {
  const [runtime, client] = [new FakeRuntime(), fakeClient()];
  const stop = new AbortController();
  const connection = new SpdyConnection(runtime.end, Buffer.alloc(0));
  const bridged = bridgeRemoteCommand(client.near, connection, { streams: all, protocol: v5 }, stop.signal);
  await until('the streams are open', () => runtime.streams.length === 4);
  const reason = new Error('the server is closing');
  stop.abort(reason);
  await assert.rejects(bridged, (error) => error === reason);
  assert.ok(runtime.gone && client.near.destroyed);
});

test('remote command: a client that reads nothing holds the runtime back', async () => {
  const runtime = new FakeRuntime();
  const [near, far] = duplexPair({ objectMode: true, highWaterMark: 2 });
  far.on('error', () => {});
  const connection = new SpdyConnection(runtime.end, Buffer.alloc(0));
  const bridged = bridgeRemoteCommand(near, connection, { streams: all, protocol: v5 }, never);
  await until('the streams are open', () => runtime.streams.length === 4);
  for (let index = 0; index < 200; index++) runtime.say('stdout', 'x'.repeat(16_384));
  for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
  assert.ok(near.writableLength < 20, `${near.writableLength} messages wait`);
  assert.ok(runtime.end.readableLength < 1 << 20);
  let got = 0;
  far.on('data', (message: Buffer) => (got += message.length - 1));
  await until('all has come', () => got === 200 * 16_384);
  far.end();
  await bridged;
});
