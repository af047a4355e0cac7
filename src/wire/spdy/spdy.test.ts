import assert from 'node:assert/strict';
import { duplexPair, PassThrough } from 'node:stream';
import test from 'node:test';
import { constants, inflateSync } from 'node:zlib';
import fc from 'fast-check';
import { data, ping, SpdyDecoder, type SpdyFrame, SpdyFault, synStream } from '#wire/spdy/frames.ts';
import { SpdyConnection, type SpdyEvent } from '#wire/spdy/spdy-connection.ts';

/** RST_STREAM, byte by byte: only servers send it. */
function reset(stream: number, status: number): Buffer {
  const frame = Buffer.from('80030003000000080000000000000000', 'hex');
  frame.writeUInt32BE(stream, 8);
  frame.writeUInt32BE(status, 12);
  return frame;
}

const streamId = fc.integer({ min: 1, max: 0x7fffffff });
const sent = fc.oneof(
  fc.record({
    kind: fc.constant('data' as const),
    stream: streamId,
    bytes: fc.uint8Array({ maxLength: 300 }),
    last: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('reset' as const), stream: streamId, status: fc.integer({ min: 1, max: 11 }) }),
  fc.record({ kind: fc.constant('ping' as const), id: fc.integer({ min: 0, max: 0xffffffff }) }),
);

const encode = (frame: SpdyFrame): Buffer => {
  if (frame.kind === 'data') return Buffer.concat([...data(frame.stream, frame.bytes, frame.last)]);
  if (frame.kind === 'reset') return reset(frame.stream, frame.status);
  return frame.kind === 'ping' ? ping(frame.id) : Buffer.alloc(0);
};

/** What came, with the pieces of data frames that follow each other on a stream put together. */
function joined(frames: Iterable<SpdyFrame>): readonly unknown[] {
  const all: { kind: string; [name: string]: unknown }[] = [];
  for (const frame of frames) {
    const before = all.at(-1);
    if (frame.kind === 'data') {
      const bytes = Buffer.from(frame.bytes).toString('hex');
      if (before?.kind === 'data' && before['stream'] === frame.stream && before['last'] === false) {
        before['bytes'] = `${String(before['bytes'])}${bytes}`;
        before['last'] = frame.last;
      } else if (bytes !== '' || frame.last) all.push({ ...frame, bytes });
    } else all.push({ ...frame });
  }
  return all;
}

test('spdy frames: what was sent is what is read, however the bytes are cut', () => {
  fc.assert(
    fc.property(fc.array(sent, { maxLength: 12 }), fc.array(fc.integer({ min: 1, max: 60 })), (frames, cuts) => {
      const bytes = Buffer.concat(frames.map(encode));
      const decoder = new SpdyDecoder();
      const read: SpdyFrame[] = [];
      let at = 0;
      for (const cut of [...cuts, bytes.length]) {
        read.push(...decoder.decode(bytes.subarray(at, at + cut)));
        at += cut;
      }
      assert.deepEqual(joined(read), joined(frames));
    }),
  );
});

test('spdy frames: long data goes as several frames, of which the last is marked', () => {
  const bytes = Buffer.alloc(200_000, 'x');
  const read = [...new SpdyDecoder().decode(Buffer.concat([...data(7, bytes, true)]))];
  assert.deepEqual(
    read.map((frame) => frame.kind === 'data' && [frame.bytes.length, frame.last]),
    [
      [65_536, false],
      [65_536, false],
      [65_536, false],
      [3392, true],
    ],
  );
  assert.deepEqual([...data(7, Buffer.alloc(0), false)], []);
});

test('spdy frames: header blocks are one zlib stream that gives out each block at once', () => {
  const frames = [synStream(1, { streamtype: 'error' }, true), synStream(3, { streamtype: 'stdin', a: 'ü' }, false)];
  assert.equal(frames[0]!.readUInt32BE(0), 0x80030001);
  assert.deepEqual(
    frames.map((frame) => frame.readUInt32BE(8)),
    [1, 3],
  );
  const blocks = frames.map((frame) => frame.subarray(18));
  const first = inflateSync(blocks[0]!, { finishFlush: constants.Z_SYNC_FLUSH });
  const both = inflateSync(Buffer.concat(blocks), { finishFlush: constants.Z_SYNC_FLUSH });
  assert.equal(first.toString('latin1'), '\0\0\0\u0001\0\0\0\nstreamtype\0\0\0\u0005error');
  const second = both.subarray(first.length).toString('utf8');
  assert.equal(second, '\0\0\0\u0002\0\0\0\nstreamtype\0\0\0\u0005stdin\0\0\0\u0001a\0\0\0\u0002ü');
});

test('spdy frames: what says nothing to us is passed over, what is not SPDY is an error', () => {
  const settings = Buffer.from('80030004000000040000000080030009000000080000000100010000', 'hex');
  const goAway = Buffer.from('80030007000000080000000000000000', 'hex');
  assert.deepEqual([...new SpdyDecoder().decode(Buffer.concat([settings, goAway]))], [{ kind: 'going-away' }]);
  const wrong = [
    { name: 'another version', bytes: Buffer.from('8002000100000000', 'hex') },
    { name: 'a control frame without end', bytes: Buffer.from('8003000100ffffff', 'hex') },
    { name: 'a control frame too short', bytes: Buffer.from('800300060000000112', 'hex') },
  ];
  for (const { name, bytes } of wrong) assert.throws(() => [...new SpdyDecoder().decode(bytes)], SpdyFault, name);
});

async function take(events: AsyncIterator<SpdyEvent>): Promise<SpdyEvent | undefined> {
  const next = await events.next();
  return next.done === true ? undefined : next.value;
}

test('spdy connection: pings are answered, streams of our own are told, the end is the end', async () => {
  const [near, far] = duplexPair();
  const connection = new SpdyConnection(near, Buffer.concat([...data(1, Buffer.from('early'), false)]));
  assert.deepEqual([connection.open({ streamtype: 'error' }), connection.open({ streamtype: 'stdout' })], [1, 3]);
  const events = connection.events();
  assert.deepEqual(await take(events), { kind: 'data', stream: 1, bytes: Buffer.from('early'), last: false });
  const answered: Buffer[] = [];
  far.on('data', (chunk: Buffer) => answered.push(chunk));
  far.write(Buffer.concat([ping(1), ping(8), ...data(3, Buffer.from('x'), true), reset(1, 5)]));
  assert.deepEqual(await take(events), { kind: 'data', stream: 3, bytes: Buffer.from('x'), last: true });
  assert.deepEqual(await take(events), { kind: 'reset', stream: 1, status: 5 });
  far.end();
  assert.equal(await take(events), undefined);
  assert.deepEqual(Buffer.concat(answered).subarray(-12), ping(8), 'the odd one was an answer itself');
  await connection.send(3 as ReturnType<SpdyConnection['open']>, Buffer.from('late'), true);
});

test('spdy connection: sending waits for the other side, and not for one that is gone', async () => {
  const socket = new PassThrough({ highWaterMark: 10 });
  const connection = new SpdyConnection(socket, Buffer.alloc(0));
  const stream = connection.open({ streamtype: 'stdin' });
  let done = false;
  const sending = connection.send(stream, Buffer.alloc(100), false).then(() => (done = true));
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(done, false);
  connection.destroy();
  await sending;
  await connection.send(stream, Buffer.alloc(100), true);
});
