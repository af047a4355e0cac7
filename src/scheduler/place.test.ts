import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { Node, Pod } from '#api/generated/core-v1.ts';
import { requiredNodes } from '#api/node-affinity.ts';
import { podRequests, wholeOf, milliOf } from '#api/pod-resources.ts';
import { indexedCluster } from '#scheduler/indexed-cluster.ts';
import { aNode, aPod } from '#scheduler/fixtures.ts';
import { unschedulableMessage } from '#scheduler/message.ts';
import { place, seededTieBreak } from '#scheduler/place.ts';
import { Budgets } from '#scheduler/preemption/budgets.ts';
import { preempt } from '#scheduler/preemption/preempt.ts';
import { defaultPreemption, defaultProfile } from '#scheduler/profile.ts';

const { plugins } = defaultProfile();

/** What one pod is told in a cluster of these nodes and pods. */
function told(pod: Pod, nodes: readonly Node[], others: readonly [Pod, string][] = []): string {
  const cluster = indexedCluster(plugins);
  for (const node of nodes) cluster.setNode(node);
  for (const [other, node] of others) cluster.setPod(other, node);
  const placement = place(pod, cluster, { plugins }, seededTieBreak(1));
  if (placement.kind === 'chosen') return `-> ${placement.node}`;
  const profile = { plugins, preemption: defaultPreemption };
  return unschedulableMessage(
    placement,
    preempt(pod, placement, { cluster, profile, budgets: new Budgets([]), luck: 0 }),
  );
}

const tainted = (name: string): Node => aNode(name, { spec: { taints: [{ key: 'dedicated', effect: 'NoSchedule' }] } });
const cordoned = (name: string): Node => aNode(name, { spec: { unschedulable: true } });
const many = (count: number, make: (name: string) => Node): readonly Node[] =>
  Array.from({ length: count }, (_, at) => make(`${make.name}-${at}`));
const small = (name: string): Node => aNode(name, { allocatable: { cpu: '100m' } });

const messageCases: readonly {
  name: string;
  pod: Pod;
  nodes: readonly Node[];
  others?: [Pod, string][];
  want: string;
}[] = [
  { name: 'no nodes', pod: aPod('p'), nodes: [], want: 'no nodes available to schedule pods' },
  {
    name: 'more than any node has',
    pod: aPod('p', { cpu: '4' }),
    nodes: [aNode('n')],
    want:
      '0/1 nodes are available: 1 Insufficient cpu. ' +
      'preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.',
  },
  {
    name: 'taken by pods of the same priority',
    pod: aPod('p', { cpu: '1' }),
    nodes: [aNode('n')],
    others: [[aPod('q', { cpu: '2' }), 'n']],
    want:
      '0/1 nodes are available: 1 Insufficient cpu. ' +
      'preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.',
  },
  {
    name: 'taken by a pod of lower priority: nothing is said of making room, because it is made',
    pod: aPod('p', { cpu: '1' }, { priority: 1 }),
    nodes: [aNode('n')],
    others: [[aPod('q', { cpu: '2' }), 'n']],
    want: '0/1 nodes are available: 1 Insufficient cpu.',
  },
  {
    name: 'a pod of lower priority where it would not help',
    pod: aPod('p', { cpu: '1' }, { priority: 1 }),
    nodes: [cordoned('n')],
    others: [[aPod('q', { cpu: '2' }), 'n']],
    want:
      '0/1 nodes are available: 1 node(s) were unschedulable. ' +
      'preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.',
  },
  {
    name: 'a pod that may not preempt',
    pod: aPod('p', { cpu: '4' }, { preemptionPolicy: 'Never' }),
    nodes: [aNode('n')],
    want: '0/1 nodes are available: 1 Insufficient cpu. preemption: not eligible due to preemptionPolicy=Never.',
  },
  {
    name: 'several reasons, sorted as text',
    pod: aPod('p', { cpu: '200m', memory: '8Gi' }),
    nodes: [...many(10, small), ...many(2, tainted), ...many(1, cordoned)],
    want:
      '0/13 nodes are available: 1 node(s) were unschedulable, 10 Insufficient cpu, 10 Insufficient memory, ' +
      '2 node(s) had untolerated taint(s). ' +
      'preemption: 0/13 nodes are available: 13 Preemption is not helpful for scheduling.',
  },
  {
    name: 'a selector that matches nothing',
    pod: aPod('p', {}, { nodeSelector: { disktype: 'ssd' } }),
    nodes: many(3, small),
    want:
      "0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector. " +
      'preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.',
  },
  {
    name: 'a name that no node has',
    pod: onNodes('ghost'),
    nodes: many(2, small),
    want:
      "0/2 nodes are available: 2 node(s) didn't satisfy plugin(s) [NodeAffinity]. " +
      'preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.',
  },
  {
    name: 'a name, and no room there',
    pod: onNodes('big'),
    nodes: [...many(2, small), aNode('big', { allocatable: { pods: '0' } })],
    want:
      "0/3 nodes are available: 1 Too many pods, 2 node(s) didn't satisfy plugin(s) [NodeAffinity]. " +
      'preemption: 0/3 nodes are available: 1 No preemption victims found for incoming pod, ' +
      '2 Preemption is not helpful for scheduling.',
  },
  {
    name: 'names that exclude each other',
    pod: onNodes('a', 'b'),
    nodes: many(2, small),
    want:
      '0/2 nodes are available: pod affinity terms conflict. ' +
      'preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.',
  },
  { name: 'room', pod: aPod('p', { cpu: '1' }), nodes: [small('a'), aNode('b'), cordoned('c')], want: '-> b' },
];
for (const { name, pod, nodes, others, want } of messageCases) {
  test(`place: ${name}`, () => assert.equal(told(pod, nodes, others), want));
}

/** Each name in a requirement of its own: one name, or a contradiction. */
function onNodes(...names: string[]): Pod {
  const matchFields = names.map((name) => ({ key: 'metadata.name', operator: 'In' as const, values: [name] }));
  const required = { nodeSelectorTerms: [{ matchFields }] };
  return aPod('p', {}, { affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: required } } });
}

test('place: the same seed gives the same node, whatever order the nodes came in; seeds spread', () => {
  const nodes = many(20, (name) => aNode(name));
  const chosen = new Map<string, number>();
  for (let seed = 0; seed < 400; seed++) {
    const pick = (order: readonly Node[]): string => {
      const cluster = indexedCluster(plugins);
      for (const node of order) cluster.setNode(node);
      const placement = place(aPod('p'), cluster, { plugins }, seededTieBreak(seed * 7919));
      return placement.kind === 'chosen' ? placement.node : '';
    };
    const node = pick(nodes);
    assert.equal(pick(nodes.toReversed()), node);
    chosen.set(node, (chosen.get(node) ?? 0) + 1);
  }
  assert.equal(chosen.size, 20);
  assert.ok(Math.max(...chosen.values()) < 60, `one node was taken ${Math.max(...chosen.values())} times of 400`);
});

test('place: remembers the best three with what each plugin gave them', () => {
  const cluster = indexedCluster(plugins);
  const sizes = ['4', '1', '16', '8'];
  for (const cpu of sizes) cluster.setNode(aNode(`cpu-${cpu}`, { allocatable: { cpu } }));
  const placement = place(aPod('p', { cpu: '500m' }), cluster, { plugins }, seededTieBreak(1));
  assert.equal(placement.kind, 'chosen');
  assert.deepEqual(placement.kind === 'chosen' && placement.best.map(({ node }) => node).slice(0, 2), [
    'cpu-16',
    'cpu-8',
  ]);
  assert.equal(placement.kind === 'chosen' && placement.best[0]?.byPlugin['TaintToleration'], 100);
});

/** The rules once more, as slowly and plainly as they can be said: everything anew from the objects. */
function oracle(pod: Pod, nodes: readonly Node[], others: readonly [Pod, string][]): ReadonlyMap<string, string> {
  const answers = new Map<string, string>();
  for (const node of nodes) {
    const on = others.filter(([, name]) => name === node.metadata.name).map(([other]) => other);
    answers.set(node.metadata.name, obstacle(pod, node, on));
  }
  return answers;
}

function obstacle(pod: Pod, node: Node, on: readonly Pod[]): string {
  const tolerations = pod.spec.tolerations ?? [];
  const forAll = tolerations.some(({ key, effect }) => !key && (!effect || effect === 'NoSchedule'));
  if (node.spec.unschedulable && !forAll) return 'cordon';
  for (const taint of node.spec.taints ?? []) {
    if (taint.effect === 'PreferNoSchedule') continue;
    const tolerated = tolerations.some(
      ({ key, operator, value, effect }) =>
        (!key || key === taint.key) &&
        (operator === 'Exists' || (value ?? '') === (taint.value ?? '')) &&
        (!effect || effect === taint.effect),
    );
    if (!tolerated) return 'taint';
  }
  if (!(requiredNodes(pod)?.(node) ?? true)) return 'affinity';
  const room = node.status?.allocatable ?? {};
  if (on.length + 1 > Number(room['pods'])) return 'pods';
  const sum = (of: (pod: Pod) => number): number => on.reduce((total, other) => total + of(other), 0);
  const cpu = (of: Pod): number => milliOf(podRequests(of), 'cpu');
  const memory = (of: Pod): number => wholeOf(podRequests(of), 'memory');
  if (cpu(pod) > 0 && cpu(pod) + sum(cpu) > Number(room['cpu']) * 1000) return 'cpu';
  if (memory(pod) > 0 && memory(pod) + sum(memory) > Number(room['memory'])) return 'memory';
  return '';
}

const someTaint = fc.record({
  key: fc.constantFrom('a', 'b'),
  value: fc.constantFrom('x', 'y'),
  effect: fc.constantFrom('NoSchedule', 'NoExecute', 'PreferNoSchedule'),
});
const someNode = fc
  .record({
    cpu: fc.integer({ min: 0, max: 4 }),
    memory: fc.integer({ min: 0, max: 4 }),
    pods: fc.integer({ min: 0, max: 3 }),
    zone: fc.constantFrom('east', 'west'),
    taints: fc.array(someTaint, { maxLength: 1 }),
    unschedulable: fc.boolean(),
  })
  .map(
    ({ cpu, memory, pods, zone, taints, unschedulable }) =>
      (name: string): Node =>
        aNode(name, {
          allocatable: { cpu: `${cpu}`, memory: `${memory}`, pods: `${pods}` },
          labels: { zone },
          spec: { taints, unschedulable },
        }),
  );
const somePod = fc
  .record({
    cpu: fc.integer({ min: 0, max: 3000 }),
    memory: fc.integer({ min: 0, max: 3 }),
    zone: fc.option(fc.constantFrom('east', 'west'), { nil: undefined }),
    tolerations: fc.array(
      fc.record({
        key: fc.constantFrom('a', 'b', ''),
        operator: fc.constantFrom('Exists', 'Equal'),
        value: fc.constantFrom('x', 'y'),
        effect: fc.constantFrom('NoSchedule', 'NoExecute', ''),
      }),
      { maxLength: 2 },
    ),
    names: fc.option(fc.subarray(['n0', 'n1', 'n2'], { minLength: 1 }), { nil: undefined }),
  })
  .map(
    ({ cpu, memory, zone, tolerations, names }) =>
      (name: string): Pod =>
        aPod(
          name,
          { cpu: `${cpu}m`, memory: `${memory}` },
          {
            ...(zone === undefined ? {} : { nodeSelector: { zone } }),
            // What the API would not take: a toleration of everything must say Exists, without a value.
            tolerations: tolerations
              .filter(({ key, operator }) => key !== '' || operator === 'Exists')
              .map(({ value, operator, ...rest }) =>
                operator === 'Exists' ? { operator, ...rest } : { operator, value, ...rest },
              ) as never,
            ...(names === undefined
              ? {}
              : {
                  affinity: {
                    nodeAffinity: {
                      requiredDuringSchedulingIgnoredDuringExecution: {
                        nodeSelectorTerms: names.map((node) => ({
                          matchFields: [{ key: 'metadata.name', operator: 'In' as const, values: [node] }],
                        })),
                      },
                    },
                  },
                }),
          },
        ),
  );

test('place: agrees with the plain rules on every cluster, and chooses a node exactly when one fits', () => {
  fc.assert(
    fc.property(
      fc.array(someNode, { maxLength: 5 }),
      fc.array(fc.tuple(somePod, fc.nat(5)), { maxLength: 6 }),
      somePod,
      fc.nat(),
      (makeNodes, makePods, makePod, seed) => {
        const nodes = makeNodes.map((make, at) => make(`n${at}`));
        const others = makePods.map(([make, at], n): [Pod, string] => [make(`p${n}`), `n${at}`]);
        const pod = makePod('p');
        const cluster = indexedCluster(plugins);
        for (const [other, node] of others.slice(0, 3)) cluster.setPod(other, node);
        for (const node of nodes) cluster.setNode(node);
        for (const [other, node] of others.slice(3)) cluster.setPod(other, node);
        const answers = oracle(pod, nodes, others);
        const placement = place(pod, cluster, { plugins }, seededTieBreak(seed));
        const feasible = [...answers].filter(([, why]) => why === '').map(([name]) => name);
        assert.equal(placement.kind, feasible.length > 0 ? 'chosen' : 'nowhere');
        if (placement.kind === 'chosen') {
          assert.equal(placement.feasible, feasible.length);
          assert.ok(feasible.includes(placement.node));
        }
        const refused = (why: string): number => [...answers.values()].filter((each) => each === why).length;
        if (pod.spec.affinity === undefined) {
          assert.equal(placement.refusals.reasons.get('node(s) were unschedulable') ?? 0, refused('cordon'));
          assert.equal(placement.refusals.reasons.get('node(s) had untolerated taint(s)') ?? 0, refused('taint'));
        }
      },
    ),
    { numRuns: 2_000 },
  );
});

/** Every score as upstream's documentation defines it, from the objects alone; weights 3, 2, 1, 1, 1. */
function points(pod: Pod, node: Node, on: readonly Pod[], worstTaints: number): number {
  const asked = (of: Pod, name: 'cpu' | 'memory', least: number): number => {
    const text = of.spec.containers[0]?.resources?.requests?.[name];
    if (text === undefined) return least;
    return name === 'cpu' ? Number.parseInt(`${text}`, 10) : Number(text);
  };
  const room = {
    cpu: Number(node.status?.allocatable?.['cpu']) * 1000,
    memory: Number(node.status?.allocatable?.['memory']),
  };
  const sum = (name: 'cpu' | 'memory', least: number): number =>
    [...on, pod].reduce((total, of) => total + asked(of, name, least), 0);
  const left = (name: 'cpu' | 'memory', least: number): number =>
    Math.max(0, Math.floor(((room[name] - sum(name, least)) * 100) / room[name]));
  const leastAllocated = Math.floor((left('cpu', 100) + left('memory', 200 * 1024 * 1024)) / 2);
  const share = (name: 'cpu' | 'memory'): number => Math.min(1, sum(name, 0) / room[name]);
  const balanced = Math.floor((1 - Math.abs(share('cpu') - share('memory')) / 2) * 100);
  const disliked = node.spec.taints?.length ?? 0;
  const byTaints = 100 - (worstTaints === 0 ? 0 : Math.floor((disliked * 100) / worstTaints));
  return 3 * byTaints + leastAllocated + balanced;
}

test('place: the chosen node has the most points of all, worked out by hand', () => {
  const GB = 2 ** 30;
  const sizes = fc.record({
    cpu: fc.integer({ min: 4, max: 64 }),
    memory: fc.integer({ min: 4, max: 64 }),
    taints: fc.nat(3),
  });
  const asks = fc.record({ cpu: fc.integer({ min: 1, max: 500 }), memory: fc.integer({ min: 1, max: GB / 2 }) });
  const podOf = (name: string, { cpu, memory }: { cpu: number; memory: number }): Pod =>
    aPod(name, { cpu: `${cpu}m`, memory: `${memory}` });
  fc.assert(
    fc.property(
      fc.array(sizes, { minLength: 2, maxLength: 6 }),
      fc.array(fc.tuple(asks, fc.nat(5)), { maxLength: 8 }),
      asks,
      fc.nat(),
      (nodeSizes, others, ask, seed) => {
        const nodes = nodeSizes.map(({ cpu, memory, taints }, at) =>
          aNode(`n${at}`, {
            allocatable: { cpu: `${cpu}`, memory: `${memory * GB}` },
            spec: {
              taints: Array.from({ length: taints }, (_, n) => ({ key: `t${n}`, effect: 'PreferNoSchedule' as const })),
            },
          }),
        );
        const on = new Map(nodes.map(({ metadata: { name } }): [string, Pod[]] => [name, []]));
        for (const [at, [other, node]] of others.entries())
          on.get(`n${node % nodes.length}`)?.push(podOf(`p${at}`, other));
        const cluster = indexedCluster(plugins);
        for (const node of nodes) cluster.setNode(node);
        for (const [name, pods] of on) for (const other of pods) cluster.setPod(other, name);
        const pod = podOf('p', ask);
        const placement = place(pod, cluster, { plugins }, seededTieBreak(seed));
        assert.equal(placement.kind, 'chosen');
        if (placement.kind !== 'chosen') return;
        const worst = Math.max(...nodeSizes.map(({ taints }) => taints));
        const want = new Map(
          nodes.map((node) => [node.metadata.name, points(pod, node, on.get(node.metadata.name) ?? [], worst)]),
        );
        for (const { node, total } of placement.best) assert.equal(total, want.get(node), node);
        assert.equal(want.get(placement.node), Math.max(...want.values()));
      },
    ),
    { numRuns: 1_000 },
  );
});
