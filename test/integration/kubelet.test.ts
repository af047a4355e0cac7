import assert from 'node:assert/strict';
import test from 'node:test';
import type { Event, Pod } from '#api/generated/core-v1.ts';
import { eventResource, podResource } from '#client/resources.ts';
import type { ContainerBehaviour, PullBehaviour } from '#cri/simulated/behaviour.ts';
import { SmallCluster } from '#test/integration/support/small-cluster.ts';

const signal = new AbortController().signal;
const main = (pod: Pod | undefined) => pod?.status?.containerStatuses?.[0];
const phase = (pod: Pod | undefined): string | undefined => pod?.status?.phase;
const exits = (code: number, afterMs: number): ContainerBehaviour => ({
  run: { kind: 'exits', code, afterMs },
  stopAfterMs: 0,
  output: [],
});

test('kubelet: a pod bound to its node runs, and leaves nothing when it is deleted', async () => {
  await using cluster = await SmallCluster.start();
  await cluster.run('web', { containers: [{ name: 'main', image: 'nginx' }], volumes: [{ name: 'v', emptyDir: {} }] });
  await cluster.settled();
  const running = await cluster.pod('web');
  assert.equal(phase(running), 'Running');
  assert.equal(main(running)?.ready, true);
  assert.match(running?.status?.podIP ?? '', /^10\.88\./);
  assert.deepEqual(await cluster.files.found(), [running!.metadata.uid]);
  await cluster.remove('web');
  await cluster.advance(60_000);
  assert.equal(await cluster.pod('web'), undefined);
  assert.deepEqual(await cluster.runtime.sandboxes.list({}, signal), []);
  assert.deepEqual(await cluster.host.cgroups.list(), []);
  assert.deepEqual(await cluster.files.found(), []);
  assert.deepEqual(cluster.troubles, []);
});

test('kubelet: a container that keeps crashing is restarted at once, then after 10, 20, 40 s', async () => {
  let runs = 0;
  await using cluster = await SmallCluster.start({
    behaviour: () => {
      runs++;
      return exits(3, 100);
    },
  });
  const starts: number[] = [];
  await cluster.run('crash', { containers: [{ name: 'main', image: 'nginx' }] });
  let seen = 0;
  for (let s = 0; s < 80; s++) {
    await cluster.advance(1000);
    if (runs > seen) starts.push(s);
    seen = runs;
  }
  assert.equal(runs, 5);
  const gaps = starts.slice(1).map((at, n) => at - starts[n]!);
  assert.deepEqual(gaps, [10, 20, 40]);
  const status = main(await cluster.pod('crash'));
  assert.equal(status?.state?.waiting?.reason, 'CrashLoopBackOff');
  assert.equal(status?.restartCount, 4);
  assert.equal(status?.lastState?.terminated?.exitCode, 3);
  assert.match(
    status?.state?.waiting?.message ?? '',
    /^back-off 1m20s restarting failed container=main pod=crash_default\(/,
  );
});

test('kubelet: an image that cannot be pulled is named, tried again, and runs once it is there', async () => {
  let answer: PullBehaviour = { kind: 'fails', reason: 'ErrImagePull', message: 'nosuch: not found' };
  await using cluster = await SmallCluster.start({ pull: () => answer });
  await cluster.run('web', { containers: [{ name: 'main', image: 'nosuch' }] });
  await cluster.settled();
  assert.equal(main(await cluster.pod('web'))?.state?.waiting?.reason, 'ErrImagePull');
  await cluster.advance(5000);
  const waiting = main(await cluster.pod('web'))?.state?.waiting;
  assert.equal(waiting?.reason, 'ImagePullBackOff');
  assert.match(waiting?.message ?? '', /^Back-off pulling image "nosuch": ErrImagePull: .*not found/);
  answer = { kind: 'pulled', sizeBytes: 5 };
  await cluster.advance(6000);
  await cluster.settled();
  assert.equal(phase(await cluster.pod('web')), 'Running');
  const events = await cluster.client.list<Event>(eventResource, { namespace: 'default' }, signal);
  const reasons = events.items.map(({ reason }) => reason);
  for (const reason of ['Pulling', 'Failed', 'BackOff', 'Pulled', 'Created', 'Started'])
    assert.ok(reasons.includes(reason), reason);
});

for (const [restartPolicy, code, want] of [
  ['Never', 0, 'Succeeded'],
  ['Never', 4, 'Failed'],
  ['OnFailure', 0, 'Succeeded'],
] as const) {
  test(`kubelet: ${restartPolicy} and exit ${code} ends as ${want}, keeps the dead container, gives back the address`, async () => {
    await using cluster = await SmallCluster.start({ behaviour: () => exits(code, 100) });
    await cluster.run('job', { restartPolicy, containers: [{ name: 'main', image: 'nginx' }] });
    await cluster.advance(1000);
    assert.equal(phase(await cluster.pod('job')), want);
    assert.equal(main(await cluster.pod('job'))?.state?.terminated?.exitCode, code);
    assert.deepEqual(
      (await cluster.runtime.sandboxes.list({}, signal)).map(({ state }) => state),
      ['not-ready'],
    );
    assert.equal((await cluster.runtime.containers.list({}, signal)).length, 1);
    await cluster.advance(3600_000);
    assert.equal(main(await cluster.pod('job'))?.restartCount, 0);
  });
}

test('kubelet: what follows an end begins while the runtime still clears up; it is told when that is done', async () => {
  let runs = 0;
  await using cluster = await SmallCluster.start({
    behaviour: () => (runs++ === 0 ? exits(3, 100) : { run: { kind: 'forever' }, stopAfterMs: 0, output: [] }),
    clearMs: 2000,
  });
  await cluster.run('again', { containers: [{ name: 'main', image: 'nginx' }] });
  await cluster.advance(1000);
  const states = (await cluster.runtime.containers.list({}, signal)).map(({ attempt, state }) => [attempt, state]);
  assert.deepEqual(states.sort(), [
    [0, 'running'],
    [1, 'running'],
  ]);
  assert.equal(main(await cluster.pod('again'))?.restartCount, 0);
  await cluster.advance(2000);
  const told = main(await cluster.pod('again'));
  assert.equal(told?.restartCount, 1);
  assert.equal(told?.lastState?.terminated?.exitCode, 3);
  await cluster.advance(60_000);
  assert.equal(runs, 2);
});

test('kubelet: a pod that is over says so when the runtime has cleared up', async () => {
  await using cluster = await SmallCluster.start({ behaviour: () => exits(0, 100), clearMs: 2000 });
  await cluster.run('job', { restartPolicy: 'Never', containers: [{ name: 'main', image: 'nginx' }] });
  await cluster.advance(1000);
  assert.equal(phase(await cluster.pod('job')), 'Running');
  await cluster.advance(2000);
  assert.equal(phase(await cluster.pod('job')), 'Succeeded');
});

test('kubelet: one that comes after a crash adopts what runs and restarts nothing', async () => {
  await using cluster = await SmallCluster.start();
  await cluster.run('web', { containers: [{ name: 'main', image: 'nginx' }] });
  await cluster.settled();
  const before = await cluster.pod('web');
  await cluster.stopKubelet();
  cluster.startKubelet();
  await cluster.advance(20_000);
  const after = await cluster.pod('web');
  assert.equal(main(after)?.containerID, main(before)?.containerID);
  assert.equal(after?.metadata.resourceVersion, before?.metadata.resourceVersion, 'an adopted pod needs no write');
});

test('kubelet: what was deleted while it was away goes when it is back, and so do orphans', async () => {
  await using cluster = await SmallCluster.start();
  await cluster.run('web', { containers: [{ name: 'main', image: 'nginx' }] });
  await cluster.run('gone', { containers: [{ name: 'main', image: 'nginx' }] });
  await cluster.settled();
  await cluster.stopKubelet();
  await cluster.remove('web');
  await cluster.remove('gone', 0);
  assert.equal(await cluster.pod('gone'), undefined);
  cluster.startKubelet();
  await cluster.settled();
  await cluster.advance(60_000);
  assert.equal(await cluster.pod('web'), undefined);
  assert.deepEqual(await cluster.runtime.sandboxes.list({}, signal), []);
});

test('kubelet: a node that lost everything but the API makes its pods anew and counts on', async () => {
  await using cluster = await SmallCluster.start();
  await cluster.run('web', { containers: [{ name: 'main', image: 'nginx' }] });
  await cluster.settled();
  await cluster.stopKubelet();
  for (const { id } of await cluster.runtime.sandboxes.list({}, signal))
    await cluster.runtime.sandboxes.remove(id, signal);
  const before = await cluster.pod('web');
  cluster.startKubelet();
  await cluster.settled();
  await cluster.advance(2000);
  const after = await cluster.pod('web');
  assert.equal(phase(after), 'Running');
  assert.equal(main(after)?.restartCount, 1);
  assert.notEqual(after?.status?.podIP, before?.status?.podIP);
});

test('kubelet: past its active deadline a pod ends, with the reason', async () => {
  await using cluster = await SmallCluster.start();
  await cluster.run('slow', {
    activeDeadlineSeconds: 5,
    terminationGracePeriodSeconds: 1,
    containers: [{ name: 'main', image: 'nginx' }],
  });
  await cluster.advance(20_000);
  const pod = await cluster.pod('slow');
  assert.equal(phase(pod), 'Failed');
  assert.equal(pod?.status?.reason, 'DeadlineExceeded');
});

test('kubelet: a pod that comes and goes costs six writes of its object', async () => {
  await using cluster = await SmallCluster.start();
  const created = await cluster.run('web', {
    nodeName: '',
    containers: [
      { name: 'a', image: 'x' },
      { name: 'b', image: 'x' },
      { name: 'c', image: 'x' },
    ],
  });
  let writes = 1;
  const stop = new AbortController();
  const watching = (async () => {
    for await (const event of cluster.client.watch<Pod>(
      podResource,
      { resourceVersion: created.metadata.resourceVersion },
      stop.signal,
    )) {
      if (event.type !== 'BOOKMARK') writes++;
    }
  })().catch(() => {});
  const binding = {
    apiVersion: 'v1',
    kind: 'Binding',
    metadata: { name: 'web' },
    target: { kind: 'Node', name: 'node1' },
  };
  await cluster.client.post(
    podResource,
    { namespace: 'default', name: 'web', subresource: 'binding' },
    binding,
    signal,
  );
  await cluster.settled();
  await cluster.advance(5000);
  assert.equal(phase(await cluster.pod('web')), 'Running');
  await cluster.remove('web');
  await cluster.advance(60_000);
  assert.equal(await cluster.pod('web'), undefined);
  stop.abort();
  await watching;
  assert.ok(writes <= 6, `${writes} writes`);
});
