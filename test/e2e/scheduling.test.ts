/** Where pods may go: what kubectl says to a node, and what a pod asks of it. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { E2eCluster } from '#test/e2e/support/cluster.ts';
import { conditionOf, idle, podManifest, PodWatch } from '#test/e2e/support/pod-watch.ts';

interface Stage {
  readonly cluster: E2eCluster;
  readonly pods: PodWatch;
  readonly node: string;
  create(name: string, spec?: object): Promise<void>;
  /** The pod has no node, for that reason, and the condition says the same as the event. */
  refused(name: string, why: string): Promise<void>;
}

test('scheduling', { timeout: 180_000 }, async (t) => {
  await using cluster = await E2eCluster.start('e2e-scheduling');
  await using pods = await PodWatch.on(cluster);
  const stage: Stage = {
    cluster,
    pods,
    node: `${cluster.name}-node1`,
    async create(name, spec = {}) {
      const whole = { terminationGracePeriodSeconds: 1, containers: [idle()], ...spec };
      const ran = await cluster.kubectlWith({ input: podManifest(name, whole) }, 'create', '-f', '-');
      assert.equal(ran.code, 0, ran.stderr);
    },
    async refused(name, why) {
      const want = `0/1 nodes are available: ${why}.`;
      const event = await pods.told(name, /FailedScheduling/);
      assert.ok(event.startsWith(`Warning FailedScheduling ${want}`), event);
      const pod = await pods.reaches(name, 'told so', (p) => conditionOf(p.status, 'PodScheduled')?.status === 'False');
      assert.equal(conditionOf(pod.status, 'PodScheduled')?.reason, 'Unschedulable');
      assert.ok(conditionOf(pod.status, 'PodScheduled')?.message?.startsWith(want));
      assert.equal(pod.spec.nodeName, undefined);
    },
  };
  for (const [name, story] of stories) await t.test(`scheduling: ${name}`, () => story(stage));
});

const stories: readonly (readonly [string, (stage: Stage) => Promise<void>])[] = [
  ['a nodeSelector waits for the label', nodeSelector],
  ['a required node affinity is held to', nodeAffinity],
  ['a taint keeps pods off that do not tolerate it', taints],
  ['a cordoned node takes no pods until it is uncordoned', cordon],
  ['a port of the node is given out once', hostPort],
  ['nodeName goes past the scheduler', nodeName],
];

const NO_MATCH = "1 node(s) didn't match Pod's node affinity/selector";

async function nodeSelector({ cluster, pods, node, create, refused }: Stage): Promise<void> {
  await create('selects', { nodeSelector: { disk: 'fast' } });
  await refused('selects', NO_MATCH);
  await cluster.ok('label', 'node', node, 'disk=fast');
  await pods.running('selects');
  await cluster.ok('label', 'node', node, 'disk-');
  await create('by-hostname', { nodeSelector: { 'kubernetes.io/hostname': node, 'kubernetes.io/os': 'linux' } });
  await pods.running('by-hostname');
  await cluster.ok('delete', 'pod', 'selects', 'by-hostname', '--now');
}

async function nodeAffinity({ cluster, pods, node, create, refused }: Stage): Promise<void> {
  const asks = (key: string, operator: string, values: readonly string[]): object => ({
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchExpressions: [{ key, operator, values }] }],
        },
      },
    },
  });
  await create('fits', asks('kubernetes.io/hostname', 'In', [node, 'another']));
  await create('misfits', asks('kubernetes.io/os', 'NotIn', ['linux']));
  await refused('misfits', NO_MATCH);
  await pods.running('fits');
  await cluster.ok('delete', 'pod', 'fits', 'misfits', '--now');
}

async function taints({ cluster, pods, node, create, refused }: Stage): Promise<void> {
  await create('before');
  await pods.running('before');
  await cluster.ok('taint', 'nodes', node, 'team=blue:NoSchedule');
  await create('intolerant');
  await create('tolerant', { tolerations: [{ key: 'team', operator: 'Equal', value: 'blue', effect: 'NoSchedule' }] });
  await create('indifferent', { tolerations: [{ operator: 'Exists' }] });
  await refused('intolerant', '1 node(s) had untolerated taint(s)');
  await Promise.all(['tolerant', 'indifferent', 'before'].map((name) => pods.running(name)));
  await cluster.ok('taint', 'nodes', node, 'team=blue:NoSchedule-');
  await pods.running('intolerant');
  await cluster.ok('delete', 'pod', 'before', 'intolerant', 'tolerant', 'indifferent', '--now');
}

async function cordon({ cluster, pods, node, create, refused }: Stage): Promise<void> {
  assert.match(await cluster.ok('cordon', node), /cordoned/);
  assert.match(await cluster.ok('get', 'node', node, '--no-headers'), /Ready,SchedulingDisabled/);
  await create('kept-off');
  await refused('kept-off', '1 node(s) were unschedulable');
  assert.match(await cluster.ok('uncordon', node), /uncordoned/);
  await pods.running('kept-off');
  await cluster.ok('delete', 'pod', 'kept-off', '--now');
}

async function hostPort({ cluster, pods, create, refused }: Stage): Promise<void> {
  const on = (hostIP: string, protocol = 'TCP'): object => ({
    containers: [idle('c', { ports: [{ containerPort: 80, hostPort: 28_531, hostIP, protocol }] })],
  });
  // HostPort validates that there is no conflict between pods with same hostPort but different hostIP and protocol
  await create('port-one', on('127.0.0.1'));
  await create('port-two', on('127.0.0.2'));
  await create('port-udp', on('127.0.0.2', 'UDP'));
  for (const name of ['port-one', 'port-two', 'port-udp']) await pods.running(name);
  // SchedulerPredicates validates that there exists conflict between pods with same hostPort and protocol but one using 0.0.0.0 hostIP
  await create('port-all', on('0.0.0.0'));
  await refused('port-all', "1 node(s) didn't have free ports for the requested pod ports");
  await cluster.ok('delete', 'pod', 'port-one', 'port-two', '--now');
  await pods.running('port-all');
  await cluster.ok('delete', 'pod', 'port-all', 'port-udp', '--now');
}

async function nodeName({ cluster, pods, node, create }: Stage): Promise<void> {
  await cluster.ok('cordon', node);
  await create('by-name', { nodeName: node });
  await pods.running('by-name');
  assert.ok(!(await pods.events('by-name')).some((event) => event.includes('Scheduled')));
  await cluster.ok('uncordon', node);
  await cluster.ok('delete', 'pod', 'by-name', '--now');
}
