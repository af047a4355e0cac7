/** examples/scheduling does what its comments say, when their commands are typed: three nodes, real containers. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import type { Node, Pod } from '#api/generated/core-v1.ts';
import { E2eCluster, examples } from '#test/e2e/support/cluster.ts';
import { stepsOf, type } from '#test/e2e/support/example-steps.ts';
import { conditionOf, containerOf, PodWatch } from '#test/e2e/support/pod-watch.ts';

interface Stage {
  readonly cluster: E2eCluster;
  readonly pods: PodWatch;
  /** Waits until all run; gives the numbers of their nodes. */
  running(...names: readonly string[]): Promise<readonly number[]>;
  /** It has no node, and event and condition say why. */
  refused(name: string, why: string): Promise<void>;
}

interface Story {
  readonly file: string;
  /** After what makes it happen. */
  readonly outcome: (stage: Stage) => Promise<void>;
  /** What was printed by the commands that show it, one after the other. */
  readonly shown?: readonly RegExp[];
}

test('examples of scheduling', { timeout: 240_000 }, async (t) => {
  await using cluster = await E2eCluster.start('e2e-examples', '--nodes', '3');
  await using pods = await PodWatch.on(cluster);
  const stage: Stage = {
    cluster,
    pods,
    running: (...names) => Promise.all(names.map(async (name) => numberOf(await pods.running(name)))),
    async refused(name, why) {
      const event = await pods.told(name, /FailedScheduling/);
      const pod = await pods.reaches(name, 'told so', (p) => conditionOf(p.status, 'PodScheduled')?.status === 'False');
      const { reason, message } = conditionOf(pod.status, 'PodScheduled')!;
      assert.deepEqual(
        [pod.spec.nodeName, event, reason, message],
        [undefined, `Warning FailedScheduling ${why}`, 'Unschedulable', why],
      );
    },
  };
  for (const { file, outcome, shown = [] } of stories) {
    await t.test(`example: ${file}`, async () => {
      const { doing, looking, afterwards } = stepsOf(`scheduling/${file}`);
      try {
        for (const command of doing) await type(cluster, command);
        await outcome(stage);
        const printed: string[] = [];
        for (const command of looking) printed.push(await type(cluster, command));
        for (const pattern of shown) assert.match(printed.join('\n'), pattern);
      } catch (error) {
        // Others come after it: as little of it as possible must stand in their way.
        for (const command of afterwards) await type(cluster, command).catch(() => {});
        throw error;
      }
      for (const command of afterwards) await type(cluster, command);
      await Promise.all(pods.list().map(({ metadata }) => pods.gone(metadata.name)));
    });
  }
  await t.test('examples: each of them has its story', () => {
    const told = [...stories.map(({ file }) => file), 'priority-patient.yaml', 'priority-urgent.yaml'];
    assert.deepEqual(readdirSync(join(examples, 'scheduling')).toSorted(), told.toSorted());
  });
});

const numberOf = ({ spec }: Pod): number => Number(/\d+$/.exec(spec.nodeName ?? '')?.[0]);
const NOT_HELPFUL = 'Preemption is not helpful for scheduling';

const preemption = (why: string): string => ` preemption: 0/3 nodes are available: 3 ${why}.`;

const stories: readonly Story[] = [
  {
    file: 'node-affinity.yaml',
    async outcome({ running, refused }) {
      const [selects, ...others] = await running('selects', 'requires', 'weighs', 'avoids');
      assert.ok(selects === 1 || selects === 2, String(selects));
      assert.deepEqual(others, [2, 2, 3]);
      const none = "0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector.";
      await refused('nowhere', none + preemption(NOT_HELPFUL));
    },
    shown: [
      /^selects has been ready for/m,
      /^nowhere has no node: none of 3 fits: 3 are not what nodeSelector disk=drum asks for$/m,
      /→ label a node so \(kubectl label node NODE disk=drum\), or change spec.nodeSelector$/m,
    ],
  },
  {
    file: 'pod-affinity.yaml',
    async outcome({ running, refused }) {
      const [login = 0, profile = 0, backup, rival, echo] = await running(
        'login',
        'profile',
        'backup',
        'rival',
        'echo',
      );
      assert.ok([login, profile].every((node) => node < 3));
      assert.deepEqual([backup, rival], [3, profile === 1 ? 2 : 1]);
      assert.ok(echo! > 0);
      const none = "0/3 nodes are available: 3 node(s) didn't match pod affinity rules.";
      await refused('hermit', none + preemption(NOT_HELPFUL));
    },
  },
  {
    file: 'shop-and-cache.yaml',
    async outcome({ running, refused }) {
      for (const app of ['cache', 'shop']) {
        const nodes = await running(...[1, 2, 3].map((at) => `${app}-${at}`));
        assert.deepEqual(nodes.toSorted(), [1, 2, 3], app);
      }
      const none = "0/3 nodes are available: 3 node(s) didn't match pod anti-affinity rules.";
      await refused('shop-4', none + preemption('No preemption victims found for incoming pod'));
    },
    shown: [/Warning +FailedScheduling +pod\/shop-4 +0\/3 nodes are available/],
  },
  {
    file: 'tenants.yaml',
    async outcome({ running }) {
      const [ice, alsoIce, fire, alsoFire] = await running('ice-1', 'ice-2', 'fire-1', 'fire-2');
      assert.deepEqual([alsoIce, alsoFire], [ice, fire]);
      assert.notEqual(ice, fire);
    },
  },
  {
    file: 'dedicated-node.yaml',
    async outcome({ running, refused }) {
      const [researcher, visitor] = await running('researcher', 'visitor', 'inspector');
      assert.deepEqual([researcher, visitor === 2], [2, false]);
      const none =
        "0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 node(s) didn't match Pod's node affinity/selector.";
      await refused('stubborn', none + preemption(NOT_HELPFUL));
    },
    shown: [
      /^stubborn has no node: none of 3 fits: .*1 is tainted in a way it does not tolerate \(dedicated=research/m,
    ],
  },
  { file: 'evacuation.yaml', outcome: evacuated, shown: [/^stays +1\/1 +Running/m] },
  {
    file: 'spread.yaml',
    async outcome({ running }) {
      const nodes = await running('even-1', 'even-2', 'even-3', 'even-4');
      assert.equal(nodes.filter((node) => node === 3).length, 2, nodes.join());
      assert.notDeepEqual(await running('east-only'), [3]);
    },
  },
  {
    file: 'spread-two-ways.yaml',
    async outcome({ running, pods }) {
      assert.deepEqual((await running('both-1', 'both-2', 'both-3')).toSorted(), [1, 2, 3]);
      const [fourth, fifth = 0, sixth = 0, lenient] = await running('both-4', 'both-5', 'both-6', 'lenient');
      assert.deepEqual([fourth, [fifth, sixth].toSorted(), lenient], [3, [1, 2], 3]);
      const why = "0/3 nodes are available: 3 node(s) didn't match pod topology spread constraints.";
      assert.ok((await pods.told('both-6', /FailedScheduling/)).includes(why));
    },
    shown: [/scheduling attempt 1: none of 3 nodes fits: 3 .*spread[^]*scheduling attempt 2: node \S+ chosen/],
  },
  {
    file: 'priority.yaml',
    outcome: preempted,
    shown: [
      /^headline +1\/1 +Running/m,
      /Normal +Preempted +pod\/leaflet +Preempted by pod \S+ on node/,
      /clearing the press\n.*cleared/,
      /^obituary has no node: none of 3 fits: 3 are short of example.com\/press \(1 asked, 0 free at best\)/m,
    ],
  },
];

async function evacuated({ pods, running }: Stage): Promise<void> {
  await pods.gone('leaves');
  await pods.gone('lingers');
  const [leaves, lingers] = ['leaves', 'lingers'].map((name) => {
    const told = pods.history(name).find(({ metadata }) => metadata.deletionTimestamp !== undefined);
    assert.equal(conditionOf(told?.status, 'DisruptionTarget')?.reason, 'DeletionByTaintManager', name);
    const { deletionTimestamp = '', deletionGracePeriodSeconds = 0 } = told!.metadata;
    return Date.parse(deletionTimestamp) - deletionGracePeriodSeconds * 1000;
  });
  // Both are whole seconds.
  assert.ok(Math.abs(lingers! - leaves! - 5000) <= 1000, `${lingers! - leaves!} ms later`);
  assert.deepEqual(await running('stays'), [1]);
}

async function preempted({ cluster, pods, running, refused }: Stage): Promise<void> {
  const [novel, headline] = await running('novel', 'headline');
  const { spec, metadata } = pods.get('headline')!;
  const isEnding = (pod: Pod): boolean => pod.metadata.deletionTimestamp !== undefined;
  const victim = pods.history('leaflet').find(isEnding)!;
  assert.equal(victim.spec.nodeName, spec.nodeName);
  assert.notEqual(novel, headline);
  assert.deepEqual(conditionOf(victim.status, 'DisruptionTarget')?.reason, 'PreemptionByScheduler');
  assert.equal(
    await pods.told('leaflet', /Preempted/),
    `Normal Preempted Preempted by pod ${metadata.uid} on node ${spec.nodeName}`,
  );
  const end = containerOf(pods.history('leaflet').at(-1))?.state?.terminated;
  assert.equal(end?.exitCode, 0, 'it got SIGTERM, and its time');
  const waiting = pods.history('headline').find(({ status }) => status?.nominatedNodeName !== undefined);
  assert.deepEqual([waiting?.status?.nominatedNodeName, waiting?.spec.nodeName], [spec.nodeName, undefined]);
  const [begun, ended] = [containerOf(pods.get('headline'))?.state?.running?.startedAt, end?.finishedAt];
  assert.ok(Date.parse(begun!) >= Date.parse(ended!), `begun at ${begun}, the press was free at ${ended}`);
  assert.equal(pods.history('novel').some(isEnding), false, 'who is worth more stays');
  const none = '0/3 nodes are available: 3 Insufficient example.com/press.';
  await refused('obituary', `${none} preemption: not eligible due to preemptionPolicy=Never.`);
  const node = await cluster.get<Node & Record<string, never>>('node', spec.nodeName!);
  assert.equal(node.status?.allocatable?.['example.com/press'], '1', 'its kubelet gives it out');
}
