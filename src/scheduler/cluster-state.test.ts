import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { Uid } from '#api/meta.ts';
import { ClusterState } from '#scheduler/cluster-state.ts';
import { aNode, aPod } from '#scheduler/fixtures.ts';
import type { ClusterView } from '#scheduler/plugin.ts';

const nodeNames = ['a', 'b', 'c'];
const podNames = ['p', 'q', 'r', 's'];
const someStep = fc.oneof(
  fc.record({ kind: fc.constant('node' as const), node: fc.constantFrom(...nodeNames), cpu: fc.nat(4) }),
  fc.record({ kind: fc.constant('no-node' as const), node: fc.constantFrom(...nodeNames) }),
  fc.record({
    kind: fc.constant('pod' as const),
    pod: fc.constantFrom(...podNames),
    node: fc.constantFrom(...nodeNames),
    cpu: fc.integer({ min: 0, max: 3 }),
    gpus: fc.nat(2),
  }),
  fc.record({ kind: fc.constant('no-pod' as const), pod: fc.constantFrom(...podNames) }),
);

/** What is to be seen of a cluster, in an order of its own. */
const seen = (cluster: ClusterView) =>
  cluster.nodes
    .map(({ name, allocatable, requested, pods, images }) => ({
      name,
      cpu: allocatable.milliCpu,
      requested: [requested.milliCpu, requested.nonZeroMemory, requested.scalars.get('example.com/gpu') ?? 0],
      pods: [...pods.keys()].toSorted(),
      images: [...images].map(([image]) => [image, cluster.nodesWithImage(image)]),
      found: cluster.node(name)?.name,
    }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));

test('cluster: kept up step by step, it is what one made anew would be', () => {
  fc.assert(
    fc.property(fc.array(someStep, { maxLength: 30 }), (steps) => {
      const cluster = new ClusterState();
      const nodes = new Map<string, ReturnType<typeof aNode>>();
      const pods = new Map<string, { pod: ReturnType<typeof aPod>; node: string }>();
      for (const step of steps) {
        if (step.kind === 'node') {
          const images = [{ names: [`image-${step.cpu}`], sizeBytes: 1 }];
          const node = aNode(step.node, { allocatable: { cpu: `${step.cpu}` }, images });
          nodes.set(step.node, node);
          cluster.setNode(node);
        } else if (step.kind === 'no-node') {
          nodes.delete(step.node);
          cluster.removeNode(step.node);
        } else if (step.kind === 'pod') {
          const pod = aPod(step.pod, { cpu: `${step.cpu}`, 'example.com/gpu': `${step.gpus}` }, { priority: step.cpu });
          pods.set(step.pod, { pod, node: step.node });
          cluster.setPod(pod, step.node);
        } else {
          pods.delete(step.pod);
          cluster.removePod(`uid-${step.pod}` as Uid);
        }
      }
      const anew = new ClusterState();
      for (const node of nodes.values()) anew.setNode(node);
      for (const { pod, node } of pods.values()) anew.setPod(pod, node);
      assert.deepEqual(seen(cluster), seen(anew));
      for (let priority = 0; priority < 5; priority++) {
        assert.equal(cluster.hasPodBelow(priority), anew.hasPodBelow(priority));
      }
    }),
    { numRuns: 1_000 },
  );
});

test('cluster: tells what has changed, and nothing when nothing that counts has', () => {
  const told: string[] = [];
  const cluster = new ClusterState((change) => told.push(change.kind));
  const steps: readonly [() => void, readonly string[]][] = [
    [() => cluster.setNode(aNode('n')), ['node-added']],
    [() => cluster.setNode(aNode('n')), []],
    [() => cluster.setNode(aNode('n', { labels: { a: 'b' } })), ['node-labels']],
    [
      () => cluster.setNode(aNode('n', { allocatable: { cpu: '9' }, spec: { unschedulable: true } })),
      ['node-allocatable', 'node-labels', 'node-unschedulable'],
    ],
    [() => cluster.setPod(aPod('p', { cpu: '1' }), 'n'), ['pod-added']],
    [() => cluster.setPod({ ...aPod('p', { cpu: '1' }), status: { phase: 'Running' } }, 'n'), []],
    [() => cluster.setPod(aPod('p', { cpu: '500m' }), 'n'), ['pod-updated']],
    [() => cluster.setPod(aPod('p', { cpu: '500m' }), 'm'), ['pod-removed', 'pod-added']],
    [() => cluster.removePod('uid-p' as Uid), ['pod-removed']],
    [() => cluster.removePod('uid-p' as Uid), []],
    [() => cluster.removeNode('n'), ['node-removed']],
  ];
  for (const [step, want] of steps) {
    told.length = 0;
    step();
    assert.deepEqual(told, want);
  }
});

test('cluster: no two states of a node have one generation', () => {
  const generations = new Set<number>();
  const cluster = new ClusterState();
  const look = (): void => {
    const generation = cluster.node('n')?.generation ?? -1;
    assert.ok(!generations.has(generation), `generation ${generation} has been before`);
    generations.add(generation);
  };
  cluster.setNode(aNode('n'));
  look();
  cluster.setPod(aPod('p'), 'n');
  look();
  cluster.removePod('uid-p' as Uid);
  look();
  cluster.removeNode('n');
  cluster.setNode(aNode('n'));
  look();
});
