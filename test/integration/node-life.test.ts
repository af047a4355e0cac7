import assert from 'node:assert/strict';
import test from 'node:test';
import type { Pod, Toleration } from '#api/generated/core-v1.ts';
import { createInformer } from '#client/create-informer.ts';
import { leaseResource, nodeResource, podResource } from '#client/resources.ts';
import { endedPodsController } from '#controllers/pod-gc/ended-pods.ts';
import { runController } from '#controllers/run-controller.ts';
import { Scope } from '#lib/scope.ts';
import { NodeLifeWorld } from '#test/integration/support/node-life-world.ts';
import { NODE, type SmallCluster } from '#test/integration/support/small-cluster.ts';

const signal = new AbortController().signal;
const containers = [{ name: 'main', image: 'nginx' }];
const staysFor = (tolerationSeconds: number): readonly Toleration[] => [
  { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute', tolerationSeconds },
];

const readyOf = (pod: Pod | undefined): string | undefined =>
  pod?.status?.conditions?.find(({ type }) => type === 'Ready')?.status;
const disruptionOf = (pod: Pod | undefined): string | undefined =>
  pod?.status?.conditions?.find(({ type }) => type === 'DisruptionTarget')?.reason;
const isEnding = (pod: Pod | undefined): boolean | undefined => pod && pod.metadata.deletionTimestamp !== undefined;
const running = async ({ runtime }: SmallCluster): Promise<number> =>
  (await runtime.containers.list({}, signal)).filter(({ state }) => state === 'running').length;
const run = async (world: NodeLifeWorld, name: string, spec: object = {}): Promise<Pod> => {
  const pod = await world.cluster.run(name, { containers, ...spec });
  await world.advance(2);
  return pod;
};

test('node life: a node that is ready may be used without any time passing, and is told of', async () => {
  await using world = await NodeLifeWorld.start();
  assert.equal(await world.state(), 'True');
  assert.equal(await world.state('witness'), 'True');
  assert.deepEqual(await world.events(NODE, 'node-controller'), [
    'Normal RegisteredNode Node node1 event: Registered Node node1 in Controller',
  ]);
  assert.deepEqual(await world.events(NODE, 'kubelet'), [
    'Normal Starting Starting kubelet.',
    'Normal NodeHasSufficientMemory Node node1 status is now: NodeHasSufficientMemory',
    'Normal NodeHasNoDiskPressure Node node1 status is now: NodeHasNoDiskPressure',
    'Normal NodeHasSufficientPID Node node1 status is now: NodeHasSufficientPID',
    'Normal NodeReady Node node1 status is now: NodeReady',
  ]);
  await world.advance(1);
  const lease = await world.cluster.client.get(leaseResource, { namespace: 'kube-node-lease', name: NODE }, signal);
  const { uid } = (await world.node()).metadata;
  assert.deepEqual(lease?.metadata.ownerReferences, [{ apiVersion: 'v1', kind: 'Node', name: NODE, uid }]);
  assert.deepEqual([lease?.spec?.leaseDurationSeconds, lease?.spec?.holderIdentity], [40, NODE]);
  await world.advance(600);
  assert.equal(await world.state(), 'True', 'its lease is renewed');
  assert.deepEqual(world.failures, []);
});

test('node life: who falls silent is Unknown, its pods are not ready, and go when their time is over', async () => {
  await using world = await NodeLifeWorld.start();
  const { cluster } = world;
  await run(world, 'brief', { tolerations: staysFor(20) });
  await run(world, 'usual');
  assert.equal(readyOf(await cluster.pod('usual')), 'True');
  await cluster.stopKubelet();
  await world.advance(39);
  assert.equal(await world.state(), 'True');
  await world.advance(12);
  assert.equal(await world.state(), 'Unknown unreachable:NoSchedule');
  const { status } = await world.node();
  for (const type of ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure']) {
    const { reason, message } = status!.conditions!.find((condition) => condition.type === type)!;
    assert.deepEqual([reason, message], ['NodeStatusUnknown', 'Kubelet stopped posting node status.'], type);
  }
  assert.deepEqual((await world.events(NODE, 'node-controller')).slice(1), [
    'Normal NodeNotReady Node node1 status is now: NodeNotReady',
  ]);
  assert.equal(readyOf(await cluster.pod('usual')), 'False');
  assert.deepEqual(await world.events('usual', 'node-controller'), ['Warning NodeNotReady Node is not ready']);
  await world.advance(5);
  assert.equal(await world.state(), 'Unknown unreachable:NoSchedule unreachable:NoExecute');
  await world.advance(15);
  assert.equal(isEnding(await cluster.pod('brief')), false);
  await world.advance(5);
  const brief = await cluster.pod('brief');
  assert.deepEqual([isEnding(brief), disruptionOf(brief)], [true, 'DeletionByTaintManager']);
  assert.deepEqual(await world.events('brief', 'taint-eviction-controller'), [
    'Normal TaintManagerEviction Marking for deletion Pod default/brief',
  ]);
  await world.advance(260);
  assert.equal(isEnding(await cluster.pod('usual')), false, 'five minutes, as given by default');
  await world.advance(25);
  assert.equal(isEnding(await cluster.pod('usual')), true);
  assert.equal(readyOf(await cluster.pod('brief')), 'False', 'nobody is there to end it: it stays');
  assert.deepEqual(world.failures, []);
});

test('node life: who comes back in time keeps its pods as they run; who was to go meanwhile goes', async () => {
  await using world = await NodeLifeWorld.start();
  const { cluster } = world;
  await run(world, 'brief', { tolerations: staysFor(20), terminationGracePeriodSeconds: 1 });
  await run(world, 'usual');
  const before = await cluster.pod('usual');
  await cluster.stopKubelet();
  await world.advance(100);
  assert.equal(await world.state(), 'Unknown unreachable:NoSchedule unreachable:NoExecute');
  assert.equal(isEnding(await cluster.pod('brief')), true);
  assert.equal(readyOf(await cluster.pod('usual')), 'False');
  cluster.startKubelet();
  await world.advance(3);
  assert.equal(await world.state(), 'True');
  const after = await cluster.pod('usual');
  assert.deepEqual(after?.status?.containerStatuses, before?.status?.containerStatuses);
  assert.equal(readyOf(after), 'True');
  assert.deepEqual(await world.events('usual', 'taint-eviction-controller'), [
    'Normal TaintManagerEviction Cancelling deletion of Pod default/usual',
  ]);
  assert.equal(await cluster.pod('brief'), undefined);
  await world.advance(400);
  assert.equal(isEnding(await cluster.pod('usual')), false);
  assert.deepEqual(world.failures, []);
});

test('node life: a partition that heals: the kubelet was never stopped, and says again what others have denied', async () => {
  await using world = await NodeLifeWorld.start();
  const { cluster } = world;
  await run(world, 'usual');
  await run(world, 'forced');
  const before = await cluster.pod('usual');
  // By then the node has nothing to report, its images included.
  await world.advance(20);
  cluster.line!.cut();
  await world.advance(70);
  assert.equal(await world.state(), 'Unknown unreachable:NoSchedule unreachable:NoExecute');
  assert.equal(readyOf(await cluster.pod('usual')), 'False');
  await cluster.remove('forced', 0);
  assert.equal(await running(cluster), 2, 'it runs on: nobody could tell the node');
  cluster.line!.heal();
  await world.advance(15);
  assert.equal(await world.state(), 'True');
  const after = await cluster.pod('usual');
  assert.equal(readyOf(after), 'True');
  assert.deepEqual(after?.status?.containerStatuses, before?.status?.containerStatuses);
  assert.equal(await running(cluster), 1, 'what was deleted meanwhile has ended');
  assert.deepEqual(world.failures, []);
});

test('node life: when no node at all is heard of, nobody is evicted', async () => {
  await using world = await NodeLifeWorld.start();
  const { cluster } = world;
  await run(world, 'brief', { tolerations: staysFor(20) });
  await cluster.stopKubelet();
  await world.advance(60);
  assert.match(await world.state(), /unreachable:NoExecute/);
  await world.stopWitness();
  // Its lease is as good as new, so that it is taken for well while the first pod's time runs out: unless it is told in time.
  await world.taint([{ key: 'node.kubernetes.io/unreachable', effect: 'NoSchedule' }]);
  assert.equal(isEnding(await cluster.pod('brief')), false);
  await run(world, 'other', { tolerations: staysFor(120) });
  await world.advance(60);
  assert.equal(await world.state('witness'), 'Unknown unreachable:NoSchedule');
  assert.equal(await world.state(), 'Unknown unreachable:NoSchedule', 'it was taken back');
  await world.advance(3600);
  assert.equal(isEnding(await cluster.pod('other')), false);
  cluster.startKubelet();
  await world.advance(20);
  assert.equal(await world.state(), 'True');
  assert.equal(await world.state('witness'), 'Unknown unreachable:NoSchedule unreachable:NoExecute', 'it goes on');
});

test('node life: the only node of all is silent: its pods wait for it', async () => {
  await using world = await NodeLifeWorld.start({ witness: false });
  await run(world, 'usual');
  await world.cluster.stopKubelet();
  await world.advance(3600);
  assert.equal(await world.state(), 'Unknown unreachable:NoSchedule');
  assert.equal(isEnding(await world.cluster.pod('usual')), false);
});

test('node life: a taint by hand: who tolerates it stays, who does not goes at once, who changes its mind stays', async () => {
  await using world = await NodeLifeWorld.start();
  const { cluster } = world;
  const gpu = { key: 'gpu', operator: 'Exists', effect: 'NoExecute' } as const;
  await run(world, 'none', { terminationGracePeriodSeconds: 1 });
  await run(world, 'for-ever', { tolerations: [gpu] });
  await run(world, 'a-minute', { tolerations: [{ ...gpu, tolerationSeconds: 60 }] });
  await run(world, 'convinced', { tolerations: [{ ...gpu, tolerationSeconds: 60 }] });
  await world.taint([{ key: 'gpu', value: 'yes', effect: 'NoExecute' }]);
  assert.deepEqual(await world.events('none', 'taint-eviction-controller'), [
    'Normal TaintManagerEviction Marking for deletion Pod default/none',
  ]);
  await world.advance(3);
  assert.equal(await cluster.pod('none'), undefined);
  const convinced = (await cluster.pod('convinced'))!;
  const tolerations = convinced.spec.tolerations!.map((each) =>
    each.key === 'gpu' ? { ...each, tolerationSeconds: 90 } : each,
  );
  await cluster.client.update<Pod>(podResource, { ...convinced, spec: { ...convinced.spec, tolerations } }, signal);
  await world.advance(58);
  assert.deepEqual(
    await Promise.all(['for-ever', 'a-minute', 'convinced'].map(async (name) => isEnding(await cluster.pod(name)))),
    [false, undefined, false],
  );
  await world.taint([]);
  assert.deepEqual(await world.events('convinced', 'taint-eviction-controller'), [
    'Normal TaintManagerEviction Cancelling deletion of Pod default/convinced',
  ]);
  await world.advance(600);
  assert.equal(isEnding(await cluster.pod('convinced')), false);
  assert.equal(isEnding(await cluster.pod('for-ever')), false);
  assert.deepEqual(world.failures, []);
});

test('node life: controllers that begin anew give everybody the full time again', async () => {
  await using world = await NodeLifeWorld.start();
  const { cluster } = world;
  await run(world, 'brief', { tolerations: staysFor(60) });
  await cluster.stopKubelet();
  await world.advance(45);
  await world.stopControllers();
  await world.advance(300);
  world.startControllers();
  await world.advance(49);
  assert.equal(await world.state(), 'True', 'nobody knows yet whether it was the node');
  await world.advance(10);
  assert.match(await world.state(), /unreachable:NoExecute/);
  await world.advance(40);
  await world.stopControllers();
  await world.advance(300);
  world.startControllers();
  await world.advance(50);
  assert.equal(isEnding(await cluster.pod('brief')), false);
  await world.advance(20);
  assert.equal(isEnding(await cluster.pod('brief')), true);
  assert.deepEqual(world.failures, []);
});

test('node life: a node out of service gives its pods up, once somebody says that it is', async () => {
  await using world = await NodeLifeWorld.start();
  const { cluster } = world;
  await run(world, 'web');
  await cluster.stopKubelet();
  await world.advance(60);
  await cluster.remove('web');
  await world.advance(600);
  assert.equal(isEnding(await cluster.pod('web')), true, 'nobody is there to end it');
  const { taints = [] } = (await world.node()).spec ?? {};
  await world.taint([
    ...taints,
    { key: 'node.kubernetes.io/out-of-service', value: 'nodeshutdown', effect: 'NoExecute' },
  ]);
  assert.equal(await cluster.pod('web'), undefined);
  await run(world, 'late');
  assert.equal(await cluster.pod('late'), undefined, 'evicted, as it does not tolerate the taint, and given up');
  cluster.startKubelet();
  await world.advance(3);
  assert.match(await world.state(), /^True .*out-of-service:NoExecute$/, 'people have set it, people take it off');
  assert.deepEqual(await cluster.runtime.containers.list({}, signal), [], 'what ran there has ended');
});

test('node life: pods of a node that was deleted go after a while, as failed; the node does not come back by itself', async () => {
  await using world = await NodeLifeWorld.start();
  const { cluster } = world;
  await run(world, 'web');
  const last: Pod[] = [];
  await using copy = new Scope();
  copy.spawn('watch', async (stop) => {
    for await (const event of cluster.client.watch<Pod>(podResource, { namespace: 'default' }, stop))
      if (event.type !== 'BOOKMARK') last.push(event.object);
  });
  await cluster.client.delete(nodeResource, { name: NODE }, {}, signal);
  await world.advance(38);
  assert.equal(isEnding(await cluster.pod('web')), false);
  await world.advance(3);
  assert.equal(await cluster.pod('web'), undefined);
  assert.deepEqual([last.at(-1)?.status?.phase, disruptionOf(last.at(-1))], ['Failed', 'DeletionByPodGC']);
  assert.ok(
    (await world.events(NODE, 'node-controller')).includes(
      'Normal RemovingNode Node node1 event: Removing Node node1 from Controller',
    ),
  );
  await world.advance(600);
  assert.equal(await cluster.client.get(nodeResource, { name: NODE }, signal), undefined);
  assert.deepEqual(await cluster.runtime.containers.list({}, signal), []);
  assert.deepEqual(cluster.troubles, ['node node1 was deleted: start it anew to register it: undefined']);
  await cluster.stopKubelet();
  cluster.startKubelet();
  await cluster.settled();
  assert.equal(await world.state(), 'True');
  assert.deepEqual(world.failures, []);
});

test('node life: pods that have ended are kept until they are too many', async () => {
  await using world = await NodeLifeWorld.start();
  const { cluster, failures } = world;
  const { client, clock } = cluster;
  const pods = createInformer<Pod>({ client, clock, resource: podResource });
  const scope = new Scope();
  const log = (line: string): void => void failures.push(line);
  scope.spawn('pods', (stop) => pods.run(stop));
  scope.spawn('gc', (stop) =>
    runController(endedPodsController({ clock, pods, kept: 2 }), { client, clock, workers: 1, log }, stop),
  );
  for (const name of ['a', 'b', 'c', 'd', 'e']) {
    await run(world, name, { nodeName: '', schedulingGates: [{ name: 'x' }] });
    const ref = { namespace: 'default', name, subresource: 'status' };
    await client.patch(podResource, ref, { kind: 'merge', body: { status: { phase: 'Succeeded' } } }, signal);
  }
  await world.advance(20);
  const { items } = await client.list<Pod>(podResource, { namespace: 'default' }, signal);
  assert.deepEqual(
    items.map(({ metadata }) => metadata.name),
    ['d', 'e'],
  );
  scope.stop();
  await scope.join();
  assert.deepEqual(failures, []);
});

test('node life: a new node gets no pods before it was seen to be ready', async () => {
  await using world = await NodeLifeWorld.start();
  const untilReady = 'not-ready:NoSchedule';
  await world.stopControllers();
  await world.addNode('late', {});
  assert.equal(await world.state('late'), `True ${untilReady}`);
  await world.addNode('own', {}, [{ key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }]);
  assert.equal(await world.state('own'), `True ${untilReady}`, 'once');
  world.startControllers();
  await world.cluster.settled();
  assert.equal(await world.state('late'), 'True');
});

test('node life: nodes of a zone lose their pods one after the other, and none while much of it is gone', async () => {
  await using world = await NodeLifeWorld.start();
  const zone = (name: string): object => ({ 'topology.kubernetes.io/zone': name });
  for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) await world.addNode(name, zone('1'));
  await world.advance(40);
  const heard = async (...names: readonly string[]): Promise<void> => {
    for (const name of names) await world.beat(name);
    await world.advance(40);
  };
  const tainted = async (): Promise<string> => {
    const states = await Promise.all(
      ['a', 'b', 'c', 'd', 'e', 'f'].map(async (name) => ({ name, state: await world.state(name) })),
    );
    return states.flatMap(({ name, state }) => (state.includes('unreachable:NoExecute') ? name : [])).join('');
  };
  // Two of six fall silent: each has its turn.
  for (const name of ['c', 'd', 'e', 'f']) await world.beat(name);
  await world.advance(18);
  assert.equal((await tainted()).length, 1, 'one at once');
  await world.advance(22);
  assert.equal(await tainted(), 'ab', 'one after ten seconds');
  await heard('c', 'd', 'e', 'f');
  // Two more: that is 67 percent of a small zone. Nobody else is evicted, for as long as that goes on.
  await heard('e', 'f');
  await heard('e', 'f');
  assert.equal(await tainted(), 'ab');
  assert.match(await world.state('c'), /^Unknown/);
  await heard('d', 'e', 'f');
  await heard('d', 'e', 'f');
  assert.equal(await tainted(), 'abc', 'half of it is well again');
  assert.deepEqual(world.failures, []);
});

test('node life: what somebody wrongly says of a node is put right by it at once', async () => {
  await using world = await NodeLifeWorld.start();
  const conditions = [{ type: 'Ready', status: 'Unknown' }];
  const body = { status: { conditions } };
  const ref = { name: NODE, subresource: 'status' };
  await world.cluster.client.patch(nodeResource, ref, { kind: 'strategic', body }, signal);
  await world.cluster.settled();
  assert.equal(await world.state(), 'True');
});

test('node life: another boot of the machine is told of', async () => {
  await using world = await NodeLifeWorld.start();
  const { cluster } = world;
  await cluster.stopKubelet();
  const { status } = await world.node();
  const body = { status: { nodeInfo: { ...status!.nodeInfo, bootID: 'an earlier one' } } };
  await cluster.client.patch(nodeResource, { name: NODE, subresource: 'status' }, { kind: 'merge', body }, signal);
  cluster.startKubelet();
  await world.advance(1);
  const boot = cluster.host.machine.bootId;
  const rebooted = `Warning Rebooted Node node1 has been rebooted, boot id: ${boot}`;
  assert.ok((await world.events(NODE, 'kubelet')).includes(rebooted));
});
