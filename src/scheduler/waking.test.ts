import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { Node, Pod } from '#api/generated/core-v1.ts';
import type { Uid } from '#api/meta.ts';
import { indexedCluster } from '#scheduler/indexed-cluster.ts';
import { aNode, aPod } from '#scheduler/fixtures.ts';
import { place, seededTieBreak } from '#scheduler/place.ts';
import type { ClusterState } from '#scheduler/cluster-state.ts';
import { defaultProfile } from '#scheduler/profile.ts';
import { SchedulingQueue } from '#scheduler/queue.ts';

const names = ['a', 'b'];

const someNode = fc
  .record({
    name: fc.constantFrom(...names),
    cpu: fc.integer({ min: 0, max: 3 }),
    pods: fc.integer({ min: 0, max: 2 }),
    zone: fc.constantFrom('east', 'west'),
    isTainted: fc.boolean(),
    unschedulable: fc.boolean(),
  })
  .map(({ name, cpu, pods, zone, isTainted, unschedulable }): Node =>
    aNode(name, {
      allocatable: { cpu: `${cpu}`, pods: `${pods}` },
      labels: { zone },
      spec: { unschedulable, taints: isTainted ? [{ key: 'k', effect: 'NoSchedule' }] : [] },
    }),
  );
const wishes: readonly Pod['spec'][] = [
  aPod('', { cpu: '1' }).spec,
  aPod('', { cpu: '2' }).spec,
  aPod('', {}, { nodeSelector: { zone: 'east' } }).spec,
  aPod('', { cpu: '1' }, { tolerations: [{ key: 'k', operator: 'Exists' }] }).spec,
  aPod('', {}, { tolerations: [{ operator: 'Exists' }] }).spec,
];
const withSpec = (name: string, spec: Pod['spec']): Pod => ({ ...aPod(name), spec });

const someStep = fc.oneof(
  fc.record({ kind: fc.constant('node' as const), node: someNode }),
  fc.record({ kind: fc.constant('no-node' as const), name: fc.constantFrom(...names) }),
  fc.record({
    kind: fc.constant('pod' as const),
    name: fc.constantFrom('p', 'q', 'r'),
    node: fc.constantFrom(...names),
    spec: fc.constantFrom(...wishes),
  }),
  fc.record({ kind: fc.constant('no-pod' as const), name: fc.constantFrom('p', 'q', 'r') }),
  fc.record({ kind: fc.constant('wish' as const), spec: fc.constantFrom(...wishes) }),
);
type Step = typeof someStep extends fc.Arbitrary<infer S> ? S : never;

function apply(step: Step, cluster: ClusterState, queue: SchedulingQueue): void {
  switch (step.kind) {
    case 'node':
      return cluster.setNode(step.node);
    case 'no-node':
      return cluster.removeNode(step.name);
    case 'pod':
      return cluster.setPod(withSpec(step.name, step.spec), step.node);
    case 'no-pod':
      return cluster.removePod(`uid-${step.name}` as Uid);
    case 'wish':
      return queue.set(withSpec('waiting', step.spec), 0);
  }
}

test('waking: no pod sleeps while a node would take it, whatever has changed since it was refused', () => {
  let slept = 0;
  fc.assert(
    fc.property(
      fc.array(someStep, { maxLength: 8 }),
      fc.constantFrom(...wishes),
      fc.array(someStep, { minLength: 1, maxLength: 12 }),
      // How many of the changes come while the pod is being tried.
      fc.nat(3),
      (before, spec, after, during) => {
        const { plugins } = defaultProfile();
        const queue = new SchedulingQueue([{ schedulerName: 'default-scheduler', plugins }]);
        const cluster = indexedCluster(plugins, (change) => queue.changed(change, 0));
        queue.set(withSpec('waiting', spec), 0);
        const uid = 'uid-waiting' as Uid;
        for (const step of before) apply(step, cluster, queue);
        for (const [at, step] of [undefined, ...after].entries()) {
          if (step !== undefined) apply(step, cluster, queue);
          const pod = queue.get(uid)!;
          const isTaken = place(pod, cluster, { plugins }, seededTieBreak(1)).kind === 'chosen';
          if (queue.counts.unschedulable === 1) {
            slept++;
            assert.ok(!isTaken, 'it sleeps, and there is a node for it');
            continue;
          }
          // Woken, or new: it is tried, and goes to sleep when that comes to nothing.
          const taken = queue.take(0);
          assert.equal(taken?.pod, pod);
          const placement = place(pod, cluster, { plugins }, seededTieBreak(1));
          if (placement.kind === 'chosen') return;
          for (const late of after.slice(at, at + during)) apply(late, cluster, queue);
          queue.refused(uid, placement.refusals.plugins, 0);
        }
      },
    ),
    { numRuns: 3_000 },
  );
  assert.ok(slept > 3_000, `pods slept through ${slept} changes only`);
});
