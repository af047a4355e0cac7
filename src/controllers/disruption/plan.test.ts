import assert from 'node:assert/strict';
import test from 'node:test';
import type { Pod } from '#api/generated/core-v1.ts';
import type {
  PodDisruptionBudget,
  PodDisruptionBudgetSpec,
  PodDisruptionBudgetStatus,
} from '#api/generated/policy-v1.ts';
import { planBudget } from '#controllers/disruption/plan.ts';
import { withoutScales, type FindScale } from '#controllers/disruption/scales.ts';

const now = Date.parse('2026-01-31T09:00:00Z');
const at = (seconds: number): string => `${new Date(now + seconds * 1000).toISOString().slice(0, 19)}Z`;

interface PodWords {
  readonly ready?: boolean;
  readonly ending?: boolean;
  /** `rs`, or `Kind/name`. */
  readonly owner?: string;
}

function podOf(name: string, { ready = true, ending = false, owner }: PodWords = {}): Pod {
  const [kind = '', of = ''] = owner?.split('/') ?? [];
  const reference = {
    apiVersion: kind === 'Node' ? 'v1' : 'apps/v1',
    kind,
    name: of,
    uid: `uid-${of}`,
    controller: true,
  };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: 'default',
      ...(ending ? { deletionTimestamp: at(30) } : {}),
      ...(owner === undefined ? {} : { ownerReferences: [reference] }),
    },
    spec: { containers: [] },
    status: { phase: 'Running', conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
  } as unknown as Pod;
}

const budgetOf = (spec: PodDisruptionBudgetSpec, status: PodDisruptionBudgetStatus = {}): PodDisruptionBudget =>
  ({
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name: 'b', namespace: 'default', generation: 3 },
    spec: { selector: {}, ...spec },
    status,
  }) as unknown as PodDisruptionBudget;

/** ReplicaSets called `rs7` want seven pods; `gone` is not there. */
const replicaSets: FindScale = ({ kind, name, uid }) => {
  if (kind !== 'ReplicaSet') return { kind: 'unknown', why: `no matches for kind "${kind}" in version "apps/v1"` };
  if (name === 'gone') return { kind: 'absent' };
  return { kind: 'known', uid, replicas: Number(name.slice(2)) };
};

const some = (count: number, words: PodWords = {}, prefix = 'p'): readonly Pod[] =>
  Array.from({ length: count }, (_, n) => podOf(`${prefix}${n}`, words));

interface Case {
  readonly name: string;
  readonly spec: PodDisruptionBudgetSpec;
  readonly status?: PodDisruptionBudgetStatus;
  readonly pods: readonly Pod[];
  /** allowed, healthy, desired, expected */
  readonly want: readonly [number, number, number, number];
  readonly reason?: string;
  readonly events?: readonly string[];
  readonly wakeAt?: number;
  readonly disrupted?: readonly string[];
}

const cases: readonly Case[] = [
  { name: 'no pods: nothing is allowed', spec: { minAvailable: 0 }, pods: [], want: [0, 0, 0, 0], events: ['NoPods'] },
  { name: 'a number that is exceeded', spec: { minAvailable: 2 }, pods: some(3), want: [1, 3, 2, 3] },
  { name: 'a number that is just met', spec: { minAvailable: 3 }, pods: some(3), want: [0, 3, 3, 3] },
  { name: 'a number that is missed', spec: { minAvailable: 5 }, pods: some(3), want: [0, 3, 5, 3] },
  { name: 'neither bound: nothing', spec: {}, pods: some(2), want: [0, 2, 0, 0] },
  {
    name: 'who is not ready or going does not count',
    spec: { minAvailable: 1 },
    pods: [podOf('a'), podOf('b', { ready: false }), podOf('c', { ending: true }), podOf('d')],
    want: [1, 2, 1, 4],
  },
  {
    name: 'a share of what is wanted, not of what is there; half a pod is a pod',
    spec: { minAvailable: '50%' },
    pods: some(4, { owner: 'ReplicaSet/rs7' }),
    want: [0, 4, 4, 7],
  },
  {
    name: 'a share that may be missing, rounded up too',
    spec: { maxUnavailable: '30%' },
    pods: some(7, { owner: 'ReplicaSet/rs7' }),
    want: [3, 7, 4, 7],
  },
  {
    name: 'a number that may be missing',
    spec: { maxUnavailable: 1 },
    pods: some(3, { owner: 'ReplicaSet/rs3' }),
    want: [1, 3, 2, 3],
  },
  {
    name: 'more may be missing than there are',
    spec: { maxUnavailable: 9 },
    pods: some(3, { owner: 'ReplicaSet/rs3' }),
    want: [3, 3, 0, 3],
  },
  {
    name: 'two controllers are added up',
    spec: { maxUnavailable: 2 },
    pods: [...some(3, { owner: 'ReplicaSet/rs3' }, 'a'), ...some(2, { owner: 'ReplicaSet/rs2' }, 'b')],
    want: [2, 5, 3, 5],
  },
  {
    name: 'pods without a controller cannot be a share of anything',
    spec: { maxUnavailable: 1 },
    pods: some(3),
    want: [0, 3, 0, 0],
    events: ['UnmanagedPods'],
  },
  {
    name: 'nor a percentage',
    spec: { minAvailable: '10%' },
    pods: some(3),
    want: [0, 3, 0, 0],
    events: ['UnmanagedPods'],
  },
  {
    name: 'who was let go does not count until it is seen going, and then no more',
    spec: { minAvailable: 1 },
    status: { disruptedPods: { p0: at(-10), p1: at(-60), gone: at(-5) } },
    pods: some(4),
    want: [1, 2, 1, 4],
    disrupted: ['p0', 'p1'],
    wakeAt: now + 60_000,
  },
  {
    name: 'who was let go and is going is no longer kept in mind',
    spec: { minAvailable: 1 },
    status: { disruptedPods: { a: at(-10) } },
    pods: [podOf('a', { ending: true }), podOf('b'), podOf('c')],
    want: [1, 2, 1, 3],
  },
  {
    name: 'who was let go two minutes ago and is still there counts again',
    spec: { minAvailable: 1 },
    status: { disruptedPods: { p0: at(-120) } },
    pods: some(2),
    want: [1, 2, 1, 2],
    events: ['NotDeleted'],
  },
  {
    name: 'a controller that is gone: nothing is allowed, numbers stay',
    spec: { maxUnavailable: 1 },
    status: { disruptionsAllowed: 1, currentHealthy: 3, desiredHealthy: 2, expectedPods: 3, observedGeneration: 2 },
    pods: some(3, { owner: 'ReplicaSet/gone' }),
    want: [0, 3, 2, 3],
    reason: 'SyncFailed: found no controllers for pod "p0"',
    events: ['CalculateExpectedPodCountFailed'],
  },
  {
    name: 'a controller nobody knows',
    spec: { minAvailable: '1%' },
    pods: some(1, { owner: 'Tenant/t' }),
    want: [0, 0, 0, 0],
    reason: 'SyncFailed: no matches for kind "Tenant" in version "apps/v1"',
    events: ['CalculateExpectedPodCountFailed'],
  },
];

for (const { name, spec, status, pods, want, ...more } of cases) {
  test(`disruption: ${name}`, () => {
    const budget = budgetOf(spec, status);
    const plan = planBudget(budget, { pods, findScale: replicaSets }, now);
    const { disruptionsAllowed, currentHealthy = 0, desiredHealthy = 0, expectedPods = 0, ...said } = plan.status ?? {};
    assert.deepEqual([disruptionsAllowed, currentHealthy, desiredHealthy, expectedPods], want);
    const { reason = '', message = '', status: verdict } = said.conditions?.[0] ?? {};
    assert.equal(
      message ? `${reason}: ${message}` : reason,
      more.reason ?? (want[0] > 0 ? 'SufficientPods' : 'InsufficientPods'),
    );
    assert.equal(verdict, want[0] > 0 ? 'True' : 'False');
    assert.equal(said.observedGeneration, more.reason === undefined ? 3 : status?.observedGeneration);
    assert.deepEqual(
      plan.events.map(({ event }) => event.reason),
      more.events ?? [],
    );
    assert.deepEqual(Object.keys(said.disruptedPods ?? {}), more.disrupted ?? []);
    assert.equal(plan.wakeAt, more.wakeAt);
    // What it says is what it would say again: nothing is written for nothing.
    const again = planBudget(
      { ...budget, ...(plan.status ? { status: plan.status } : {}) },
      { pods, findScale: replicaSets },
      now + 1000,
    );
    assert.deepEqual([again.status, again.events], [undefined, []]);
  });
}

test('disruption: the condition keeps its time while it says the same', () => {
  const first = planBudget(budgetOf({ minAvailable: 1 }), { pods: some(2), findScale: replicaSets }, now).status!;
  const later = planBudget(
    budgetOf({ minAvailable: 1 }, first),
    { pods: some(3), findScale: replicaSets },
    now + 9000,
  ).status!;
  assert.equal(later.conditions?.[0]?.lastTransitionTime, at(0));
  const none = planBudget(
    budgetOf({ minAvailable: 1 }, later),
    { pods: some(1), findScale: replicaSets },
    now + 9000,
  ).status!;
  assert.deepEqual([none.conditions?.length, none.conditions?.[0]?.lastTransitionTime], [1, at(9)]);
});

test('disruption: no kind that is served has a scale yet', () => {
  const find = withoutScales([{ group: '', version: 'v1', plural: 'nodes', kind: 'Node', namespaced: false }]);
  const whyOf = (owner: string): string => {
    const scale = find(podOf('p', { owner }).metadata.ownerReferences![0]!, 'default');
    return scale.kind === 'unknown' ? scale.why : scale.kind;
  };
  assert.equal(whyOf('ReplicaSet/web'), 'no matches for kind "ReplicaSet" in version "apps/v1"');
  assert.equal(whyOf('Node/n1'), 'nodes does not implement the scale subresource');
});
