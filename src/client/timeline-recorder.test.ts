import assert from 'node:assert/strict';
import test from 'node:test';
import { ApiError, notFound } from '#api/errors.ts';
import type { Uid } from '#api/meta.ts';
import type { PodTimelineEntries } from '#api/peapod/pod-timeline.ts';
import type { ApiRequest, ApiResponse, Transport } from '#api/transport.ts';
import { createClient } from '#client/api-client.ts';
import { podTimelineResource, TimelineRecorder } from '#client/timeline-recorder.ts';
import { FakeClock, settle } from '#lib/fake-clock.ts';
import { Scope } from '#lib/scope.ts';

/** Keeps what it is sent; `fail` may throw first. The real server's part is tested in test/integration. */
class Sink implements Transport {
  readonly bodies: PodTimelineEntries[] = [];
  readonly paths: string[] = [];
  fail: () => void = () => {};

  async call({ body, path }: ApiRequest): Promise<ApiResponse> {
    this.fail();
    this.bodies.push(body as PodTimelineEntries);
    this.paths.push(path);
    return { status: 201, body: { kind: 'Status', status: 'Success', metadata: {} } };
  }
  watch(): never {
    throw new Error('timelines are not watched');
  }
}

const podOf = (uid: string): Parameters<TimelineRecorder['record']>[0] => ({
  metadata: {
    name: `pod-${uid}`,
    namespace: 'shop',
    uid: uid as Uid,
    resourceVersion: '1' as never,
    creationTimestamp: '',
  },
});
const said = (message: string) => ({ type: 'MountFailed', message }) as const;

interface World extends AsyncDisposable {
  readonly clock: FakeClock;
  readonly sink: Sink;
  readonly recorder: TimelineRecorder;
  readonly errors: unknown[];
  messages(): string[];
}

function start(): World {
  const [clock, sink, scope, errors] = [new FakeClock(1000), new Sink(), new Scope(), [] as unknown[]];
  const recorder = new TimelineRecorder({ client: createClient(sink), clock, onError: (error) => errors.push(error) });
  scope.spawn('recorder', (signal) => recorder.run(signal));
  const messages = (): string[] =>
    sink.bodies.flatMap(({ entries }) => entries.map((entry) => (entry.type === 'MountFailed' ? entry.message : '')));
  return { clock, sink, recorder, errors, messages, [Symbol.asyncDispose]: () => scope[Symbol.asyncDispose]() };
}

test('timeline recorder: what is told within a moment goes in one request a pod', async () => {
  await using world = start();
  const { recorder, sink, clock } = world;
  recorder.record(podOf('a'), said('1'));
  recorder.record(podOf('b'), said('2'));
  recorder.record(podOf('a'), said('3'), 500);
  await settle();
  assert.equal(sink.bodies.length, 0);
  await clock.advance(250);
  assert.equal(sink.paths[0], '/apis/peapod.dev/v1alpha1/namespaces/shop/podtimelines/pod-a/entries');
  assert.deepEqual(sink.bodies[0], {
    apiVersion: 'peapod.dev/v1alpha1',
    kind: 'PodTimelineEntries',
    metadata: { name: 'pod-a', namespace: 'shop', uid: 'a' },
    entries: [
      { time: '1970-01-01T00:00:01.000Z', ...said('1') },
      { time: '1970-01-01T00:00:00.500Z', ...said('3') },
    ],
  });
  assert.equal(sink.bodies.length, 2);
  recorder.record(podOf('a'), said('4'));
  await clock.advance(250);
  assert.deepEqual(world.messages(), ['1', '3', '2', '4']);
});

test('timeline recorder: a server that is away is waited for, and the order stays', async () => {
  await using world = start();
  const { recorder, sink, clock } = world;
  sink.fail = () => {
    throw new ApiError('ServiceUnavailable', 'away');
  };
  recorder.record(podOf('a'), said('1'));
  await clock.advance(300);
  recorder.record(podOf('a'), said('2'));
  await clock.advance(2000);
  sink.fail = () => {};
  await clock.advance(10_000);
  assert.deepEqual(world.messages(), ['1', '2']);
  assert.deepEqual(world.errors, []);
});

test('timeline recorder: what is refused is lost and said, but not of a pod that is forgotten', async () => {
  await using world = start();
  const { recorder, sink, clock, errors } = world;
  for (const error of [notFound(podTimelineResource, 'pod-a'), new ApiError('Forbidden', 'not yours')]) {
    sink.fail = () => {
      throw error;
    };
    recorder.record(podOf('a'), said('1'));
    await clock.advance(250);
  }
  sink.fail = () => {};
  recorder.record(podOf('a'), said('2'));
  await clock.advance(250);
  assert.deepEqual(world.messages(), ['2']);
  assert.deepEqual(errors.map(String), ['ApiError: not yours']);
});

test('timeline recorder: too much is lost and counted; a request is bounded', async () => {
  await using world = start();
  const { recorder, sink, clock, errors } = world;
  for (let n = 0; n < 4010; n++) recorder.record(podOf('a'), said(String(n)));
  await clock.advance(250);
  assert.equal(world.messages().length, 4000);
  assert.ok(sink.bodies.every(({ entries }) => entries.length <= 256));
  assert.match(String(errors[0]), /10 entries/);
  recorder.record(podOf('a'), said('after'));
  await clock.advance(250);
  assert.equal(world.messages().at(-1), 'after');
});

test('timeline recorder: when it is stopped it tells what is left', async () => {
  const world = start();
  for (let n = 0; n < 20; n++) world.recorder.record(podOf(String(n)), said('last words'));
  await settle();
  await world[Symbol.asyncDispose]();
  assert.equal(world.messages().length, 20);
});
