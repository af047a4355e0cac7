import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ContainerStatus, Pod, PodSpec, PodStatus } from '#api/generated/core-v1.ts';
import { humanDuration } from '#cli/human-duration.ts';
import { podTable } from '#cli/pod-table.ts';
import { humanDuration as serverDuration } from '#server/columns/common.ts';
import { podColumns } from '#server/columns/pod.ts';

/** The command line's table and the server's are computed apart, since neither may know the other: they must agree. */

const now = Date.parse('2026-01-31T09:00:00Z');
const ago = (seconds: number): string => new Date(now - seconds * 1000).toISOString();

const running = (name: string, more: Partial<ContainerStatus> = {}): ContainerStatus =>
  status(name, { running: { startedAt: ago(5) } }, { ready: true, started: true, ...more });
const ended = (name: string, exitCode: number, more: object = {}): ContainerStatus =>
  status(name, { terminated: { exitCode, ...more } });
const waiting = (name: string, reason: string, more: Partial<ContainerStatus> = {}): ContainerStatus =>
  status(name, { waiting: { reason } }, more);
const status = (
  name: string,
  state: ContainerStatus['state'],
  more: Partial<ContainerStatus> = {},
): ContainerStatus => ({ name, image: 'x', imageID: '', ready: false, restartCount: 0, state: state!, ...more });

const ready = { type: 'Ready', status: 'True' } as const;
const initialized = { type: 'Initialized', status: 'True' } as const;
const containers = [
  { name: 'a', image: 'x' },
  { name: 'b', image: 'x' },
];
const inits = [
  { name: 'i', image: 'x' },
  { name: 's', image: 'x', restartPolicy: 'Always' },
] as const;

const pods: readonly { name: string; spec?: Partial<PodSpec>; status?: PodStatus; deleted?: true; want: string }[] = [
  { name: 'new', want: '0/2||0' },
  { name: 'pending', status: { phase: 'Pending' }, want: '0/2|Pending|0' },
  {
    name: 'running',
    status: { phase: 'Running', conditions: [ready], containerStatuses: [running('a'), running('b')] },
    want: '2/2|Running|0',
  },
  {
    name: 'one-waits',
    status: { phase: 'Pending', containerStatuses: [waiting('a', 'ErrImagePull'), waiting('b', 'ContainerCreating')] },
    want: '0/2|ErrImagePull|0',
  },
  {
    name: 'restarted',
    status: {
      phase: 'Running',
      conditions: [ready],
      containerStatuses: [
        running('a', { restartCount: 2, lastState: { terminated: { exitCode: 1, finishedAt: ago(130) } } }),
        running('b', { restartCount: 1, lastState: { terminated: { exitCode: 1, finishedAt: ago(40) } } }),
      ],
    },
    want: '2/2|Running|3 (40s ago)',
  },
  {
    name: 'exit-code',
    status: { phase: 'Failed', containerStatuses: [ended('a', 7), ended('b', 0, { reason: 'Completed' })] },
    want: '0/2|ExitCode:7|0',
  },
  {
    name: 'signal',
    status: { phase: 'Failed', containerStatuses: [ended('a', 137, { signal: 9 }), running('b')] },
    want: '1/2|Signal:9|0',
  },
  {
    name: 'one-completed',
    status: { phase: 'Running', containerStatuses: [ended('a', 0, { reason: 'Completed' }), running('b')] },
    want: '1/2|NotReady|0',
  },
  {
    name: 'one-completed-ready',
    status: {
      phase: 'Running',
      conditions: [ready],
      containerStatuses: [ended('a', 0, { reason: 'Completed' }), running('b')],
    },
    want: '1/2|Running|0',
  },
  {
    name: 'succeeded',
    status: { phase: 'Succeeded', containerStatuses: [ended('a', 0, { reason: 'Completed' })] },
    want: '0/2|Completed|0',
  },
  { name: 'evicted', status: { phase: 'Failed', reason: 'Evicted' }, want: '0/2|Evicted|0' },
  {
    name: 'terminating',
    deleted: true,
    status: { phase: 'Running', containerStatuses: [running('a')] },
    want: '1/2|Terminating|0',
  },
  { name: 'lost', deleted: true, status: { phase: 'Running', reason: 'NodeLost' }, want: '0/2|Unknown|0' },
  {
    name: 'deleted-ended',
    deleted: true,
    status: { phase: 'Succeeded', containerStatuses: [ended('a', 0, { reason: 'Completed' })] },
    want: '0/2|Completed|0',
  },
  {
    name: 'gated',
    status: { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' }] },
    want: '0/2|SchedulingGated|0',
  },
  {
    name: 'init-runs',
    spec: { initContainers: inits },
    status: {
      phase: 'Pending',
      initContainerStatuses: [running('i', { ready: false }), waiting('s', 'PodInitializing')],
      containerStatuses: [waiting('a', 'PodInitializing'), waiting('b', 'PodInitializing')],
    },
    want: '0/3|Init:0/2|0',
  },
  {
    name: 'init-failed',
    spec: { initContainers: inits },
    status: {
      phase: 'Pending',
      initContainerStatuses: [
        waiting('i', 'CrashLoopBackOff', {
          restartCount: 3,
          lastState: { terminated: { exitCode: 1, finishedAt: ago(15) } },
        }),
        waiting('s', 'PodInitializing'),
      ],
    },
    want: '0/3|Init:CrashLoopBackOff|3 (15s ago)',
  },
  {
    name: 'init-error',
    spec: { initContainers: inits },
    status: { phase: 'Pending', initContainerStatuses: [ended('i', 2), waiting('s', 'PodInitializing')] },
    want: '0/3|Init:ExitCode:2|0',
  },
  {
    name: 'sidecar-waits',
    spec: { initContainers: inits },
    status: { phase: 'Pending', initContainerStatuses: [ended('i', 0), waiting('s', 'PodInitializing')] },
    want: '0/3|Init:1/2|0',
  },
  {
    name: 'with-sidecar',
    spec: { initContainers: inits },
    status: {
      phase: 'Running',
      conditions: [ready, initialized],
      initContainerStatuses: [
        ended('i', 0, {}),
        running('s', { restartCount: 1, lastState: { terminated: { exitCode: 1, finishedAt: ago(7200) } } }),
      ],
      containerStatuses: [running('a'), running('b')],
    },
    want: '3/3|Running|1 (120m ago)',
  },
  {
    name: 'gates',
    spec: {
      nodeName: 'node1',
      readinessGates: [{ conditionType: 'x/a' }, { conditionType: 'x/b' }],
    },
    status: {
      phase: 'Running',
      nominatedNodeName: 'node2',
      podIP: '10.0.0.1',
      conditions: [{ type: 'x/b', status: 'True' }],
    },
    want: '0/2|Running|0',
  },
];

const objectOf = ({ name, spec, status: podStatus, deleted }: (typeof pods)[number]): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name,
    namespace: 'default',
    uid: 'u' as Pod['metadata']['uid'],
    resourceVersion: '1' as Pod['metadata']['resourceVersion'],
    creationTimestamp: ago(53),
    ...(deleted ? { deletionTimestamp: ago(1) } : {}),
  },
  spec: { containers, ...spec },
  ...(podStatus ? { status: podStatus } : {}),
});

for (const each of pods) {
  test(`pod table: as the server's: ${each.name}`, () => {
    const pod = objectOf(each);
    const server = podColumns.map(({ value }) => String(value(pod, now)));
    const row = podTable([pod], now)[1]!.split(/ {3,}/);
    if (each.status === undefined) row.splice(2, 0, '');
    assert.deepEqual(row.length === server.length ? row : row.filter((cell) => cell !== ''), server);
    assert.equal(server.slice(1, 4).join('|'), each.want);
  });
}

test('pod table: columns are as wide as they need to be, three blanks apart', () => {
  assert.deepEqual(podTable([objectOf(pods[2]!), objectOf(pods[17]!)], now), [
    'NAME         READY   STATUS            RESTARTS   AGE   IP       NODE     NOMINATED NODE   READINESS GATES',
    'running      2/2     Running           0          53s   <none>   <none>   <none>           <none>',
    'init-error   0/3     Init:ExitCode:2   0          53s   <none>   <none>   <none>           <none>',
  ]);
});

const durations: readonly (readonly [number, string])[] = [
  [-5, '<invalid>'],
  [-1, '0s'],
  [0, '0s'],
  [53, '53s'],
  [119, '119s'],
  [120, '2m'],
  [130, '2m10s'],
  [599, '9m59s'],
  [600, '10m'],
  [3 * 3600 - 1, '179m'],
  [3 * 3600, '3h'],
  [5 * 3600 + 420, '5h7m'],
  [8 * 3600 + 420, '8h'],
  [47 * 3600, '47h'],
  [48 * 3600, '2d'],
  [76 * 3600, '3d4h'],
  [8 * 86_400 + 7200, '8d'],
  [729 * 86_400, '729d'],
  [730 * 86_400, '2y'],
  [1000 * 86_400, '2y270d'],
  [3000 * 86_400, '8y'],
];

test('durations: as kubectl and our server write them', () => {
  for (const [seconds, want] of durations) {
    assert.equal(humanDuration(seconds * 1000), want);
    assert.equal(serverDuration(seconds * 1000), want);
  }
});
