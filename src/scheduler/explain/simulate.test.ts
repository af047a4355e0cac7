import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod, PodSpec } from '#api/generated/core-v1.ts';
import type { SimulatedPod } from '#api/peapod/simulation.ts';
import { impasseOf, preemptionFor } from '#scheduler/explain/impasse.ts';
import { replicasOf, simulate } from '#scheduler/explain/simulate.ts';
import { place, seededTieBreak } from '#scheduler/place.ts';
import { aNode } from '#scheduler/fixtures.ts';
import { aBudget, clusterOf, made, type World } from '#scheduler/preemption/fixtures.ts';
import { Budgets } from '#scheduler/preemption/budgets.ts';
import { defaultProfile } from '#scheduler/profile.ts';

const asked = (name: string, cpu: string, spec: Partial<PodSpec> = {}): Pod =>
  made(name, { cpu, priority: 5, spec: { schedulerName: 'default-scheduler', ...spec } });

function simulated(pods: readonly Pod[], world: World) {
  const profile = defaultProfile();
  const cluster = clusterOf(world, profile);
  const scene = { cluster, budgets: new Budgets(world.budgets ?? []), profiles: [profile], now: 0 };
  return { ...simulate(pods, scene), cluster };
}

const small = { nodes: [aNode('a'), aNode('b')], placed: [] };

function told({ outcome, node, impasse }: SimulatedPod): string {
  const near = (impasse?.nearest ?? []).map((one) => `${one.node}:${one.obstacles.map(({ kind }) => kind).join('+')}`);
  const eviction = impasse?.eviction;
  const gone =
    eviction?.kind === 'helps' ? [`${eviction.node}-${eviction.victims.map(({ name }) => name).join('-')}`] : [];
  const where = node === undefined ? [] : [node];
  return [outcome, ...where, ...near, ...(gone.length > 0 ? gone : eviction ? [eviction.kind] : [])].join(' ');
}

const cases: readonly { name: string; pods: readonly Pod[]; world?: World; want: readonly string[]; fits: boolean }[] =
  [
    { name: 'nothing to place', pods: [], want: [], fits: true },
    {
      name: 'each counts for those behind it',
      pods: replicasOf(asked('p', '1500m'), 3),
      want: ['placed b', 'placed a', 'nowhere a:short does-not-help'],
      fits: false,
    },
    {
      name: 'no nodes',
      pods: [asked('p', '1')],
      world: { nodes: [], placed: [] },
      want: ['nowhere'],
      fits: false,
    },
    {
      name: 'whom it would have evicted, who stays',
      pods: [asked('p', '2'), asked('q', '2')],
      world: { nodes: [aNode('a')], placed: [[made('low', { cpu: '1' }), 'a']] },
      want: ['nowhere a:short a-low', 'nowhere a:short a-low'],
      fits: false,
    },
    {
      name: 'who may have nobody evicted',
      pods: [asked('p', '2', { preemptionPolicy: 'Never' })],
      world: { nodes: [aNode('a')], placed: [[made('low', { cpu: '1' }), 'a']] },
      want: ['nowhere a:short not-eligible'],
      fits: false,
    },
    {
      name: 'held back by a gate',
      pods: [asked('p', '1', { schedulingGates: [{ name: 'quota' }] })],
      want: ['not-scheduled'],
      fits: false,
    },
    {
      name: "another's scheduler",
      pods: [asked('p', '1', { schedulerName: 'x' })],
      want: ['not-scheduled'],
      fits: false,
    },
    {
      name: 'one that names its node counts there',
      pods: [asked('p', '2', { nodeName: 'a' }), asked('q', '2')],
      want: ['not-scheduled a', 'placed b'],
      fits: true,
    },
    {
      name: 'one that names a node there is not',
      pods: [asked('p', '1', { nodeName: 'x' })],
      want: ['not-scheduled'],
      fits: false,
    },
  ];

for (const { name, pods, world = small, want, fits } of cases) {
  test(`simulate: ${name}`, () => {
    const found = simulated(pods, world);
    assert.deepEqual(found.pods.map(told), want);
    assert.equal(found.fits, fits);
  });
}

test('simulate: what is said of a pod that does not fit is what `peapod why` says', () => {
  const [pod] = simulated([asked('p', '3')], small).pods;
  assert.equal(pod!.sentence, 'p has no node: none of 2 fits: 2 are short of cpu (3 asked, 2 free at best)');
  assert.match(pod!.help, /^ask for no more than the 2 cpu that the largest node has/);
  assert.equal(pod!.attempt!.message?.startsWith('0/2 nodes are available: 2 Insufficient cpu.'), true);
  const [gated, foreign, ghost] = simulated(
    [
      asked('g', '1', { schedulingGates: [{ name: 'quota' }] }),
      asked('f', '1', { schedulerName: 'x' }),
      asked('n', '1', { nodeName: 'x' }),
    ],
    small,
  ).pods;
  assert.equal(gated!.sentence, 'g is held back by scheduling gate quota');
  assert.equal(foreign!.sentence, 'f asks for scheduler x, and here there is default-scheduler');
  assert.equal(ghost!.sentence, 'n names node x, and there is none');
});

test('simulate: an attempt has the scores by plugin and their weights, which add up', () => {
  const [pod] = simulated([asked('p', '1')], small).pods;
  const { best = [], weights = {}, refusals } = pod!.attempt!;
  assert.equal(best.length, 2);
  assert.deepEqual(refusals, []);
  for (const { score, byPlugin = {} } of best) {
    const sum = Object.entries(byPlugin).reduce((total, [name, points]) => total + points * weights[name]!, 0);
    assert.equal(sum, score);
  }
});

test('simulate: a budget that would be broken is told of', () => {
  const low = made('low', { cpu: '1', labels: { app: 'db' } });
  const world = { nodes: [aNode('a')], placed: [[low, 'a'] as const], budgets: [aBudget('db', 0)] };
  const [pod] = simulated([asked('p', '2')], world).pods;
  assert.equal(pod!.impasse?.eviction?.kind === 'helps' && pod!.impasse.eviction.violations, 1);
});

test('impasse: of a pod whose room is being made', () => {
  const profile = defaultProfile();
  const pod = asked('p', '2');
  const going = made('low', { cpu: '1', ending: true });
  const world = { nodes: [aNode('a')], placed: [[going, 'a'] as const], nominated: [[pod, 'a'] as const] };
  const where = { cluster: clusterOf(world, profile), profile, budgets: new Budgets([]) };
  const placement = place(pod, where.cluster, profile, seededTieBreak(0));
  assert.ok(placement.kind === 'nowhere');
  const { eviction } = impasseOf(pod, where, preemptionFor(pod, placement, where));
  assert.deepEqual(eviction, { kind: 'under-way', node: 'a' });
});
