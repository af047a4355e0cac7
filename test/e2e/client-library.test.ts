import assert from 'node:assert/strict';
import test from 'node:test';
import { CoreV1Api, KubeConfig, makeInformer, type V1Pod, Watch } from '@kubernetes/client-node';
import { E2eCluster, until } from '#test/e2e/support/cluster.ts';

/** Somebody else's client, as its users have it: whatever it sends and expects must do. */
test('client library: @kubernetes/client-node creates, lists, watches and deletes', async () => {
  await using cluster = await E2eCluster.start('client-library');
  const config = new KubeConfig();
  config.loadFromFile(cluster.kubeconfig);
  const core = config.makeApiClient(CoreV1Api);
  const namespace = 'default';
  const body: V1Pod = {
    metadata: { name: 'web', labels: { app: 'web' } },
    spec: {
      terminationGracePeriodSeconds: 1,
      containers: [{ name: 'main', image: 'busybox', command: ['sleep', '1000'] }],
    },
  };

  const seen: string[] = [];
  const watching = await new Watch(config).watch(
    `/api/v1/namespaces/${namespace}/pods`,
    { labelSelector: 'app=web' },
    (phase: string, pod: V1Pod) => void seen.push(`${phase} ${pod.status?.phase}`),
    () => {},
  );
  const informer = makeInformer(config, `/api/v1/namespaces/${namespace}/pods`, () =>
    core.listNamespacedPod({ namespace }),
  );
  informer.on('error', () => {});
  await informer.start();
  try {
    const created = await core.createNamespacedPod({ namespace, body });
    assert.ok(created.metadata?.uid);
    await assert.rejects(core.createNamespacedPod({ namespace, body }), { code: 409 });
    await until(
      'running',
      () => core.readNamespacedPod({ name: 'web', namespace }),
      (pod) => pod.status?.phase === 'Running',
    );
    await until(
      'the informer knows',
      async () => informer.get('web', namespace)?.status?.phase,
      (phase) => phase === 'Running',
    );
    const { items } = await core.listNamespacedPod({ namespace, labelSelector: 'app=web', limit: 1 });
    assert.deepEqual(
      items.map((pod) => pod.metadata?.name),
      ['web'],
    );
    assert.ok(items[0]?.metadata?.creationTimestamp instanceof Date);

    await core.deleteNamespacedPod({ name: 'web', namespace });
    await until(
      'gone',
      async () => (await core.listNamespacedPod({ namespace })).items.length,
      (count) => count === 0,
    );
    await assert.rejects(core.readNamespacedPod({ name: 'web', namespace }), { code: 404 });
    await until(
      'all was seen',
      async () => seen,
      (all) => all.some((one) => one.startsWith('DELETED')),
    );
    assert.equal(seen[0], 'ADDED Pending');
    assert.ok(seen.includes('MODIFIED Running'), seen.join(', '));
  } finally {
    watching.abort();
    await informer.stop();
  }
});
