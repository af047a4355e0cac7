import assert from 'node:assert/strict';
import test from 'node:test';
import type { Event, Pod } from '#api/generated/core-v1.ts';
import { eventResource, nodeResource } from '#client/resources.ts';
import { NODE, SmallCluster } from '#test/integration/support/small-cluster.ts';

const signal = new AbortController().signal;
/** The node of these tests has 4 cpus. */
const asking = (cpu: string) => ({ containers: [{ name: 'main', image: 'nginx', resources: { requests: { cpu } } }] });
const phases = async (cluster: SmallCluster, ...names: readonly string[]): Promise<readonly (string | undefined)[]> =>
  Promise.all(names.map(async (name) => (await cluster.pod(name))?.status?.phase));
const label = (cluster: SmallCluster, labels: Record<string, string | null>): Promise<unknown> =>
  cluster.client.patch(nodeResource, { name: NODE }, { kind: 'merge', body: { metadata: { labels } } }, signal);

test('admission: a pod bound by hand that does not fit has failed, and nothing is made for it', async () => {
  await using cluster = await SmallCluster.start();
  await cluster.run('big', asking('5'));
  await cluster.advance(2000);
  const pod = await cluster.pod('big');
  const message = "Node didn't have enough resource: cpu, requested: 5000, used: 0, capacity: 4000";
  const { conditions, startTime, ...status } = pod!.status!;
  assert.deepEqual(status, {
    observedGeneration: 1,
    phase: 'Failed',
    reason: 'OutOfcpu',
    message: `Pod was rejected: ${message}`,
    qosClass: 'Burstable',
  });
  assert.ok(startTime);
  assert.deepEqual(
    conditions?.map(({ type }) => type),
    ['PodScheduled'],
  );
  assert.deepEqual(await cluster.runtime.sandboxes.list({}, signal), []);
  assert.deepEqual(await cluster.files.found(), []);
  const selection = { namespace: 'default', fieldSelector: 'involvedObject.kind=Pod' };
  const events = await cluster.client.list<Event>(eventResource, selection, signal);
  assert.deepEqual(
    events.items.map(({ type, reason, message: said }) => ({ type, reason, said })),
    [{ type: 'Warning', reason: 'OutOfcpu', said: message }],
  );
  await cluster.remove('big');
  assert.equal(await cluster.pod('big'), undefined);
  await cluster.advance(5000);
  assert.deepEqual(cluster.troubles, []);
});

test('admission: who has ended makes room, who is ending does not yet', async () => {
  await using cluster = await SmallCluster.start({
    behaviour: ({ container: { name } }) => ({
      run: name === 'short' ? { kind: 'exits', code: 0, afterMs: 1000 } : { kind: 'forever' },
      stopAfterMs: 3000,
      output: [],
    }),
  });
  await cluster.run('first', asking('3'));
  await cluster.run('second', asking('3'));
  await cluster.advance(2000);
  assert.deepEqual(await phases(cluster, 'first', 'second'), ['Running', 'Failed']);
  await cluster.remove('first');
  await cluster.run('third', asking('3'));
  assert.deepEqual(await phases(cluster, 'third'), ['Failed']);
  await cluster.advance(10_000);
  assert.deepEqual(await phases(cluster, 'first'), [undefined]);
  await cluster.run('fourth', {
    ...asking('3'),
    restartPolicy: 'Never',
    containers: [{ ...asking('3').containers[0]!, name: 'short' }],
  });
  await cluster.advance(2000);
  assert.deepEqual(await phases(cluster, 'fourth'), ['Succeeded']);
  await cluster.run('fifth', asking('3'));
  await cluster.advance(2000);
  assert.deepEqual(await phases(cluster, 'fifth'), ['Running']);
});

test('admission: a kubelet that begins anew lets those go on that were let in, and keeps its word to the others', async () => {
  await using cluster = await SmallCluster.start();
  await cluster.run('fast', { ...asking('2'), nodeSelector: { disk: 'ssd' } });
  assert.equal((await cluster.pod('fast'))?.status?.reason, 'NodeAffinity');
  await label(cluster, { disk: 'ssd' });
  await cluster.run('adopted', { ...asking('2'), nodeSelector: { disk: 'ssd' } });
  await cluster.advance(2000);
  assert.deepEqual(await phases(cluster, 'adopted'), ['Running']);
  const rejected = await cluster.pod('fast');
  await cluster.stopKubelet();
  await label(cluster, { disk: null });
  const containers = await cluster.runtime.containers.list({}, signal);
  // Older than what runs by name, and it would take its place if order of creation were all.
  await cluster.run('a-late-one', asking('3'));
  cluster.startKubelet();
  await cluster.settled();
  await cluster.advance(40_000);
  assert.deepEqual(await phases(cluster, 'adopted', 'a-late-one'), ['Running', 'Failed']);
  assert.deepEqual(await cluster.runtime.containers.list({}, signal), containers);
  assert.deepEqual(await cluster.pod('fast'), rejected, 'not a word more is said of it');
});

test('admission: a pod that was let in a moment before a crash is let in still', async () => {
  await using cluster = await SmallCluster.start();
  await cluster.run('quick', { ...asking('1'), containers: [{ name: 'main', image: 'nginx' }] });
  // Its status was not written yet; what was made for it is there.
  const before: Pod = (await cluster.pod('quick'))!;
  await cluster.stopKubelet();
  await cluster.client.patch(
    nodeResource,
    { name: NODE },
    { kind: 'merge', body: { spec: { taints: [{ key: 'k', effect: 'NoExecute' }] } } },
    signal,
  );
  await cluster.client.patch(
    { group: '', version: 'v1', plural: 'pods', kind: 'Pod', namespaced: true },
    { namespace: 'default', name: 'quick', subresource: 'status' },
    { kind: 'merge', body: { status: { startTime: null, phase: 'Pending', containerStatuses: null } } },
    signal,
  );
  cluster.startKubelet();
  await cluster.settled();
  await cluster.advance(5000);
  const after = await cluster.pod('quick');
  assert.equal(after?.status?.phase, 'Running');
  assert.equal(after?.status?.containerStatuses?.[0]?.containerID, before.status?.containerStatuses?.[0]?.containerID);
  await cluster.run('new', { containers: [{ name: 'main', image: 'nginx' }] });
  assert.equal((await cluster.pod('new'))?.status?.reason, 'TaintToleration');
});
