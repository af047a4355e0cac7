import assert from 'node:assert/strict';
import test from 'node:test';
import type { Event, Pod } from '#api/generated/core-v1.ts';
import { hasReason } from '#api/errors.ts';
import { createClient } from '#client/api-client.ts';
import { eventResource, nodeResource, podResource } from '#client/resources.ts';
import { NODE, SmallCluster } from '#test/integration/support/small-cluster.ts';

const signal = new AbortController().signal;
const MIRROR = `web-${NODE}`;
const manifest = (image = 'nginx', more: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', labels: { app: 'web' } },
  spec: { terminationGracePeriodSeconds: 5, containers: [{ name: 'main', image }], ...more },
});
const uidOf = (pod: Pod | undefined): string | undefined => pod?.metadata.annotations?.['kubernetes.io/config.mirror'];
const images = async (cluster: SmallCluster): Promise<readonly string[]> =>
  (await cluster.runtime.containers.list({ state: 'running' }, signal)).map(({ image }) =>
    image.replace(/^docker.io\/library\/(.*):latest$/, '$1'),
  );

async function withStatic(cluster: SmallCluster): Promise<Pod> {
  cluster.manifests.write('web.yaml', manifest());
  await cluster.advance(200);
  await cluster.advance(3000);
  const mirror = await cluster.pod(MIRROR);
  assert.ok(mirror);
  return mirror;
}

test('static pods: a file is a pod that runs, and its mirror shows how it is', async () => {
  await using cluster = await SmallCluster.start();
  const mirror = await withStatic(cluster);
  const node = await cluster.client.get(nodeResource, { name: NODE }, signal);
  assert.equal(mirror.status?.phase, 'Running');
  assert.equal(mirror.metadata.annotations?.['kubernetes.io/config.source'], 'file');
  assert.deepEqual(mirror.metadata.ownerReferences, [
    { apiVersion: 'v1', kind: 'Node', name: NODE, uid: node?.metadata.uid, controller: true },
  ]);
  assert.equal(mirror.spec.serviceAccountName, undefined);
  const [container] = await cluster.runtime.containers.list({}, signal);
  assert.equal(container?.labels['io.kubernetes.pod.uid'], uidOf(mirror), 'it runs by its own UID');
  assert.equal(cluster.kubelet?.podNamed({ namespace: 'default', name: MIRROR })?.metadata.uid, uidOf(mirror));
  assert.deepEqual(cluster.troubles, []);
});

test('static pods: whatever is done to the mirror, the containers go on', async () => {
  await using cluster = await SmallCluster.start();
  const mirror = await withStatic(cluster);
  const containers = await cluster.runtime.containers.list({}, signal);
  await cluster.remove(MIRROR);
  await cluster.advance(3000);
  const again = await cluster.pod(MIRROR);
  assert.notEqual(again?.metadata.uid, mirror.metadata.uid);
  assert.deepEqual([uidOf(again), again?.status?.phase], [uidOf(mirror), 'Running'], 'it is made anew, and told');
  await cluster.remove(MIRROR, 0);
  await cluster.advance(3000);
  assert.equal((await cluster.pod(MIRROR))?.status?.phase, 'Running');
  const body = { metadata: { labels: { changed: 'yes' } }, spec: { containers: [{ name: 'main', image: 'other' }] } };
  await cluster.client.patch(podResource, { namespace: 'default', name: MIRROR }, { kind: 'strategic', body }, signal);
  await cluster.advance(30_000);
  assert.deepEqual(await cluster.runtime.containers.list({}, signal), containers);
  assert.deepEqual(cluster.troubles, []);
});

test('static pods: a file that says something else is another pod, which comes when the first has ended', async () => {
  await using cluster = await SmallCluster.start({
    behaviour: () => ({ run: { kind: 'forever' }, stopAfterMs: 3000, output: [] }),
  });
  const mirror = await withStatic(cluster);
  cluster.manifests.write('web.yaml', manifest('redis'));
  await cluster.advance(200);
  await cluster.advance(1000);
  assert.deepEqual(await images(cluster), ['nginx'], 'it is given its grace period');
  assert.equal((await cluster.pod(MIRROR))?.metadata.uid, mirror.metadata.uid, 'and shown as long as it is');
  await cluster.advance(3000);
  await cluster.advance(3000);
  assert.deepEqual(await images(cluster), ['redis']);
  const after = await cluster.pod(MIRROR);
  assert.notEqual(uidOf(after), uidOf(mirror));
  assert.equal(after?.status?.phase, 'Running');
  assert.deepEqual(await cluster.files.found(), [uidOf(after)]);
});

test('static pods: without its file a pod ends, and its mirror goes; the file comes back and so does the pod', async () => {
  await using cluster = await SmallCluster.start();
  const mirror = await withStatic(cluster);
  cluster.manifests.remove('web.yaml');
  await cluster.advance(200);
  await cluster.advance(1000);
  assert.equal(await cluster.pod(MIRROR), undefined);
  assert.deepEqual(await cluster.runtime.sandboxes.list({}, signal), []);
  assert.deepEqual(await cluster.files.found(), []);
  const after = await withStatic(cluster);
  assert.deepEqual([uidOf(after), after.status?.phase], [uidOf(mirror), 'Running'], 'what it says is what it said');
  assert.deepEqual(cluster.troubles, []);
});

test('static pods: a file that is no pod is told of once, others go on, and so does the pod it was', async () => {
  await using cluster = await SmallCluster.start();
  await withStatic(cluster);
  cluster.manifests.write('web.yaml', 'kind: Pod\n  spec: [');
  cluster.manifests.write('a.json', '{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}');
  cluster.manifests.write('b.yaml', { ...manifest(), metadata: { name: 'other' } });
  await cluster.advance(200);
  await cluster.advance(60_000);
  assert.equal((await cluster.pod(`other-${NODE}`))?.status?.phase, 'Running');
  assert.equal((await cluster.pod(MIRROR))?.status?.phase, 'Running');
  assert.equal(cluster.troubles.filter((one) => one.includes('/manifests/web.yaml')).length, 1);
  assert.equal(cluster.troubles.length, 2, cluster.troubles.join('\n'));
  const events = await cluster.client.list<Event>(eventResource, {}, signal);
  const told = events.items.filter(({ reason }) => reason === 'InvalidStaticPod');
  assert.deepEqual(
    told.map(({ involvedObject }) => involvedObject.name),
    [NODE, NODE],
  );
  assert.match(told.map(({ message }) => message).join('\n'), /static pod \/manifests\/web\.yaml: /);
});

test('static pods: a kubelet that begins anew adopts them; what went meanwhile goes, with its mirror', async () => {
  await using cluster = await SmallCluster.start();
  cluster.manifests.write('gone.yaml', { ...manifest(), metadata: { name: 'gone' } });
  const mirror = await withStatic(cluster);
  const known = (await cluster.runtime.containers.list({}, signal)).filter(({ labels }) =>
    Object.values(labels).includes(MIRROR),
  );
  assert.equal(known.length, 1);
  await cluster.stopKubelet();
  cluster.manifests.remove('gone.yaml');
  cluster.startKubelet();
  await cluster.settled();
  await cluster.advance(5000);
  await cluster.advance(30_000);
  assert.deepEqual(await cluster.runtime.containers.list({}, signal), known);
  assert.deepEqual(await cluster.pod(MIRROR), mirror, 'there is nothing new to say of it');
  assert.equal(await cluster.pod(`gone-${NODE}`), undefined);
});

test('static pods: they do not wait for an API that does not answer', async () => {
  await using cluster = await SmallCluster.start();
  await cluster.stopKubelet();
  cluster.manifests.write('web.yaml', manifest());
  cluster.startKubelet({ deaf: true });
  await cluster.settled();
  await cluster.advance(10_000);
  assert.deepEqual(await images(cluster), ['nginx']);
  cluster.manifests.remove('web.yaml');
  await cluster.advance(200);
  await cluster.advance(10_000);
  assert.deepEqual(await images(cluster), []);
});

test('mirror pods: a node may show what it runs, and nothing that would read for it', async () => {
  await using cluster = await SmallCluster.start();
  const mirror = await withStatic(cluster);
  const {
    name: _,
    uid: __,
    resourceVersion: ___,
    creationTimestamp: ____,
    generation: _____,
    ...metadata
  } = mirror.metadata;
  const kubelet = createClient(cluster.server.transport({ name: `system:node:${NODE}`, groups: ['system:nodes'] }));
  const spec = { nodeName: NODE, containers: [{ name: 'main', image: 'nginx' }] };
  const wanted = { apiVersion: 'v1' as const, kind: 'Pod' as const, metadata: { ...metadata, name: 'x' }, spec };
  const cases: readonly (readonly [Parameters<typeof kubelet.create<Pod>>[1], string])[] = [
    [
      { ...wanted, metadata: { namespace: 'default', name: 'x' } },
      'pod does not have "kubernetes.io/config.mirror" annotation, node "node1" can only create mirror pods',
    ],
    [
      { ...wanted, spec: { ...spec, nodeName: 'node2' } },
      'node "node1" can only create pods with spec.nodeName set to itself',
    ],
    [
      { ...wanted, metadata: { ...wanted.metadata, ownerReferences: [] } },
      'node "node1" can only create pods with an owner reference set to itself',
    ],
    [
      { ...wanted, spec: { ...spec, serviceAccountName: 'default' } },
      'a mirror pod may not reference service accounts',
    ],
    [
      { ...wanted, spec: { ...spec, volumes: [{ name: 'v', secret: { secretName: 's' } }] } },
      'a mirror pod may not reference secrets',
    ],
    [
      { ...wanted, spec: { ...spec, volumes: [{ name: 'v', configMap: { name: 's' } }] } },
      'node "node1" can not create pods that reference configmaps',
    ],
  ];
  for (const [pod, why] of cases) {
    const error: unknown = await kubelet.create<Pod>(podResource, pod, signal).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    assert.ok(hasReason(error, 'Forbidden'), why);
    assert.equal((error as Error).message, `pods "x" is forbidden: ${why}`);
  }
  const other = createClient(cluster.server.transport({ name: 'system:node:node2', groups: ['system:nodes'] }));
  const stranger: unknown = await other.delete(podResource, { namespace: 'default', name: MIRROR }, {}, signal).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.match(String(stranger), /node "node2" can only delete pods with spec.nodeName set to itself/);
});
