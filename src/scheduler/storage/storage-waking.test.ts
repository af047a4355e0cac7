import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { Pod } from '#api/generated/core-v1.ts';
import type { Uid } from '#api/meta.ts';
import { aClaim, aClass, aCsiNode, aVolume, boundClaim, refOf } from '#api/volume-fixtures.ts';
import type { ClusterState } from '#scheduler/cluster-state.ts';
import { aNode } from '#scheduler/fixtures.ts';
import { indexedCluster } from '#scheduler/indexed-cluster.ts';
import { place, seededTieBreak } from '#scheduler/place.ts';
import { defaultProfile } from '#scheduler/profile.ts';
import { SchedulingQueue } from '#scheduler/queue.ts';
import { podUsing } from '#scheduler/storage/fixtures.ts';

const claims = ['c0', 'c1'] as const;
const someClaimName = fc.constantFrom(...claims);
const someZone = fc.constantFrom('east', 'west');

const someStep = fc.oneof(
  fc.record({ kind: fc.constant('node' as const), name: fc.constantFrom('a', 'b'), zone: someZone }),
  fc.record({ kind: fc.constant('no-node' as const), name: fc.constantFrom('a', 'b') }),
  fc.record({
    kind: fc.constant('claim' as const),
    name: someClaimName,
    state: fc.constantFrom('waits', 'bound', 'lost', 'going', 'gone', 'selected', 'once'),
  }),
  fc.record({
    kind: fc.constant('volume' as const),
    name: fc.constantFrom('v0', 'v1'),
    zone: someZone,
    state: fc.constantFrom('free', 'new', 'kept', 'others', 'gone', 'labelled', 'csi'),
  }),
  fc.record({
    kind: fc.constant('class' as const),
    state: fc.constantFrom('static', 'made', 'made in the east', 'at once', 'gone'),
  }),
  fc.record({ kind: fc.constant('csi-node' as const), name: fc.constantFrom('a', 'b'), count: fc.option(fc.nat(1)) }),
  fc.record({ kind: fc.constant('driver' as const), tells: fc.option(fc.boolean()) }),
  fc.record({ kind: fc.constant('room' as const), zone: someZone, size: fc.option(fc.constantFrom('512Mi', '1Gi')) }),
  fc.record({ kind: fc.constant('pod' as const), node: fc.constantFrom('a', 'b'), claim: someClaimName }),
  fc.record({ kind: fc.constant('no-pod' as const) }),
);
type Step = typeof someStep extends fc.Arbitrary<infer S> ? S : never;

function claimIn(name: string, state: string) {
  const volume = name === 'c0' ? 'v0' : 'v1';
  switch (state) {
    case 'gone':
      return undefined;
    case 'bound':
      return boundClaim(name, volume);
    case 'once':
      return boundClaim(name, volume, { accessModes: ['ReadWriteOncePod'] });
    case 'lost':
      return { ...boundClaim(name, volume), status: { phase: 'Lost' as const } };
    case 'going':
      return aClaim(name, { meta: { deletionTimestamp: '2026-01-01T00:00:00Z' } });
    case 'selected':
      return aClaim(name, { annotations: { 'volume.kubernetes.io/selected-node': 'a' } });
    default:
      return aClaim(name);
  }
}

function volumeIn(name: string, state: string, zone: string) {
  switch (state) {
    case 'gone':
      return undefined;
    case 'new':
      return aVolume(name, { phase: 'Pending' });
    case 'kept':
      return aVolume(name, { zone, for: aClaim('c0') });
    case 'others':
      return aVolume(name, { for: aClaim('other') });
    case 'labelled':
      return aVolume(name, { labels: { 'topology.kubernetes.io/zone': zone } });
    case 'csi':
      return aVolume(name, { spec: { hostPath: undefined as never, csi: { driver: 'd', volumeHandle: name } } });
    default:
      return aVolume(name, { zone });
  }
}

function classIn(state: string) {
  const topology = { allowedTopologies: [{ matchLabelExpressions: [{ key: 'zone', values: ['east'] }] }] };
  switch (state) {
    case 'gone':
      return undefined;
    case 'made':
      return aClass('slow', { provisioner: 'd' });
    case 'made in the east':
      return aClass('slow', { provisioner: 'd', ...topology });
    case 'at once':
      return aClass('slow', { volumeBindingMode: 'Immediate' });
    default:
      return aClass('slow');
  }
}

const isTaken = (state: string): boolean => state === 'kept' || state === 'others';

function apply(step: Step, cluster: ClusterState): void {
  const { storage } = cluster;
  switch (step.kind) {
    case 'node':
      return cluster.setNode(
        aNode(step.name, { labels: { zone: step.zone, 'topology.kubernetes.io/zone': step.zone } }),
      );
    case 'no-node':
      return cluster.removeNode(step.name);
    case 'claim': {
      const own = storage.volume(step.name.replace('c', 'v'));
      // A claim is not bound to what is another's.
      const isOthers = own?.spec.claimRef !== undefined && own.spec.claimRef.name !== step.name;
      const after = claimIn(step.name, isOthers ? 'waits' : step.state);
      return storage.apply({ kind: 'claim', before: storage.claim('default', step.name), after });
    }
    case 'volume': {
      const isBound = storage.claim('default', step.name.replace('v', 'c'))?.spec.volumeName === step.name;
      const after = volumeIn(step.name, isBound && isTaken(step.state) ? 'free' : step.state, step.zone);
      return storage.apply({ kind: 'volume', before: storage.volume(step.name), after });
    }
    case 'class':
      return changeClass(cluster, step.state);
    case 'csi-node': {
      const after = step.count === null ? undefined : aCsiNode(step.name, { d: step.count });
      return storage.apply({ kind: 'csi-node', before: storage.csiNode(step.name), after });
    }
    case 'driver': {
      const after =
        step.tells === null
          ? undefined
          : {
              apiVersion: 'storage.k8s.io/v1' as const,
              kind: 'CSIDriver' as const,
              metadata: aClass('d').metadata,
              spec: { storageCapacity: step.tells },
            };
      return storage.apply({ kind: 'csi-driver', before: storage.csiDriver('d'), after });
    }
    case 'room':
      return changeRoom(cluster, step);
    case 'pod':
      // What a pod uses does not change: it is another one.
      cluster.removePod('uid-other' as Uid);
      return cluster.setPod(podUsing('other', step.claim), step.node);
    case 'no-pod':
      return cluster.removePod('uid-other' as Uid);
  }
}

/** What a class is like stays as it is, but for its topologies: another one is told as one that goes and one that comes. */
function changeClass({ storage }: ClusterState, state: string): void {
  const before = storage.storageClass('slow');
  const after = classIn(state);
  const isOther = before?.provisioner !== after?.provisioner || before?.volumeBindingMode !== after?.volumeBindingMode;
  if (isOther && before !== undefined) storage.apply({ kind: 'storage-class', before, after: undefined });
  if (after !== undefined) storage.apply({ kind: 'storage-class', before: isOther ? undefined : before, after });
}

function changeRoom({ storage }: ClusterState, { zone, size }: { zone: string; size: string | null }): void {
  const before = [...storage.capacities].find(({ metadata }) => metadata.name === `room-${zone}`);
  if (before === undefined && size === null) return;
  const after =
    size === null
      ? undefined
      : {
          apiVersion: 'storage.k8s.io/v1' as const,
          kind: 'CSIStorageCapacity' as const,
          metadata: { ...aClass(`room-${zone}`).metadata, namespace: 'default' },
          storageClassName: 'slow',
          capacity: size,
          nodeTopology: { matchLabels: { zone } },
        };
  storage.apply({ kind: 'storage-capacity', before, after });
}

const uid = 'uid-waiting' as Uid;

test('waking: no pod with claims sleeps while a node would take it, whatever has changed of storage', () => {
  let slept = 0;
  fc.assert(
    fc.property(
      fc.array(someStep, { maxLength: 10 }),
      fc.subarray([...claims], { minLength: 1 }),
      fc.array(someStep, { minLength: 1, maxLength: 14 }),
      (before, used, after) => {
        const { plugins } = defaultProfile();
        const queue = new SchedulingQueue([{ schedulerName: 'default-scheduler', plugins }]);
        const cluster = indexedCluster(plugins, (change) => queue.changed(change, 0));
        const waiting: Pod = podUsing('waiting', ...used);
        queue.set(waiting, 0);
        for (const step of before) apply(step, cluster);
        for (const step of [undefined, ...after]) {
          if (step !== undefined) apply(step, cluster);
          const isTaken = place(waiting, cluster, { plugins }, seededTieBreak(1)).kind === 'chosen';
          if (queue.counts.unschedulable === 1) {
            slept++;
            assert.ok(!isTaken, 'it sleeps, and there is a node for it');
            continue;
          }
          assert.equal(queue.take(0)?.pod, waiting);
          const placement = place(waiting, cluster, { plugins }, seededTieBreak(1));
          if (placement.kind === 'chosen') return;
          queue.refused(uid, placement.refusals.plugins, 0);
        }
      },
    ),
    { numRuns: 3_000 },
  );
  assert.ok(slept > 3_000, `pods slept through ${slept} changes only`);
});

test('promises: what is promised is nobody elses until it is let go, whatever is told of it meanwhile', () => {
  const cluster = indexedCluster([]);
  const { storage } = cluster;
  const told: string[] = [];
  const listening = indexedCluster([], ({ kind }) => told.push(kind));
  for (const state of [storage, listening.storage]) {
    state.apply({ kind: 'volume', before: undefined, after: aVolume('v') });
    state.apply({ kind: 'claim', before: undefined, after: aClaim('c') });
    const [claim, volume] = [state.claim('default', 'c')!, state.volume('v')!];
    state.promise(uid, 'a', { bindings: [{ claim, volume }], provisions: [] });
    state.promise('second' as Uid, 'a', { bindings: [{ claim, volume }], provisions: [claim] });
  }
  assert.equal(storage.volume('v')?.spec.claimRef?.name, 'c');
  assert.equal([...storage.volumesOfClass('slow')][0]?.spec.claimRef?.uid, refOf(aClaim('c')).uid);
  assert.equal(storage.volumeAsSaid('v')?.spec.claimRef, undefined);
  storage.apply({ kind: 'volume', before: storage.volumeAsSaid('v'), after: aVolume('v', { labels: { new: 'yes' } }) });
  assert.equal(storage.volume('v')?.spec.claimRef?.name, 'c', 'news do not undo it');
  storage.release(uid);
  assert.equal(storage.volume('v')?.spec.claimRef?.name, 'c', 'the second holds it still');
  assert.equal(storage.claim('default', 'c')?.metadata.annotations?.['volume.kubernetes.io/selected-node'], 'a');
  storage.release('second' as Uid);
  assert.equal(storage.volume('v')?.spec.claimRef, undefined);
  assert.equal(storage.claim('default', 'c')?.metadata.annotations?.['volume.kubernetes.io/selected-node'], undefined);

  told.length = 0;
  listening.storage.release(uid);
  listening.storage.release('second' as Uid);
  assert.deepEqual(told, ['volume', 'claim'], 'what goes back may help others');
});
