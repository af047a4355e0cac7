import assert from 'node:assert/strict';
import test from 'node:test';
import type { Event, Pod } from '#api/generated/core-v1.ts';
import { eventResource } from '#client/resources.ts';
import { SmallCluster } from '#test/integration/support/small-cluster.ts';

const signal = new AbortController().signal;
const main = (pod: Pod | undefined) => pod?.status?.containerStatuses?.[0];
const answers = (script: Readonly<Record<string, string>>, more = {}) => ({
  annotations: { 'simulated.peapod.dev/main.answers': JSON.stringify(script), ...more },
});
const events = async (cluster: SmallCluster): Promise<readonly string[]> =>
  (await cluster.client.list<Event>(eventResource, { namespace: 'default' }, signal)).items.map(
    ({ reason, message }) => `${reason} ${message}`,
  );
const exec = { exec: { command: ['hook'] } };
const state = async (cluster: SmallCluster) =>
  (await cluster.runtime.containers.list({}, signal)).map((one) => one.state);

test('hooks: a container counts as running once its postStart hook is done', async () => {
  await using cluster = await SmallCluster.start();
  const lifecycle = { postStart: { sleep: { seconds: 5 } } };
  await cluster.run('web', { containers: [{ name: 'main', image: 'x', lifecycle }] });
  await cluster.advance(4000);
  assert.equal(main(await cluster.pod('web'))?.state?.waiting?.reason, 'ContainerCreating');
  assert.deepEqual(await state(cluster), ['running']);
  await cluster.advance(2000);
  assert.equal(main(await cluster.pod('web'))?.ready, true);
});

test('hooks: a postStart hook that fails kills its container, which is then restarted', async () => {
  await using cluster = await SmallCluster.start();
  const containers = [{ name: 'main', image: 'x', lifecycle: { postStart: exec } }];
  await cluster.run('web', { containers }, answers({ 'exec:hook': 'fail' }));
  await cluster.advance(1000);
  const status = main(await cluster.pod('web'));
  assert.equal(status?.restartCount, 1);
  assert.equal(status?.ready, false);
  const told = await events(cluster);
  for (const one of ['FailedPostStartHook PostStartHook failed', 'Killing FailedPostStartHook'])
    assert.ok(told.includes(one), told.join('\n'));
});

test('hooks: preStop comes before the stop signal and out of the same grace period', async () => {
  await using cluster = await SmallCluster.start();
  const lifecycle = { preStop: { sleep: { seconds: 6 } } };
  await cluster.run(
    'web',
    { terminationGracePeriodSeconds: 10, containers: [{ name: 'main', image: 'x', lifecycle }] },
    answers({}, { 'simulated.peapod.dev/main.stop-after': 'never' }),
  );
  await cluster.remove('web');
  await cluster.advance(5900);
  assert.deepEqual(await state(cluster), ['running']);
  await cluster.advance(3900);
  assert.deepEqual(await state(cluster), ['running'], 'the signal alone does not end it');
  await cluster.advance(2000);
  assert.equal(await cluster.pod('web'), undefined);
});

test('hooks: a preStop that hangs is cut at the deadline, told of, and leaves two seconds', async () => {
  await using cluster = await SmallCluster.start();
  const containers = [{ name: 'main', image: 'x', lifecycle: { preStop: exec } }];
  await cluster.run('web', { terminationGracePeriodSeconds: 4, containers }, answers({ 'exec:hook': 'hang' }));
  await cluster.remove('web');
  await cluster.advance(3900);
  assert.deepEqual(await state(cluster), ['running']);
  await cluster.advance(5000);
  assert.equal(await cluster.pod('web'), undefined);
  assert.ok((await events(cluster)).includes('FailedPreStopHook PreStopHook failed'));
});

test('hooks: a nearer deadline reaches a preStop hook that is under way, and the hook runs once', async () => {
  let ran = 0;
  await using cluster = await SmallCluster.start({
    behaviour: () => ({
      run: { kind: 'forever' },
      stopAfterMs: 0,
      output: [],
      answer: (question) => (question === 'exec:hook' && ran++ >= 0 ? 'hang' : undefined),
    }),
  });
  const containers = [{ name: 'main', image: 'x', lifecycle: { preStop: exec } }];
  await cluster.run('web', { terminationGracePeriodSeconds: 500, containers });
  await cluster.remove('web');
  await cluster.advance(5000);
  assert.deepEqual(await state(cluster), ['running']);
  // Counted from the first request, as everywhere: four seconds are left of these nine.
  await cluster.remove('web', 9);
  await cluster.advance(3000);
  assert.deepEqual(await state(cluster), ['running']);
  await cluster.advance(8000);
  assert.equal(await cluster.pod('web'), undefined);
  assert.equal(ran, 1);
  assert.deepEqual(cluster.troubles, []);
});
