import assert from 'node:assert/strict';
import test from 'node:test';
import { nodeResource } from '#client/resources.ts';
import { NODE, SmallCluster } from '#test/integration/support/small-cluster.ts';

const signal = new AbortController().signal;

test('extended resources: what somebody says that a node has may be used until it is taken back, over restarts of its kubelet', async () => {
  await using cluster = await SmallCluster.start();
  const ref = { name: NODE, subresource: 'status' };
  const gives = async (): Promise<readonly unknown[]> => {
    const { capacity, allocatable } = (await cluster.client.get(nodeResource, { name: NODE }, signal))!.status!;
    return ['example.com/seat', 'example.com/desk', 'cpu'].map((name) =>
      [capacity?.[name], allocatable?.[name]].join(),
    );
  };
  const say = async (capacity: object, more: object = {}): Promise<void> => {
    const body = { status: { capacity, ...more } };
    await cluster.client.patch(nodeResource, ref, { kind: 'merge', body }, signal);
    await cluster.settled();
  };
  await say({ 'example.com/seat': '2', 'example.com/desk': '1' });
  assert.deepEqual(await gives(), ['2,2', '1,1', '4,4']);
  const resources = { limits: { 'example.com/seat': '2' } };
  for (const name of ['two', 'too-many']) {
    await cluster.run(name, { containers: [{ name: 'main', image: 'nginx', resources }] });
    await cluster.advance(2_000);
  }
  assert.equal((await cluster.pod('two'))?.status?.phase, 'Running');
  assert.equal((await cluster.pod('too-many'))?.status?.reason, 'OutOfexample.com/seat');
  await cluster.stopKubelet();
  cluster.startKubelet();
  await cluster.advance(600_000);
  assert.deepEqual(await gives(), ['2,2', '1,1', '4,4']);
  await say({ 'example.com/seat': '3', 'example.com/desk': null });
  assert.deepEqual(await gives(), ['3,3', ',', '4,4']);
  await say({ 'example.com/seat': null }, { allocatable: { 'example.com/seat': null, 'example.com/desk': '9' } });
  assert.deepEqual(await gives(), [',', ',', '4,4']);
  await cluster.advance(600_000);
  assert.deepEqual(await gives(), [',', ',', '4,4']);
  assert.deepEqual(cluster.troubles, []);
});
