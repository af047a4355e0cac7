/** What docs/simulated.md promises of scripted containers, on a clock that moves when told to. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { Event, Pod } from '#api/generated/core-v1.ts';
import { eventResource, podResource } from '#client/resources.ts';
import { SmallCluster } from '#test/integration/support/small-cluster.ts';

const signal = new AbortController().signal;
const main = (pod: Pod | undefined) => pod?.status?.containerStatuses?.[0];
const events = async (cluster: SmallCluster): Promise<readonly string[]> =>
  (await cluster.client.list<Event>(eventResource, { namespace: 'default' }, signal)).items.map(
    ({ type, reason, message }) => `${type} ${reason} ${message}`,
  );
const script = (annotations: Readonly<Record<string, string>>): { annotations: Record<string, string> } => ({
  annotations: Object.fromEntries(
    Object.entries(annotations).map(([key, text]) => [`simulated.peapod.dev/${key}`, text]),
  ),
});
const containers = [{ name: 'main', image: 'nginx' }];

test('simulated: five minutes of back-off pass in milliseconds', async (t) => {
  await using cluster = await SmallCluster.start();
  await cluster.run('crash', { containers }, script({ 'main.exit-code': '1', 'main.exit-after': '1s' }));
  // Once at once; then each waits twice as long as the one before, up to five minutes.
  const waits = [0, 10, 20, 40, 80, 160, 300, 300];
  let shortest = Infinity;
  for (const [restarts, seconds] of waits.entries()) {
    await cluster.advance(500 + seconds * 1000);
    const { state, restartCount } = main(await cluster.pod('crash'))!;
    assert.equal(restartCount, restarts, `half a second before the wait of ${seconds} s is over`);
    if (seconds === 300) assert.match(state?.waiting?.message ?? '', /^back-off 5m0s restarting failed container=main/);
    const began = performance.now();
    await cluster.advance(500);
    if (seconds === 300) shortest = Math.min(shortest, performance.now() - began);
    assert.equal(main(await cluster.pod('crash'))?.restartCount, restarts + 1, `after ${seconds} s`);
  }
  t.diagnostic(`the restart after five minutes took ${shortest.toFixed(1)} ms`);
  assert.ok(shortest < 1000);
  assert.deepEqual(cluster.troubles, []);
});

test('simulated: a container that crashes twice and then runs', async () => {
  await using cluster = await SmallCluster.start();
  const told = { 'main.exit-code': '3 4 never', 'main.exit-after': '1s', 'main.exit-message': 'no database' };
  await cluster.run('settles', { containers }, script(told));
  await cluster.advance(600_000);
  const status = main(await cluster.pod('settles'));
  assert.deepEqual([status?.restartCount, status?.ready], [2, true]);
  const { exitCode, reason, message } = status?.lastState?.terminated ?? {};
  assert.deepEqual([exitCode, reason, message], [4, 'Error', 'no database']);
});

test('simulated: who uses more memory than it may is OOMKilled', async () => {
  await using cluster = await SmallCluster.start();
  const limited = [{ name: 'main', image: 'nginx', resources: { limits: { memory: '64Mi' } } }];
  const told = script({ 'main.memory': '10Mi 5s:64Mi 8s:65Mi' });
  await cluster.run('leaks', { restartPolicy: 'Never', containers: limited }, told);
  await cluster.run('unlimited', { containers }, told);
  await cluster.advance(7900);
  const [stats] = await cluster.runtime.stats.containers({}, signal);
  assert.equal(stats?.memory?.workingSetBytes, 64 * 2 ** 20);
  assert.equal((await cluster.pod('leaks'))?.status?.phase, 'Running');
  await cluster.advance(200);
  const { reason, exitCode } = main(await cluster.pod('leaks'))?.state?.terminated ?? {};
  assert.deepEqual([reason, exitCode], ['OOMKilled', 137]);
  assert.equal((await cluster.pod('unlimited'))?.status?.phase, 'Running');
});

test('simulated: who writes more to its layer than it may is evicted', async () => {
  await using cluster = await SmallCluster.start();
  const limits = { 'ephemeral-storage': '10Mi' };
  const limited = ['main', 'side'].map((name) => ({ name, image: 'nginx', resources: { limits } }));
  await cluster.run('greedy', { containers: limited }, script({ 'main.disk': '1Mi 15s:11Mi' }));
  await cluster.advance(12_000);
  assert.equal((await cluster.pod('greedy'))?.status?.phase, 'Running');
  await cluster.advance(10_000);
  const { phase, message } = (await cluster.pod('greedy'))?.status ?? {};
  assert.deepEqual([phase, message], ['Failed', 'Container main exceeded its local ephemeral storage limit "10Mi". ']);
});

test('simulated: pulls, sandboxes and starts take their time, and pulls fail as often as told', async () => {
  await using cluster = await SmallCluster.start();
  const slow = { 'sandbox-after': '2s', 'pull-after': '3s', 'main.start-after': '4s' };
  await cluster.run('slow', { containers }, script(slow));
  // The image is pulled while the sandbox is made.
  await cluster.advance(6900);
  assert.equal(main(await cluster.pod('slow'))?.state?.waiting?.reason, 'ContainerCreating');
  await cluster.advance(300);
  assert.equal(main(await cluster.pod('slow'))?.ready, true);
  const failing = {
    'pull-error': 'registry is down',
    'pull-error-reason': 'RegistryUnavailable',
    'pull-error-times': '2',
  };
  await cluster.run('pulls', { containers: [{ name: 'main', image: 'other' }] }, script(failing));
  assert.equal(main(await cluster.pod('pulls'))?.state?.waiting?.reason, 'ErrImagePull');
  await cluster.advance(11_000);
  assert.equal(main(await cluster.pod('pulls'))?.ready, false);
  await cluster.advance(20_000);
  assert.equal(main(await cluster.pod('pulls'))?.ready, true);
  await cluster.run('no-network', { containers }, script({ 'sandbox-error': 'plugin says no' }));
  assert.ok((await events(cluster)).some((event) => /FailedCreatePodSandBox .*plugin says no$/.test(event)));
});

test('simulated: a mistake in a script is told where people look, and mended there', async () => {
  await using cluster = await SmallCluster.start();
  await cluster.run('typo', { containers }, script({ 'main.exit-after': 'soon', 'main.exit-code': '1' }));
  const message = 'annotation "simulated.peapod.dev/main.exit-after": "soon" is no time: write 250ms, 5s or 1m30s';
  const waiting = main(await cluster.pod('typo'))?.state?.waiting;
  assert.deepEqual([waiting?.reason, waiting?.message], ['CreateContainerError', message]);
  await cluster.advance(1000);
  assert.ok((await events(cluster)).includes(`Warning Failed Error: ${message}`));
  const body = { metadata: { annotations: { 'simulated.peapod.dev/main.exit-after': '1h' } } };
  await cluster.client.patch(podResource, { namespace: 'default', name: 'typo' }, { kind: 'merge', body }, signal);
  await cluster.advance(60_000);
  assert.equal(main(await cluster.pod('typo'))?.ready, true);
  await cluster.run('stranger', { containers }, script({ 'mian.exit-code': '1' }));
  await cluster.advance(1000);
  const stranger = 'annotation "simulated.peapod.dev/mian.exit-code": the pod has no container "mian", only main';
  assert.ok((await events(cluster)).some((event) => event.endsWith(stranger)));
  await cluster.run('pull', { containers: [{ name: 'main', image: 'new' }] }, script({ 'pull-error-times': 'x' }));
  assert.match(main(await cluster.pod('pull'))?.state?.waiting?.message ?? '', /pull-error-times": "x" is no number/);
});

test('simulated: lines come when they are due, until the container ends', async () => {
  const written: string[] = [];
  const began = Date.parse('2026-01-01T00:00:00Z');
  await using cluster = await SmallCluster.start({
    log: {
      opened: (path) => written.push(`${path.split('/').slice(-2).join('/')}:`),
      wrote: (_path, { at, stream, text }) => written.push(`${(at - began) / 1000} ${stream} ${text}`),
    },
  });
  const log = 'up\n2s stderr: slow query\nevery 3s: tick\n';
  const told = script({ 'main.log': log, 'main.exit-code': '0', 'main.exit-after': '7s' });
  await cluster.run('says', { restartPolicy: 'Never', containers }, told);
  await cluster.advance(60_000);
  assert.deepEqual(written, ['main/0.log:', '0 stdout up', '2 stderr slow query', '3 stdout tick', '6 stdout tick']);
});
