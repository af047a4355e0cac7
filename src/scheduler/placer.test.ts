import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { Node, Pod, Taint } from '#api/generated/core-v1.ts';
import type { Uid } from '#api/meta.ts';
import { aNode, aPod } from '#scheduler/fixtures.ts';
import { indexedCluster } from '#scheduler/indexed-cluster.ts';
import { place, seededTieBreak } from '#scheduler/place.ts';
import type { Placement } from '#scheduler/placement.ts';
import { Placer } from '#scheduler/placer.ts';
import { defaultProfile } from '#scheduler/profile.ts';
import { enoughNodes } from '#scheduler/sample.ts';

/** Two of a placement's parts are in no particular order. */
function told(placement: Placement): unknown {
  const refusals = { reasons: [...placement.refusals.reasons].sort(), plugins: [...placement.refusals.plugins].sort() };
  return placement.kind === 'nowhere'
    ? { ...placement, refusals, resolvable: placement.resolvable.toSorted() }
    : { ...placement, refusals };
}

const taints: readonly Taint[] = [
  { key: 'dedicated', effect: 'NoSchedule' },
  { key: 'slow', effect: 'PreferNoSchedule' },
];
const nodes = fc.record({
  name: fc.integer({ min: 0, max: 7 }).map((number) => `n${number}`),
  cpu: fc.constantFrom('100m', '1', '2'),
  taints: fc.subarray([...taints]),
  zone: fc.constantFrom('a', 'b'),
  unschedulable: fc.boolean(),
  image: fc.boolean(),
});
const terms = fc.record({
  labelSelector: fc.constantFrom({ matchLabels: { app: 'x' } }, { matchLabels: { app: 'y' } }, {}),
  topologyKey: fc.constantFrom('zone', 'host'),
});
const pods = fc.record({
  cpu: fc.constantFrom('100m', '400m', '1', '3'),
  zone: fc.option(fc.constantFrom('a', 'b', 'c')),
  prefers: fc.option(fc.constantFrom('a', 'b')),
  tolerates: fc.boolean(),
  name: fc.option(fc.constantFrom('n1', 'n9'), { freq: 8 }),
  app: fc.constantFrom('x', 'y'),
  near: fc.option(terms, { freq: 2 }),
  far: fc.option(terms, { freq: 2 }),
  likes: fc.option(terms, { freq: 2 }),
  dislikes: fc.option(terms, { freq: 2 }),
  priority: fc.nat(1),
});
const steps = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: nodes.map((node) => ({ kind: 'node', node }) as const) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 7 }).map((number) => ({ kind: 'no-node', number }) as const) },
    { weight: 6, arbitrary: pods.map((pod) => ({ kind: 'pod', pod }) as const) },
    { weight: 1, arbitrary: fc.nat().map((number) => ({ kind: 'no-pod', number }) as const) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(pods, fc.integer({ min: 0, max: 7 }))
        .map(([pod, number]) => ({ kind: 'nominated', pod, number }) as const),
    },
    // Room was made for it, and now it is tried.
    {
      weight: 1,
      arbitrary: fc
        .tuple(pods, fc.integer({ min: 0, max: 7 }))
        .map(([pod, number]) => ({ kind: 'own', pod, number }) as const),
    },
  ),
  { maxLength: 60 },
);

type ArbitraryNode = typeof nodes extends fc.Arbitrary<infer T> ? T : never;
type ArbitraryPod = typeof pods extends fc.Arbitrary<infer T> ? T : never;

const nodeOf = ({ name, cpu, taints: own, zone, unschedulable, image }: ArbitraryNode): Node =>
  aNode(name, {
    allocatable: { cpu },
    labels: { host: name, ...(name === 'n3' ? {} : { zone }) },
    spec: { taints: own, unschedulable },
    ...(image ? { images: [{ names: ['busybox:latest'], sizeBytes: 500 * 2 ** 20 }] } : {}),
  });

type Term = typeof terms extends fc.Arbitrary<infer T> ? T : never;

const podAffinity = (required: Term | null, preferred: Term | null) => ({
  ...(required === null ? {} : { requiredDuringSchedulingIgnoredDuringExecution: [required] }),
  ...(preferred === null
    ? {}
    : { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 3, podAffinityTerm: preferred }] }),
});

function podOf(at: number, wishes: ArbitraryPod): Pod {
  const { cpu, zone, prefers, tolerates, name, app, near, far, likes, dislikes, priority } = wishes;
  const named = { matchFields: [{ key: 'metadata.name', operator: 'In', values: [name ?? ''] }] } as const;
  const liked = { matchExpressions: [{ key: 'zone', operator: 'In', values: [prefers ?? ''] }] } as const;
  const nodeAffinity = {
    ...(name === null ? {} : { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [named] } }),
    ...(prefers === null
      ? {}
      : { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 5, preference: liked }] }),
  };
  const affinity = {
    nodeAffinity,
    ...(near === null && likes === null ? {} : { podAffinity: podAffinity(near, likes) }),
    ...(far === null && dislikes === null ? {} : { podAntiAffinity: podAffinity(far, dislikes) }),
  };
  const pod = aPod(
    `p${at}`,
    { cpu },
    {
      affinity,
      priority,
      ...(zone === null ? {} : { nodeSelector: { zone } }),
      ...(tolerates ? { tolerations: [{ operator: 'Exists' }] } : {}),
    },
  );
  return { ...pod, metadata: { ...pod.metadata, labels: { app } } };
}

test('the columns come to what the plain definition says, however the cluster changes', () => {
  fc.assert(
    fc.property(steps, (all) => {
      const { plugins } = defaultProfile();
      const cluster = indexedCluster(plugins);
      const rules = { plugins };
      const placer = new Placer(rules);
      for (const [at, step] of all.entries()) {
        if (step.kind === 'node') cluster.setNode(nodeOf(step.node));
        if (step.kind === 'no-node') cluster.removeNode(`n${step.number}`);
        if (step.kind === 'no-pod') cluster.removePod(`uid-p${step.number % (at + 1)}` as Uid);
        if (step.kind === 'nominated') cluster.nominations.set(podOf(at, step.pod), `n${step.number}`);
        if (step.kind !== 'pod' && step.kind !== 'own') continue;
        const pod = podOf(at, step.pod);
        if (step.kind === 'own') cluster.nominations.set(pod, `n${step.number}`);
        const tieBreak = seededTieBreak(at);
        const placement = placer.place(pod, cluster, tieBreak);
        assert.deepEqual(told(placement), told(place(pod, cluster, rules, tieBreak)));
        if (placement.kind === 'chosen') {
          cluster.setPod(pod, placement.node);
          cluster.nominations.delete(pod.metadata.uid);
        }
      }
    }),
    { numRuns: 500 },
  );
});

test('a table that has been left behind for too long starts anew', () => {
  const { plugins } = defaultProfile();
  const cluster = indexedCluster(plugins);
  const placer = new Placer({ plugins });
  cluster.setNode(aNode('n'));
  const pod = aPod('p', { cpu: '1' });
  assert.equal(placer.place(pod, cluster, seededTieBreak(1)).kind, 'chosen');
  for (let at = 0; at < 10_000; at++) {
    cluster.setPod(aPod('q', { cpu: '1500m' }), 'n');
    if (at < 9_999) cluster.removePod('uid-q' as Uid);
  }
  assert.equal(placer.place(pod, cluster, seededTieBreak(1)).kind, 'nowhere');
});

test('of many nodes that can take a pod only so many are looked at, and others another time', () => {
  const { plugins } = defaultProfile();
  const cluster = indexedCluster(plugins);
  for (let at = 0; at < 300; at++) cluster.setNode(aNode(`n${at}`));
  const rules = { plugins, percentageOfNodesToScore: 50 };
  const placer = new Placer(rules);
  const chosen = new Set<string>();
  for (let seed = 0; seed < 50; seed++) {
    const placement = placer.place(aPod('p', { cpu: '1' }), cluster, seededTieBreak(seed));
    assert.deepEqual(told(placement), told(place(aPod('p', { cpu: '1' }), cluster, rules, seededTieBreak(seed))));
    assert.equal(placement.kind === 'chosen' && placement.feasible, 150);
    if (placement.kind === 'chosen') chosen.add(placement.node);
  }
  assert.ok(chosen.size > 30);
});

for (const [nodes, percentage, want] of [
  [5000, undefined, 5000],
  [5000, 100, 5000],
  [5000, 10, 500],
  [5000, 0, 500],
  [50, 1, 50],
  [1000, 1, 100],
  [1000, 0, 420],
  [10_000, 0, 500],
] as const) {
  test(`${percentage} % of ${nodes} nodes are ${want}`, () => assert.equal(enoughNodes(nodes, percentage), want));
}
