import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EntryBody, TimelineEntry } from '#api/peapod/pod-timeline.ts';
import { timelineLines } from '#cli/timeline-lines.ts';
import { timelineText, unreadyText, whyText } from '#cli/why-text.ts';

const now = new Date(2026, 0, 2, 15, 10, 0).getTime();
const source = { component: 'kubelet', node: 'node1' } as const;
/** Seconds ago, and what happened then. */
const entries = (...told: readonly (readonly [number, EntryBody])[]): readonly TimelineEntry[] =>
  told.map(([ago, body]) => ({ time: new Date(now - ago * 1000).toISOString(), source, ...body }));
const asIs = (_: string, text: string): string => text;
const text = (all: readonly TimelineEntry[]): readonly string[] => timelineText(timelineLines(all, now), now, asIs);

const by = { user: 'ada', agent: 'kubectl/v1.36.0 (linux/amd64)' };
const crash = (container: string, attempt: number, from: number): readonly (readonly [number, EntryBody])[] => [
  [from, { type: 'ContainerCreated', container, attempt, durationMs: 20 + attempt }],
  [from, { type: 'ContainerStarted', container, attempt }],
  [
    from - 1,
    {
      type: 'ContainerExited',
      container,
      attempt,
      exitCode: 1,
      reason: 'Error',
      ranMs: 1000 + attempt,
      logTail: ['Access denied', ''],
    },
  ],
  [
    from - 1,
    { type: 'BackOff', container, reason: 'CrashLoopBackOff', until: new Date(now - (from - 31) * 1000).toISOString() },
  ],
];

test('timeline: a pod that comes up', () => {
  const lines = text(
    entries(
      [125, { type: 'Created', by }],
      [
        125,
        {
          type: 'SchedulingAttempt',
          attempt: 1,
          revisions: {},
          nodes: 1,
          feasible: 1,
          refusals: [],
          result: 'Placed',
          best: [{ node: 'node1' }],
        },
      ],
      [125, { type: 'Bound', by: { user: 'system:kube-scheduler' }, node: 'node1' }],
      [125, { type: 'Admitted' }],
      [124, { type: 'SandboxCreated', attempt: 0, durationMs: 312 }],
      [124, { type: 'AddressAssigned', addresses: ['10.244.1.3'] }],
      [124, { type: 'PullStarted', container: 'web', image: 'nginx' }],
      [122, { type: 'Pulled', container: 'web', image: 'nginx', durationMs: 2100, sizeBytes: 67_000_000 }],
      [122, { type: 'ContainerCreated', container: 'web', attempt: 0, durationMs: 40 }],
      [122, { type: 'ContainerStarted', container: 'web', attempt: 0 }],
      [
        9,
        {
          type: 'Probe',
          container: 'web',
          probe: 'readiness',
          transition: 'Ready',
          output: '',
          run: 1,
          threshold: 1,
          latencyMs: 2,
        },
      ],
      [9, { type: 'ReadyChanged', ready: true }],
    ),
  );
  assert.deepEqual(lines, [
    '15:07:55  2m5s  created by ada (kubectl)',
    '15:07:55  2m5s  scheduling attempt 1: node node1 chosen (the only node)',
    '15:07:56  2m4s  sandbox made in 312 ms',
    '15:07:56  2m4s  address 10.244.1.3',
    '15:07:58  2m2s  web: pulled nginx in 2.1 s, 67.0 MB',
    '15:07:58  2m2s  web: started',
    '15:09:51    9s  web: readiness probe succeeds: ready',
    '15:09:51    9s  ready',
  ]);
});

test('timeline: what repeats is told once, also when two repeat side by side at different paces', () => {
  const a = [90, 60, 30].flatMap((from, attempt) => crash('a', attempt, from));
  const b = [85, 65, 20].flatMap((from, attempt) => crash('b', attempt, from));
  const mixed = entries(...[...a, ...b].toSorted(([x], [y]) => y - x));
  assert.deepEqual(text(mixed), [
    '15:09:30  30s  a: started again (restart 2) (×3 over 60s)',
    '15:09:31  29s  a: crashed after 1.0 s, exit 1 (×3 over 60s)',
    '                 | Access denied',
    '15:09:31  29s  a: waits before it starts again (CrashLoopBackOff; 1 s left) (×3 over 60s)',
    '15:09:40  20s  b: started again (restart 2) (×3 over 65s)',
    '15:09:41  19s  b: crashed after 1.0 s, exit 1 (×3 over 65s)',
    '                 | Access denied',
    '15:09:41  19s  b: waits before it starts again (CrashLoopBackOff; 11 s left) (×3 over 65s)',
  ]);
});

test('timeline: what has happened twice is told twice: between lies what is told of others', () => {
  const ready = (on: boolean): EntryBody => ({ type: 'ReadyChanged', ready: on });
  assert.deepEqual(text(entries([40, ready(true)], [30, ready(false)], [20, ready(true)], [10, ready(false)])), [
    '15:09:20  40s  ready',
    '15:09:30  30s  not ready any more',
    '15:09:40  20s  ready',
    '15:09:50  10s  not ready any more',
  ]);
});

test('timeline: what differs is told apart', () => {
  const exit = (exitCode: number): EntryBody => ({
    type: 'ContainerExited',
    container: 'a',
    attempt: 0,
    exitCode,
    reason: 'Error',
    logTail: [],
  });
  assert.deepEqual(text(entries([30, exit(1)], [20, exit(2)], [10, exit(1)])), [
    '15:09:30  30s  a: crashed, exit 1',
    '15:09:40  20s  a: crashed, exit 2',
    '15:09:50  10s  a: crashed, exit 1',
  ]);
  // Another day.
  assert.match(text(entries([86_400, exit(1)]))[0]!, /^2026-01-01 15:10:00 {2}24h {2}a: crashed, exit 1$/);
});

test('timeline: every entry has words', () => {
  const all: readonly EntryBody[] = [
    { type: 'Changed', by, fields: ['spec.containers[a].image'], moreFields: 2 },
    { type: 'Bound', by, node: 'n' },
    { type: 'DeletionAsked', by, graceSeconds: 0 },
    { type: 'DeletionAsked', by, graceSeconds: 3, evicted: true },
    { type: 'Gone', by },
    { type: 'BindingFailed', node: 'n', message: 'm' },
    { type: 'Rejected', reason: 'OutOfcpu', message: 'm' },
    { type: 'MountFailed', message: 'm' },
    { type: 'SandboxFailed', message: 'm', durationMs: 1 },
    { type: 'SandboxLost' },
    { type: 'PhaseChanged', phase: 'Failed', reason: 'Evicted' },
    { type: 'ReadyChanged', ready: false },
    { type: 'Terminating', reason: 'Deleted', deadline: '' },
    { type: 'PullFailed', container: 'a', image: 'i', reason: 'ErrImagePull', message: 'm', durationMs: 1 },
    { type: 'ImagePresent', container: 'a', image: 'i' },
    { type: 'ContainerCreateFailed', container: 'a', attempt: 0, reason: 'R', message: 'm' },
    { type: 'HookFailed', container: 'a', hook: 'preStop', message: 'm' },
    { type: 'Killing', container: 'a', message: 'm', deadline: '' },
    {
      type: 'ContainerExited',
      container: 'a',
      attempt: 0,
      exitCode: 137,
      reason: 'ContainerStatusUnknown',
      message: 'm',
      logTail: [],
    },
    { type: 'Dropped', count: 7, until: '' },
  ];
  const lines = text(entries(...all.map((body, n) => [all.length - n, body] as const)));
  assert.deepEqual(
    lines.map((line) => line.slice(15)),
    [
      'changed by ada (kubectl): spec.containers[a].image and 2 more',
      'bound to node n by ada (kubectl)',
      'deletion asked for by ada (kubectl), at once',
      'evicted by ada (kubectl), with 3 s to end in',
      'gone from the API',
      'did not get to node n: m',
      'refused by the node (OutOfcpu): m',
      'no volumes: m',
      'no sandbox: m',
      'sandbox lost; its containers are made anew',
      'phase Failed (Evicted)',
      'not ready any more',
      'ending (Deleted)',
      'a: pull failed (ErrImagePull): m',
      'a: image i is there already',
      'a: R: m',
      'a: preStop hook failed: m',
      'a: stopped: m',
      'a: lost: nobody saw how it ended',
      '(7 entries are not kept any more)',
    ],
  );
});

const pod = { namespace: 'shop', name: 'web', uid: 'u', gone: false };
const said = { pod, ready: false, sentence: 'web has no node', help: 'add one' };

test('why: the sentence, what would help, then the timeline', () => {
  const style = (format: string, one: string): string => `<${format}>${one}`;
  const answer = { ...said, entries: entries([1, { type: 'Gone', by }]) };
  assert.deepEqual(whyText(answer, now, style), [
    '<bold>web has no node',
    '  → add one',
    '',
    '<dim>15:09:59  1s  gone from the API',
  ]);
  assert.deepEqual(whyText({ ...said, ready: true, help: '', entries: [] }, now, style), ['<green>web has no node']);
});

test('why: without a pod a line for each that is not ready', () => {
  const other = { ...said, pod: { ...pod, name: 'longer' }, sentence: 'longer waits' };
  assert.deepEqual(unreadyText([said, other], 3, asIs), [
    'shop/web      web has no node',
    'shop/longer   longer waits',
  ]);
  assert.deepEqual(unreadyText([], 3, asIs), ['all 3 pods are ready, or done']);
  assert.deepEqual(unreadyText([], 1, asIs), ['the only pod is ready, or done']);
  assert.deepEqual(unreadyText([], 0, asIs), ['there are no pods']);
});
