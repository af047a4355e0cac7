import assert from 'node:assert/strict';
import test from 'node:test';
import { ApiError, notFound } from '#api/errors.ts';
import type { Event } from '#api/generated/core-v1.ts';
import type { Uid } from '#api/meta.ts';
import type { ApiRequest, ApiResponse, Transport } from '#api/transport.ts';
import { createClient } from '#client/api-client.ts';
import { createEventRecorder } from '#client/event-recorder.ts';
import type { EventRecorder, Regarding } from '#client/events.ts';
import { eventResource } from '#client/resources.ts';
import { FakeClock, settle } from '#lib/fake-clock.ts';

/** Keeps what it is sent; `fail` may throw first. The real server's part is tested in test/integration. */
class Sink implements Transport {
  readonly requests: ApiRequest[] = [];
  fail: (request: ApiRequest) => void = () => {};

  async call(request: ApiRequest): Promise<ApiResponse> {
    this.requests.push(request);
    this.fail(request);
    return { status: 201, body: { kind: 'Event', metadata: { name: 'x' } } };
  }
  watch(): never {
    throw new Error('events are not watched by who records them');
  }
}

const pod: Regarding = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', namespace: 'shop', uid: 'u1' as Uid },
};
const pulled = {
  type: 'Normal',
  reason: 'Pulled',
  message: 'Image is here',
  fieldPath: 'spec.containers{web}',
} as const;

interface World extends AsyncDisposable {
  readonly sink: Sink;
  readonly clock: FakeClock;
  readonly recorder: EventRecorder;
  readonly errors: unknown[];
}
function start(): World {
  const sink = new Sink();
  const clock = new FakeClock(Date.parse('2026-01-31T09:05:07.250Z'));
  const errors: unknown[] = [];
  const client = createClient(sink);
  const onError = (error: unknown): void => void errors.push(error);
  const recorder = createEventRecorder({
    client,
    clock,
    source: { component: 'kubelet', host: 'n1' },
    onError,
    random: () => 0.5,
  });
  const stop = new AbortController();
  const running = recorder.run(stop.signal);
  const dispose = async (): Promise<void> => {
    stop.abort();
    await running;
  };
  return { sink, clock, recorder, errors, [Symbol.asyncDispose]: dispose };
}
const never = new AbortController().signal;

test('EventRecorder: writes an event as upstream does', async () => {
  await using world = start();
  world.recorder.record(pod, pulled);
  await world.recorder.flushed(never);
  const [request] = world.sink.requests;
  assert.equal(request?.path, '/api/v1/namespaces/shop/events');
  const { metadata, ...event } = request.body as Event;
  assert.match(metadata.name, /^web\.[0-9a-f]{16}$/);
  assert.deepEqual(event, {
    apiVersion: 'v1',
    kind: 'Event',
    involvedObject: {
      kind: 'Pod',
      namespace: 'shop',
      name: 'web',
      uid: 'u1',
      apiVersion: 'v1',
      fieldPath: 'spec.containers{web}',
    },
    type: 'Normal',
    reason: 'Pulled',
    message: 'Image is here',
    source: { component: 'kubelet', host: 'n1' },
    reportingComponent: 'kubelet',
    reportingInstance: 'n1',
    firstTimestamp: '2026-01-31T09:05:07Z',
    lastTimestamp: '2026-01-31T09:05:07Z',
    count: 1,
  });
});

test('EventRecorder: what is about a cluster-scoped object stands in namespace default', async () => {
  await using world = start();
  world.recorder.record(
    { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } },
    { type: 'Normal', reason: 'NodeReady', message: 'up' },
  );
  await world.recorder.flushed(never);
  assert.equal(world.sink.requests[0]?.path, '/api/v1/namespaces/default/events');
});

test('EventRecorder: two different events in one millisecond have two names', async () => {
  await using world = start();
  world.recorder.record(pod, pulled);
  world.recorder.record(pod, { ...pulled, message: 'other' });
  await world.recorder.flushed(never);
  const names = world.sink.requests.map(({ body }) => (body as Event).metadata.name);
  assert.equal(new Set(names).size, 2);
});

test('EventRecorder: a repetition patches count, message and time of the first', async () => {
  await using world = start();
  world.recorder.record(pod, pulled);
  await world.clock.advance(60_000);
  world.recorder.record(pod, pulled);
  await world.recorder.flushed(never);
  const [created, patched] = world.sink.requests;
  const { name } = (created!.body as Event).metadata;
  assert.equal(patched?.path, `/api/v1/namespaces/shop/events/${name}`);
  assert.equal(patched.contentType, 'application/strategic-merge-patch+json');
  assert.deepEqual(patched.body, { count: 2, message: 'Image is here', lastTimestamp: '2026-01-31T09:06:07Z' });
});

test('EventRecorder: a repetition of one that has expired makes it anew, with its count', async () => {
  await using world = start();
  world.recorder.record(pod, pulled);
  await world.recorder.flushed(never);
  world.sink.fail = ({ method }) => {
    if (method === 'PATCH') throw notFound(eventResource, 'x');
  };
  world.recorder.record(pod, pulled);
  await world.recorder.flushed(never);
  assert.deepEqual(
    world.sink.requests.map(({ method }) => method),
    ['POST', 'PATCH', 'POST'],
  );
  assert.equal((world.sink.requests[2]!.body as Event).count, 2);
  assert.deepEqual(world.recorder.dropped, { spam: 0, overflow: 0, failed: 0 });
});

test('EventRecorder: twelve tries, ten seconds apart, while the server is away', async () => {
  await using world = start();
  world.sink.fail = () => {
    throw new ApiError('ServiceUnavailable', 'away');
  };
  world.recorder.record(pod, pulled);
  await world.clock.advance(5_000 + 9 * 10_000);
  assert.equal(world.sink.requests.length, 11);
  assert.equal(world.recorder.dropped.failed, 0);
  await world.clock.advance(10_000);
  assert.equal(world.sink.requests.length, 12);
  assert.deepEqual(world.recorder.dropped, { spam: 0, overflow: 0, failed: 1 });
  assert.equal(world.errors.length, 1);
});

test('EventRecorder: what the server refuses is not tried again', async () => {
  await using world = start();
  world.sink.fail = () => {
    throw new ApiError('Forbidden', 'namespace is being terminated');
  };
  world.recorder.record(pod, pulled);
  await world.recorder.flushed(never);
  assert.equal(world.sink.requests.length, 1);
  assert.equal(world.recorder.dropped.failed, 1);
});

test('EventRecorder: recording never waits; a full queue drops and counts', async () => {
  await using world = start();
  world.sink.fail = () => {
    throw new ApiError('ServiceUnavailable', 'away');
  };
  const node = (n: number): Regarding => ({ ...pod, metadata: { ...pod.metadata, name: `web-${n}` } });
  for (let n = 0; n < 1_010; n++) world.recorder.record(node(n), pulled);
  await settle();
  assert.equal(world.recorder.dropped.overflow, 10);
});

test('EventRecorder: an object that causes too many is cut short, and that is counted', async () => {
  await using world = start();
  for (let n = 0; n < 30; n++) world.recorder.record(pod, pulled);
  await world.recorder.flushed(never);
  assert.equal(world.sink.requests.length, 25);
  assert.equal(world.recorder.dropped.spam, 5);
});

test('EventRecorder: flushed ends with its signal; a second run is refused', async () => {
  await using world = start();
  world.sink.fail = () => {
    throw new ApiError('ServiceUnavailable', 'away');
  };
  world.recorder.record(pod, pulled);
  await assert.rejects(world.recorder.flushed(AbortSignal.timeout(1)), { name: 'TimeoutError' });
  await assert.rejects(world.recorder.run(never), /running already/);
});
