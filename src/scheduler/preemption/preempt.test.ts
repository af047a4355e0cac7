import assert from 'node:assert/strict';
import test from 'node:test';
import type { Pod, PodSpec } from '#api/generated/core-v1.ts';
import { aNode } from '#scheduler/fixtures.ts';
import { enoughCandidates } from '#scheduler/preemption/preempt.ts';
import { aBudget, decided, far, made, told, type World, zoned } from '#scheduler/preemption/fixtures.ts';

const urgent = (cpu = '2', more: Partial<PodSpec> = {}): Pod => made('urgent', { cpu, priority: 100, spec: more });
const two = [aNode('n1'), aNode('n2')];
const one = [aNode('n1')];
const cases: readonly (World & { name: string; pod?: Pod; want: string })[] = [
  { name: 'it fits', nodes: one, placed: [], want: 'fits' },
  { name: 'the one in the way', nodes: one, placed: [[made('a'), 'n1']], want: 'n1: a' },
  {
    name: 'no more than are needed: who is less important goes',
    pod: urgent('1'),
    nodes: one,
    placed: [
      [made('a', { priority: 1 }), 'n1'],
      [made('b'), 'n1'],
    ],
    want: 'n1: b',
  },
  {
    name: 'of the same priority who came last goes',
    pod: urgent('1'),
    nodes: one,
    placed: [
      [made('new', { started: 9 }), 'n1'],
      [made('old', { started: 1 }), 'n1'],
    ],
    want: 'n1: new',
  },
  {
    name: 'a small one that does not help stays, though it is less important',
    pod: urgent('1'),
    nodes: [aNode('n1', { allocatable: { cpu: '1100m' } })],
    placed: [
      [made('big', { priority: 5 }), 'n1'],
      [made('small', { cpu: '100m' }), 'n1'],
    ],
    want: 'n1: big',
  },
  {
    name: 'nobody of the same priority',
    nodes: one,
    placed: [[made('a', { priority: 100 }), 'n1']],
    want: '1 No preemption victims found for incoming pod',
  },
  {
    name: 'those of a lower priority are not enough',
    nodes: one,
    placed: [
      [made('a', { priority: 100 }), 'n1'],
      [made('b', { cpu: '500m' }), 'n1'],
    ],
    want: '1 Insufficient cpu',
  },
  {
    name: 'more than the node has, and a node that would do',
    pod: urgent('2'),
    nodes: [aNode('small', { allocatable: { cpu: '1' } }), aNode('n1')],
    placed: [[made('a'), 'n1']],
    want: 'n1: a',
  },
  {
    name: 'nowhere would it help',
    pod: urgent('4'),
    nodes: two,
    placed: [[made('a'), 'n1']],
    want: '2 Preemption is not helpful for scheduling',
  },
  {
    name: 'the fewest broken budgets first, whatever the priorities',
    nodes: two,
    placed: [
      [made('kept', { labels: { app: 'x' } }), 'n1'],
      [made('free', { priority: 99 }), 'n2'],
    ],
    budgets: [aBudget('x', 0)],
    want: 'n2: free',
  },
  {
    name: 'a budget that allows one breaks at the second',
    nodes: one,
    placed: [
      [made('a', { labels: { app: 'x' } }), 'n1'],
      [made('b', { labels: { app: 'x' } }), 'n1'],
    ],
    budgets: [aBudget('x', 1)],
    want: 'n1: b a!',
  },
  {
    name: 'who breaks a budget is spared first, though it is less important',
    pod: urgent('1'),
    nodes: one,
    placed: [
      [made('kept', { labels: { app: 'x' } }), 'n1'],
      [made('free', { priority: 9 }), 'n1'],
    ],
    budgets: [aBudget('x', 0)],
    want: 'n1: free',
  },
  {
    name: 'what the server has let go already breaks no budget',
    nodes: one,
    placed: [[made('a', { labels: { app: 'x' } }), 'n1']],
    budgets: [aBudget('x', 0, ['a'])],
    want: 'n1: a',
  },
  {
    name: 'the least important of the most important victims',
    nodes: two,
    placed: [
      [made('a', { priority: 5 }), 'n1'],
      [made('b', { priority: 4 }), 'n2'],
      [made('c', { priority: 4 }), 'n2'],
    ],
    want: 'n2: b c',
  },
  {
    name: 'the smallest sum of priorities',
    nodes: two,
    placed: [
      [made('a', { priority: 5 }), 'n1'],
      [made('b', { priority: 3 }), 'n1'],
      [made('c', { priority: 5 }), 'n2'],
      [made('d', { priority: 2 }), 'n2'],
    ],
    want: 'n2: c d',
  },
  {
    name: 'the fewest victims: each counts, however low its priority',
    nodes: two,
    placed: [
      [made('a', { priority: 5, cpu: '1' }), 'n1'],
      [made('b', { priority: -9 }), 'n1'],
      [made('c', { priority: 5, cpu: '2' }), 'n2'],
    ],
    want: 'n2: c',
  },
  {
    name: 'whose most important victims have run for the shortest time',
    nodes: two,
    placed: [
      [made('old', { cpu: '2', started: 1 }), 'n1'],
      [made('new', { cpu: '2', started: 5 }), 'n2'],
    ],
    want: 'n2: new',
  },
  {
    name: 'of equals the first',
    nodes: two,
    placed: [
      [made('a'), 'n1'],
      [made('b'), 'n2'],
    ],
    want: 'n1: a',
  },
  {
    name: 'who keeps it out by anti-affinity, and only that one',
    pod: made('urgent', { cpu: '100m', priority: 100, labels: { app: 'web' }, spec: far }),
    nodes: [zoned('n1', 'a')],
    placed: [
      [made('a', { labels: { app: 'web' }, cpu: '100m' }), 'n1'],
      [made('b', { cpu: '100m' }), 'n1'],
    ],
    want: 'n1: a',
  },
  {
    name: 'who keeps it out from another node of the zone is out of reach',
    pod: made('urgent', { cpu: '100m', priority: 100, labels: { app: 'web' }, spec: far }),
    nodes: [zoned('n1', 'a'), zoned('n2', 'a')],
    placed: [
      [made('a', { labels: { app: 'web' }, cpu: '100m' }), 'n1'],
      [made('b', { cpu: '100m' }), 'n2'],
    ],
    want: 'n1: a',
  },
  {
    name: 'the room of a nominated pod of the same priority is not for it',
    nodes: one,
    placed: [[made('a', { cpu: '2' }), 'n1']],
    nominated: [[made('first', { cpu: '1', priority: 100 }), 'n1']],
    want: '1 Insufficient cpu',
  },
  {
    name: 'that of a lower one is',
    nodes: one,
    placed: [[made('a', { cpu: '2' }), 'n1']],
    nominated: [[made('first', { cpu: '1', priority: 50 }), 'n1']],
    want: 'n1: a',
  },
  {
    name: 'it waits for whom it has made go',
    nodes: two,
    placed: [
      [made('a', { ending: true }), 'n1'],
      [made('b'), 'n2'],
    ],
    nominated: [[urgent(), 'n1']],
    want: 'not eligible due to a terminating pod on the nominated node.',
  },
  {
    name: 'but not for who ends for reasons of its own',
    nodes: one,
    placed: [[{ ...made('a', { ending: true }), status: {} }, 'n1']],
    nominated: [[urgent(), 'n1']],
    want: 'n1: a',
  },
  {
    name: 'nor for a node that has become impossible',
    nodes: [aNode('n1', { spec: { unschedulable: true } }), aNode('n2')],
    placed: [
      [made('a', { ending: true }), 'n1'],
      [made('b'), 'n2'],
    ],
    nominated: [[urgent(), 'n1']],
    want: 'n2: b',
  },
  {
    name: 'it may not',
    pod: urgent('2', { preemptionPolicy: 'Never' }),
    nodes: one,
    placed: [[made('a'), 'n1']],
    want: 'not eligible due to preemptionPolicy=Never.',
  },
];

for (const { name, pod = urgent(), want, ...world } of cases) {
  test(`preempt: ${name}`, () => assert.equal(told(decided(pod, world)), want));
}

test('preempt: it stops looking when there are enough candidates, one of them harmless', () => {
  const nodes = Array.from({ length: 10 }, (_, at) => aNode(`n${at}`));
  const placed = nodes.map(({ metadata }, at) => [made(`p${at}`, { priority: 9 - at }), metadata.name] as const);
  const limits = { minCandidateNodesPercentage: 0, minCandidateNodesAbsolute: 3 };
  assert.equal(told(decided(urgent(), { nodes, placed }, limits)), 'n2: p2');
  const guarded = placed.map(
    ([pod, node], at) =>
      [at < 6 ? { ...pod, metadata: { ...pod.metadata, labels: { app: 'x' } } } : pod, node] as const,
  );
  const world = { nodes, placed: guarded, budgets: [aBudget('x', 0)] };
  assert.equal(told(decided(urgent(), world, limits)), 'n6: p6');
});

test('enoughCandidates: the larger of a share and a number, and never more than there are', () => {
  const of = (nodes: number, percentage: number, absolute: number): number =>
    enoughCandidates(nodes, { minCandidateNodesPercentage: percentage, minCandidateNodesAbsolute: absolute });
  assert.deepEqual([of(5000, 10, 100), of(500, 10, 100), of(50, 10, 100), of(50, 10, 0)], [500, 100, 50, 5]);
});
