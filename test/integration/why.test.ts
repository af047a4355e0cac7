import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UserError } from '#cli/user-error.ts';
import { why, whyAll } from '#cli/why.ts';
import { whyText } from '#cli/why-text.ts';
import { podResource } from '#client/resources.ts';
import type { ContainerBehaviour } from '#cri/simulated/behaviour.ts';
import { SmallCluster } from '#test/integration/support/small-cluster.ts';

const signal = new AbortController().signal;
const exits: ContainerBehaviour = { run: { kind: 'exits', code: 3, afterMs: 1000 }, stopAfterMs: 0, output: [] };
const ends: ContainerBehaviour = { ...exits, run: { kind: 'exits', code: 0, afterMs: 10 } };
const runs: ContainerBehaviour = { ...exits, run: { kind: 'forever' } };
const main = { containers: [{ name: 'main', image: 'nginx' }] };
const depsOf = (cluster: SmallCluster) => ({ client: cluster.client, now: () => cluster.clock.now() });
const ask = (cluster: SmallCluster, name: string, namespace: string | undefined = 'default') =>
  why(depsOf(cluster), { name, namespace }, signal);

/** What the sentence says at that moment, second by second of the cluster's own time. */
async function until(cluster: SmallCluster, name: string, want: RegExp): Promise<string> {
  let said = '';
  for (let seconds = 0; seconds < 120; seconds++) {
    await cluster.advance(1000);
    said = (await ask(cluster, name)).sentence;
    if (want.test(said)) return said;
  }
  throw new Error(`never: ${String(want)}; last: ${said}`);
}

test('why: the count-down of a back-off, from the status and from the timeline alike', async () => {
  await using cluster = await SmallCluster.start({ behaviour: () => exits });
  await cluster.run('web', main);
  assert.equal(
    await until(cluster, 'web', /3 times.*next try in 19 s/),
    'main has crashed 3 times, exit 3, without a word; next try in 19 s',
  );
  await cluster.advance(9000);
  const { sentence } = await ask(cluster, 'web');
  assert.equal(sentence, 'main has crashed 3 times, exit 3, without a word; next try in 10 s');
});

test('why: without a pod, those that are not ready; those that are done or well are left out', async () => {
  await using cluster = await SmallCluster.start({
    behaviour: (configs) => (configs.container.name === 'ends' ? ends : runs),
  });
  await cluster.run('well', main);
  await cluster.run('done', { restartPolicy: 'Never', containers: [{ name: 'ends', image: 'nginx' }] });
  await cluster.run('far', { ...main, nodeName: 'ghost' });
  await cluster.advance(5000);
  const { unready, total } = await whyAll(depsOf(cluster), undefined, signal);
  assert.equal(total, 3);
  assert.deepEqual(
    unready.map(({ sentence }) => sentence),
    ['far cannot go on: there is no node ghost'],
  );
  assert.deepEqual((await whyAll(depsOf(cluster), 'kube-system', signal)).total, 0);
});

test('why: a pod that is gone, one that is anywhere, and one that nobody knows', async () => {
  await using cluster = await SmallCluster.start();
  await cluster.run('web', main);
  await cluster.advance(5000);
  const { pod, ready } = await why(depsOf(cluster), { name: 'web', namespace: undefined }, signal);
  assert.deepEqual([pod.namespace, pod.gone, ready], ['default', false, true]);
  await assert.rejects(ask(cluster, 'wev'), (error) => {
    assert.ok(error instanceof UserError);
    assert.match(error.message, /no pod "wev" is known in namespace default.*did you mean default\/web\?$/);
    return true;
  });
  await assert.rejects(ask(cluster, 'web', 'shop'), /in namespace shop.*did you mean default\/web/);
  await cluster.client.delete(podResource, { namespace: 'default', name: 'web' }, { gracePeriodSeconds: 0 }, signal);
  await cluster.advance(60_000);
  const { at, ...gone } = await ask(cluster, 'web');
  assert.deepEqual([gone.pod.gone, gone.sentence], [true, 'web is gone: admin deleted it 1 min ago']);
  const lines = whyText(gone, at, (_, text) => text);
  assert.ok(
    lines.some((line) => line.endsWith('  gone from the API')),
    lines.join('\n'),
  );
});
