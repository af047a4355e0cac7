import assert from 'node:assert/strict';
import test from 'node:test';
import type { ObjectKey } from '#api/meta.ts';
import type { Client } from '#client/client.ts';
import { nodeResource, podResource } from '#client/resources.ts';
import { orAborted } from '#lib/or-aborted.ts';
import type { BindingPlugin } from '#scheduler/plugin.ts';
import { readSchedulerConfiguration } from '#scheduler/config/scheduler-configuration.ts';
import { defaultProfile } from '#scheduler/profile.ts';
import { never, newPod, SchedulerWorld } from '#test/integration/scheduler-world.ts';

test('scheduler: a pod that somebody else has bound meanwhile is left where it is, and counts there', async () => {
  await using world = await SchedulerWorld.start();
  await world.node('ours', { cpu: '1' });
  await world.node('theirs', { cpu: '1' }, { unschedulable: true });
  let rival = true;
  const client = world.interrupted(async ({ name }) => {
    if (rival) await world.bind(name, 'theirs');
    rival = false;
  });
  const scheduler = await world.schedule({ client });
  await world.pod('web', { cpu: '1' });
  await world.settled();
  assert.equal(await world.nodeOf('web'), 'theirs');
  assert.equal((await world.condition('web'))?.status, 'True');
  const [attempt] = scheduler.attempts('default/web' as ObjectKey);
  const binding = attempt?.outcome.kind === 'placed' ? attempt.outcome.binding : undefined;
  assert.match(binding?.kind === 'failed' ? binding.message : '', /already assigned to node "theirs"/);
  // What was assumed for it is free again.
  await world.pod('next', { cpu: '1' });
  assert.equal(await world.nodeOf('next'), 'ours');
  await world.advance(60_000);
  assert.deepEqual(await world.events('FailedScheduling'), []);
  assert.deepEqual(scheduler.waiting, { active: 0, 'backing-off': 0, unschedulable: 0, gated: 0, 'in-flight': 0 });
});

test('scheduler: a bound pod is not said to be unschedulable by an attempt from before', async () => {
  await using world = await SchedulerWorld.start();
  await world.node('node1', { cpu: '1' });
  const client = world.schedulerClient();
  let rival = true;
  const late: Client = {
    ...client,
    patch: async (...args) => {
      if (rival) {
        rival = false;
        await world.bind('web', 'node1');
      }
      return client.patch(...args);
    },
  };
  await world.schedule({ client: late });
  await world.pod('web', { cpu: '2' });
  await world.settled();
  assert.equal(rival, false);
  assert.equal((await world.condition('web'))?.status, 'True');
});

test('scheduler: a pod deleted while it is being bound leaves nothing behind', async () => {
  await using world = await SchedulerWorld.start();
  await world.node('node1', { cpu: '1' });
  let deleted = false;
  const client = world.interrupted(async ({ name }) => {
    if (name === 'web' && !deleted) await world.remove(name);
    deleted = true;
  });
  const scheduler = await world.schedule({ client });
  await world.pod('web', { cpu: '1' });
  assert.equal(await world.client.get(podResource, { namespace: 'default', name: 'web' }, never), undefined);
  await world.pod('next', { cpu: '1' });
  assert.equal(await world.nodeOf('next'), 'node1');
  // A namesake has nothing to do with it.
  await world.remove('next');
  await world.pod('web', { cpu: '1' });
  assert.equal(await world.nodeOf('web'), 'node1');
  assert.equal(scheduler.waiting['in-flight'], 0);
  assert.deepEqual(world.troubles, []);
});

test('scheduler: a pod that is ending but not gone is not tried again', async () => {
  await using world = await SchedulerWorld.start();
  await world.node('node1');
  let posts = 0;
  const client = world.interrupted(async ({ name }) => {
    posts++;
    if (posts === 1) await world.remove(name);
  });
  const scheduler = await world.schedule({ client });
  const pod = newPod('web', {});
  await world.client.create(
    podResource,
    { ...pod, metadata: { ...pod.metadata, finalizers: ['example.com/x'] } },
    never,
  );
  await world.settled();
  await world.advance(60_000);
  assert.equal(posts, 1);
  assert.notEqual((await world.get('web')).metadata.deletionTimestamp, undefined);
  assert.equal(
    Object.values(scheduler.waiting).reduce((a, b) => a + b),
    0,
  );
});

test('scheduler: a binding that fails for want of the server is tried again after a second', async () => {
  await using world = await SchedulerWorld.start();
  await world.node('node1', { cpu: '1' });
  let failures = 1;
  const client = world.interrupted(async () => {
    if (failures-- > 0) throw new Error('connection reset');
  });
  await world.schedule({ client });
  await world.pod('web', { cpu: '1' });
  assert.equal(await world.nodeOf('web'), undefined);
  const condition = await world.condition('web');
  assert.deepEqual([condition?.status, condition?.reason], ['False', 'SchedulerError']);
  assert.equal(world.troubles.length, 1);
  await world.advance(999);
  assert.equal(await world.nodeOf('web'), undefined);
  await world.advance(1);
  assert.equal(await world.nodeOf('web'), 'node1');
});

test('scheduler: bindings are under way together, and what is assumed counts meanwhile', async () => {
  await using world = await SchedulerWorld.start();
  await world.node('node1', { cpu: '2' });
  const gate = Promise.withResolvers<void>();
  const posted: string[] = [];
  const client = world.interrupted(async ({ name }) => {
    posted.push(name);
    await gate.promise;
  });
  const scheduler = await world.schedule({ client });
  for (const name of ['a', 'b', 'c']) await world.pod(name, { cpu: '1' });
  assert.deepEqual(posted, ['a', 'b']);
  assert.deepEqual([scheduler.waiting['in-flight'], scheduler.waiting.unschedulable], [2, 1]);
  gate.resolve();
  await world.settled();
  assert.deepEqual(await Promise.all(['a', 'b', 'c'].map((name) => world.nodeOf(name))), ['node1', 'node1', undefined]);
});

test('scheduler: a binding plugin reserves, permits and prepares; a refusal gives everything back', async () => {
  await using world = await SchedulerWorld.start();
  await world.node('node1', { cpu: '1' });
  const calls: string[] = [];
  let permits = false;
  const plugin = (name: string): BindingPlugin => ({
    name,
    reserve: (pod, node) => void calls.push(`${name} reserve ${pod.metadata.name} ${node}`),
    unreserve: () => void calls.push(`${name} unreserve`),
    permit: async () => (permits ? { kind: 'allowed' } : { kind: 'refused', reason: 'waiting for the gang' }),
    preBind: async () => void calls.push(`${name} preBind`),
  });
  await world.schedule({ profiles: [{ ...defaultProfile(), binding: [plugin('one'), plugin('two')] }] });
  await world.pod('web', { cpu: '1' });
  assert.deepEqual(calls.splice(0), [
    'one reserve web node1',
    'two reserve web node1',
    'two unreserve',
    'one unreserve',
  ]);
  const condition = await world.condition('web');
  assert.deepEqual(
    [condition?.reason, condition?.message],
    ['Unschedulable', '0/1 nodes are available: 1 waiting for the gang.'],
  );
  permits = true;
  await world.advance(1_000);
  assert.equal(await world.nodeOf('web'), 'node1');
  assert.deepEqual(calls, ['one reserve web node1', 'two reserve web node1', 'one preBind', 'two preBind']);
});

test('scheduler: two of them at once bind each pod once, and say of none that it has no node', async () => {
  await using world = await SchedulerWorld.start();
  for (const name of ['a', 'b', 'c']) await world.node(name, { cpu: '64', memory: '64Gi' });
  await world.schedule({ random: () => 0.1 });
  await world.schedule({ random: () => 0.9 });
  const names = Array.from({ length: 30 }, (_, at) => `pod-${at}`);
  await Promise.all(names.map((name) => world.client.create(podResource, newPod(name, { cpu: '1' }), never)));
  await world.settled();
  await world.advance(60_000);
  for (const name of names) {
    assert.notEqual(await world.nodeOf(name), undefined, name);
    assert.equal((await world.condition(name))?.status, 'True');
  }
  assert.equal((await world.events('Scheduled')).length, names.length);
  assert.deepEqual(await world.events('FailedScheduling'), []);
});

test('scheduler: many pods fill many nodes without one too many', async () => {
  await using world = await SchedulerWorld.start();
  for (let at = 0; at < 20; at++) await world.node(`node-${at}`, { cpu: '1', pods: '8' });
  const scheduler = await world.schedule({ random: Math.random });
  const names = Array.from({ length: 100 }, (_, at) => `pod-${at}`);
  await Promise.all(names.map((name) => world.client.create(podResource, newPod(name, { cpu: '250m' }), never)));
  for (let turn = 0; turn < 20; turn++) await world.settled();
  const used = new Map<string, number>();
  for (const name of names) {
    const node = await world.nodeOf(name);
    if (node !== undefined) used.set(node, (used.get(node) ?? 0) + 1);
  }
  assert.deepEqual(
    [...used.values()].toSorted(),
    Array.from({ length: 20 }, () => 4),
  );
  assert.equal(scheduler.waiting.unschedulable, 20);
});

for (const who of ['another one', 'the same, run again,']) {
  test(`scheduler: ${who} goes on where one was stopped between assuming and binding`, async () => {
    await using world = await SchedulerWorld.start();
    await world.node('node1', { cpu: '1' });
    let isDown = true;
    const held = Promise.withResolvers<void>();
    const client = world.interrupted(async () => (isDown ? held.promise : undefined));
    const scheduler = await world.schedule({ client });
    await world.pod('a', { cpu: '1' });
    await world.pod('b', { cpu: '1' });
    assert.equal(scheduler.waiting['in-flight'], 1);
    const stopping = world.stop();
    held.reject(new Error('the connection is closed'));
    await stopping;
    isDown = false;
    assert.equal(await world.nodeOf('a'), undefined);
    if (who === 'another one') await world.schedule();
    else await world.run(scheduler);
    await world.advance(1_000);
    assert.deepEqual([await world.nodeOf('a'), await world.nodeOf('b')].toSorted(), ['node1', undefined]);
    await world.remove((await world.nodeOf('a')) === undefined ? 'b' : 'a');
    await world.advance(1_000);
    const left = (await world.client.list(podResource, { namespace: 'default' }, never)).items;
    assert.deepEqual(
      left.map(({ spec }) => spec.nodeName),
      ['node1'],
    );
  });
}

test('scheduler: it is not run twice at a time', async () => {
  await using world = await SchedulerWorld.start();
  const scheduler = await world.schedule();
  await assert.rejects(scheduler.run(never), /running already/);
});

test('scheduler: a node that vanishes takes no more pods, and what was on it does not count elsewhere', async () => {
  await using world = await SchedulerWorld.start();
  await world.node('node1', { cpu: '1' });
  await world.schedule();
  await world.pod('a', { cpu: '1' });
  await world.client.delete(nodeResource, { name: 'node1' }, {}, never);
  await world.settled();
  await world.pod('b', { cpu: '1' });
  assert.equal((await world.condition('b'))?.message, 'no nodes available to schedule pods');
  await world.node('node1', { cpu: '1' });
  assert.equal(await world.nodeOf('b'), undefined, 'a is on the node that came back');
  await world.node('node2', { cpu: '1' });
  assert.equal(await world.nodeOf('b'), 'node2');
});

test('scheduler: news from before the binding does not bring a bound pod back into the queue', async () => {
  await using world = await SchedulerWorld.start();
  await world.node('node1', { cpu: '1' });
  const client = world.interrupted(async ({ name }) => world.patch(name, { metadata: { labels: { a: 'b' } } }));
  const { watch, pass } = lateNews(client);
  const scheduler = await world.schedule({ client: { ...client, watch } });
  await world.pod('web', { cpu: '1' });
  await world.settled();
  assert.equal(await world.nodeOf('web'), 'node1');
  for (let news = 0; news < 2; news++) {
    pass();
    await world.settled();
    assert.equal(scheduler.attempts('default/web' as ObjectKey).length, 1);
  }
});

test('scheduler: pods that wait for permission keep nobody from being scheduled', async () => {
  await using world = await SchedulerWorld.start();
  await world.node('node1', { cpu: '1000', memory: '1000Gi', pods: '1000' });
  const gang = Promise.withResolvers<void>();
  const plugin: BindingPlugin = {
    name: 'gang',
    reserve: () => {},
    unreserve: () => {},
    permit: async (pod) => {
      if (pod.metadata.name !== 'web') await gang.promise;
      return { kind: 'allowed' };
    },
  };
  const scheduler = await world.schedule({ profiles: [{ ...defaultProfile(), binding: [plugin] }] });
  const names = Array.from({ length: 100 }, (_, at) => `gang-${at}`);
  await Promise.all(names.map((name) => world.client.create(podResource, newPod(name, {}), never)));
  await world.pod('web');
  assert.equal(await world.nodeOf('web'), 'node1');
  assert.equal(scheduler.waiting['in-flight'], 100);
  gang.resolve();
  for (let turn = 0; turn < 10; turn++) await world.settled();
  assert.equal(scheduler.waiting['in-flight'], 0);
});

test('scheduler: a pod that somebody else has bound, which is not known here yet, is not said to have failed', async () => {
  await using world = await SchedulerWorld.start();
  await world.node('node1', { cpu: '1' });
  const client = world.interrupted(async ({ name }) => world.bind(name, 'node1'));
  const { watch, pass } = lateNews(client);
  const scheduler = await world.schedule({ client: { ...client, watch } });
  await world.pod('web', { cpu: '1' });
  await world.settled();
  assert.equal(await world.nodeOf('web'), 'node1');
  await world.advance(60_000);
  assert.equal(scheduler.attempts('default/web' as ObjectKey).length, 1);
  assert.deepEqual(await world.events('FailedScheduling'), []);
  pass();
  await world.settled();
  assert.equal((await world.condition('web'))?.status, 'True');
});

/** Changes of pods reach the scheduler one at a time, when they are let pass. */
function lateNews(client: Client): { readonly watch: Client['watch']; pass(): void } {
  const held: (() => void)[] = [];
  return {
    watch: async function* (resource, options, signal) {
      for await (const event of client.watch(resource, options, signal)) {
        const isLate = event.type === 'MODIFIED' && resource.plural === 'pods';
        if (isLate) await orAborted(new Promise<void>((go) => held.push(go)), signal);
        yield event;
      }
    },
    pass: () => {
      const pass = held.shift();
      assert.ok(pass, 'there is no news');
      pass();
    },
  };
}

test('scheduler: a node that vanishes while a pod is being bound to it keeps no room for it, and nothing is bound twice', async () => {
  await using world = await SchedulerWorld.start();
  await world.node('node1', { cpu: '1' });
  let bindings = 0;
  const client = world.interrupted(async () => {
    bindings++;
    if (bindings === 1) await world.client.delete(nodeResource, { name: 'node1' }, {}, never);
  });
  await world.schedule({ client });
  await world.pod('a', { cpu: '1' });
  // What the server has bound stays bound: who looks after lost nodes sees to it.
  assert.deepEqual([await world.nodeOf('a'), bindings], ['node1', 1]);
  await world.node('node2', { cpu: '1' });
  await world.node('node1', { cpu: '1' });
  await world.pod('b', { cpu: '1' });
  await world.pod('c', { cpu: '1' });
  assert.deepEqual([await world.nodeOf('b'), await world.nodeOf('c'), bindings], ['node2', undefined, 2]);
});

test('scheduler: two schedulers of different names share the nodes, each with pods of its own', async () => {
  await using world = await SchedulerWorld.start();
  await world.node('node1', { cpu: '2' });
  await world.schedule();
  await world.schedule({ profiles: [{ ...defaultProfile(), schedulerName: 'other' }] });
  for (const [name, schedulerName] of [
    ['a', 'other'],
    ['b', 'default-scheduler'],
    ['c', 'other'],
    ['d', 'nobody'],
  ] as const)
    await world.pod(name, { cpu: '1' }, { schedulerName });
  const nodes = await Promise.all(['a', 'b', 'c', 'd'].map((name) => world.nodeOf(name)));
  assert.deepEqual(nodes, ['node1', 'node1', undefined, undefined]);
  assert.equal((await world.condition('c'))?.reason, 'Unschedulable');
  assert.equal(await world.condition('d'), undefined);
});

test('scheduler: one of several profiles decides for the pods that ask for it', async () => {
  await using world = await SchedulerWorld.start();
  await world.node('empty', { cpu: '4' });
  await world.node('full', { cpu: '4' });
  await world.pod('there', { cpu: '1', memory: '2Gi' }, { nodeName: 'full' });
  const args = { scoringStrategy: { type: 'MostAllocated' } };
  const { profiles } = readSchedulerConfiguration({
    apiVersion: 'kubescheduler.config.k8s.io/v1',
    kind: 'KubeSchedulerConfiguration',
    profiles: [
      { schedulerName: 'default-scheduler' },
      { schedulerName: 'packed', pluginConfig: [{ name: 'NodeResourcesFit', args }] },
    ],
  });
  await world.schedule({ profiles });
  await world.pod('spread', { cpu: '1', memory: '1Gi' });
  await world.pod('big', { cpu: '2', memory: '1Gi' }, { schedulerName: 'packed' });
  assert.deepEqual([await world.nodeOf('spread'), await world.nodeOf('big')], ['empty', 'full']);
  // A change wakes pods of every profile.
  await world.pod('late', { cpu: '4' }, { schedulerName: 'packed' });
  assert.equal(await world.nodeOf('late'), undefined);
  await world.remove('spread');
  await world.advance(1_000);
  assert.equal(await world.nodeOf('late'), 'empty');
});
