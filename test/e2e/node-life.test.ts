/** What becomes of three nodes and of the pods on them: silence, eviction and its end, draining, being given up, coming back. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { Lease } from '#api/generated/coordination-v1.ts';
import type { Node, NodeCondition, Pod } from '#api/generated/core-v1.ts';
import { nodeCondition } from '#api/node-conditions.ts';
import { leaseResource, nodeResource } from '#client/resources.ts';
import { nodePaths } from '#host/data-dir.ts';
import { E2eCluster, peapod, until } from '#test/e2e/support/cluster.ts';
import { kill, pidsInCgroup } from '#test/e2e/support/machine.ts';
import { conditionOf, containerOf, idle, isReady, podManifest, PodWatch } from '#test/e2e/support/pod-watch.ts';

const GRACE_S = 4;
const grace = ['--node-monitor-grace-period', `${GRACE_S}s`] as const;

interface Stage {
  readonly cluster: E2eCluster;
  readonly pods: PodWatch;
  readonly nodes: readonly [string, string, string];
  /** Creates a pod that does nothing, with these labels. */
  create(name: string, spec: object, labels?: object): Promise<void>;
  /** Such a one on that node, once it runs. */
  run(name: string, node: string, spec?: object): Promise<Pod>;
  /** `peapod node`. */
  node(action: string, name: string): Promise<void>;
  look(name: string): Promise<Node | undefined>;
  /** Waits until Ready and the taints of the node are so: `True`, or `Unknown unreachable:NoSchedule unreachable:NoExecute`. */
  is(name: string, want: string): Promise<Node>;
  /** Whether processes of the pod are there. */
  lives(pod: Pod): boolean;
  /** The scheduler has refused the pod, with a message that has this in it. */
  refused(name: string, why: string): Promise<void>;
}

const LOST = 'Unknown unreachable:NoSchedule unreachable:NoExecute';
const everything = { tolerations: [{ operator: 'Exists' }] };
const staysFor = (key: string, tolerationSeconds: number): object => ({
  tolerations: [{ key: `node.kubernetes.io/${key}`, operator: 'Exists', effect: 'NoExecute', tolerationSeconds }],
});
const signal = new AbortController().signal;

test('the life of nodes', { timeout: 300_000 }, async (t) => {
  await using cluster = await E2eCluster.start('e2e-node-life', '--nodes', '3', ...grace);
  await using pods = await PodWatch.on(cluster);
  const stage = stageOf(cluster, pods);
  const tell = (name: string, story: (stage: Stage) => Promise<void>): Promise<void> =>
    t.test(`node life: ${name}`, () => story(stage));
  await tell('leases are renewed, and say whose they are', beats);
  await tell('killed while pods are being bound, it binds none twice and fills no node beyond what it has', killed);
  await tell('nodes are drained as far as a budget allows, and used again', drained);
  // Upstream's patience with a node that was deleted is 40 seconds: enough for other stories, on other nodes.
  let collected: Promise<void> | undefined;
  await tell('a node is deleted while nobody can reach it', async () => {
    ({ collected } = await deleted(stage));
    // Whether it failed is asked below.
    collected.catch(() => {});
  });
  await tell('one falls silent: its pods go in their time, and those that have time left stay', silent);
  await tell('what is said of a node keeps pods off it', conditioned);
  await tell('a node out of service gives its pods up, and comes back with the others', outOfService);
  await tell('pods of the deleted node are collected; what ran there ends when it is back', () => collected!);
});

function stageOf(cluster: E2eCluster, pods: PodWatch): Stage {
  const look = (name: string): Promise<Node | undefined> => pods.client.get<Node>(nodeResource, { name }, signal);
  const create = async (name: string, spec: object, labels: object = {}): Promise<void> => {
    const whole = { terminationGracePeriodSeconds: 1, containers: [idle()], ...spec };
    await cluster.apply(podManifest(name, whole, { labels }));
  };
  return {
    cluster,
    pods,
    nodes: [`${cluster.name}-node1`, `${cluster.name}-node2`, `${cluster.name}-node3`],
    create,
    async run(name, nodeName, spec = {}) {
      await create(name, { nodeName, ...spec });
      return pods.running(name);
    },
    async node(action, name) {
      const ran = await peapod(['node', action, name, ...cluster.global]);
      assert.equal(ran.code, 0, ran.stderr);
    },
    look,
    async is(name, want) {
      const found = await until(
        `${name} to be ${want}`,
        () => look(name),
        (node) => node !== undefined && stateOf(node) === want,
      );
      return found!;
    },
    lives: ({ metadata, spec }) => {
      const { cgroup } = nodePaths(cluster.paths, spec.nodeName!);
      return pidsInCgroup(`${cgroup}/kubepods/besteffort/pod${metadata.uid}`).length > 0;
    },
    async refused(name, why) {
      const event = await pods.told(name, /FailedScheduling/);
      assert.ok(event.includes(why), event);
      assert.equal(pods.get(name)?.spec.nodeName, undefined);
    },
  };
}

const stateOf = (node: Node): string =>
  [
    nodeCondition(node, 'Ready')?.status,
    ...(node.spec.taints ?? []).map(({ key, effect }) => `${key.replace('node.kubernetes.io/', '')}:${effect}`),
  ].join(' ');

const isEnding = ({ metadata }: Pod): boolean => metadata.deletionTimestamp !== undefined;

async function beats({ pods, nodes, look }: Stage): Promise<void> {
  for (const name of nodes) {
    const ref = { namespace: 'kube-node-lease', name };
    const ask = (): Promise<Lease | undefined> => pods.client.get<Lease>(leaseResource, ref, signal);
    const [node, lease] = [await look(name), await ask()];
    assert.equal(lease?.spec?.holderIdentity, name);
    assert.equal(lease.metadata.ownerReferences?.[0]?.uid, node?.metadata.uid);
    assert.ok(lease.spec.leaseDurationSeconds! < GRACE_S);
    await until(`${name} to renew its lease`, ask, (next) => next!.spec!.renewTime! > lease.spec!.renewTime!, 3000);
    for (const type of ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure']) {
      const { status, lastHeartbeatTime = '' } = nodeCondition(node!, type)!;
      assert.equal(status, type === 'Ready' ? 'True' : 'False', `${name} ${type}`);
      assert.ok(Date.now() - Date.parse(lastHeartbeatTime) < 60_000);
    }
  }
}

async function killed({ cluster, pods, nodes, is }: Stage): Promise<void> {
  const slots = async (count: string | null): Promise<void> => {
    const status = JSON.stringify({ status: { capacity: { 'example.com/slot': count } } });
    for (const name of nodes)
      await cluster.ok('patch', 'node', name, '--subresource=status', '--type=merge', '-p', status);
  };
  await slots('2');
  const limits = { 'example.com/slot': '1' };
  const names = Array.from({ length: 8 }, (_, at) => `slot-${at}`);
  const spec = { terminationGracePeriodSeconds: 1, containers: [idle('c', { resources: { limits } })] };
  const list = names.map((name) => JSON.parse(podManifest(name, spec)) as object);
  const manifest = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: list });
  for (const atBound of [1, 4]) {
    const pid = await cluster.pid();
    const asked = cluster.kubectlWith({ input: manifest }, 'apply', '-f', '-');
    await Promise.race(names.map((name) => pods.went(name, 'bound', () => bound(pods, names).length >= atBound)));
    kill(pid);
    await asked;
    await cluster.up(...grace);
  }
  await cluster.apply(manifest);
  for (const name of nodes) await is(name, 'True');
  await until(
    'six pods to run',
    async () => pods.list().filter(isReady).length,
    (count) => count === 6,
  );
  for (const name of nodes) assert.equal(pods.list().filter(({ spec: { nodeName } }) => nodeName === name).length, 2);
  for (const name of names) {
    const where = pods.history(name).flatMap((pod) => pod.spec.nodeName ?? []);
    assert.ok(new Set(where).size <= 1, `${name} was on ${where.join()}`);
    if (where.length > 0) assert.equal(containerOf(pods.get(name))?.restartCount, 0, name);
    else await pods.told(name, /FailedScheduling 0\/3 nodes are available: 3 Insufficient example.com\/slot/);
  }
  await cluster.ok('delete', 'pod', '--all', '--now');
  await slots(null);
}

const bound = (pods: PodWatch, names: readonly string[]): readonly string[] =>
  names.filter((name) => pods.get(name)?.spec.nodeName !== undefined);

async function drained({ cluster, pods, nodes, create, refused }: Stage): Promise<void> {
  const apart = {
    affinity: {
      podAntiAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: [
          { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app: 'web' } } },
        ],
      },
    },
  };
  await cluster.ok('create', 'poddisruptionbudget', 'web', '--selector=app=web', '--min-available=2');
  for (const name of ['web-1', 'web-2', 'web-3']) await create(name, apart, { app: 'web' });
  const placed = await Promise.all(['web-1', 'web-2', 'web-3'].map((name) => pods.running(name)));
  const on = (node: string): string => placed.find(({ spec }) => spec.nodeName === node)!.metadata.name;
  const drain = (node: string): readonly string[] => ['drain', node, '--force', '--pod-selector=app=web'];
  await until(
    'the budget',
    () => cluster.ok('get', 'pdb', 'web'),
    (text) => / 1 +\d+s\n$/.test(text),
  );
  await cluster.ok(...drain(nodes[0]));
  await pods.gone(on(nodes[0]));
  await using second = cluster.kubectlInBackground(...drain(nodes[1]), '--timeout=60s');
  await second.printed(/error when evicting .* Cannot evict pod as it would violate the pod's disruption budget/);
  // Both are cordoned by now, and the third has one.
  await create('web-4', apart, { app: 'web' });
  await refused('web-4', "1 node(s) didn't match pod anti-affinity rules, 2 node(s) were unschedulable");
  assert.ok(!isEnding(pods.get(on(nodes[1]))!));
  await cluster.ok('uncordon', nodes[0]);
  assert.equal((await pods.running('web-4')).spec.nodeName, nodes[0]);
  assert.equal((await second.ended).code, 0, second.output);
  await pods.gone(on(nodes[1]));
  await cluster.ok('uncordon', nodes[1]);
  await cluster.ok('delete', 'pdb/web', 'pod/web-4', `pod/${on(nodes[2])}`, '--now');
}

async function deleted({
  cluster,
  pods,
  nodes,
  run,
  node,
  look,
  is,
  lives,
}: Stage): Promise<{ readonly collected: Promise<void> }> {
  const [, , third] = nodes;
  const pod = await run('orphan', third, everything);
  await node('partition', third);
  await cluster.ok('delete', 'node', third);
  const since = Date.now();
  const collected = async (): Promise<void> => {
    await pods.gone('orphan', 120_000);
    assert.ok(Date.now() - since > 38_000, `${Date.now() - since} ms`);
    const last = pods.history('orphan').at(-1)!;
    assert.equal(last.status?.phase, 'Failed');
    assert.equal(conditionOf(last.status, 'DisruptionTarget')?.reason, 'DeletionByPodGC');
    assert.ok(lives(pod), 'nobody could tell its node');
    await node('heal', third);
    await until(
      'what nobody wants any more to end',
      async () => lives(pod),
      (does) => !does,
    );
    assert.equal(await look(third), undefined, 'who deleted it wants to be rid of it');
    await node('stop', third);
    await node('start', third);
    await is(third, 'True');
    await run('after', third);
    await cluster.ok('delete', 'pod', 'after', '--now');
  };
  return { collected: collected() };
}

async function silent({ cluster, pods, nodes, create, run, node, is, lives, refused }: Stage): Promise<void> {
  const [, second] = nodes;
  const on = (name: string, spec: object): Promise<Pod> => run(name, second, spec);
  const [brief, patient, forced] = await Promise.all([
    on('brief', staysFor('unreachable', 3)),
    on('patient', {}),
    on('forced', everything),
  ]);
  const cutAt = Date.now();
  await node('partition', second);
  const lost = await is(second, LOST);
  assert.match(await cluster.ok('get', 'node', second), / NotReady /);
  const unknown = nodeCondition(lost, 'Ready')!;
  assert.deepEqual([unknown.reason, unknown.message], ['NodeStatusUnknown', 'Kubelet stopped posting node status.']);
  const took = Date.parse(unknown.lastTransitionTime!) - cutAt;
  // A lease may have been renewed just before; times are whole seconds.
  assert.ok(took > (GRACE_S - 2) * 1000 && took < (GRACE_S + 3) * 1000, `Unknown after ${took} ms`);
  await pods.reaches('patient', 'not ready', (pod) => !isReady(pod));
  await create('late', { nodeSelector: { 'kubernetes.io/hostname': second } });
  await refused('late', '1 node(s) had untolerated taint(s)');
  await pods.reaches('brief', 'given up', isEnding);
  const { timeAdded = '' } = lost.spec.taints!.find(({ effect }) => effect === 'NoExecute')!;
  const stayed = Date.parse(pods.get('brief')!.metadata.deletionTimestamp!) - 1000 - Date.parse(timeAdded);
  assert.ok(stayed >= 2000 && stayed <= 5000, `it went after ${stayed} ms`);
  assert.match(await pods.told('brief', /TaintManagerEviction/), /Marking for deletion Pod default\/brief$/);
  await cluster.ok('delete', 'pod', 'forced', '--force', '--grace-period=0');
  await pods.gone('forced');
  assert.ok(lives(brief) && lives(forced), 'nobody could tell their node');
  await node('heal', second);
  await is(second, 'True');
  await pods.gone('brief');
  await until(
    'orphans to end',
    async () => lives(forced) || lives(brief),
    (does) => !does,
  );
  assert.match(await pods.told('patient', /Cancelling/), /^Normal TaintManagerEviction Cancelling deletion of Pod/);
  const after = await pods.running('patient');
  assert.deepEqual(containerOf(after), containerOf(patient), 'it never noticed');
  await pods.running('late');
  await cluster.ok('delete', 'pod', 'patient', 'late', '--now');
}

async function conditioned({ cluster, pods, nodes, create, is, refused }: Stage): Promise<void> {
  const [first] = nodes;
  const say = (status: NodeCondition['status']): Promise<string> => {
    const conditions = [{ type: 'NetworkUnavailable', status, reason: 'NoRoute', message: 'said by a test' }];
    return cluster.ok('patch', 'node', first, '--subresource=status', '-p', JSON.stringify({ status: { conditions } }));
  };
  await say('True');
  await is(first, 'True network-unavailable:NoSchedule');
  await create('offline', { nodeSelector: { 'kubernetes.io/hostname': first } });
  await refused('offline', '1 node(s) had untolerated taint(s)');
  await say('False');
  await is(first, 'True');
  await pods.running('offline');
  await cluster.ok('delete', 'pod', 'offline', '--now');
}

async function outOfService({ cluster, pods, nodes, run, node, is, lives }: Stage): Promise<void> {
  const [first] = nodes;
  const [stuck, unasked, loyal] = await Promise.all([
    run('stuck', first),
    run('unasked', first, staysFor('unreachable', 600)),
    run('loyal', first, everything),
  ]);
  await node('stop', first);
  await is(first, LOST);
  assert.ok(
    [stuck, unasked, loyal].every((pod) => !lives(pod)),
    'a node that is off runs nothing',
  );
  await cluster.ok('delete', 'pod', 'stuck', '--wait=false');
  const why = await peapod(['why', 'stuck', ...cluster.global]);
  assert.match(why.stdout, /nobody can end it/);
  assert.ok(isEnding(pods.get('stuck')!));
  const taint = 'node.kubernetes.io/out-of-service';
  await cluster.ok('taint', 'node', first, `${taint}=nodeshutdown:NoExecute`);
  for (const name of ['stuck', 'unasked']) {
    await pods.gone(name, 10_000);
    assert.equal(pods.history(name).at(-1)?.status?.phase, 'Failed', name);
  }
  assert.equal(isEnding(pods.get('loyal')!), false);
  await node('start', first);
  await is(first, 'True out-of-service:NoExecute');
  await cluster.ok('taint', 'node', first, `${taint}-`);
  const back = await pods.reaches('loyal', 'run again', (p) => isReady(p) && containerOf(p)?.restartCount === 1);
  assert.equal(back.metadata.uid, loyal.metadata.uid);
  await cluster.ok('delete', 'pod', 'loyal', '--now');
}
