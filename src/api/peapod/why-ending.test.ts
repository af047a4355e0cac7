import assert from 'node:assert/strict';
import { test } from 'node:test';
import { whyGone } from '#api/peapod/why.ts';
import { at, check, container, logs, node, now, pod, runs, type Case, type Story } from '#api/peapod/why-fixtures.ts';

const ended = (containers: readonly object[], status: object, spec: object = {}): Story['pod'] =>
  pod({
    spec: { restartPolicy: 'Never', ...spec },
    status: { phase: 'Failed', containerStatuses: containers as never, ...status },
  });
const deleted = (metadata: object, status: Story['pod']['status'], spec: object = {}): Story['pod'] =>
  pod({ metadata: { deletionTimestamp: at(20), deletionGracePeriodSeconds: 30, ...metadata }, status, spec });

const endCases: readonly Case[] = [
  {
    name: 'done',
    pod: pod({
      spec: { restartPolicy: 'Never' },
      status: {
        phase: 'Succeeded',
        containerStatuses: [container({ terminated: { exitCode: 0, finishedAt: at(-7200) } })],
      },
    }),
    want: 'web has done its work 2 h ago: its container has ended with exit 0, nothing is wrong',
    help: '',
  },
  {
    name: 'refused by the kubelet',
    pod: ended([], { reason: 'OutOfcpu', message: "Pod was rejected: Node didn't have enough resource: cpu" }),
    want: "web was refused by node node1 (OutOfcpu): Pod was rejected: Node didn't have enough resource: cpu",
    help: /^the scheduler does not send a pod where there is no room/,
  },
  {
    name: 'its deadline',
    pod: ended([], { reason: 'DeadlineExceeded' }, { activeDeadlineSeconds: 30 }),
    want: 'web was ended because it ran longer than it may (activeDeadlineSeconds: 30)',
    help: /^give it more time/,
  },
  {
    name: 'evicted',
    pod: ended([], { reason: 'Evicted', message: 'The node was low on resource: memory.' }),
    want: 'web was evicted from node node1: The node was low on resource: memory.',
    help: /^make room/,
  },
  {
    name: 'exit codes',
    pod: ended([container({ terminated: { exitCode: 7, reason: 'Error', message: 'bad input' } })], {}),
    want: 'web has failed for good: main ended, exit 7, last said: bad input',
    help: `all it said: ${logs}; it is not started again (restartPolicy Never)`,
  },
  {
    name: 'ending',
    pod: deleted({}, runs({ ready: true }), {
      containers: [{ name: 'main', lifecycle: { preStop: { sleep: { seconds: 9 } } } }],
    }),
    entries: [{ time: at(-10), type: 'DeletionAsked', by: { user: 'ada' }, graceSeconds: 30 }],
    want: 'web has been ending for 10 s (ada deleted it); main still runs (main: after the preStop hook), and has 20 s left to end by itself',
    help: 'to end it at once: kubectl delete pod web -n shop --grace-period=0 --force',
  },
  {
    name: 'ending, evicted',
    pod: deleted({}, runs({ ready: true })),
    entries: [{ time: at(-10), type: 'DeletionAsked', by: { user: 'ada' }, graceSeconds: 30, evicted: true }],
    want: 'web has been ending for 10 s (ada evicted it); main still runs, and has 20 s left to end by itself',
    help: 'to end it at once: kubectl delete pod web -n shop --grace-period=0 --force',
  },
  {
    name: 'ending, for others',
    pod: deleted({}, runs({ ready: true })),
    entries: [
      { time: at(-10), type: 'DeletionAsked', by: { user: 'sched' }, graceSeconds: 30, because: 'making room for vip' },
    ],
    want: 'web has been ending for 10 s (sched deleted it: making room for vip); main still runs, and has 20 s left to end by itself',
    help: 'to end it at once: kubectl delete pod web -n shop --grace-period=0 --force',
  },
  {
    name: 'kept by a finalizer',
    pod: deleted(
      { finalizers: ['x/y'] },
      { phase: 'Running', containerStatuses: [container({ terminated: { exitCode: 0 } })] },
    ),
    want: 'web has been ending for 10 s; all else is done, and finalizer x/y keeps it',
    help: /kubectl patch pod web -n shop --type merge/,
  },
  {
    name: 'its node is gone',
    pod: deleted({}, runs()),
    nodes: [node('other')],
    want: 'web has been ending for 10 s, and nobody can end it: there is no node node1',
    help: /--force$/,
  },
  {
    name: 'overdue',
    pod: deleted({ deletionTimestamp: at(-5) }, runs()),
    want: 'web has been ending for 35 s; main still runs, 5 s after it should have been killed',
    help: /kubectl describe/,
  },
];

check(test, endCases);

test('why: a pod that is gone', () => {
  const source = { component: 'apiserver' } as const;
  const by = { user: 'ada' };
  const said = whyGone(
    'web',
    [
      { source, time: at(-70), type: 'DeletionAsked', by, graceSeconds: 30 },
      { source, time: at(-60), type: 'Gone', by: { user: 'system:node:node1' } },
    ],
    now,
  );
  assert.deepEqual(said, {
    ready: false,
    sentence: 'web is gone: ada deleted it 1 min ago',
    help: 'create it again if it should be there',
  });
});

test('why: a pod that is gone for others', () => {
  const source = { component: 'apiserver' } as const;
  const by = { user: 'ada' };
  const said = whyGone(
    'web',
    [
      { source, time: at(-70), type: 'DeletionAsked', by, graceSeconds: 30, because: 'making room for vip' },
      { source, time: at(-60), type: 'Gone', by: { user: 'system:node:node1' } },
    ],
    now,
  );
  assert.deepEqual(said, {
    ready: false,
    sentence: 'web is gone: ada deleted it 1 min ago: making room for vip',
    help: 'create it again if it should be there',
  });
});
