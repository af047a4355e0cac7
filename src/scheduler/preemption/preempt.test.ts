import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { Node, Pod, PodSpec } from '#api/generated/core-v1.ts';
import type { PodDisruptionBudget } from '#api/generated/policy-v1.ts';
import type { ClusterState } from '#scheduler/cluster-state.ts';
import { aNode, aPod } from '#scheduler/fixtures.ts';
import { indexedCluster } from '#scheduler/indexed-cluster.ts';
import { place, seededTieBreak } from '#scheduler/place.ts';
import { priorityOf } from '#scheduler/pod-facts.ts';
import { Budgets } from '#scheduler/preemption/budgets.ts';
import { byImportance } from '#scheduler/preemption/importance.ts';
import { enoughCandidates, preempt, type Preemption } from '#scheduler/preemption/preempt.ts';
import { defaultProfile, type PreemptionLimits } from '#scheduler/profile.ts';

type Labels = Readonly<Record<string, string>>;

interface Made {
  readonly cpu?: string;
  readonly priority?: number;
  readonly labels?: Labels;
  /** Seconds after nine. */
  readonly started?: number;
  readonly spec?: Partial<PodSpec>;
  readonly ending?: boolean;
}

function made(name: string, { cpu = '1', priority = 0, labels = {}, started, spec = {}, ending }: Made = {}): Pod {
  const pod = aPod(name, { cpu }, { priority, ...spec });
  const startTime = started === undefined ? undefined : new Date(Date.UTC(2026, 0, 1, 9, 0, started)).toISOString();
  const condition = { type: 'DisruptionTarget', status: 'True', reason: 'PreemptionByScheduler' } as const;
  return {
    ...pod,
    metadata: { ...pod.metadata, labels, ...(ending ? { deletionTimestamp: '2026-01-01T00:00:30Z' } : {}) },
    status: {
      ...(startTime === undefined ? {} : { startTime }),
      ...(ending ? { conditions: [condition] } : {}),
    },
  };
}

const aBudget = (app: string, disruptionsAllowed: number, disrupted: readonly string[] = []): PodDisruptionBudget => ({
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  metadata: { ...aPod(app).metadata, namespace: 'default' },
  spec: { selector: { matchLabels: { app } } },
  status: {
    disruptionsAllowed,
    disruptedPods: Object.fromEntries(disrupted.map((name) => [name, '2026-01-01T00:00:00Z'])),
  },
});

interface World {
  readonly nodes: readonly Node[];
  readonly placed: readonly (readonly [Pod, string])[];
  readonly nominated?: readonly (readonly [Pod, string])[];
  readonly budgets?: readonly PodDisruptionBudget[];
}

function clusterOf({ nodes, placed, nominated = [] }: World, { plugins } = defaultProfile()): ClusterState {
  const cluster = indexedCluster(plugins);
  for (const node of nodes) cluster.setNode(node);
  for (const [pod, node] of placed) cluster.setPod(pod, node);
  for (const [pod, node] of nominated) cluster.nominations.set(pod, node);
  return cluster;
}

function decided(pod: Pod, world: World, preemption?: PreemptionLimits): Preemption | undefined {
  const profile = defaultProfile();
  const cluster = clusterOf(world, profile);
  const placement = place(pod, cluster, profile, seededTieBreak(1));
  if (placement.kind === 'chosen') return undefined;
  const budgets = new Budgets(world.budgets ?? []);
  return preempt(pod, placement, {
    cluster,
    budgets,
    luck: 0,
    profile: { ...profile, ...(preemption && { preemption }) },
  });
}

/** `n1: a b` for the victims on n1, `!` after it for each broken budget. */
function told(preemption: Preemption | undefined): string {
  switch (preemption?.kind) {
    case undefined:
      return 'fits';
    case 'victims': {
      const names = preemption.pods.map(({ metadata }) => metadata.name).join(' ');
      return `${preemption.node}: ${names}${'!'.repeat(preemption.violations)}`;
    }
    case 'not-eligible':
      return preemption.why;
    case 'helpless':
      return [...preemption.reasons]
        .map(([reason, count]) => `${count} ${reason}`)
        .sort()
        .join(', ');
  }
}

const urgent = (cpu = '2', more: Partial<PodSpec> = {}): Pod => made('urgent', { cpu, priority: 100, spec: more });
const two = [aNode('n1'), aNode('n2')];
const one = [aNode('n1')];
const far: Partial<PodSpec> = {
  affinity: {
    podAntiAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [
        { topologyKey: 'zone', labelSelector: { matchLabels: { app: 'web' } } },
      ],
    },
  },
};
const zoned = (name: string, zone: string): Node => aNode(name, { labels: { zone } });

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

const somePod = fc.record({
  cpu: fc.constantFrom('250m', '500m', '1'),
  priority: fc.constantFrom(-5, 0, 3, 7),
  app: fc.constantFrom('web', 'db'),
  node: fc.nat(2),
  started: fc.option(fc.nat(9), { nil: undefined }),
  far: fc.boolean(),
  spread: fc.boolean(),
});
type SomePod = typeof somePod extends fc.Arbitrary<infer T> ? T : never;
const spread: Partial<PodSpec> = {
  topologySpreadConstraints: [
    {
      maxSkew: 1,
      topologyKey: 'zone',
      whenUnsatisfiable: 'DoNotSchedule',
      labelSelector: { matchLabels: { app: 'web' } },
    },
  ],
};
type Wanted = Omit<SomePod, 'cpu' | 'priority'> & Pick<Made, 'cpu' | 'priority'>;

const podOf = (name: string, { cpu = '1', priority = 0, app, started, far: isFar, spread: isSpread }: Wanted): Pod =>
  made(name, {
    cpu,
    priority,
    labels: { app },
    ...(started === undefined ? {} : { started }),
    spec: { ...(isFar ? far : {}), ...(isSpread ? spread : {}) },
  });

const someWorld = fc.record({
  placed: fc.array(somePod, { maxLength: 9 }),
  nominated: fc.array(somePod, { maxLength: 2 }),
  incoming: somePod,
  allowed: fc.option(fc.nat(2), { nil: undefined }),
});

/** Whether the pod fits a node when exactly these are there: asked of a cluster made for the question, nominated pods being there. */
function fits(pod: Pod, node: string, world: World): boolean {
  const profile = defaultProfile();
  const ahead = (world.nominated ?? []).filter(
    ([each, where]) => where === node && priorityOf(each) >= priorityOf(pod),
  );
  return [[], ahead].every((more) => {
    const cluster = clusterOf({ nodes: world.nodes, placed: [...world.placed, ...more] }, profile);
    return profile.plugins.every(({ plugin }) => {
      const opinion = plugin.consider(pod, cluster);
      if (opinion.kind !== 'opinion') return opinion.kind === 'skip';
      return opinion.filter?.(cluster.node(node)!).kind !== 'rejected';
    });
  });
}

/** The documented procedure, word for word, with a new cluster for every question. */
function slowVictims(pod: Pod, node: string, world: World): readonly string[] | undefined {
  const lower = world.placed
    .filter(([each, at]) => at === node && priorityOf(each) < priorityOf(pod))
    .map(([each]) => each);
  if (lower.length === 0) return undefined;
  let left = world.placed.filter(([each]) => !lower.includes(each));
  if (!fits(pod, node, { ...world, placed: left })) return undefined;
  const allowed = world.budgets?.[0]?.status?.disruptionsAllowed ?? Infinity;
  const important = lower.toSorted(byImportance);
  const covered = important.filter(({ metadata }) => metadata.labels?.['app'] === 'web');
  const violating = covered.slice(Math.min(allowed, covered.length));
  const victims: string[] = [];
  for (const each of [...violating, ...important.filter((one) => !violating.includes(one))]) {
    const more = [...left, [each, node] as const];
    if (fits(pod, node, { ...world, placed: more })) left = more;
    else victims.push(each.metadata.name);
  }
  return victims;
}

test('preempt: comes to the same as the documented procedure, and keeps what it promises', () => {
  let [preempted, helpless] = [0, 0];
  fc.assert(
    fc.property(someWorld, ({ placed, nominated, incoming, allowed }) => {
      const nodes = [zoned('n0', 'a'), zoned('n1', 'b'), zoned('n2', 'b')];
      const at = (prefix: string) => (each: SomePod, index: number) =>
        [podOf(`${prefix}${index}`, each), `n${each.node}`] as const;
      const world: World = {
        nodes,
        placed: placed.map(at('p')),
        nominated: nominated.map(at('m')),
        ...(allowed === undefined ? {} : { budgets: [aBudget('web', allowed)] }),
      };
      const pod = podOf('incoming', { ...incoming, priority: incoming.priority + 1, cpu: '2' });
      const found = decided(pod, world);
      if (found === undefined) return;
      if (found.kind !== 'victims') {
        helpless++;
        return;
      }
      preempted++;
      assert.deepEqual(
        found.pods.map(({ metadata }) => metadata.name).toSorted(),
        slowVictims(pod, found.node, world)?.toSorted(),
      );
      for (const victim of found.pods)
        assert.ok(priorityOf(victim) < priorityOf(pod), 'nobody of as high a priority goes');
      const left = world.placed.filter(([each]) => !found.pods.includes(each));
      assert.ok(fits(pod, found.node, { ...world, placed: left }), 'it fits when they have gone');
    }),
    { numRuns: 1_500 },
  );
  assert.ok(preempted > 200 && helpless > 50, `${preempted} preempted, ${helpless} helpless`);
});
