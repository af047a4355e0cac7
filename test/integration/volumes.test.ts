/** Files of pods that come from the API: the real server, a kubelet whose disk is remembered. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { ConfigMap, Event, Pod, Secret, ServiceAccount } from '#api/generated/core-v1.ts';
import type { New } from '#api/resource.ts';
import {
  configMapResource,
  eventResource,
  podResource,
  secretResource,
  serviceAccountResource,
} from '#client/resources.ts';
import { aPod } from '#kubelet/fixtures.ts';
import { FilesReleased, LiveFiles } from '#kubelet/volumes/live-files.ts';
import { SharedObjects } from '#kubelet/volumes/shared-objects.ts';
import { type ApiFilesPlan, volumesOf } from '#kubelet/volumes/volumes.ts';
import { settle } from '#lib/fake-clock.ts';
import { orAborted } from '#lib/or-aborted.ts';
import { Scope } from '#lib/scope.ts';
import { startMemoryApi } from '#test/integration/support/memory-api.ts';
import { SmallCluster } from '#test/integration/support/small-cluster.ts';

const signal = new AbortController().signal;
const namespace = 'default';
const containers = [{ name: 'main', image: 'nginx' }];

const configMap = (name: string, data: Readonly<Record<string, string>>, more: object = {}): New<ConfigMap> => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace },
  data,
  ...more,
});

const secret = (name: string, stringData: Readonly<Record<string, string>>): New<Secret> => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace },
  stringData,
});

const account = (name: string, more: object = {}): New<ServiceAccount> => ({
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  metadata: { name, namespace },
  ...more,
});

/** The volume's files as texts; undefined before they are there. */
function texts(cluster: SmallCluster, pod: Pod, volume: string): Readonly<Record<string, string>> | undefined {
  const files = cluster.files.content(pod, volume);
  if (files === undefined) return undefined;
  return Object.fromEntries([...files].map(([path, { bytes }]) => [path, new TextDecoder().decode(bytes)]));
}

/** Signing a token takes true time: it cannot be waited for by moving the clock. */
async function eventually<T>(ask: () => T | undefined): Promise<T> {
  for (let turn = 0; turn < 5000; turn++) {
    const answer = ask();
    if (answer !== undefined) return answer;
    await settle();
  }
  throw new Error('it does not come about by itself');
}

const phaseOf = async (cluster: SmallCluster, name: string): Promise<string | undefined> =>
  (await cluster.pod(name))?.status?.phase;

test('volumes: a change of an object or of the pod itself is in the files without any time passing', async () => {
  await using cluster = await SmallCluster.start();
  await cluster.client.create(configMapResource, configMap('cm', { a: '1' }), signal);
  await cluster.client.create(secretResource, secret('s', { k: 'K' }), signal);
  const volumes = [
    { name: 'cm', configMap: { name: 'cm' } },
    { name: 's', secret: { secretName: 's' } },
    { name: 'o', configMap: { name: 'o', optional: true } },
    { name: 'd', downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] } },
  ];
  const pod = await cluster.run('web', { containers, volumes }, { labels: { app: 'web' } });
  await cluster.settled();
  assert.deepEqual([await phaseOf(cluster, 'web'), pod.spec.serviceAccountName], ['Running', 'default']);
  const all = (): readonly unknown[] => ['cm', 's', 'o', 'd'].map((volume) => texts(cluster, pod, volume));
  assert.deepEqual(all(), [{ a: '1' }, { k: 'K' }, {}, { labels: 'app="web"' }]);
  const merge = (body: object): { readonly kind: 'merge'; readonly body: object } => ({ kind: 'merge', body });
  const at = (name: string): { namespace: string; name: string } => ({ namespace, name });
  await cluster.client.patch(configMapResource, at('cm'), merge({ data: { a: '2', b: 'new' } }), signal);
  await cluster.client.patch(secretResource, at('s'), merge({ stringData: { k: 'L' } }), signal);
  await cluster.client.create(configMapResource, configMap('o', { born: 'yes' }), signal);
  await cluster.client.patch(podResource, at('web'), merge({ metadata: { labels: { tier: 'x' } } }), signal);
  await cluster.settled();
  assert.deepEqual(all(), [{ a: '2', b: 'new' }, { k: 'L' }, { born: 'yes' }, { labels: 'app="web"\ntier="x"' }]);
  // A required object that goes leaves its files; an optional one takes them along; one that comes back is followed on.
  await cluster.client.delete(configMapResource, at('cm'), {}, signal);
  await cluster.client.delete(configMapResource, at('o'), {}, signal);
  await cluster.settled();
  assert.deepEqual([texts(cluster, pod, 'cm'), texts(cluster, pod, 'o')], [{ a: '2', b: 'new' }, {}]);
  await cluster.client.patch(secretResource, at('s'), merge({ stringData: { k: 'M' } }), signal);
  await cluster.settled();
  assert.deepEqual([texts(cluster, pod, 's'), texts(cluster, pod, 'o')], [{ k: 'M' }, {}], 'the others go on');
  await cluster.client.create(configMapResource, configMap('cm', { c: '3' }), signal);
  await cluster.settled();
  assert.deepEqual([texts(cluster, pod, 'cm'), texts(cluster, pod, 'o')], [{ c: '3' }, {}]);
  await cluster.remove('web', 0);
  await cluster.advance(5000);
  assert.deepEqual(all(), [undefined, undefined, undefined, undefined]);
  assert.deepEqual(cluster.troubles, []);
});

test('volumes: a pod waits for what is missing, says what, and goes on the moment it is there', async () => {
  await using cluster = await SmallCluster.start();
  const pod = await cluster.run('web', { containers, volumes: [{ name: 'x', configMap: { name: 'y' } }] });
  await cluster.advance(20_000);
  const { status } = (await cluster.pod('web'))!;
  assert.equal(status?.containerStatuses?.[0]?.state?.waiting?.reason, 'ContainerCreating');
  const { items } = await cluster.client.list<Event>(eventResource, { namespace }, signal);
  const told = items.filter(({ reason }) => reason === 'FailedMount').map(({ type, message }) => `${type} ${message}`);
  assert.deepEqual([...new Set(told)], ['Warning MountVolume.SetUp failed for volume "x" : configmap "y" not found']);
  await cluster.client.create(configMapResource, configMap('y', { a: '1' }), signal);
  await cluster.settled();
  await cluster.settled();
  assert.equal(await phaseOf(cluster, 'web'), 'Running', 'not only when its back-off is over');
  assert.deepEqual(texts(cluster, pod, 'x'), { a: '1' });
});

test('volumes: a kubelet that comes later keeps them up as well', async () => {
  await using cluster = await SmallCluster.start();
  await cluster.client.create(configMapResource, configMap('cm', { a: '1' }), signal);
  const pod = await cluster.run('web', { containers, volumes: [{ name: 'cm', configMap: { name: 'cm' } }] });
  await cluster.settled();
  await cluster.stopKubelet();
  await cluster.client.patch(
    configMapResource,
    { namespace, name: 'cm' },
    { kind: 'merge', body: { data: { a: '2' } } },
    signal,
  );
  await cluster.settled();
  assert.deepEqual(texts(cluster, pod, 'cm'), { a: '1' });
  cluster.startKubelet();
  await cluster.advance(1000);
  assert.deepEqual(texts(cluster, pod, 'cm'), { a: '2' });
  assert.equal((await cluster.pod('web'))?.status?.containerStatuses?.[0]?.restartCount, 0);
});

test('volumes: the token every pod has is bound to it, and replaced in time', async () => {
  await using cluster = await SmallCluster.start();
  await cluster.client.create(configMapResource, configMap('kube-root-ca.crt', { 'ca.crt': 'CA' }), signal);
  await cluster.client.create(serviceAccountResource, account('bob', { imagePullSecrets: [{ name: 'r' }] }), signal);
  const pod = await cluster.run('web', { containers, serviceAccountName: 'bob' });
  assert.deepEqual(pod.spec.imagePullSecrets, [{ name: 'r' }]);
  const { name: volume, projected } = pod.spec.volumes![0]!;
  assert.match(volume, /^kube-api-access-[a-z0-9]{5}$/);
  assert.deepEqual(
    projected?.sources?.map((source) => Object.keys(source)[0]),
    ['serviceAccountToken', 'configMap', 'downwardAPI'],
  );
  assert.deepEqual(pod.spec.containers[0]?.volumeMounts, [
    { name: volume, readOnly: true, mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' },
  ]);
  const first = (await eventually(() => texts(cluster, pod, volume)))!;
  assert.deepEqual({ ...first, token: '' }, { 'ca.crt': 'CA', namespace: 'default', token: '' });
  const token = first['token']!;
  const claims = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as Record<string, unknown>;
  assert.deepEqual((claims['kubernetes.io'] as { pod: unknown }).pod, { name: 'web', uid: pod.metadata.uid });
  await cluster.settled();
  const current = (): string | undefined => texts(cluster, pod, volume)?.['token'];
  await cluster.advance(2_880_000);
  assert.equal(current(), token, '3607 s × 0.8 is 2885.6 s');
  await cluster.advance(10_000);
  await eventually(() => (current() === token ? undefined : true));
  // Without its account it keeps what it has, asks again now and then, and never in a hurry.
  await cluster.client.delete(serviceAccountResource, { namespace, name: 'bob' }, {}, signal);
  const last = current();
  await cluster.advance(4 * 3600_000);
  assert.equal(current(), last);
  const asked = cluster.troubles.filter((text) => text.includes('failed to fetch token'));
  assert.ok(asked.length > 10 && asked.length < 3000, `asked ${asked.length} times`);
});

test('volumes: without its account a pod has no token, and an event says so', async () => {
  await using cluster = await SmallCluster.start();
  await cluster.client.create(configMapResource, configMap('kube-root-ca.crt', { 'ca.crt': 'CA' }), signal);
  await cluster.client.create(serviceAccountResource, account('bob'), signal);
  await cluster.stopKubelet();
  const { spec } = await cluster.run('web', { containers, serviceAccountName: 'bob' });
  await cluster.client.delete(serviceAccountResource, { namespace, name: 'bob' }, {}, signal);
  cluster.startKubelet();
  await cluster.advance(2000);
  const { items } = await cluster.client.list<Event>(eventResource, { namespace }, signal);
  const message = `MountVolume.SetUp failed for volume "${spec.volumes![0]!.name}" : failed to fetch token: serviceaccounts "bob" not found`;
  assert.ok(items.some((event) => event.reason === 'FailedMount' && event.message === message));
});

test('volumes: a pod that goes while its files are waited for is not waited for', async () => {
  await using api = await startMemoryApi();
  await using cluster = await SmallCluster.start();
  const { files } = cluster;
  const silent = { synced: (stop: AbortSignal) => orAborted(new Promise<void>(() => {}), stop), [Symbol.dispose]() {} };
  const live = new LiveFiles(
    {
      client: api.client,
      clock: api.clock,
      files,
      objects: { follow: () => ({ ...silent, object: undefined }) },
      allocatable: () => ({}),
      arrived: () => {},
      log: () => {},
    },
    aPod(),
    volumesOf(aPod({ volumes: [{ name: 'x', configMap: { name: 'y' } }] })) as readonly ApiFilesPlan[],
  );
  const preparing = assert.rejects(live.prepare(aPod(), signal), FilesReleased);
  await live.end();
  await preparing;
  await assert.rejects(live.prepare(aPod(), signal), FilesReleased);
});

for (const [ofPod, ofAccount, wanted] of [
  [undefined, undefined, true],
  [undefined, false, false],
  [undefined, true, true],
  [false, undefined, false],
  [false, true, false],
  [true, false, true],
] as const) {
  test(`volumes: a pod that says ${ofPod} of an account that says ${ofAccount} has ${wanted ? 'a' : 'no'} token`, async () => {
    await using cluster = await SmallCluster.start();
    const said = (automountServiceAccountToken: boolean | undefined): object =>
      automountServiceAccountToken === undefined ? {} : { automountServiceAccountToken };
    await cluster.client.create(serviceAccountResource, account('bob', said(ofAccount)), signal);
    const { spec } = await cluster.run('web', { containers, serviceAccountName: 'bob', ...said(ofPod) });
    assert.equal((spec.volumes ?? []).length > 0, wanted);
    assert.equal((spec.containers[0]?.volumeMounts ?? []).length > 0, wanted);
  });
}

test('volumes: what a pod has at the place of its token itself stays there', async () => {
  await using cluster = await SmallCluster.start();
  await cluster.client.create(serviceAccountResource, account('bob'), signal);
  const own = { name: 'own', mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' };
  const { spec } = await cluster.run('web', {
    serviceAccountName: 'bob',
    volumes: [{ name: 'own', emptyDir: {} }],
    initContainers: [{ name: 'init', image: 'nginx' }],
    containers: [{ name: 'main', image: 'nginx', volumeMounts: [own] }],
  });
  const mounted = [...spec.initContainers!, ...spec.containers].map(({ volumeMounts }) =>
    volumeMounts?.map(({ name }) => name).join(),
  );
  assert.match(mounted[0] ?? '', /^kube-api-access-/);
  assert.equal(mounted[1], 'own');
  await assert.rejects(
    cluster.run('x', { containers, serviceAccountName: 'nobody' }),
    /pods "x" is forbidden: error looking up service account default\/nobody: serviceaccount "nobody" not found/,
  );
});

test('shared objects: one watch for all who refer to it, none for what never changes, none without anybody', async () => {
  await using api = await startMemoryApi();
  await using scope = new Scope();
  const objects = new SharedObjects({
    client: api.client,
    clock: api.clock,
    scope,
    log: (_message, error) => assert.fail(String(error)),
  });
  await api.client.create(configMapResource, configMap('cm', { a: '1' }), signal);
  await api.client.create(configMapResource, configMap('fixed', { a: '1' }, { immutable: true }), signal);
  const told: string[] = [];
  const follow = (name: string, who: string): ReturnType<SharedObjects['follow']> =>
    objects.follow({ kind: 'configmaps', namespace, name }, () => void told.push(`${who}:${name}`));
  const first = follow('cm', 'a');
  const second = follow('cm', 'b');
  const fixed = follow('fixed', 'a');
  await Promise.all([first, second, fixed].map((one) => one.synced(signal)));
  assert.deepEqual(told.splice(0).toSorted(), ['a:cm', 'a:fixed', 'b:cm']);
  assert.deepEqual([objects.size, objects.watched], [2, 1]);
  assert.deepEqual((fixed.object as ConfigMap).data, { a: '1' });
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  const change = { kind: 'merge', body: { data: { a: '2' } } } as const;
  await api.client.patch(configMapResource, { namespace, name: 'cm' }, change, signal);
  await api.until(() => told.length > 0);
  assert.deepEqual([told, (second.object as ConfigMap).data], [['b:cm'], { a: '2' }]);
  second[Symbol.dispose]();
  fixed[Symbol.dispose]();
  assert.deepEqual([objects.size, objects.watched], [0, 0]);
  const sleeping = api.clock.sleeping;
  await scope[Symbol.asyncDispose]();
  assert.ok(api.clock.sleeping <= sleeping);
});
