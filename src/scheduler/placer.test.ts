import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { Node, Pod, Taint } from '#api/generated/core-v1.ts';
import type { Uid } from '#api/meta.ts';
import { ClusterState } from '#scheduler/cluster-state.ts';
import { aNode, aPod } from '#scheduler/fixtures.ts';
import { place, seededTieBreak } from '#scheduler/place.ts';
import type { Placement } from '#scheduler/placement.ts';
import { Placer } from '#scheduler/placer.ts';
import { defaultProfile } from '#scheduler/profile.ts';

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
const pods = fc.record({
  cpu: fc.constantFrom('100m', '400m', '1', '3'),
  zone: fc.option(fc.constantFrom('a', 'b', 'c')),
  prefers: fc.option(fc.constantFrom('a', 'b')),
  tolerates: fc.boolean(),
  name: fc.option(fc.constantFrom('n1', 'n9'), { freq: 8 }),
});
const steps = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: nodes.map((node) => ({ kind: 'node', node }) as const) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 7 }).map((number) => ({ kind: 'no-node', number }) as const) },
    { weight: 6, arbitrary: pods.map((pod) => ({ kind: 'pod', pod }) as const) },
    { weight: 1, arbitrary: fc.nat().map((number) => ({ kind: 'no-pod', number }) as const) },
  ),
  { maxLength: 60 },
);

type ArbitraryNode = typeof nodes extends fc.Arbitrary<infer T> ? T : never;
type ArbitraryPod = typeof pods extends fc.Arbitrary<infer T> ? T : never;

const nodeOf = ({ name, cpu, taints: own, zone, unschedulable, image }: ArbitraryNode): Node =>
  aNode(name, {
    allocatable: { cpu },
    labels: { zone },
    spec: { taints: own, unschedulable },
    ...(image ? { images: [{ names: ['busybox:latest'], sizeBytes: 500 * 2 ** 20 }] } : {}),
  });

function podOf(at: number, { cpu, zone, prefers, tolerates, name }: ArbitraryPod): Pod {
  const named = { matchFields: [{ key: 'metadata.name', operator: 'In', values: [name ?? ''] }] } as const;
  const liked = { matchExpressions: [{ key: 'zone', operator: 'In', values: [prefers ?? ''] }] } as const;
  const nodeAffinity = {
    ...(name === null ? {} : { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [named] } }),
    ...(prefers === null
      ? {}
      : { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 5, preference: liked }] }),
  };
  return aPod(
    `p${at}`,
    { cpu },
    {
      affinity: { nodeAffinity },
      ...(zone === null ? {} : { nodeSelector: { zone } }),
      ...(tolerates ? { tolerations: [{ operator: 'Exists' }] } : {}),
    },
  );
}

test('the columns come to what the plain definition says, however the cluster changes', () => {
  fc.assert(
    fc.property(steps, (all) => {
      const { plugins } = defaultProfile();
      const cluster = new ClusterState();
      const placer = new Placer(plugins);
      for (const [at, step] of all.entries()) {
        if (step.kind === 'node') cluster.setNode(nodeOf(step.node));
        if (step.kind === 'no-node') cluster.removeNode(`n${step.number}`);
        if (step.kind === 'no-pod') cluster.removePod(`uid-p${step.number % (at + 1)}` as Uid);
        if (step.kind !== 'pod') continue;
        const pod = podOf(at, step.pod);
        const tieBreak = seededTieBreak(at);
        const placement = placer.place(pod, cluster, tieBreak);
        assert.deepEqual(told(placement), told(place(pod, cluster, plugins, tieBreak)));
        if (placement.kind === 'chosen') cluster.setPod(pod, placement.node);
      }
    }),
    { numRuns: 500 },
  );
});

test('a table that has been left behind for too long starts anew', () => {
  const { plugins } = defaultProfile();
  const cluster = new ClusterState();
  const placer = new Placer(plugins);
  cluster.setNode(aNode('n'));
  const pod = aPod('p', { cpu: '1' });
  assert.equal(placer.place(pod, cluster, seededTieBreak(1)).kind, 'chosen');
  for (let at = 0; at < 10_000; at++) {
    cluster.setPod(aPod('q', { cpu: '1500m' }), 'n');
    if (at < 9_999) cluster.removePod('uid-q' as Uid);
  }
  assert.equal(placer.place(pod, cluster, seededTieBreak(1)).kind, 'nowhere');
});
