import assert from 'node:assert/strict';
import test from 'node:test';
import type { Pod } from '#api/generated/core-v1.ts';
import { createClient } from '#client/api-client.ts';
import { FakeServer } from '#client/fake-server.ts';
import { aPod } from '#kubelet/fixtures.ts';
import { KnownServices } from '#kubelet/known-services.ts';
import { FakeClock, settle } from '#lib/fake-clock.ts';

const signal = new AbortController().signal;
const podIn = (namespace: string, annotations = {}): Pod => {
  const pod = aPod();
  return { ...pod, metadata: { ...pod.metadata, namespace, annotations } };
};

test('known services: a container waits for the first list, a while, and then is told why', async () => {
  const clock = new FakeClock();
  const server = new FakeServer();
  server.unreachable = new Error('down');
  const services = new KnownServices(createClient(server), clock);
  const stop = new AbortController();
  const running = services.run(stop.signal);

  const refused = assert.rejects(services.of(podIn('default'), signal), {
    name: 'StepFailure',
    reason: 'CreateContainerConfigError',
    message: 'services have not yet been read at least once, cannot construct envvars',
  });
  await settle();
  await clock.advance(5000);
  await refused;

  assert.deepEqual(await services.of(podIn('default', { 'kubernetes.io/config.source': 'file' }), signal), []);

  const called = new AbortController();
  const reason = new Error('the pod goes');
  const off = assert.rejects(services.of(podIn('default'), called.signal), reason);
  called.abort(reason);
  await off;

  server.unreachable = undefined;
  server.put('web');
  await clock.advance(60_000);
  const names = async (namespace: string): Promise<readonly string[]> =>
    (await services.of(podIn(namespace), signal)).map(({ metadata }) => metadata.name);
  assert.deepEqual(await names('default'), ['web']);
  assert.deepEqual(await names('elsewhere'), []);
  stop.abort();
  await running;
  assert.equal(clock.sleeping, 0);
});

test('known services: one that asks before the first list has it when that comes', async () => {
  const clock = new FakeClock();
  const server = new FakeServer();
  server.put('web');
  const services = new KnownServices(createClient(server), clock);
  const waiting = services.of(podIn('default'), signal);
  const stop = new AbortController();
  const running = services.run(stop.signal);
  assert.equal((await waiting).length, 1);
  stop.abort();
  await running;
  assert.equal(clock.sleeping, 0);
});
