import assert from 'node:assert/strict';
import test from 'node:test';
import type { Node } from '#api/generated/core-v1.ts';
import type { PodTimeline, TimelineEntry } from '#api/peapod/pod-timeline.ts';
import { nodeResource, podResource } from '#client/resources.ts';
import { podTimelineResource, TimelineRecorder } from '#client/timeline-recorder.ts';
import { Scope } from '#lib/scope.ts';
import { SchedulerWorld } from '#test/integration/scheduler-world.ts';
import { SmallCluster } from '#test/integration/support/small-cluster.ts';

const signal = new AbortController().signal;
type Type = TimelineEntry['type'];
type Of<T extends Type> = Extract<TimelineEntry, { readonly type: T }>;

async function timelineOf(cluster: SmallCluster, name: string): Promise<PodTimeline> {
  await cluster.advance(300);
  const found = await cluster.client.get<PodTimeline>(podTimelineResource, { namespace: 'default', name }, signal);
  assert.ok(found, `there is no timeline of ${name}`);
  return found;
}
const typesOf = ({ entries }: PodTimeline): readonly string[] => entries.map(({ type }) => type);
const all = <T extends Type>({ entries }: PodTimeline, type: T): readonly Of<T>[] =>
  entries.filter((entry): entry is Of<T> => entry.type === type);
const every = { periodSeconds: 1, failureThreshold: 3, successThreshold: 1, timeoutSeconds: 1 };
const main = { name: 'main', image: 'x' } as const;

test('timeline: a pod that starts, runs and is deleted', async () => {
  await using cluster = await SmallCluster.start();
  await cluster.run('web', { containers: [main] });
  await cluster.advance(5000);
  await cluster.remove('web', 3);
  await cluster.advance(5000);
  const timeline = await timelineOf(cluster, 'web');
  const expected: readonly Type[] = [
    'Created',
    'Bound',
    'Admitted',
    'PullStarted',
    'SandboxCreated',
    'Pulled',
    'AddressAssigned',
    'ContainerCreated',
    'ContainerStarted',
    'PhaseChanged',
    'ReadyChanged',
    'DeletionAsked',
    'Terminating',
    'Killing',
    'ContainerExited',
    'ReadyChanged',
    'PhaseChanged',
    'Gone',
  ];
  assert.deepEqual([...typesOf(timeline)].sort(), [...expected].sort(), typesOf(timeline).join(' '));
  const [exit] = all(timeline, 'ContainerExited');
  assert.deepEqual([exit?.exitCode, exit?.signal, exit?.attempt, exit?.logTail], [143, 15, 0, []]);
  assert.equal(all(timeline, 'AddressAssigned')[0]?.addresses[0]?.startsWith('10.88.'), true);
  assert.deepEqual(all(timeline, 'Killing')[0]?.source, { component: 'kubelet', node: 'node1' });
  assert.equal(timeline.pod, 'gone');
  assert.deepEqual(cluster.troubles, []);
});

test('timeline: a crash loop shows each exit and until when it waits', async () => {
  await using cluster = await SmallCluster.start();
  const annotations = { 'simulated.peapod.dev/main.exit-code': '3', 'simulated.peapod.dev/main.exit-after': '1500ms' };
  await cluster.run('crash', { containers: [main] }, { annotations });
  // One restart at once, then after 10 and 20 seconds; the fifth run waits for 40 s.
  await cluster.advance(2000);
  await cluster.advance(2000);
  await cluster.advance(11_000);
  await cluster.advance(25_000);
  const timeline = await timelineOf(cluster, 'crash');
  const exits = all(timeline, 'ContainerExited');
  assert.deepEqual(
    exits.map(({ attempt, exitCode, reason, ranMs, signal: by }) => [attempt, exitCode, reason, ranMs, by]),
    [0, 1, 2, 3].map((attempt) => [attempt, 3, 'Error', 1500, undefined]),
  );
  const waits = all(timeline, 'BackOff');
  const delays = waits.map(({ until }, at) => Date.parse(until) - Date.parse(exits[at + 1]!.time));
  assert.deepEqual([delays, waits[0]?.reason], [[10_000, 20_000, 40_000], 'CrashLoopBackOff']);
  assert.deepEqual(
    all(timeline, 'ContainerStarted').map(({ attempt }) => attempt),
    [0, 1, 2, 3],
  );
});

test('timeline: a failing probe tells its first failure, what it led to and what it said', async () => {
  await using cluster = await SmallCluster.start();
  const answers = { 'http:8080/live': 'ok 2500ms:fail', 'http:8080/ready': 'fail 2500ms:ok' };
  const annotations = { 'simulated.peapod.dev/main.answers': JSON.stringify(answers) };
  const livenessProbe = { httpGet: { port: 8080, path: '/live' }, ...every };
  const readinessProbe = { httpGet: { port: 8080, path: '/ready' }, ...every };
  await cluster.run('web', { containers: [{ ...main, livenessProbe, readinessProbe }] }, { annotations });
  for (let second = 0; second < 7; second++) await cluster.advance(1000);
  const timeline = await timelineOf(cluster, 'web');
  const told = (kind: string): readonly unknown[] =>
    all(timeline, 'Probe')
      .filter(({ probe }) => probe === kind)
      .map(({ transition, run, threshold }) => [transition, run, threshold]);
  assert.deepEqual(told('readiness').slice(0, 2), [
    ['FirstFailure', 1, 3],
    ['Ready', 1, 1],
  ]);
  assert.deepEqual(told('liveness'), [
    ['FirstFailure', 1, 3],
    ['ThresholdReached', 3, 3],
  ]);
  const fatal = all(timeline, 'Probe').find(({ transition }) => transition === 'ThresholdReached');
  assert.equal(fatal?.output, 'HTTP probe failed with statuscode: 503');
  assert.equal(all(timeline, 'Killing')[0]?.message, 'Container main failed liveness probe, will be restarted');
});

test('timeline: a pull that fails says why, and when it is tried again', async () => {
  const answer = { kind: 'fails', reason: 'ErrImagePull', message: 'no such image: x' } as const;
  await using cluster = await SmallCluster.start({ pull: () => answer });
  await cluster.run('missing', { containers: [main] });
  await cluster.advance(4000);
  const timeline = await timelineOf(cluster, 'missing');
  const [failed] = all(timeline, 'PullFailed');
  assert.deepEqual([failed?.image, failed?.reason], ['x', 'ErrImagePull']);
  assert.match(failed?.message ?? '', /no such image/);
  const [wait] = all(timeline, 'BackOff');
  assert.equal(wait?.reason, 'ImagePullBackOff');
  assert.equal(Date.parse(wait?.until ?? '') - Date.parse(failed?.time ?? ''), 10_000);
});

test('timeline: a mount that fails is told once, a start that fails each time', async () => {
  await using cluster = await SmallCluster.start();
  const volumes = [{ name: 'c', configMap: { name: 'absent' } }];
  await cluster.run('mount', { volumes, containers: [main] });
  const annotations = { 'simulated.peapod.dev/main.start-error': 'exec: no such file' };
  await cluster.run('start', { containers: [main] }, { annotations });
  for (let second = 0; second < 10; second++) await cluster.advance(1000);
  const [mount, ...more] = all(await timelineOf(cluster, 'mount'), 'MountFailed');
  assert.match(mount?.message ?? '', /absent/);
  assert.equal(more.length, 0);
  const started = await timelineOf(cluster, 'start');
  assert.match(all(started, 'ContainerStartFailed')[0]?.message ?? '', /no such file/);
  assert.equal(all(started, 'ContainerExited')[0]?.exitCode, 128);
});

test('timeline: a kubelet that comes back goes on where the other stopped, and says nothing twice', async () => {
  await using cluster = await SmallCluster.start();
  const annotations = { 'simulated.peapod.dev/main.exit-code': '1', 'simulated.peapod.dev/main.exit-after': '1000ms' };
  await cluster.run('crash', { containers: [main] }, { annotations });
  await cluster.advance(1500);
  await cluster.advance(1500);
  const before = await timelineOf(cluster, 'crash');
  await cluster.stopKubelet();
  await cluster.clock.advance(3000);
  cluster.startKubelet();
  await cluster.advance(2000);
  const after = await timelineOf(cluster, 'crash');
  assert.deepEqual(typesOf(after), typesOf(before));
  await cluster.advance(8000);
  await cluster.advance(2000);
  const exits = all(await timelineOf(cluster, 'crash'), 'ContainerExited');
  assert.deepEqual(
    exits.map(({ attempt }) => attempt),
    [0, 1, 2],
  );
});

test('timeline: a deadline that has passed is told as the reason of the end', async () => {
  await using cluster = await SmallCluster.start();
  await cluster.run('late', { activeDeadlineSeconds: 5, restartPolicy: 'Never', containers: [main] });
  await cluster.advance(6000);
  await cluster.advance(1000);
  const timeline = await timelineOf(cluster, 'late');
  assert.equal(all(timeline, 'Terminating')[0]?.reason, 'DeadlineExceeded');
  const end = all(timeline, 'PhaseChanged').at(-1);
  assert.deepEqual([end?.phase, end?.reason], ['Failed', 'DeadlineExceeded']);
});

test('timeline: the scheduler tells each attempt, with what was wrong with the nodes', async () => {
  await using world = await SchedulerWorld.start();
  const { clock } = world.api;
  const recorder = new TimelineRecorder({ client: world.schedulerClient(), clock });
  const scope = new Scope();
  await using _scope = scope;
  scope.spawn('recorder', (stop) => recorder.run(stop));
  await world.schedule({ timeline: recorder });
  const node = (name: string, cpu: string): Promise<Node> =>
    world.client.create<Node>(
      nodeResource,
      {
        apiVersion: 'v1',
        kind: 'Node',
        metadata: { name },
        status: { allocatable: { cpu, memory: '1Gi', pods: '10' }, conditions: [{ type: 'Ready', status: 'True' }] },
      },
      signal,
    );
  await node('small', '1');
  await node('tiny', '500m');
  const containers = [{ name: 'c', image: 'x', resources: { requests: { cpu: '2' } } }];
  await world.client.create(
    podResource,
    { apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 'default', name: 'big' }, spec: { containers } },
    signal,
  );
  await world.settled();
  await clock.advance(1000);
  await node('large', '4');
  await world.settled();
  await clock.advance(20_000);
  await world.settled();
  const timeline = await world.client.get<PodTimeline>(
    podTimelineResource,
    { namespace: 'default', name: 'big' },
    signal,
  );
  const [refused, placed] = all(timeline!, 'SchedulingAttempt');
  assert.deepEqual(
    [refused?.attempt, refused?.nodes, refused?.feasible, refused?.result, refused?.refusals],
    [1, 2, 0, 'Unschedulable', [{ reason: 'Insufficient cpu', nodes: 2 }]],
  );
  assert.match(refused?.message ?? '', /0\/2 nodes are available/);
  assert.match(refused?.revisions.nodes ?? '', /^\d+$/);
  assert.deepEqual([placed?.attempt, placed?.nodes, placed?.feasible, placed?.result], [2, 3, 1, 'Placed']);
  assert.deepEqual(placed?.best, [{ node: 'large' }]);
  const [bound] = all(timeline!, 'Bound');
  assert.deepEqual([bound?.node, bound?.by.user], ['large', 'system:kube-scheduler']);
  await node('larger', '8');
  const small = [{ name: 'c', image: 'x', resources: { requests: { cpu: '1' } } }];
  await world.client.create(
    podResource,
    { apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 'default', name: 'small' }, spec: { containers: small } },
    signal,
  );
  await world.settled();
  await clock.advance(1000);
  const ref = { namespace: 'default', name: 'small' };
  const chosen = all((await world.client.get<PodTimeline>(podTimelineResource, ref, signal))!, 'SchedulingAttempt')[0]!;
  assert.deepEqual([chosen.feasible, chosen.best?.map((one) => one.node)], [3, ['larger', 'large', 'small']]);
  const sums = (chosen.best ?? []).map(({ byPlugin = {} }) =>
    Object.entries(byPlugin).reduce((sum, [name, points]) => sum + points * (chosen.weights?.[name] ?? Number.NaN), 0),
  );
  assert.deepEqual(
    sums,
    chosen.best?.map(({ score }) => score),
  );
  assert.deepEqual([chosen.weights?.['TaintToleration'], typeof chosen.seed], [3, 'number']);
});
