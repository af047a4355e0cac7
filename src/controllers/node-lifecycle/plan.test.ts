import assert from 'node:assert/strict';
import test from 'node:test';
import type { NodeCondition, Pod, Taint } from '#api/generated/core-v1.ts';
import { node, pod } from '#controllers/fixtures.ts';
import { type NodeFacts, type NodePlan, planNode, unknownConditions } from '#controllers/node-lifecycle/plan.ts';

const now = Date.parse('2026-01-01T01:00:00Z');
const timeAdded = '2026-01-01T01:00:00Z';
const settings = { graceMs: 50_000, startupGraceMs: 60_000, pauseMs: 5_000 };
const noSchedule = (key: string): Taint => ({ key: `node.kubernetes.io/${key}`, effect: 'NoSchedule' });
const noExecute = (key: string): Taint => ({ key: `node.kubernetes.io/${key}`, effect: 'NoExecute' });
const added = (taint: Taint): Taint => ({ ...taint, timeAdded });
const own: Taint = { key: 'gpu', value: 'yes', effect: 'NoExecute' };
const pressure = (type: string): NodeCondition => ({ type, status: 'True' });
const ready: Pod = pod({ name: 'ready', ready: 'True' });

/** A plan as text: what is done, and in how many seconds it is looked again. */
function words({ steps, wakeAt }: NodePlan): readonly string[] {
  const taints = (list: readonly Taint[]): string =>
    list
      .map(({ key, effect, timeAdded: at }) => `${at ? '+' : ''}${key.replace('node.kubernetes.io/', '')}:${effect}`)
      .join(' ');
  const said = steps.map((step) => {
    switch (step.kind) {
      case 'say-unknown':
        return `unknown${step.wasReady ? ', was ready' : ''}`;
      case 'taint':
        return `taint ${taints(step.taints)}`.trim();
      case 'evict':
        return `evict ${taints(step.taints)}${step.meanwhile ? ` | ${taints(step.meanwhile)}` : ''}`;
      case 'pods-not-ready':
        return `not ready: ${step.pods.map(({ metadata }) => metadata.name).join()}`;
    }
  });
  return [...said, ...(wakeAt === undefined ? [] : [`in ${(wakeAt - now) / 1000} s`])];
}

interface Case extends Partial<Pick<NodeFacts, 'node' | 'pods' | 'allDisrupted'>> {
  readonly name: string;
  /** Seconds ago; 0 unless said otherwise. */
  readonly heard?: number;
  readonly since?: number;
  readonly want: readonly string[];
}

const cases: readonly Case[] = [
  { name: 'well: looked at again when its time is over', heard: 20, want: ['in 30 s'] },
  { name: 'silent, but not for long enough', heard: 49.999, want: ['in 0.001 s'] },
  { name: 'silent for as long as it may be', heard: 50, want: ['unknown, was ready'] },
  { name: 'silent, not ready before: no news', node: node({ ready: 'False' }), heard: 50, want: ['unknown'] },
  { name: 'never spoke: it has longer', node: node({ ready: undefined }), heard: 50, want: ['in 10 s'] },
  { name: 'never spoke, and its time is over', node: node({ ready: undefined }), heard: 60, want: ['unknown'] },
  {
    name: 'not ready, says it itself: nobody is sent there, and those there have a pause',
    node: node({ ready: 'False' }),
    since: 1,
    want: ['taint +not-ready:NoSchedule', 'in 4 s'],
  },
  {
    name: 'not ready, tainted already: waits for the pause to end',
    node: node({ ready: 'False', taints: [noSchedule('not-ready')] }),
    since: 1,
    want: ['in 4 s'],
  },
  {
    name: 'not ready after the pause',
    node: node({ ready: 'False', taints: [own, noSchedule('not-ready')] }),
    since: 5,
    want: ['evict gpu:NoExecute not-ready:NoSchedule +not-ready:NoExecute', 'in 50 s'],
  },
  {
    name: 'what need not wait for its turn does not',
    node: node({ ready: 'False' }),
    since: 5,
    want: ['evict +not-ready:NoSchedule +not-ready:NoExecute | +not-ready:NoSchedule', 'in 50 s'],
  },
  {
    name: 'unknown after the pause',
    node: node({ ready: 'Unknown', taints: [noSchedule('unreachable')] }),
    heard: 60,
    since: 5,
    want: ['evict unreachable:NoSchedule +unreachable:NoExecute'],
  },
  {
    name: 'unknown, and said so everywhere: still',
    node: node({ ready: 'Unknown', taints: [noSchedule('unreachable'), noExecute('unreachable')] }),
    heard: 60,
    since: 60,
    want: [],
  },
  {
    name: 'its pods have been told to go: another reason is told at once',
    node: node({ ready: 'Unknown', taints: [noSchedule('not-ready'), noExecute('not-ready')] }),
    heard: 50,
    want: ['taint +unreachable:NoSchedule +unreachable:NoExecute'],
  },
  {
    name: 'ready again: all is taken back at once, what others have put there stays',
    node: node({ taints: [noSchedule('unreachable'), own, noExecute('unreachable')] }),
    want: ['taint gpu:NoExecute', 'in 50 s'],
  },
  {
    name: 'no node anywhere is ready: nobody is evicted, and who was about to be is not',
    node: node({ ready: 'Unknown', taints: [noSchedule('unreachable'), noExecute('unreachable')] }),
    heard: 60,
    since: 60,
    allDisrupted: true,
    want: ['taint unreachable:NoSchedule'],
  },
  {
    name: 'no node anywhere is ready, and nobody was about to go',
    node: node({ ready: 'Unknown', taints: [noSchedule('unreachable')] }),
    heard: 60,
    since: 60,
    allDisrupted: true,
    want: [],
  },
  {
    name: 'new: the taint of its creation goes once it is ready',
    node: node({ taints: [noSchedule('not-ready')] }),
    want: ['taint', 'in 50 s'],
  },
  {
    name: 'pressures repel pods, each by its own name',
    node: node({ conditions: ['MemoryPressure', 'DiskPressure', 'PIDPressure', 'NetworkUnavailable'].map(pressure) }),
    want: [
      'taint +memory-pressure:NoSchedule +disk-pressure:NoSchedule +pid-pressure:NoSchedule +network-unavailable:NoSchedule',
      'in 50 s',
    ],
  },
  {
    name: 'pressures that nobody knows of repel nobody',
    node: node({
      conditions: [{ type: 'MemoryPressure', status: 'Unknown' }],
      taints: [noSchedule('memory-pressure')],
    }),
    want: ['taint', 'in 50 s'],
  },
  { name: 'cordoned', node: node({ unschedulable: true }), want: ['taint +unschedulable:NoSchedule', 'in 50 s'] },
  { name: 'uncordoned', node: node({ taints: [noSchedule('unschedulable')] }), want: ['taint', 'in 50 s'] },
  {
    name: 'an out-of-service taint is for people to take off',
    node: node({ taints: [noExecute('out-of-service')] }),
    want: ['in 50 s'],
  },
  {
    name: 'pods of a silent node serve nobody',
    node: node({ ready: 'Unknown', taints: [noSchedule('unreachable')] }),
    pods: [ready, pod({ name: 'unready', ready: 'False' }), pod({ name: 'new' })],
    heard: 50,
    since: 1,
    want: ['not ready: ready', 'in 4 s'],
  },
  {
    name: 'who is heard of speaks for its pods itself',
    node: node({ ready: 'Unknown', taints: [noSchedule('unreachable')] }),
    pods: [ready],
    heard: 1,
    since: 1,
    want: ['in 4 s'],
  },
];
for (const { name, heard = 0, since = 0, want, ...facts } of cases)
  test(`planNode: ${name}`, () => {
    const times = { heardAt: now - heard * 1000, readySince: now - since * 1000, now };
    const plan = planNode({ node: node(), pods: [], allDisrupted: false, settings, ...times, ...facts });
    assert.deepEqual(words(plan), want);
  });

test('planNode: steps that were taken are not asked for again', () => {
  let current = node({ ready: 'False' });
  for (const want of [1, 0]) {
    const facts = { node: current, pods: [], heardAt: now, readySince: now - 6000, allDisrupted: false, now, settings };
    const { steps } = planNode(facts);
    assert.equal(steps.length, want);
    for (const step of steps)
      if (step.kind === 'evict') current = { ...current, spec: { ...current.spec, taints: step.taints } };
  }
  assert.deepEqual(current.spec?.taints, [added(noSchedule('not-ready')), added(noExecute('not-ready'))]);
});

test('unknownConditions: what the kubelet says is not known, what others say stays, what was never said is said so', () => {
  const before: readonly NodeCondition[] = [
    { type: 'NetworkUnavailable', status: 'False', reason: 'RouteCreated' },
    { type: 'Ready', status: 'True', reason: 'KubeletReady', lastHeartbeatTime: 'h', lastTransitionTime: 't' },
    { type: 'DiskPressure', status: 'Unknown', reason: 'Else' },
  ];
  const stopped = { status: 'Unknown', reason: 'NodeStatusUnknown', message: 'Kubelet stopped posting node status.' };
  const never = { status: 'Unknown', reason: 'NodeStatusNeverUpdated', message: 'Kubelet never posted node status.' };
  const since = { lastHeartbeatTime: '2026-01-01T00:00:00Z', lastTransitionTime: timeAdded };
  assert.deepEqual(unknownConditions(node({ ready: undefined, conditions: before }), now), [
    before[0],
    { type: 'Ready', ...stopped, lastHeartbeatTime: 'h', lastTransitionTime: timeAdded },
    before[2],
    { type: 'MemoryPressure', ...never, ...since },
    { type: 'PIDPressure', ...never, ...since },
  ]);
});

/** All that a world may have made of a node. */
function* anyFacts(): Iterable<Omit<NodeFacts, 'settings' | 'now'>> {
  const bits = (count: number): readonly number[] => Array.from({ length: 2 ** count }, (_, n) => n);
  const all = [
    noSchedule('not-ready'),
    noSchedule('unreachable'),
    noExecute('not-ready'),
    noExecute('unreachable'),
    own,
  ];
  for (const status of [undefined, 'True', 'False', 'Unknown'] as const)
    for (const chosen of bits(all.length))
      for (const rest of bits(4)) {
        const flag = (at: number): boolean => (rest & (1 << at)) !== 0;
        const taints = all.filter((_, at) => (chosen & (1 << at)) !== 0);
        yield {
          node: node({ ready: status, taints, unschedulable: flag(0) }),
          pods: [pod({ ready: 'True' })],
          heardAt: now - (flag(1) ? 70_000 : 1000),
          readySince: now - (flag(2) ? 70_000 : 1000),
          allDisrupted: flag(3),
        };
      }
}

test('planNode: from anywhere it settles, leaves what is not its own, and evicts nobody unless it may', () => {
  let tried = 0;
  for (const start of anyFacts()) {
    tried++;
    let facts: NodeFacts = { ...start, now, settings };
    for (let looks = 0; ; looks++) {
      const { steps } = planNode(facts);
      if (steps.length === 0) break;
      assert.ok(looks < 4, `it goes on for ever: ${JSON.stringify(facts)}`);
      for (const step of steps) facts = taken(facts, step);
    }
    const { node: settled, allDisrupted } = facts;
    const { taints = [] } = settled.spec ?? {};
    const hasOwn = (list: readonly Taint[] = []): boolean => list.some(({ key }) => key === own.key);
    assert.equal(hasOwn(taints), hasOwn(start.node.spec?.taints), 'others have set it');
    const evicting = taints.filter(({ key, effect }) => effect === 'NoExecute' && key !== own.key);
    const readiness = settled.status?.conditions?.find(({ type }) => type === 'Ready')?.status ?? 'True';
    if (allDisrupted || readiness === 'True') assert.deepEqual(evicting, [], JSON.stringify(facts));
    else assert.ok(evicting.length <= 1, 'not ready and unreachable exclude each other');
    const repels = taints.some(({ key, effect }) => effect === 'NoSchedule' && key.startsWith('node.kubernetes.io/'));
    assert.equal(repels, readiness !== 'True' || settled.spec?.unschedulable === true);
  }
  assert.equal(tried, 4 * 32 * 16);
});

/** What has become of the facts once a step was taken and seen. */
function taken(facts: NodeFacts, step: NodePlan['steps'][number]): NodeFacts {
  const { node: before } = facts;
  switch (step.kind) {
    case 'say-unknown':
      return { ...facts, node: { ...before, status: { conditions: step.conditions } }, readySince: now };
    case 'taint':
    case 'evict':
      return { ...facts, node: { ...before, spec: { ...before.spec, taints: step.taints } } };
    case 'pods-not-ready':
      return { ...facts, pods: [] };
  }
}
