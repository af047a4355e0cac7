import assert from 'node:assert/strict';
import test from 'node:test';
import { hasReason } from '#api/errors.ts';
import type { Pod } from '#api/generated/core-v1.ts';
import type { New } from '#api/resource.ts';
import { createInformer } from '#client/create-informer.ts';
import { createEventRecorder } from '#client/event-recorder.ts';
import { configMapResource, eventResource, namespaceResource, nodeResource, podResource } from '#client/resources.ts';
import { Scope } from '#lib/scope.ts';
import { startHttpsApi, startMemoryApi } from '#test/integration/support/memory-api.ts';

const configMap = (name: string, data: Record<string, string> = {}, labels: Record<string, string> = {}) =>
  ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default', labels }, data }) as const;
const pod = (name: string, nodeName?: string): New<Pod> => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default' },
  spec: { containers: [{ name: 'c', image: 'busybox' }], ...(nodeName === undefined ? {} : { nodeName }) },
});
const ref = (name: string) => ({ namespace: 'default', name });

// One suite over both transports, so that they cannot drift.
for (const [carrier, start] of [
  ['in process', startMemoryApi],
  ['https', startHttpsApi],
] as const) {
  test(`${carrier}: client: tries to create, and nothing is there`, async () => {
    await using api = await start();
    const { client, never } = api;
    const tried = await client.tryCreate(podResource, pod('a'), never);
    assert.deepEqual(
      [tried.spec.priority, tried.spec.schedulerName, tried.metadata.name],
      [0, 'default-scheduler', 'a'],
    );
    assert.equal(await client.get(podResource, ref('a'), never), undefined);
    await assert.rejects(client.tryCreate(podResource, pod('A'), never), (error) => hasReason(error, 'Invalid'));
    await client.create(podResource, pod('a'), never);
    await assert.rejects(client.tryCreate(podResource, pod('a'), never), (error) => hasReason(error, 'AlreadyExists'));
  });

  test(`${carrier}: client: creates, gets, updates, patches and deletes`, async () => {
    await using api = await start();
    const { client, never } = api;
    const created = await client.create(configMapResource, configMap('a', { k: '1' }), never);
    assert.deepEqual(await client.get(configMapResource, ref('a'), never), created);
    const updated = await client.update(configMapResource, { ...created, data: { k: '2' } }, never);
    assert.notEqual(updated.metadata.resourceVersion, created.metadata.resourceVersion);
    await assert.rejects(client.update(configMapResource, created, never), (error) => hasReason(error, 'Conflict'));
    for (const [patch, want] of [
      [{ kind: 'merge', body: { data: { k: null, m: 'x' } } }, { m: 'x' }],
      [
        { kind: 'strategic', body: { data: { s: 'y' } } },
        { m: 'x', s: 'y' },
      ],
      [{ kind: 'json', operations: [{ op: 'remove', path: '/data/m' }] }, { s: 'y' }],
    ] as const)
      assert.deepEqual((await client.patch(configMapResource, ref('a'), patch, never)).data, want);
    await assert.rejects(client.create(configMapResource, configMap('a'), never), (error) =>
      hasReason(error, 'AlreadyExists'),
    );
    await client.delete(configMapResource, ref('a'), {}, never);
    await assert.rejects(client.delete(configMapResource, ref('a'), {}, never), (error) =>
      hasReason(error, 'NotFound'),
    );
  });

  test(`${carrier}: client: only the object itself may be absent`, async () => {
    await using api = await start();
    const { client, never } = api;
    assert.equal(await client.get(configMapResource, ref('nope'), never), undefined);
    assert.equal(await client.get(nodeResource, { name: 'nope' }, never), undefined);
    const unserved = { ...configMapResource, plural: 'gadgets' };
    await assert.rejects(client.get(unserved, ref('nope'), never), (error) => hasReason(error, 'NotFound'));
  });

  test(`${carrier}: client: a namespaced object without a namespace, and an empty name, are refused before they are sent`, async () => {
    await using api = await start();
    const { client, never } = api;
    const bad = (error: unknown): boolean => hasReason(error, 'BadRequest');
    await client.create(configMapResource, configMap('a'), never);
    await assert.rejects(client.delete(configMapResource, { name: 'a' }, {}, never), bad);
    await assert.rejects(client.delete(configMapResource, ref(''), {}, never), bad);
    const { namespace: _, ...metadata } = configMap('b').metadata;
    await assert.rejects(client.create(configMapResource, { ...configMap('b'), metadata }, never), bad);
    assert.ok(await client.get(configMapResource, ref('a'), never));
  });

  test(`${carrier}: client: preconditions and grace of a delete`, async () => {
    await using api = await start();
    const { client, never } = api;
    await client.create(podResource, pod('web', 'n1'), never);
    const uid = 'another';
    await assert.rejects(client.delete(podResource, ref('web'), { uid }, never), (error) =>
      hasReason(error, 'Conflict'),
    );
    const going = await client.delete(podResource, ref('web'), { gracePeriodSeconds: 7 }, never);
    assert.equal(going?.metadata.deletionGracePeriodSeconds, 7);
    await client.delete(podResource, ref('web'), { gracePeriodSeconds: 0 }, never);
    assert.equal(await client.get(podResource, ref('web'), never), undefined);
  });

  test(`${carrier}: client: lists by selectors and in pages; deletes a selection`, async () => {
    await using api = await start();
    const { client, never } = api;
    for (let n = 0; n < 5; n++)
      await client.create(configMapResource, configMap(`c${n}`, {}, { odd: String(n % 2 === 1) }), never);
    const odd = { namespace: 'default', labelSelector: 'odd=true' };
    const names = async (options: object): Promise<string[]> =>
      (await client.list(configMapResource, options, never)).items.map(({ metadata }) => metadata.name);
    assert.deepEqual(await names(odd), ['c1', 'c3']);
    assert.deepEqual(await names({ namespace: 'default', fieldSelector: 'metadata.name=c2' }), ['c2']);
    const first = await client.list(configMapResource, { namespace: 'default', labelSelector: 'odd', limit: 2 }, never);
    const rest = { namespace: 'default', labelSelector: 'odd', continue: first.metadata.continue! };
    assert.deepEqual(
      [...first.items.map(({ metadata }) => metadata.name), ...(await names(rest))],
      ['c0', 'c1', 'c2', 'c3', 'c4'],
    );
    await client.deleteCollection(configMapResource, odd, {}, never);
    assert.deepEqual(await names({ namespace: 'default', labelSelector: 'odd' }), ['c0', 'c2', 'c4']);
  });

  test(`${carrier}: client: status and binding are parts of their own`, async () => {
    await using api = await start();
    const { client, never } = api;
    await client.create(podResource, pod('web'), never);
    const target = { apiVersion: 'v1', kind: 'Binding', metadata: ref('web'), target: { kind: 'Node', name: 'n1' } };
    await client.post(podResource, { ...ref('web'), subresource: 'binding' }, target, never);
    const bound = await client.get(podResource, ref('web'), never);
    assert.equal(bound?.spec.nodeName, 'n1');
    const status = { ...bound.status, phase: 'Running' } as const;
    const spec = { ...bound.spec, activeDeadlineSeconds: 5 };
    const reported = await client.updateStatus(podResource, { ...bound, spec, status }, never);
    assert.equal(reported.status?.phase, 'Running');
    assert.equal(reported.spec.activeDeadlineSeconds, undefined);
  });

  test(`${carrier}: client: an aborted call rejects with the reason of its signal`, async () => {
    await using api = await start();
    const stopped = AbortSignal.abort(new Error('stopped'));
    await assert.rejects(api.client.list(podResource, {}, stopped), /stopped/);
    await assert.rejects(async () => {
      for await (const _ of api.client.watch(podResource, {}, stopped)) assert.fail('an event');
    }, /stopped/);
  });

  test(`${carrier}: client: a watch follows from a revision, and ends when it is told to`, async () => {
    await using api = await start();
    const { client, never } = api;
    const stop = new AbortController();
    const { metadata } = await client.list(configMapResource, {}, never);
    const options = { namespace: 'default', resourceVersion: metadata.resourceVersion! };
    const seen: string[] = [];
    const watching = (async () => {
      for await (const event of client.watch(configMapResource, options, stop.signal))
        if (event.type !== 'BOOKMARK') seen.push(`${event.type} ${event.object.kind} ${event.object.metadata.name}`);
    })();
    await client.create(configMapResource, configMap('a'), never);
    await client.delete(configMapResource, ref('a'), {}, never);
    await api.until(() => seen.length === 2);
    assert.deepEqual(seen, ['ADDED ConfigMap a', 'DELETED ConfigMap a']);
    stop.abort(new Error('enough'));
    await assert.rejects(watching, /enough/);
  });

  test(`${carrier}: client: text in another script, and a large object, arrive as they were sent`, async () => {
    await using api = await start();
    const data = { big: 'é漢字🙂'.repeat(30_000) };
    const stop = new AbortController();
    const { metadata } = await api.client.list(configMapResource, {}, api.never);
    const events = api.client.watch(configMapResource, { resourceVersion: metadata.resourceVersion! }, stop.signal);
    await api.client.create(configMapResource, configMap('a', data), api.never);
    for await (const event of events) {
      if (event.type === 'BOOKMARK') continue;
      assert.equal(event.object.data?.['big'], data.big);
      break;
    }
  });

  test(`${carrier}: informer: one streaming list, and every change after it, by selector`, async () => {
    await using api = await start();
    const { client, clock, never } = api;
    await client.create(podResource, pod('a', 'n1'), never);
    await client.create(podResource, pod('b', 'n2'), never);
    await client.create(podResource, pod('c'), never);
    await using scope = new Scope();
    const errors: unknown[] = [];
    const onError = (error: unknown): void => void errors.push(error);
    const informer = createInformer({
      client,
      clock,
      resource: podResource,
      fieldSelector: 'spec.nodeName=n1',
      onError,
    });
    const told: string[] = [];
    informer.onChange(({ key, before, after }) => void told.push(`${before ? (after ? '~' : '-') : '+'}${key}`));
    scope.spawn('informer', (signal) => informer.run(signal));
    await informer.synced(never);
    const target = { apiVersion: 'v1', kind: 'Binding', metadata: ref('c'), target: { kind: 'Node', name: 'n1' } };
    await client.post(podResource, { ...ref('c'), subresource: 'binding' }, target, never);
    await client.patch(podResource, ref('a'), { kind: 'merge', body: { metadata: { labels: { x: 'y' } } } }, never);
    await client.patch(podResource, ref('b'), { kind: 'merge', body: { metadata: { labels: { x: 'y' } } } }, never);
    await client.delete(podResource, ref('a'), { gracePeriodSeconds: 0 }, never);
    await api.until(() => told.length === 4);
    assert.deepEqual(told, ['+default/a', '+default/c', '~default/a', '-default/a']);
    assert.deepEqual(errors, []);
  });

  test(`${carrier}: EventRecorder: events are made, counted and made anew after they have gone`, async () => {
    await using api = await start();
    const { client, clock, never } = api;
    const about = await client.create(podResource, pod('web'), never);
    const errors: unknown[] = [];
    const onError = (error: unknown): void => void errors.push(error);
    const recorder = createEventRecorder({ client, clock, source: { component: 'kubelet', host: 'n1' }, onError });
    await using scope = new Scope();
    scope.spawn('recorder', (signal) => recorder.run(signal));
    const text = { type: 'Warning', reason: 'BackOff', message: 'Back-off', fieldPath: 'spec.containers{c}' } as const;
    const events = async () => {
      await recorder.flushed(never);
      return (await client.list(eventResource, { namespace: 'default' }, never)).items;
    };
    for (let n = 0; n < 3; n++) recorder.record(about, text);
    const [event, ...others] = await events();
    assert.deepEqual(others, []);
    assert.equal(event?.count, 3);
    assert.equal(event.involvedObject.uid, about.metadata.uid);
    await client.delete(eventResource, event.metadata as { name: string; namespace: string }, {}, never);
    recorder.record(about, text);
    assert.deepEqual(
      (await events()).map(({ count }) => count),
      [4],
    );
    assert.deepEqual(errors, []);
  });
}

test('informer: hands on the very objects of the server, in the list and after it', async () => {
  await using api = await startMemoryApi();
  const { client, clock, never } = api;
  await client.create(configMapResource, configMap('a'), never);
  await using scope = new Scope();
  const informer = createInformer({ client, clock, resource: configMapResource, namespace: 'default' });
  scope.spawn('informer', (signal) => informer.run(signal));
  await informer.synced(never);
  const b = await client.create(configMapResource, configMap('b'), never);
  assert.equal(await informer.waitFor(b.metadata.resourceVersion, never), true);
  const { items } = await client.list(configMapResource, { namespace: 'default' }, never);
  assert.deepEqual(
    items.map(({ metadata }) => metadata.name),
    ['a', 'b'],
  );
  for (const item of items)
    assert.ok(
      informer.list().some((held) => held === item),
      item.metadata.name,
    );
});

test('informer: a write of another kind passes with a bookmark', async () => {
  await using api = await startMemoryApi();
  const { client, clock, never } = api;
  await using scope = new Scope();
  const informer = createInformer({ client, clock, resource: namespaceResource });
  scope.spawn('informer', (signal) => informer.run(signal));
  await informer.synced(never);
  const before = informer.seen;
  await client.create(configMapResource, configMap('a'), never);
  await clock.advance(120_000);
  assert.notEqual(informer.seen, before);
});
