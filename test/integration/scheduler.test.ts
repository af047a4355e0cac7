import assert from 'node:assert/strict';
import test from 'node:test';
import type { ObjectKey } from '#api/meta.ts';
import type { Client } from '#client/client.ts';
import { podResource, priorityClassResource } from '#client/resources.ts';
import { never, newPod, SchedulerWorld } from '#test/integration/scheduler-world.ts';

test('scheduler: a pod that fits is bound, and an event says so', async () => {
  await using world = await SchedulerWorld.start();
  await world.node('node1');
  const scheduler = await world.schedule();
  await world.pod('web', { cpu: '500m' });
  assert.equal(await world.nodeOf('web'), 'node1');
  assert.equal((await world.condition('web'))?.status, 'True');
  const [event] = await world.events('Scheduled');
  assert.equal(event?.message, 'Successfully assigned default/web to node1');
  assert.equal(event?.type, 'Normal');
  assert.equal(event?.source?.component, 'default-scheduler');
  const [attempt] = scheduler.attempts('default/web' as ObjectKey);
  assert.equal(attempt?.outcome.kind === 'placed' && attempt.outcome.binding.kind, 'bound');
  assert.deepEqual(world.troubles, []);
});

test('scheduler: of two pods that race for the last cpu one is bound, and the other when that one goes', async () => {
  await using world = await SchedulerWorld.start();
  await world.node('node1', { cpu: '1' });
  await world.schedule();
  await Promise.all(['a', 'b'].map((name) => world.client.create(podResource, newPod(name, { cpu: '600m' }), never)));
  await world.settled();
  const nodes = await Promise.all(['a', 'b'].map((name) => world.nodeOf(name)));
  assert.deepEqual(nodes.toSorted(), ['node1', undefined]);
  const [bound, waiting] = nodes[0] === undefined ? (['b', 'a'] as const) : (['a', 'b'] as const);
  const message =
    '0/1 nodes are available: 1 Insufficient cpu. ' +
    'preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.';
  const condition = await world.condition(waiting);
  assert.deepEqual(
    { ...condition, lastTransitionTime: undefined },
    { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message, lastTransitionTime: undefined },
  );
  assert.match(condition?.lastTransitionTime ?? '', /^2026-01-31T09:00:00Z$/);
  const [event] = await world.events('FailedScheduling');
  assert.equal(event?.message, message);
  assert.equal(event?.type, 'Warning');
  assert.equal(event?.involvedObject.name, waiting);
  await world.remove(bound);
  assert.equal(await world.nodeOf(waiting), 'node1');
  assert.equal((await world.condition(waiting))?.status, 'True');
});

test('scheduler: a pod that finds no node is bound when one appears', async () => {
  await using world = await SchedulerWorld.start();
  await world.schedule();
  await world.pod('early', { cpu: '1' });
  assert.equal((await world.condition('early'))?.message, 'no nodes available to schedule pods');
  await world.node('small', { cpu: '500m' });
  assert.equal(await world.nodeOf('early'), undefined);
  await world.node('late');
  assert.equal(await world.nodeOf('early'), 'late');
});

test('scheduler: reasons of several nodes are counted and sorted', async () => {
  await using world = await SchedulerWorld.start();
  for (const name of ['a', 'b', 'c']) await world.node(name, { cpu: '100m', memory: '64Mi' });
  await world.node('d', {}, { unschedulable: true });
  await world.node('e', {}, { taints: [{ key: 'dedicated', value: 'db', effect: 'NoSchedule' }] });
  await world.schedule();
  await world.pod('web', { cpu: '1', memory: '1Gi' });
  const message =
    '0/5 nodes are available: 1 node(s) had untolerated taint(s), 1 node(s) were unschedulable, ' +
    '3 Insufficient cpu, 3 Insufficient memory. ' +
    'preemption: 0/5 nodes are available: 5 Preemption is not helpful for scheduling.';
  assert.equal((await world.condition('web'))?.message, message);
  assert.equal((await world.events('FailedScheduling'))[0]?.message, message);
});

test('scheduler: the same failure is told again by the event alone', async () => {
  await using world = await SchedulerWorld.start();
  await world.node('node1');
  const client = world.schedulerClient();
  let patches = 0;
  const counting: Client = {
    ...client,
    patch: (...args) => {
      patches++;
      return client.patch(...args);
    },
  };
  const scheduler = await world.schedule({ client: counting });
  await world.pod('web', { cpu: '9' });
  await world.advance(5 * 60_000);
  assert.equal(scheduler.attempts('default/web' as ObjectKey).length, 2);
  assert.equal(patches, 1);
  const events = await world.events('FailedScheduling');
  assert.deepEqual(
    events.map(({ count }) => count),
    [2],
  );
});

test('scheduler: a gated pod is not tried until its gates are gone', async () => {
  await using world = await SchedulerWorld.start();
  await world.node('node1');
  const scheduler = await world.schedule();
  await world.pod('web', {}, { schedulingGates: [{ name: 'example.com/hold' }] });
  assert.equal(await world.nodeOf('web'), undefined);
  assert.equal(scheduler.waiting.gated, 1);
  assert.deepEqual(scheduler.attempts('default/web' as ObjectKey), []);
  const condition = await world.condition('web');
  assert.deepEqual([condition?.status, condition?.reason], ['False', 'SchedulingGated']);
  await world.patch('web', { spec: { schedulingGates: null } });
  assert.equal(await world.nodeOf('web'), 'node1');
});

test("scheduler: another scheduler's pods are left alone, and count once they are on a node", async () => {
  await using world = await SchedulerWorld.start();
  await world.node('node1', { cpu: '1' });
  await world.schedule();
  await world.pod('theirs', { cpu: '1' }, { schedulerName: 'other' });
  assert.equal(await world.nodeOf('theirs'), undefined);
  assert.equal(await world.condition('theirs'), undefined);
  await world.bind('theirs', 'node1');
  await world.pod('ours', { cpu: '1' });
  assert.equal(await world.nodeOf('ours'), undefined);
});

test('scheduler: what counts on a node: set by hand and ending pods do, ended ones do not', async () => {
  await using world = await SchedulerWorld.start();
  await world.node('node1', { cpu: '1' });
  await world.schedule();
  await world.pod('by-hand', { cpu: '600m' }, { nodeName: 'node1' });
  await world.pod('web', { cpu: '600m' });
  assert.equal(await world.nodeOf('web'), undefined);
  await world.setPhase('by-hand', 'Running');
  await world.remove('by-hand', 30);
  assert.notEqual((await world.get('by-hand')).metadata.deletionTimestamp, undefined);
  await world.advance(10_000);
  assert.equal(await world.nodeOf('web'), undefined, 'a pod that is ending has its cpu still');
  await world.setPhase('by-hand', 'Succeeded');
  assert.equal(await world.nodeOf('web'), 'node1');
});

test('scheduler: a pod with a higher priority that came later goes first', async () => {
  await using world = await SchedulerWorld.start();
  await world.schedule();
  for (const [name, value] of [
    ['low', -10],
    ['high', 1000],
  ] as const) {
    const priorityClass = {
      apiVersion: 'scheduling.k8s.io/v1',
      kind: 'PriorityClass',
      metadata: { name },
      value,
    } as const;
    await world.client.create(priorityClassResource, priorityClass, never);
  }
  await world.pod('a', { cpu: '1' }, { priorityClassName: 'low' });
  await world.pod('b', { cpu: '1' }, { priorityClassName: 'high' });
  assert.equal((await world.get('b')).spec.priority, 1000);
  await world.node('node1', { cpu: '1' });
  assert.deepEqual([await world.nodeOf('a'), await world.nodeOf('b')], [undefined, 'node1']);
});
