import assert from 'node:assert/strict';
import test from 'node:test';
import type { Pod } from '#api/generated/core-v1.ts';
import type { Uid } from '#api/meta.ts';
import { ClusterState } from '#scheduler/cluster-state.ts';
import { aNode, aPod } from '#scheduler/fixtures.ts';
import { defaultProfile } from '#scheduler/profile.ts';
import { SchedulingQueue } from '#scheduler/queue.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const fit = new Set(['NodeResourcesFit']);
const taints = new Set(['TaintToleration']);

/** A queue whose changes come from a cluster, and a time that is set. */
class World {
  now = 0;
  readonly queue = new SchedulingQueue([defaultProfile()]);
  readonly cluster = new ClusterState((change) => this.queue.changed(change, this.now));

  add(...pods: readonly Pod[]): void {
    for (const pod of pods) this.queue.set(pod, this.now);
  }
  take(): string | undefined {
    return this.queue.take(this.now)?.pod.metadata.name;
  }
  takeAll(): readonly string[] {
    const names: string[] = [];
    for (let name = this.take(); name !== undefined; name = this.take()) names.push(name);
    return names;
  }
  refuse(name: string, plugins: ReadonlySet<string> = fit): void {
    this.queue.refused(uid(name), plugins, this.now);
  }
  /** Takes the only pod there is and refuses it, then lets so much time pass that back-off is over. */
  putToSleep(pod: Pod, plugins: ReadonlySet<string> = fit): void {
    this.add(pod);
    assert.equal(this.take(), pod.metadata.name);
    this.refuse(pod.metadata.name, plugins);
    this.now += 20 * SECOND;
    assert.equal(this.take(), undefined);
  }
}

const uid = (name: string): Uid => `uid-${name}` as Uid;

test('queue: the highest priority first, then who has waited longest', () => {
  const world = new World();
  world.add(aPod('low', {}, { priority: -5 }), aPod('first'));
  world.now = 1;
  world.add(aPod('second', {}, { priority: 0 }), aPod('high', {}, { priority: 1000 }));
  assert.deepEqual(world.takeAll(), ['high', 'first', 'second', 'low']);
});

test('queue: a pod that is gone is not handed out, and one that comes again has no past', () => {
  const world = new World();
  world.add(aPod('a'), aPod('b'));
  world.queue.delete(uid('a'));
  assert.deepEqual(world.takeAll(), ['b']);
  world.queue.delete(uid('b'));
  world.add(aPod('b'));
  assert.equal(world.queue.take(world.now)?.attempts, 1);
});

test('queue: a gated pod waits until its last gate is gone', () => {
  const world = new World();
  const gates = (...names: string[]) => ({ schedulingGates: names.map((name) => ({ name })) });
  world.add(aPod('a', {}, gates('x', 'y')));
  assert.equal(world.take(), undefined);
  world.add(aPod('a', {}, gates('y')));
  assert.equal(world.take(), undefined);
  assert.equal(world.queue.counts.gated, 1);
  world.add(aPod('a', {}, gates()));
  assert.equal(world.take(), 'a');
});

test('queue: a binding that fails backs off for 1 s, doubling up to 10 s', () => {
  const world = new World();
  world.add(aPod('a'));
  const waits: number[] = [];
  for (let round = 0; round < 6; round++) {
    assert.equal(world.take(), 'a');
    world.queue.failed(uid('a'), world.now);
    const { nextAt } = world.queue;
    assert.ok(nextAt !== undefined);
    waits.push(nextAt - world.now);
    world.now = nextAt - 1;
    assert.equal(world.take(), undefined, 'it came before its time');
    world.now++;
  }
  assert.deepEqual(
    waits,
    [1, 2, 4, 8, 10, 10].map((seconds) => seconds * SECOND),
  );
});

test('queue: what sleeps is woken by the change that may help, and by no other', () => {
  const world = new World();
  world.cluster.setNode(aNode('n'));
  world.cluster.setPod(aPod('big', { cpu: '2' }), 'n');
  world.putToSleep(aPod('a', { cpu: '1' }));
  const still = (what: string): void => assert.equal(world.take(), undefined, `${what} does not help`);

  world.cluster.setNode(aNode('n', { labels: { zone: 'east' } }));
  still('a label');
  world.cluster.setNode(aNode('small', { allocatable: { cpu: '500m' } }));
  still('a node that is too small');
  world.cluster.setPod(aPod('other'), 'small');
  still('another pod');
  world.cluster.removePod(uid('other'));
  still('room where there is still not enough');
  world.cluster.removeNode('small');
  still('a node less');
  world.add({ ...aPod('a', { cpu: '1' }), status: { phase: 'Pending' } });
  still("the pod's own status");

  world.cluster.removePod(uid('big'));
  assert.equal(world.take(), 'a');
});

const wakers: readonly { name: string; pod: Pod; by: ReadonlySet<string>; change: (world: World) => void }[] = [
  { name: 'a node', pod: aPod('a', { cpu: '1' }), by: fit, change: ({ cluster }) => cluster.setNode(aNode('new')) },
  {
    name: 'a node that grows',
    pod: aPod('a', { cpu: '4' }),
    by: fit,
    change: ({ cluster }) => cluster.setNode(aNode('n', { allocatable: { cpu: '8' } })),
  },
  {
    name: 'a taint that goes',
    pod: aPod('a'),
    by: taints,
    change: ({ cluster }) => cluster.setNode(aNode('tainted')),
  },
  {
    name: 'a toleration that comes',
    pod: aPod('a'),
    by: taints,
    change: (world) => world.add(aPod('a', {}, { tolerations: [{ operator: 'Exists' }] })),
  },
  {
    name: 'an uncordon',
    pod: aPod('a'),
    by: new Set(['NodeUnschedulable']),
    change: ({ cluster }) => cluster.setNode(aNode('cordoned')),
  },
  {
    name: 'the label asked for',
    pod: aPod('a', {}, { nodeSelector: { disktype: 'ssd' } }),
    by: new Set(['NodeAffinity']),
    change: ({ cluster }) => cluster.setNode(aNode('n', { labels: { disktype: 'ssd' } })),
  },
  {
    name: 'anything, when no plugin has refused it',
    pod: aPod('a'),
    by: new Set(),
    change: ({ cluster }) => cluster.setNode(aNode('n', { labels: { any: 'thing' } })),
  },
];
for (const { name, pod, by, change } of wakers) {
  test(`queue: what sleeps is woken by ${name}`, () => {
    const world = new World();
    world.cluster.setNode(aNode('n'));
    world.cluster.setNode(aNode('tainted', { spec: { taints: [{ key: 'k', effect: 'NoSchedule' }] } }));
    world.cluster.setNode(aNode('cordoned', { spec: { unschedulable: true } }));
    world.putToSleep(pod, by);
    change(world);
    assert.equal(world.take(), 'a');
  });
}

test('queue: what is woken within its back-off waits for it behind others, but not when there are none', () => {
  const world = new World();
  world.add(aPod('a', { cpu: '1' }));
  world.take();
  world.refuse('a');
  world.cluster.setNode(aNode('n'));
  assert.equal(world.queue.counts['backing-off'], 1);
  world.add(aPod('b', {}, { priority: -1 }));
  assert.deepEqual(world.takeAll(), ['b', 'a']);
});

test('queue: what sleeps is tried again after five minutes at the latest', () => {
  const world = new World();
  world.add(aPod('a'), aPod('b'));
  world.take();
  world.refuse('a');
  world.now = MINUTE;
  world.take();
  world.refuse('b');
  assert.equal(world.queue.nextAt, 5 * MINUTE);
  world.now = 5 * MINUTE - 1;
  assert.equal(world.take(), undefined);
  world.now = 5 * MINUTE;
  assert.deepEqual(world.takeAll(), ['a']);
  assert.equal(world.queue.nextAt, 6 * MINUTE);
});

test('queue: a change that comes during the attempt is replayed when it fails', () => {
  const world = new World();
  world.add(aPod('a', { cpu: '1' }), aPod('b', { cpu: '1' }));
  world.take();
  world.cluster.setNode(aNode('n'));
  world.take();
  // a missed the node; b has seen it.
  world.refuse('a');
  world.refuse('b');
  assert.deepEqual(world.queue.counts, { active: 0, 'backing-off': 1, unschedulable: 1, gated: 0, 'in-flight': 0 });
  assert.equal(world.take(), 'a');
});

test('queue: a change of the pod itself during its attempt is replayed too', () => {
  const world = new World();
  world.add(aPod('a'));
  world.take();
  const changed = aPod('a', {}, { tolerations: [{ operator: 'Exists' }] });
  world.add(changed);
  world.refuse('a', taints);
  assert.equal(world.queue.take(world.now)?.pod, changed);
});

test('queue: an attempt during which more has changed than is kept wakes its pod', () => {
  const world = new World();
  world.add(aPod('a', { cpu: '1' }));
  world.take();
  for (let n = 0; n < 10_000; n++) world.cluster.setPod(aPod(`other-${n}`), 'nowhere');
  world.refuse('a');
  assert.equal(world.take(), 'a');
});

test('queue: nothing to do, nothing to come back for', () => {
  const world = new World();
  assert.equal(world.queue.nextAt, undefined);
  world.add(aPod('a'));
  assert.equal(world.queue.nextAt, -Infinity);
  world.take();
  assert.equal(world.queue.nextAt, undefined);
});
