/** Three nodes on one machine, each a host of its own: their network, what becomes of pods when one fails, and its return. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { Node, Pod } from '#api/generated/core-v1.ts';
import { E2eCluster, peapod, until } from '#test/e2e/support/cluster.ts';
import { kill } from '#test/e2e/support/machine.ts';
import { Outside } from '#test/e2e/support/outside.ts';
import { containerOf, isReady, PodWatch } from '#test/e2e/support/pod-watch.ts';

const grace = ['--node-monitor-grace-period', '4s'] as const;

interface Stage {
  readonly cluster: E2eCluster;
  readonly pods: PodWatch;
  readonly nodes: readonly [string, string, string];
  /** A web server and a shell, on that node; it goes after three seconds on a node that is lost. */
  run(name: string, node: string, spec?: object): Promise<Pod>;
  node(action: string, name: string): Promise<void>;
  /** Waits until the node says this of itself, or others of it. */
  ready(name: string, want: boolean): Promise<Node>;
}

test('several nodes', { timeout: 300_000 }, async (t) => {
  await using cluster = await E2eCluster.start('e2e-nodes', '--nodes', '3', ...grace);
  await using pods = await PodWatch.on(cluster);
  const stage: Stage = {
    cluster,
    pods,
    nodes: [`${cluster.name}-node1`, `${cluster.name}-node2`, `${cluster.name}-node3`],
    async run(name, node, spec = {}) {
      await cluster.apply(JSON.stringify(webPod(name, node, spec)));
      return pods.running(name);
    },
    async node(action, name) {
      const ran = await peapod(['node', action, name, ...cluster.global]);
      assert.equal(ran.code, 0, ran.stderr);
    },
    ready: (name, want) =>
      until(
        `${name} to be ${want ? 'Ready' : 'lost'}`,
        () => cluster.get<Node & Record<string, never>>('node', name),
        (node) => saysReady(node) === want && tainted(node) !== want,
      ),
  };
  for (const [name, story] of stories) await t.test(`nodes: ${name}`, () => story(stage));
  await cluster.down();
  assert.deepEqual(Object.values(await cluster.remains()).flat(), []);
});

const stories: readonly (readonly [string, (stage: Stage) => Promise<void>])[] = [
  ['pods reach each other by their own addresses in both families, and the world by the machine’s', reachable],
  ['logs and commands go to the node', streams],
  ['peapod is killed: its nodes go on, and are taken over', takenOver],
  ['one is cut off: its pods are given up in their time, and end when it is back', cutOff],
  ['one is back before its pods are given up', backInTime],
  ['one is switched off and on: its pods begin again', switchedOff],
  ['bad usage is told', told],
];

const webPod = (name: string, node: string, spec: object): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: {
    nodeName: node,
    terminationGracePeriodSeconds: 1,
    containers: [{ name: 'main', image: 'nginx', imagePullPolicy: 'IfNotPresent' }],
    tolerations: ['not-ready', 'unreachable'].map((key) => ({
      key: `node.kubernetes.io/${key}`,
      operator: 'Exists',
      effect: 'NoExecute',
      tolerationSeconds: 3,
    })),
    ...spec,
  },
});

const saysReady = ({ status }: Node): boolean =>
  status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True') === true;
const tainted = ({ spec }: Node): boolean => (spec.taints ?? []).some(({ effect }) => effect === 'NoExecute');
const addressesOf = ({ status }: Pod): readonly string[] => (status?.podIPs ?? []).map((one) => one.ip);

async function reachable({ cluster, nodes, run }: Stage): Promise<void> {
  using outside = await Outside.make();
  const pods = await Promise.all(nodes.map((node, at) => run(`web${at + 1}`, node)));
  for (const [at, pod] of pods.entries()) {
    const [v4 = '', v6 = ''] = addressesOf(pod);
    assert.match(v4, new RegExp(`^10\\.\\d+\\.${at + 1}\\.\\d+$`));
    assert.match(v6, new RegExp(`^fd00:10:\\d+:${at + 1}::`));
  }
  const [first, ...others] = pods;
  for (const other of others) {
    for (const address of addressesOf(other)) {
      const url = address.includes(':') ? `http://[${address}]/` : `http://${address}/`;
      assert.match(await cluster.ok('exec', 'web1', '--', 'wget', '-qO-', url), /Welcome to nginx/, url);
    }
    const log = await cluster.ok('logs', other.metadata.name);
    for (const own of addressesOf(first!)) assert.ok(log.includes(`${own} - - `), `no ${own} in ${log}`);
  }
  const asked = ['sh', '-c', `nc -w5 ${outside.address} ${outside.port}`];
  assert.equal((await cluster.ok('exec', 'web3', '--', ...asked)).trim(), outside.machine);
}

async function streams({ cluster, nodes, run }: Stage): Promise<void> {
  await run('host', nodes[1], { hostNetwork: true });
  assert.equal((await cluster.ok('exec', 'host', '--', 'hostname')).trim(), nodes[1]);
  assert.match(await cluster.ok('exec', 'host', '--', 'ip', 'addr', 'show', 'eth0'), /inet 10\.\d+\.0\.3\/24/);
  await cluster.ok('delete', 'pod', 'host', '--now');
}

async function takenOver({ cluster, pods, nodes }: Stage): Promise<void> {
  const running = ['web1', 'web2', 'web3'];
  const ids = running.map((name) => containerOf(pods.get(name))?.containerID);
  kill(await cluster.pid());
  await cluster.up(...grace);
  const names = (await cluster.ok('get', 'nodes', '-o', 'name')).trim().split('\n');
  assert.deepEqual(
    names,
    nodes.map((name) => `node/${name}`),
  );
  for (const [at, name] of running.entries()) {
    const pod = await pods.running(name);
    assert.deepEqual([containerOf(pod)?.containerID, containerOf(pod)?.restartCount], [ids[at], 0], name);
  }
}

async function cutOff({ cluster, pods, nodes, node, ready, run }: Stage): Promise<void> {
  const uid = pods.get('web2')?.metadata.uid;
  await run('stays', nodes[1], { tolerations: [{ operator: 'Exists' }] });
  await node('partition', nodes[1]);
  await ready(nodes[1], false);
  await pods.reaches('web2', 'given up', ({ metadata }) => metadata.deletionTimestamp !== undefined);
  const why = await peapod(['why', 'web2', ...cluster.global]);
  assert.match(why.stdout, new RegExp(`nobody can end it: node ${nodes[1]} has not been Ready`));
  assert.equal(pods.get('stays')?.metadata.deletionTimestamp, undefined);
  assert.equal(isReady(pods.get('stays')!), false, 'what nobody can see is not ready');
  await node('heal', nodes[1]);
  await ready(nodes[1], true);
  await pods.gone('web2');
  const stays = await pods.running('stays');
  assert.equal(containerOf(stays)?.restartCount, 0);
  const again = await run('web2', nodes[1]);
  assert.notEqual(again.metadata.uid, uid);
}

async function backInTime({ pods, nodes, node, ready, run }: Stage): Promise<void> {
  await run('patient', nodes[2], {
    tolerations: [
      { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 60 },
    ],
  });
  const before = pods.get('patient');
  await node('partition', nodes[2]);
  await ready(nodes[2], false);
  await pods.reaches('patient', 'not ready', (pod) => !isReady(pod));
  await node('heal', nodes[2]);
  await ready(nodes[2], true);
  const after = await pods.running('patient');
  assert.equal(after.metadata.uid, before?.metadata.uid);
  assert.equal(containerOf(after)?.restartCount, 0);
}

async function switchedOff({ pods, nodes, node, ready }: Stage): Promise<void> {
  await node('stop', nodes[2]);
  await ready(nodes[2], false);
  await node('start', nodes[2]);
  await ready(nodes[2], true);
  const after = await pods.reaches(
    'patient',
    'begun again',
    (pod) => isReady(pod) && containerOf(pod)?.restartCount === 1,
  );
  assert.equal(after.metadata.deletionTimestamp, undefined);
}

async function told({ cluster, nodes }: Stage): Promise<void> {
  const unknown = await peapod(['node', 'stop', 'nobody', ...cluster.global]);
  assert.deepEqual(
    [unknown.code, unknown.stderr],
    [1, `peapod: there is no node nobody: there are ${nodes.join(', ')}\n`],
  );
  const running = await peapod(['up', ...cluster.global, '--nodes', '2']);
  assert.deepEqual([running.code, /another peapod .* runs on/.test(running.stderr)], [1, true], running.stderr);
  kill(await cluster.pid());
  const fewer = await peapod(['up', ...cluster.upArguments.slice(1), '--nodes', '2']);
  assert.deepEqual(
    [
      fewer.code,
      /^peapod: what runs of cluster e2e-nodes are the nodes .*: `peapod down` ends them/.test(fewer.stderr),
    ],
    [1, true],
    fewer.stderr,
  );
}
