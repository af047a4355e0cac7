import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { New } from '#api/resource.ts';
import type { Event, Pod } from '#api/generated/core-v1.ts';
import { ApiError } from '#api/errors.ts';
import type { Client } from '#client/client.ts';
import { eventResource, podResource } from '#client/resources.ts';
import { followPodsWith } from '#cli/follow-pods.ts';
import type { ContainerBehaviour } from '#cri/simulated/behaviour.ts';
import type { SimulatedOptions } from '#cri/simulated/simulated-runtime.ts';
import type { Terminal } from '#cli/terminal.ts';
import { SmallCluster } from '#test/integration/support/small-cluster.ts';

const web = { namespace: 'default', name: 'web' };
const signal = new AbortController().signal;

interface Screen extends Terminal {
  readonly lines: string[];
  readonly drawn: (readonly string[])[];
}

function screen(live = false): Screen {
  const lines: string[] = [];
  const drawn: (readonly string[])[] = [];
  return {
    lines,
    drawn,
    live,
    width: 100,
    line: (text) => void lines.push(text),
    draw: (next) => void drawn.push(next),
    style: (_, text) => text,
  };
}

interface Story {
  readonly lines: readonly string[];
  readonly well: boolean;
  readonly seconds: number;
  readonly drawn: readonly (readonly string[])[];
}

/** Creates the pod and follows it, second by second of the cluster's own time, until following ends. */
async function follow(cluster: SmallCluster, spec: New<Pod>['spec'], live = false): Promise<Story> {
  const terminal = screen(live);
  await cluster.run('web', spec);
  let well: boolean | undefined;
  const following = followPodsWith({ client: cluster.client, terminal, clock: cluster.clock }, [web], signal).then(
    (result) => (well = result),
  );
  await cluster.settled();
  let seconds = 0;
  for (; well === undefined && seconds < 400; seconds++) await cluster.advance(1000);
  return { lines: terminal.lines, well: await following, seconds, drawn: terminal.drawn };
}

const fails = { kind: 'fails', reason: 'ErrImagePull', message: 'manifest unknown' } as const;
const exits = (code: number, afterMs: number): ContainerBehaviour => ({
  run: { kind: 'exits', code, afterMs },
  stopAfterMs: 0,
  output: [],
});
const a = { containers: [{ name: 'a', image: 'nginx' }] };

interface Case {
  readonly name: string;
  readonly options?: Partial<SimulatedOptions>;
  readonly spec?: New<Pod>['spec'];
  /** Before the table; uids are left out. */
  readonly lines: readonly string[];
  /** The pod's row, up to its age. */
  readonly row: RegExp;
  readonly well: boolean;
  readonly seconds: number;
}

const pulling = ['web: scheduled on node1', 'web: pulling nginx'];
const describe = 'see: kubectl describe pod web -n default';
const backOff = 'ImagePullBackOff: Back-off pulling image "nginx": ErrImagePull: manifest unknown';
const crashLoop = (seconds: number): string =>
  `CrashLoopBackOff: back-off ${seconds}s restarting failed container=a pod=web_default(UID)`;
const missingKey = { name: 'A', valueFrom: { configMapKeyRef: { name: 'x', key: 'y' } } };

const cases: readonly Case[] = [
  {
    name: 'a pod that comes up',
    options: { pullMs: 2000, startMs: 1000 },
    spec: {
      containers: [
        { name: 'a', image: 'nginx' },
        { name: 'b', image: 'mysql' },
      ],
    },
    lines: [...pulling, 'web: pulling mysql', 'web: a started', 'web: b started', 'web: ready'],
    row: /^web {4}2\/2 {5}Running {3}0 {10}4s {4}10\.88\.0\.2 {3}node1 {3}<none> {11}<none>$/,
    well: true,
    seconds: 4,
  },
  {
    name: 'a pod that comes up with an init container',
    options: {
      pullMs: 2000,
      behaviour: ({ container }) =>
        container.name === 'i' ? exits(0, 3000) : { ...exits(0, 0), run: { kind: 'forever' } },
    },
    spec: { containers: [{ name: 'a', image: 'nginx:1' }], initContainers: [{ name: 'i', image: 'nginx:1' }] },
    lines: [
      'web: scheduled on node1',
      'web: pulling nginx:1',
      'web: i started',
      'web: i completed',
      'web: a started',
      'web: ready',
    ],
    row: /^web {4}1\/1 {5}Running /,
    well: true,
    seconds: 6,
  },
  {
    name: 'an image that does not exist',
    options: { pull: () => fails },
    lines: [
      'web: scheduled on node1',
      'web: a: ErrImagePull: manifest unknown',
      `web: a: ${backOff}`,
      'web: a: ErrImagePull: manifest unknown',
      `web: a: ${backOff}`,
      `web does not come up: a: ${backOff}; ${describe}`,
    ],
    row: /^web {4}0\/1 {5}ImagePullBackOff {3}0 /,
    well: false,
    seconds: 20,
  },
  {
    name: 'a crash loop, which is Ready in between',
    options: { behaviour: () => exits(3, 500) },
    lines: [
      'web: a started',
      'web: ready',
      'web: a started',
      'web: ready',
      `web: a: ${crashLoop(10)}`,
      'web: a started',
      'web: ready',
      `web: a: ${crashLoop(20)}`,
      `web does not come up: a: ${crashLoop(20)}; see: kubectl logs web -n default -c a --previous`,
    ],
    row: /^web {4}0\/1 {5}CrashLoopBackOff {3}2 \(\d+s ago\) /,
    well: false,
    seconds: 21,
  },
  {
    name: 'a container that fails and is not restarted',
    options: { behaviour: () => exits(3, 500) },
    spec: { ...a, restartPolicy: 'Never' },
    lines: [
      'web: a started',
      'web: ready',
      'web: a: Error (exit code 3)',
      'web: failed',
      'web has failed: a: Error (exit code 3); see: kubectl logs web -n default -c a',
    ],
    row: /^web {4}0\/1 {5}Error {4}0 /,
    well: false,
    seconds: 1,
  },
  {
    name: 'a pod that does its work and ends',
    options: { behaviour: () => exits(0, 500) },
    spec: { ...a, restartPolicy: 'Never' },
    lines: ['web: a started', 'web: ready', 'web: a completed', 'web: completed'],
    row: /^web {4}0\/1 {5}Completed {3}0 /,
    well: true,
    seconds: 1,
  },
  {
    name: 'a pull that takes too long',
    options: { pullMs: 400_000 },
    lines: [...pulling, `web is not Ready after 5m (a: pulling nginx); ${describe}`],
    row: /^web {4}0\/1 {5}ContainerCreating {3}0 {10}5m /,
    well: false,
    seconds: 300,
  },
  {
    name: 'nobody who schedules it',
    spec: { ...a, nodeName: '' },
    lines: [`web is not Ready after 5m (it waits for a node); ${describe}`],
    row: /^web {4}0\/1 {5}Pending {3}0 {10}5m {4}<none> {3}<none> /,
    well: false,
    seconds: 300,
  },
  {
    name: 'a ConfigMap that is missing',
    spec: { containers: [{ name: 'a', image: 'nginx', env: [missingKey] }] },
    lines: [
      'web: scheduled on node1',
      'web: a: CreateContainerConfigError: configmap "x" not found',
      `web does not come up: a: CreateContainerConfigError: configmap "x" not found; ${describe}`,
    ],
    row: /^web {4}0\/1 {5}CreateContainerConfigError /,
    well: false,
    seconds: 20,
  },
];

for (const { name, options, spec = a, lines: want, row, well, seconds } of cases) {
  test(`follow: ${name}`, async () => {
    await using cluster = await SmallCluster.start(options);
    const story = await follow(cluster, spec);
    const lines = story.lines.map((line) => line.replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/, 'UID'));
    const end = lines.indexOf('');
    // What a kubelet tells only in passing it may as well not tell.
    const passing = ['web: scheduled on node1', 'web: a: Error (exit code 3)'].filter((line) => !want.includes(line));
    const begun = lines.slice(0, end).filter((line) => !passing.includes(line));
    assert.deepEqual(begun, want);
    assert.equal(lines[end + 1], '$ kubectl get pod -n default -o wide');
    assert.match(lines[end + 2]!, /^NAME +READY +STATUS +RESTARTS +AGE +IP +NODE +NOMINATED NODE +READINESS GATES$/);
    assert.match(lines[end + 3]!, row);
    assert.equal(lines.length, end + 4);
    assert.deepEqual([story.well, story.seconds], [well, seconds]);
  });
}

test('follow: a pod that no node has room for', async () => {
  await using cluster = await SmallCluster.start();
  const terminal = screen();
  const pod = await cluster.run('web', { ...a, nodeName: '' });
  const conditions = [
    {
      type: 'PodScheduled',
      status: 'False',
      reason: 'Unschedulable',
      message: '0/1 nodes are available: 1 Insufficient cpu.',
    },
  ];
  await cluster.client.updateStatus<Pod>(podResource, { ...pod, status: { ...pod.status, conditions } } as Pod, signal);
  const following = followPodsWith({ client: cluster.client, terminal, clock: cluster.clock }, [web], signal);
  for (let second = 0; second < 20; second++) await cluster.advance(1000);
  assert.equal(await following, false);
  assert.deepEqual(terminal.lines.slice(0, 2), [
    'web: Unschedulable: 0/1 nodes are available: 1 Insufficient cpu.',
    `web does not come up: Unschedulable: 0/1 nodes are available: 1 Insufficient cpu.; ${describe}`,
  ]);
});

test('follow: a warning of a pod whose volumes cannot be had', async () => {
  await using cluster = await SmallCluster.start({ pullMs: 100_000 });
  const terminal = screen();
  const pod = await cluster.run('web', a);
  const following = followPodsWith({ client: cluster.client, terminal, clock: cluster.clock }, [web], signal);
  await cluster.settled();
  const { uid } = pod.metadata;
  const event = {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: 'web.1', namespace: 'default' },
    involvedObject: { apiVersion: 'v1', kind: 'Pod', name: 'web', namespace: 'default', uid },
    type: 'Warning',
    reason: 'FailedMount',
    message: 'MountVolume.SetUp failed\nfor volume "v"',
    lastTimestamp: new Date(cluster.clock.now()).toISOString(),
  } as const;
  await cluster.client.create<Event>(eventResource, event, signal);
  for (let second = 0; second < 21; second++) await cluster.advance(1000);
  assert.equal(await following, false);
  assert.ok(
    terminal.lines.includes('web: FailedMount: MountVolume.SetUp failed for volume "v"'),
    terminal.lines.join('\n'),
  );
  // The pod was told of the missing DNS, too, which holds nobody up.
  assert.doesNotMatch(terminal.lines.join('\n'), /DNS/);
});

test('follow: long up, nothing is waited for; gone, it says so; none, nothing is said', async () => {
  await using cluster = await SmallCluster.start();
  await cluster.run('web', a);
  await cluster.advance(60_000);
  const terminal = screen();
  const world = { client: cluster.client, terminal, clock: cluster.clock };
  assert.equal(await followPodsWith(world, [web], signal), true);
  assert.deepEqual(terminal.lines.slice(0, 3), ['web: a started', 'web: ready', '']);
  assert.equal(await followPodsWith(world, [{ ...web, name: 'none' }], signal), false);
  assert.ok(terminal.lines.includes('none is gone: it was deleted'));
  const before = terminal.lines.length;
  assert.equal(await followPodsWith(world, [], signal), true);
  assert.equal(terminal.lines.length, before);
});

test('follow: on a terminal it draws, and leaves the last drawing as lines', async () => {
  await using cluster = await SmallCluster.start({ pullMs: 2000, startMs: 1000 });
  const { lines, drawn } = await follow(cluster, a, true);
  assert.deepEqual(drawn[1], ['⠋ web  scheduled on node1  0s', '  ⠋ a  pulling nginx  0s']);
  assert.ok(drawn.some((each) => each[1]?.includes('pulling nginx  1s')));
  assert.ok(new Set(drawn.map((each) => each[0]?.[0])).size > 5, 'the spinner turns');
  assert.deepEqual(drawn.at(-1), []);
  assert.deepEqual(lines.slice(0, 3), ['✔ web  ready', '  ✔ a  ready', '']);
});

test('follow: told to stop, it erases its drawing and goes on no longer', async () => {
  await using cluster = await SmallCluster.start({ pullMs: 100_000 });
  await cluster.run('web', a);
  const terminal = screen(true);
  const stop = new AbortController();
  const world = { client: cluster.client, terminal, clock: cluster.clock };
  const following = followPodsWith(world, [web], stop.signal);
  await cluster.advance(1000);
  const reason = new Error('Ctrl-C');
  stop.abort(reason);
  await assert.rejects(following, reason);
  assert.deepEqual(terminal.drawn.at(-1), []);
  assert.deepEqual(terminal.lines, []);
  const drawn = terminal.drawn.length;
  await cluster.advance(10_000);
  assert.equal(terminal.drawn.length, drawn);
});

test('follow: a server that does not answer is given up on', async () => {
  await using cluster = await SmallCluster.start();
  const gone = new ApiError('ServiceUnavailable', 'connection refused');
  const client: Client = {
    ...cluster.client,
    // eslint-disable-next-line require-yield -- it fails before there is anything to yield
    watch: async function* () {
      throw gone;
    },
  };
  const following = followPodsWith({ client, terminal: screen(), clock: cluster.clock }, [web], signal);
  following.catch(() => {});
  for (let second = 0; second < 5; second++) await cluster.advance(1000);
  await assert.rejects(following, (error: Error) => error.cause === gone);
});
