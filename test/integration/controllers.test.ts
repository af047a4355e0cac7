import assert from 'node:assert/strict';
import test from 'node:test';
import type { ConfigMap, Namespace, Pod, ServiceAccount } from '#api/generated/core-v1.ts';
import type { Resource } from '#api/resource.ts';
import { createClient } from '#client/api-client.ts';
import type { Client } from '#client/client.ts';
import { createInformer } from '#client/create-informer.ts';
import {
  configMapResource,
  eventResource,
  leaseResource,
  namespaceResource,
  podResource,
  secretResource,
  serviceAccountResource,
  serviceResource,
} from '#client/resources.ts';
import { namespaceController } from '#controllers/namespace/reconcile.ts';
import { rootCaController } from '#controllers/root-ca/reconcile.ts';
import { runController, type Attempt } from '#controllers/run-controller.ts';
import { serviceAccountController } from '#controllers/service-account/reconcile.ts';
import { settle, type FakeClock } from '#lib/fake-clock.ts';
import { Scope } from '#lib/scope.ts';
import { startMemoryApi, type MemoryApi } from '#test/integration/support/memory-api.ts';

const namespaced: readonly Resource[] = [
  podResource,
  configMapResource,
  secretResource,
  serviceAccountResource,
  serviceResource,
  eventResource,
  leaseResource,
];

interface World extends AsyncDisposable {
  readonly api: MemoryApi<FakeClock>;
  readonly client: Client;
  readonly never: AbortSignal;
  readonly attempts: Attempt[];
  readonly failures: unknown[];
  settled(): Promise<void>;
}

async function start(): Promise<World> {
  const api = await startMemoryApi();
  const { clock } = api;
  const client = createClient(api.server.transport({ name: 'system:kube-controller-manager', groups: [] }));
  const namespaces = createInformer<Namespace>({ client, clock, resource: namespaceResource });
  const accounts = createInformer<ServiceAccount>({ client, clock, resource: serviceAccountResource });
  const pods = createInformer<Pod>({ client, clock, resource: podResource });
  const fieldSelector = 'metadata.name=kube-root-ca.crt';
  const configMaps = createInformer<ConfigMap>({ client, clock, resource: configMapResource, fieldSelector });
  const attempts: Attempt[] = [];
  const failures: unknown[] = [];
  const options = {
    client,
    clock,
    workers: 2,
    log: (_line: string, error: unknown) => void failures.push(error),
    observe: (attempt: Attempt) => void attempts.push(attempt),
  };
  const scope = new Scope();
  for (const informer of [namespaces, accounts, pods, configMaps])
    scope.spawn(informer.resource.plural, (stop) => informer.run(stop));
  const controllers = [
    serviceAccountController({ namespaces, accounts }),
    rootCaController({ namespaces, configMaps, certificate: 'PEM' }),
    namespaceController({ clock, namespaces, resources: () => namespaced, wakers: [pods] }),
  ];
  for (const make of controllers) scope.spawn('controller', (stop) => runController(make, options, stop));
  const settled = async (): Promise<void> => {
    for (let turn = 0; turn < 20; turn++) await settle();
  };
  await settled();
  const dispose = async (): Promise<void> => {
    await scope[Symbol.asyncDispose]();
    await api[Symbol.asyncDispose]();
  };
  return { api, client: api.client, never: api.never, attempts, failures, settled, [Symbol.asyncDispose]: dispose };
}

const makeNamespace = ({ client, never }: World, name: string): Promise<Namespace> =>
  client.create(namespaceResource, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }, never);

const content = async ({ client, never }: World, namespace: string): Promise<string[]> => {
  const lists = await Promise.all(namespaced.map((resource) => client.list(resource, { namespace }, never)));
  return lists
    .flatMap(({ items }, n) => items.map(({ metadata }) => `${namespaced[n]!.plural}/${metadata.name}`))
    .sort();
};

test('controllers: every namespace has a default account and the CA, those from before included', async () => {
  await using world = await start();
  const { client, never } = world;
  for (const { metadata } of (await client.list(namespaceResource, {}, never)).items)
    for (const name of ['serviceaccounts/default', 'configmaps/kube-root-ca.crt'])
      assert.ok((await content(world, metadata.name)).includes(name), `${metadata.name} has no ${name}`);
  await makeNamespace(world, 'shop');
  await world.settled();
  assert.deepEqual(await content(world, 'shop'), ['configmaps/kube-root-ca.crt', 'serviceaccounts/default']);
  assert.deepEqual(world.failures, []);
});

test('controllers: what every namespace has comes back when it is deleted, and is repaired when it is changed', async () => {
  await using world = await start();
  const { client, never } = world;
  await makeNamespace(world, 'shop');
  await world.settled();
  const ca = { namespace: 'shop', name: 'kube-root-ca.crt' };
  const first = await client.get(serviceAccountResource, { namespace: 'shop', name: 'default' }, never);
  await client.delete(serviceAccountResource, { namespace: 'shop', name: 'default' }, {}, never);
  await client.delete(configMapResource, ca, {}, never);
  await world.settled();
  const second = await client.get(serviceAccountResource, { namespace: 'shop', name: 'default' }, never);
  assert.ok(second && second.metadata.uid !== first?.metadata.uid);
  const broken = await client.patch(
    configMapResource,
    ca,
    { kind: 'merge', body: { data: { 'ca.crt': 'forged', x: 'y' } } },
    never,
  );
  assert.equal(broken.data?.['ca.crt'], 'forged');
  await world.settled();
  assert.deepEqual((await client.get(configMapResource, ca, never))?.data, { 'ca.crt': 'PEM' });
  assert.deepEqual(world.failures, []);
});

test('controllers: deleting a namespace empties it and ends', async () => {
  await using world = await start();
  const { client, never } = world;
  await makeNamespace(world, 'shop');
  for (let n = 0; n < 30; n++) {
    const metadata = { name: `c${n}`, namespace: 'shop' };
    await client.create(configMapResource, { apiVersion: 'v1', kind: 'ConfigMap', metadata }, never);
  }
  await world.settled();
  await client.delete(namespaceResource, { name: 'shop' }, {}, never);
  await world.settled();
  assert.equal(await client.get(namespaceResource, { name: 'shop' }, never), undefined);
  assert.deepEqual(await content(world, 'shop'), []);
  assert.deepEqual(world.failures, []);
});

test('controllers: a namespace waits for its pods, which go in their grace time, and says so', async () => {
  await using world = await start();
  const { client, never, api } = world;
  await makeNamespace(world, 'shop');
  const metadata = { name: 'web', namespace: 'shop' };
  const spec = { nodeName: 'n1', containers: [{ name: 'c', image: 'busybox' }], terminationGracePeriodSeconds: 20 };
  await client.create(podResource, { apiVersion: 'v1', kind: 'Pod', metadata, spec }, never);
  await world.settled();
  await client.delete(namespaceResource, { name: 'shop' }, {}, never);
  await world.settled();
  const going = await client.get(podResource, metadata, never);
  assert.equal(going?.metadata.deletionGracePeriodSeconds, 20);
  assert.ok(
    (await content(world, 'shop')).includes('configmaps/kube-root-ca.crt'),
    'what the pod may use still stands',
  );
  const namespace = await client.get(namespaceResource, { name: 'shop' }, never);
  assert.equal(namespace?.status?.phase, 'Terminating');
  const remaining = namespace.status.conditions?.find(({ type }) => type === 'NamespaceContentRemaining');
  assert.equal(remaining?.status, 'True');
  assert.match(remaining.message ?? '', /^Some resources are remaining: .*pods\. has 1 resource instances/);
  await assert.rejects(
    client.create(
      configMapResource,
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'new', namespace: 'shop' } },
      never,
    ),
    /being terminated/,
  );
  const writes = namespace.metadata.resourceVersion;
  await api.clock.advance(10_000);
  assert.equal(
    (await client.get(namespaceResource, { name: 'shop' }, never))?.metadata.resourceVersion,
    writes,
    'waiting writes nothing',
  );
  // The kubelet's part.
  await client.delete(podResource, metadata, { gracePeriodSeconds: 0 }, never);
  await world.settled();
  assert.equal(await client.get(namespaceResource, { name: 'shop' }, never), undefined);
  assert.deepEqual(world.failures, []);
});

test('controllers: a namespace waits for finalizers of others, in its content and of its own', async () => {
  await using world = await start();
  const { client, never, api } = world;
  await makeNamespace(world, 'shop');
  const metadata = { name: 'kept', namespace: 'shop', finalizers: ['example.com/mine'] };
  await client.create(configMapResource, { apiVersion: 'v1', kind: 'ConfigMap', metadata }, never);
  await world.settled();
  await client.delete(namespaceResource, { name: 'shop' }, {}, never);
  await world.settled();
  const namespace = await client.get(namespaceResource, { name: 'shop' }, never);
  const finalizers = namespace?.status?.conditions?.find(({ type }) => type === 'NamespaceFinalizersRemaining');
  assert.match(finalizers?.message ?? '', /example\.com\/mine in 1 resource instances/);
  await client.patch(
    configMapResource,
    { namespace: 'shop', name: 'kept' },
    { kind: 'merge', body: { metadata: { finalizers: null } } },
    never,
  );
  await api.clock.advance(2_000);
  assert.equal(await client.get(namespaceResource, { name: 'shop' }, never), undefined);
});

test('controllers: at rest they do nothing', async () => {
  await using world = await start();
  await makeNamespace(world, 'shop');
  await world.settled();
  await world.api.clock.advance(60_000);
  const before = world.attempts.length;
  await world.api.clock.advance(3_600_000);
  assert.equal(world.attempts.length, before);
});
