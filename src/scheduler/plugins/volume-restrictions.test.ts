import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { Node, PersistentVolumeClaim, Pod, Volume } from '#api/generated/core-v1.ts';
import { aClaim, boundClaim } from '#api/volume-fixtures.ts';
import { aNode, aPod } from '#scheduler/fixtures.ts';
import { ChangingCluster } from '#scheduler/plugins/changing-cluster.ts';
import { volumeRestrictions } from '#scheduler/plugins/volume-restrictions.ts';
import { add, podUsing, says, type Told } from '#scheduler/storage/fixtures.ts';

const once = (name: string): PersistentVolumeClaim => boundClaim(name, 'v', { accessModes: ['ReadWriteOncePod'] });
const inUse =
  'node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod';
const noDisk = 'node(s) had no available disk';
const [a, b] = [aNode('a'), aNode('b')];
const podWith = (name: string, volume: Omit<Volume, 'name'>): Pod =>
  aPod(name, {}, { volumes: [{ name: 'd', ...volume }] });
const disk = (readOnly?: boolean) => ({ gcePersistentDisk: { pdName: 'd', ...(readOnly ? { readOnly } : {}) } });
const rbd = (monitor: string, readOnly = false) => ({
  rbd: { monitors: ['m', monitor], image: 'i', pool: 'p', readOnly },
});
const iscsi = (iqn: string, readOnly = false) => ({ iscsi: { targetPortal: 't', iqn, lun: 0, readOnly } });

const restrictions: readonly (Told & { readonly name: string; readonly want: string | readonly string[] })[] = [
  { name: 'no volumes', pod: aPod('p'), nodes: [a], want: 'skip' },
  {
    name: 'a claim that is not there',
    pod: podUsing('p', 'c'),
    nodes: [a],
    want: '!persistentvolumeclaim "c" not found',
  },
  {
    name: 'a claim for many',
    pod: podUsing('p', 'c'),
    nodes: [a],
    storage: [aClaim('c')],
    placed: [[podUsing('q', 'c'), 'a']],
    want: 'skip',
  },
  { name: 'a claim for one, free', pod: podUsing('p', 'c'), nodes: [a], storage: [once('c')], want: [''] },
  {
    name: 'a claim for one, in use anywhere',
    pod: podUsing('p', 'c'),
    nodes: [a, b],
    storage: [once('c')],
    placed: [[podUsing('q', 'c'), 'b']],
    want: [inUse, inUse],
  },
  {
    name: 'one of the same name elsewhere',
    pod: podUsing('p', 'c'),
    nodes: [a],
    storage: [once('c')],
    placed: [[{ ...podUsing('q', 'c'), metadata: { ...podUsing('q').metadata, namespace: 'other' } }, 'a']],
    want: [''],
  },
  {
    name: 'a disk that another pod of the node writes to',
    pod: podWith('p', disk(true)),
    nodes: [a, b],
    placed: [[podWith('q', disk()), 'b']],
    want: ['', noDisk],
  },
  {
    name: 'a disk that all only read',
    pod: podWith('p', disk(true)),
    nodes: [a],
    placed: [[podWith('q', disk(true)), 'a']],
    want: [''],
  },
  {
    name: "Amazon's disks have one pod each",
    pod: podWith('p', { awsElasticBlockStore: { volumeID: 'd', readOnly: true } }),
    nodes: [a],
    placed: [[podWith('q', { awsElasticBlockStore: { volumeID: 'd', readOnly: true } }), 'a']],
    want: [noDisk],
  },
  {
    name: 'the same image behind one of the same monitors',
    pod: podWith('p', rbd('x')),
    nodes: [a],
    placed: [[podWith('q', rbd('y', true)), 'a']],
    want: [noDisk],
  },
  {
    name: 'another target',
    pod: podWith('p', iscsi('iqn.1')),
    nodes: [a, b],
    placed: [
      [podWith('q', iscsi('iqn.2')), 'a'],
      [podWith('r', iscsi('iqn.1', true)), 'b'],
    ],
    want: ['', noDisk],
  },
];
for (const { name, want, ...told } of restrictions) {
  test(`VolumeRestrictions: ${name}`, () => assert.deepEqual(says(volumeRestrictions(), told), want));
}

const claimNames = ['c0', 'c1', 'c2'] as const;
const somePod = fc.record({
  name: fc.constantFrom('p', 'q', 'r', 's'),
  claims: fc.uniqueArray(fc.constantFrom(...claimNames), { maxLength: 2 }),
  node: fc.constantFrom('a', 'b', 'none'),
  isGone: fc.boolean(),
});

test('VolumeRestrictions: however pods come and go, it says what a look at all of them does', () => {
  let refusals = 0;
  fc.assert(
    fc.property(fc.array(somePod, { maxLength: 10 }), fc.constantFrom(...claimNames), (steps, wanted) => {
      const world = new ChangingCluster(volumeRestrictions());
      for (const node of [a, b]) world.cluster.setNode(node);
      add(world.cluster.storage, once('c0'), once('c1'), aClaim('c2'));
      for (const { name, claims, node, isGone } of steps) {
        if (isGone) world.remove(`uid-${name}`);
        else {
          world.remove(`uid-${name}`);
          world.place(podUsing(name, ...claims), node);
        }
      }
      const verdict = (_: Node, placed = world.placed): string => {
        const uses = placed.some(([pod]) =>
          pod.spec.volumes?.some((v) => v.persistentVolumeClaim?.claimName === wanted),
        );
        const isRefused = wanted !== 'c2' && uses;
        if (isRefused) refusals++;
        return isRefused ? inUse : 'fits';
      };
      const opinion = world.consider(podUsing('new', wanted));
      for (const node of world.cluster.nodes) {
        const answer = opinion?.filter?.(node);
        assert.equal(answer?.kind === 'rejected' ? answer.reasons.join() : 'fits', verdict(node.object));
      }
      world.assertAdjusted(opinion, verdict);
    }),
    { numRuns: 500 },
  );
  assert.ok(refusals > 200, `only ${refusals} refused`);
});
