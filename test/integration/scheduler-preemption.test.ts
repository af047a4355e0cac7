import assert from 'node:assert/strict';
import test from 'node:test';
import type { ObjectKey } from '#api/meta.ts';
import type { PodSpec } from '#api/generated/core-v1.ts';
import type { Client } from '#client/client.ts';
import { podDisruptionBudgetResource, podResource, priorityClassResource } from '#client/resources.ts';
import { defaultProfile } from '#scheduler/profile.ts';
import { never, newPod, SchedulerWorld } from '#test/integration/scheduler-world.ts';

const high: Partial<PodSpec> = { priorityClassName: 'high' };
const low: Partial<PodSpec> = { priorityClassName: 'low' };

async function worldOf(...nodes: readonly string[]): Promise<SchedulerWorld> {
  const world = await SchedulerWorld.start();
  const kind = { apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass' } as const;
  for (const [name, value] of [
    ['low', 1],
    ['middle', 500],
    ['high', 1000],
  ] as const) {
    await world.client.create(priorityClassResource, { ...kind, metadata: { name }, value }, never);
  }
  const polite = { ...kind, metadata: { name: 'polite' }, value: 1000, preemptionPolicy: 'Never' } as const;
  await world.client.create(priorityClassResource, polite, never);
  for (const name of nodes) await world.node(name, { cpu: '1' });
  return world;
}

/** A kubelet's last word on a pod that was told to end. */
const ended = (world: SchedulerWorld, name: string): Promise<void> => world.remove(name, 0);

const isEnding = async (world: SchedulerWorld, name: string): Promise<boolean> =>
  (await world.get(name)).metadata.deletionTimestamp !== undefined;

const nominatedNode = async (world: SchedulerWorld, name: string): Promise<string | undefined> =>
  (await world.get(name)).status?.nominatedNodeName;

test('SchedulerPreemption validates basic preemption works: a pod of high priority takes the place of a low one', async () => {
  await using world = await worldOf('node1', 'node2');
  await world.schedule();
  await world.pod('low', { cpu: '1' }, low);
  await world.pod('middle', { cpu: '1' }, { priorityClassName: 'middle' });
  const where = await world.nodeOf('low');
  const preemptor = await world.pod('high', { cpu: '1' }, high);
  assert.equal(await world.nodeOf('high'), undefined);
  assert.equal(await nominatedNode(world, 'high'), where);
  const { metadata, status } = await world.get('low');
  assert.equal(metadata.deletionGracePeriodSeconds, 30, 'its own grace');
  const why = status?.conditions?.find(({ type }) => type === 'DisruptionTarget');
  assert.deepEqual(
    [why?.status, why?.reason, why?.message],
    ['True', 'PreemptionByScheduler', 'default-scheduler: preempting to accommodate a higher priority pod'],
  );
  const [event] = await world.events('Preempted');
  assert.deepEqual(
    [event?.type, event?.involvedObject.name, event?.message],
    ['Normal', 'low', `Preempted by pod ${preemptor.metadata.uid} on node ${where}`],
  );
  const message = '0/2 nodes are available: 2 Insufficient cpu.';
  assert.equal((await world.condition('high'))?.message, message);
  assert.equal((await world.events('FailedScheduling'))[0]?.message, message);
  // However often it is tried while the victim ends: nobody else has to go.
  await world.advance(20_000);
  assert.equal(await isEnding(world, 'middle'), false);
  await ended(world, 'low');
  assert.equal(await world.nodeOf('high'), where);
  assert.equal(await nominatedNode(world, 'high'), undefined, 'bound, it is nominated no more');
  assert.deepEqual(world.troubles, []);
});

test('SchedulerPreemption validates lower priority pod preemption by critical pod', async () => {
  await using world = await worldOf('node1');
  await world.schedule();
  await world.pod('high', { cpu: '1' }, high);
  const critical = newPod('critical', { cpu: '1' }, { priorityClassName: 'system-cluster-critical' });
  await world.client.create(
    podResource,
    { ...critical, metadata: { name: 'critical', namespace: 'kube-system' } },
    never,
  );
  await world.settled();
  assert.equal(await isEnding(world, 'high'), true);
  await ended(world, 'high');
  const bound = await world.client.get(podResource, { namespace: 'kube-system', name: 'critical' }, never);
  assert.equal(bound?.spec.nodeName, 'node1');
});

test('SchedulerPreemption validates pod disruption condition is added to the preempted pod, which stays for its finalizer', async () => {
  await using world = await worldOf('node1');
  await world.schedule();
  const victim = newPod('low', { cpu: '1' }, low);
  const metadata = { ...victim.metadata, finalizers: ['example.com/test'] };
  await world.client.create(podResource, { ...victim, metadata }, never);
  await world.settled();
  await world.pod('high', { cpu: '1' }, high);
  await ended(world, 'low');
  const { status } = await world.get('low');
  assert.equal(status?.conditions?.find(({ type }) => type === 'DisruptionTarget')?.status, 'True');
});

test('preemption: who may not preempt waits, and says so', async () => {
  await using world = await worldOf('node1');
  await world.schedule();
  await world.pod('low', { cpu: '1' }, low);
  await world.pod('polite', { cpu: '1' }, { priorityClassName: 'polite' });
  await world.advance(60_000);
  assert.equal(await isEnding(world, 'low'), false);
  assert.equal(
    (await world.condition('polite'))?.message,
    '0/1 nodes are available: 1 Insufficient cpu. preemption: not eligible due to preemptionPolicy=Never.',
  );
});

test('preemption: a scheduler whose profile has none evicts nobody', async () => {
  await using world = await worldOf('node1');
  await world.schedule({ profiles: [{ ...defaultProfile(), preemption: undefined }] });
  await world.pod('low', { cpu: '1' }, low);
  await world.pod('high', { cpu: '1' }, high);
  assert.equal(await isEnding(world, 'low'), false);
  assert.equal((await world.condition('high'))?.message, '0/1 nodes are available: 1 Insufficient cpu.');
});

test('preemption: two pods that need room at once each get their own', async () => {
  await using world = await worldOf('node1', 'node2', 'node3');
  await world.schedule();
  for (const name of ['a', 'b', 'c']) await world.pod(name, { cpu: '1' }, low);
  await Promise.all(
    ['x', 'y'].map((name) => world.client.create(podResource, newPod(name, { cpu: '1' }, high), never)),
  );
  await world.settled();
  const nodes = [await nominatedNode(world, 'x'), await nominatedNode(world, 'y')];
  assert.equal(new Set(nodes).size, 2);
  const going: string[] = [];
  for (const name of ['a', 'b', 'c']) if (await isEnding(world, name)) going.push(name);
  assert.equal(going.length, 2);
  for (const name of going) await ended(world, name);
  assert.deepEqual([await world.nodeOf('x'), await world.nodeOf('y')], nodes);
});

test('preemption: nobody of a lower priority takes the room that was made', async () => {
  await using world = await worldOf('node1');
  const scheduler = await world.schedule();
  await world.pod('victim', { cpu: '1' }, low);
  await world.pod('high', { cpu: '1' }, high);
  await world.pod('small', { cpu: '100m' }, low);
  await ended(world, 'victim');
  assert.equal(await world.nodeOf('high'), 'node1');
  assert.equal(await world.nodeOf('small'), undefined);
  assert.equal(scheduler.attempts('default/small' as ObjectKey).at(-1)?.outcome.kind, 'unschedulable');
  // When the one who claimed it goes, others are woken.
  await world.remove('high');
  await world.advance(1_000);
  assert.equal(await world.nodeOf('small'), 'node1');
});

test('preemption: a claim that is given up wakes those it kept out', async () => {
  await using world = await worldOf();
  await world.node('node1', { cpu: '2' });
  await world.schedule();
  await world.pod('victim', { cpu: '1' }, low);
  await world.pod('high', { cpu: '2' }, high);
  // Beside the victim there is room, but not beside who is to come.
  await world.pod('small', { cpu: '100m' }, low);
  assert.equal(await world.nodeOf('small'), undefined);
  await world.remove('high');
  await world.advance(1_000);
  assert.equal(await world.nodeOf('small'), 'node1');
  assert.equal(await isEnding(world, 'victim'), true);
});

test('preemption: a scheduler that starts takes claims for what they are', async () => {
  await using world = await worldOf('node1');
  await world.schedule();
  await world.pod('victim', { cpu: '1' }, low);
  await world.pod('high', { cpu: '1' }, high);
  assert.equal(await nominatedNode(world, 'high'), 'node1');
  await world.stop();
  await world.pod('rival', { cpu: '1' }, low);
  await world.pod('equal', { cpu: '1' }, high);
  await ended(world, 'victim');
  await world.schedule();
  await world.advance(1_000);
  assert.equal(await world.nodeOf('high'), 'node1');
  assert.equal(await world.nodeOf('rival'), undefined);
});

test('preemption: a more important pod takes over what a lower one was nominated for', async () => {
  await using world = await worldOf('node1');
  await world.schedule();
  await world.pod('victim', { cpu: '1' }, low);
  await world.pod('middle', { cpu: '1' }, { priorityClassName: 'middle' });
  assert.equal(await nominatedNode(world, 'middle'), 'node1');
  await world.pod('high', { cpu: '1' }, high);
  await world.advance(10_000);
  assert.equal(await nominatedNode(world, 'high'), 'node1');
  assert.equal(await nominatedNode(world, 'middle'), undefined);
  await ended(world, 'victim');
  assert.equal(await world.nodeOf('high'), 'node1');
  assert.equal(await world.nodeOf('middle'), undefined);
});

test('preemption: a victim that cannot be deleted is tried again', async () => {
  await using world = await worldOf('node1');
  let failures = 1;
  const client = world.schedulerClient();
  const flaky: Client = {
    ...client,
    delete: async (...args) => {
      if (failures-- > 0) throw new Error('connection reset');
      return client.delete(...args);
    },
  };
  await world.schedule({ client: flaky });
  await world.pod('low', { cpu: '1' }, low);
  await world.pod('high', { cpu: '1' }, high);
  assert.equal(await isEnding(world, 'low'), false);
  assert.equal(world.troubles.length, 1);
  await world.advance(1_000);
  assert.equal(await isEnding(world, 'low'), true);
  await ended(world, 'low');
  assert.equal(await world.nodeOf('high'), 'node1');
});

test('preemption: what a budget protects goes only where nobody else can', async () => {
  await using world = await worldOf('node1', 'node2');
  const kind = { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget' } as const;
  const spec = { minAvailable: 1, selector: { matchLabels: { app: 'web' } } };
  const metadata = { name: 'web', namespace: 'default' };
  // Nobody looks after its status here: it lets nobody go.
  await world.client.create(podDisruptionBudgetResource, { ...kind, metadata, spec }, never);
  await world.schedule();
  for (const [name, labels] of [
    ['guarded', { app: 'web' }],
    ['free', { app: 'other' }],
  ] as const) {
    const pod = newPod(name, { cpu: '1' }, low);
    await world.client.create(podResource, { ...pod, metadata: { ...pod.metadata, labels } }, never);
    await world.settled();
  }
  await world.pod('first', { cpu: '1' }, high);
  assert.deepEqual([await isEnding(world, 'guarded'), await isEnding(world, 'free')], [false, true]);
  await ended(world, 'free');
  await world.pod('second', { cpu: '1' }, high);
  assert.equal(await isEnding(world, 'guarded'), true, 'it is no more than a wish');
});

test('preemption: where nobody who is less important stands in the way, nothing is touched', async () => {
  await using world = await worldOf('node1', 'node2');
  await world.schedule();
  for (const name of ['a', 'b']) await world.pod(name, { cpu: '1' }, high);
  await world.pod('late', { cpu: '1' }, high);
  assert.equal(
    (await world.condition('late'))?.message,
    '0/2 nodes are available: 2 Insufficient cpu. ' +
      'preemption: 0/2 nodes are available: 2 No preemption victims found for incoming pod.',
  );
  assert.equal(await nominatedNode(world, 'late'), undefined);
});
