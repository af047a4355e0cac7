import assert from 'node:assert/strict';
import test from 'node:test';
import type { Event, Pod } from '#api/generated/core-v1.ts';
import { eventResource } from '#client/resources.ts';
import { SmallCluster } from '#test/integration/support/small-cluster.ts';

const signal = new AbortController().signal;
const Mi = 2 ** 20;
const how = (pod: Pod | undefined): unknown => [pod?.status?.phase, pod?.status?.reason, pod?.status?.message];
const events = async (cluster: SmallCluster): Promise<readonly string[]> =>
  (await cluster.client.list<Event>(eventResource, { namespace: 'default' }, signal)).items.map(
    ({ type, reason, message }) => `${type} ${reason} ${message}`,
  );

test('eviction: who writes more to an emptyDir than it may hold is ended, and stays so', async () => {
  await using cluster = await SmallCluster.start();
  const volumes = [{ name: 'cache', emptyDir: { sizeLimit: '10Mi' } }];
  const containers = [{ name: 'main', image: 'nginx', volumeMounts: [{ name: 'cache', mountPath: '/cache' }] }];
  const pod = await cluster.run('greedy', { volumes, containers });
  const modest = await cluster.run('modest', { volumes, containers });
  cluster.files.fill(modest, 'cache', 10 * Mi);
  await cluster.advance(30_000);
  assert.equal((await cluster.pod('greedy'))?.status?.phase, 'Running');
  cluster.files.fill(pod, 'cache', 11 * Mi);
  await cluster.advance(10_000);
  const message = 'Usage of EmptyDir volume "cache" exceeds the limit "10Mi". ';
  assert.deepEqual(how(await cluster.pod('greedy')), ['Failed', 'Evicted', message]);
  assert.ok((await events(cluster)).includes(`Warning Evicted ${message}`));
  assert.deepEqual(await cluster.files.found(), [modest.metadata.uid], 'its files are gone');
  await cluster.stopKubelet();
  cluster.startKubelet();
  await cluster.advance(60_000);
  assert.deepEqual(how(await cluster.pod('greedy')), ['Failed', 'Evicted', message]);
  assert.equal((await cluster.pod('modest'))?.status?.phase, 'Running');
  assert.equal((await events(cluster)).filter((event) => event.startsWith('Warning Evicted')).length, 1);
  assert.deepEqual(cluster.troubles, []);
});

test('eviction: a pod gets a second to end in, whatever it asks for, and is not evicted twice', async () => {
  await using cluster = await SmallCluster.start({
    behaviour: () => ({ run: { kind: 'forever' }, stopAfterMs: Infinity, output: [] }),
  });
  const pod = await cluster.run('stubborn', {
    terminationGracePeriodSeconds: 500,
    volumes: [{ name: 'v', emptyDir: { sizeLimit: '1Mi' } }],
    containers: [{ name: 'main', image: 'nginx' }],
  });
  await cluster.settled();
  cluster.files.fill(pod, 'v', 2 * Mi);
  await cluster.advance(10_000);
  assert.equal((await cluster.pod('stubborn'))?.status?.phase, 'Running');
  await cluster.advance(2000);
  const ended = await cluster.pod('stubborn');
  assert.equal(ended?.status?.phase, 'Failed');
  assert.equal(ended?.status?.containerStatuses?.[0]?.state?.terminated?.exitCode, 137);
});
