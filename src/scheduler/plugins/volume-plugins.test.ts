import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { Node, PersistentVolumeClaim, Pod, Volume } from '#api/generated/core-v1.ts';
import type { VolumeAttachment } from '#api/generated/storage-v1.ts';
import type { Uid } from '#api/meta.ts';
import { aClaim, aClass, aCsiNode, aVolume, boundClaim } from '#api/volume-fixtures.ts';
import { ClusterState } from '#scheduler/cluster-state.ts';
import { aNode, aPod } from '#scheduler/fixtures.ts';
import { indexedCluster } from '#scheduler/indexed-cluster.ts';
import { ChangingCluster } from '#scheduler/plugins/changing-cluster.ts';
import type { SchedulerPlugin } from '#scheduler/plugin.ts';
import { nodeVolumeLimits } from '#scheduler/plugins/node-volume-limits.ts';
import { volumeRestrictions } from '#scheduler/plugins/volume-restrictions.ts';
import { volumeZone } from '#scheduler/plugins/volume-zone.ts';
import { add, podUsing } from '#scheduler/storage/fixtures.ts';

type Given = Parameters<typeof add>[1];

interface Told {
  readonly pod: Pod;
  readonly nodes: readonly Node[];
  readonly placed?: readonly (readonly [Pod, string])[];
  readonly storage?: readonly Given[];
}

/** '' for nodes where the pod may go, otherwise the reason, with `!` in front when eviction would not help. */
function says(plugin: SchedulerPlugin, told: Told, prepare: (cluster: ClusterState) => void = () => {}) {
  const { pod, nodes, placed = [], storage = [] } = told;
  const cluster = indexedCluster([{ plugin, weight: 1 }]);
  for (const node of nodes) cluster.setNode(node);
  add(cluster.storage, ...storage);
  for (const [other, node] of placed) cluster.setPod(other, node);
  prepare(cluster);
  const answer = plugin.consider(pod, cluster);
  if (answer.kind === 'skip') return 'skip';
  if (answer.kind === 'rejected') return `${answer.final ? '!' : ''}${answer.reasons.join()}`;
  return cluster.nodes.map((node) => {
    const verdict = answer.filter?.(node);
    return verdict?.kind === 'rejected' ? `${verdict.final ? '!' : ''}${verdict.reasons.join()}` : '';
  });
}

// VolumeRestrictions

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

// VolumeZone

const zoneOf = (zone: string, key = 'topology.kubernetes.io/zone'): Node =>
  aNode(`in-${zone}`, { labels: { [key]: zone } });
const elsewhere = '!node(s) had no available volume zone';
const labelled = (labels: Readonly<Record<string, string>>) => aVolume('v', { labels, phase: 'Bound' });

const zones: readonly (Told & { readonly name: string; readonly want: string | readonly string[] })[] = [
  { name: 'no claims', pod: aPod('p'), nodes: [a], want: 'skip' },
  { name: 'no claim of that name', pod: podUsing('p', 'c'), nodes: [a], want: '!persistentvolumeclaim "c" not found' },
  {
    name: 'a volume that is not there',
    pod: podUsing('p', 'c'),
    nodes: [a],
    storage: [boundClaim('c', 'v')],
    want: '!persistentvolume "v" not found',
  },
  {
    name: 'a claim that gets its volume with its pod',
    pod: podUsing('p', 'c'),
    nodes: [a],
    storage: [aClaim('c'), aClass('slow')],
    want: 'skip',
  },
  {
    name: 'a claim that should have one',
    pod: podUsing('p', 'c'),
    nodes: [a],
    storage: [aClaim('c'), aClass('slow', { volumeBindingMode: 'Immediate' })],
    want: '!PersistentVolume had no name',
  },
  {
    name: 'a class that is not there',
    pod: podUsing('p', 'c'),
    nodes: [a],
    storage: [aClaim('c')],
    want: '!storageclass.storage.k8s.io "slow" not found',
  },
  {
    name: 'no class and no volume',
    pod: podUsing('p', 'c'),
    nodes: [a],
    storage: [aClaim('c', { spec: { storageClassName: '' } })],
    want: '!PersistentVolumeClaim had no pv name and storageClass name',
  },
  {
    name: 'a volume that is nowhere in particular',
    pod: podUsing('p', 'c'),
    nodes: [zoneOf('x')],
    storage: [boundClaim('c', 'v'), labelled({ other: 'x' })],
    want: 'skip',
  },
  {
    name: 'a volume in two zones; a node in one, in neither, in none at all',
    pod: podUsing('p', 'c'),
    nodes: [zoneOf('x'), zoneOf('z'), a],
    storage: [boundClaim('c', 'v'), labelled({ 'topology.kubernetes.io/zone': 'x__y' })],
    want: ['', elsewhere, ''],
  },
  {
    name: 'the old label of a volume and the new one of a node',
    pod: podUsing('p', 'c'),
    nodes: [zoneOf('x'), zoneOf('y', 'failure-domain.beta.kubernetes.io/zone')],
    storage: [boundClaim('c', 'v'), labelled({ 'failure-domain.beta.kubernetes.io/zone': 'x' })],
    want: ['', elsewhere],
  },
  {
    name: 'a region that the node does not tell',
    pod: podUsing('p', 'c'),
    nodes: [zoneOf('x')],
    storage: [boundClaim('c', 'v'), labelled({ 'topology.kubernetes.io/region': 'r' })],
    want: [elsewhere],
  },
  {
    name: 'a label that makes no sense',
    pod: podUsing('p', 'c'),
    nodes: [zoneOf('x')],
    storage: [boundClaim('c', 'v'), labelled({ 'topology.kubernetes.io/zone': 'x__' })],
    want: 'skip',
  },
];
for (const { name, want, ...told } of zones) {
  test(`VolumeZone: ${name}`, () => assert.deepEqual(says(volumeZone, told), want));
}

const someZones = fc.array(fc.constantFrom('x', 'y', 'z'), { maxLength: 2 });
test('VolumeZone: it says what the label of each volume does', () => {
  fc.assert(
    fc.property(
      fc.array(someZones, { minLength: 1, maxLength: 3 }),
      fc.constantFrom('x', 'y', undefined),
      (each, zone) => {
        const storage = each.flatMap((values, n) => [
          boundClaim(`c${n}`, `v${n}`),
          aVolume(`v${n}`, { labels: values.length === 0 ? {} : { 'topology.kubernetes.io/zone': values.join('__') } }),
        ]);
        const pod = podUsing('p', ...each.map((_, n) => `c${n}`));
        const node = zone === undefined ? a : zoneOf(zone);
        const isThere = zone === undefined || each.every((values) => values.length === 0 || values.includes(zone));
        const said = says(volumeZone, { pod, nodes: [node], storage });
        assert.equal(said === 'skip' || said[0] === '', isThere);
      },
    ),
    { numRuns: 500 },
  );
});

// NodeVolumeLimits

const full = 'node(s) exceed max volume count';
const csi = (name: string, handle = name, driver = 'd') =>
  aVolume(name, { spec: { hostPath: undefined as never, csi: { driver, volumeHandle: handle } }, phase: 'Bound' });
const three = ['1', '2', '3'].flatMap((n) => [boundClaim(`c${n}`, `v${n}`), csi(`v${n}`)]);
const attachment = (volume: string): VolumeAttachment => ({
  apiVersion: 'storage.k8s.io/v1',
  kind: 'VolumeAttachment',
  metadata: { ...aClass(`at-${volume}`).metadata, uid: `at-${volume}` as Uid },
  spec: { attacher: 'd', nodeName: 'a', source: { persistentVolumeName: volume } },
});

const limits: readonly (Told & {
  readonly name: string;
  readonly attached?: readonly string[];
  readonly want: string | readonly string[];
})[] = [
  { name: 'no claims', pod: aPod('p'), nodes: [a], want: 'skip' },
  {
    name: 'a claim that is not there',
    pod: podUsing('p', 'c'),
    nodes: [a],
    want: '!looking up PVC default/c: persistentvolumeclaim "c" not found',
  },
  {
    name: 'a volume of no driver',
    pod: podUsing('p', 'c'),
    nodes: [a],
    storage: [boundClaim('c', 'v'), aVolume('v')],
    want: 'skip',
  },
  { name: 'a node that sets no limit', pod: podUsing('p', 'c1'), nodes: [a], storage: three, want: [''] },
  {
    name: 'a node that is full, and one that is not',
    pod: podUsing('p', 'c1'),
    nodes: [a, b],
    placed: [[podUsing('q', 'c2'), 'a']],
    storage: [...three, aCsiNode('a', { d: 1 }), aCsiNode('b', { d: 1 })],
    want: [full, ''],
  },
  {
    name: 'a volume counts once',
    pod: podUsing('p', 'c2'),
    nodes: [a],
    placed: [[podUsing('q', 'c2'), 'a']],
    storage: [...three, aCsiNode('a', { d: 1 })],
    want: [''],
  },
  {
    name: 'two at a time are too many',
    pod: podUsing('p', 'c1', 'c3'),
    nodes: [a],
    placed: [[podUsing('q', 'c2'), 'a']],
    storage: [...three, aCsiNode('a', { d: 2 })],
    want: [full],
  },
  {
    name: 'a node whose limit is of another driver',
    pod: podUsing('p', 'c1'),
    nodes: [a],
    storage: [...three, aCsiNode('a', { e: 0 })],
    want: [''],
  },
  {
    name: 'a volume that is still to be made',
    pod: podUsing('p', 'new'),
    nodes: [a],
    placed: [[podUsing('q', 'c2'), 'a']],
    storage: [...three, aClaim('new'), aClass('slow', { provisioner: 'd' }), aCsiNode('a', { d: 1 })],
    want: [full],
  },
  {
    name: 'a volume that is attached still, though its pod has gone',
    pod: podUsing('p', 'c1'),
    nodes: [a],
    storage: [...three, aCsiNode('a', { d: 1 })],
    attached: ['v2'],
    want: [full],
  },
  {
    name: 'its own volume, attached already',
    pod: podUsing('p', 'c1'),
    nodes: [a],
    storage: [...three, aCsiNode('a', { d: 1 })],
    attached: ['v1'],
    want: [''],
  },
  {
    name: 'a claim that has gone from under a pod',
    pod: podUsing('p', 'c1'),
    nodes: [a],
    placed: [[podUsing('q', 'gone'), 'a']],
    storage: [...three, aCsiNode('a', { d: 1 })],
    want: [''],
  },
];
for (const { name, want, attached = [], ...told } of limits) {
  test(`NodeVolumeLimits: ${name}`, () => {
    const prepare = ({ storage }: ClusterState): void => {
      for (const volume of attached)
        storage.apply({ kind: 'volume-attachment', before: undefined, after: attachment(volume) });
    };
    assert.deepEqual(says(nodeVolumeLimits, told, prepare), want);
  });
}

const someUse = fc.uniqueArray(fc.nat(5), { maxLength: 3 });
test('NodeVolumeLimits: it says what counting does', () => {
  let refusals = 0;
  fc.assert(
    fc.property(fc.array(someUse, { maxLength: 4 }), someUse, fc.nat(4), (uses, wanted, count) => {
      const storage = Array.from({ length: 6 }, (_, n) => [
        boundClaim(`c${n}`, `v${n}`),
        csi(`v${n}`, `h${n % 5}`),
      ]).flat();
      const of = (name: string, numbers: readonly number[]): Pod => podUsing(name, ...numbers.map((n) => `c${n}`));
      const placed = uses.map((numbers, n) => [of(`q${n}`, numbers), 'a'] as const);
      const said = says(nodeVolumeLimits, {
        pod: of('p', wanted),
        nodes: [a],
        placed,
        storage: [...storage, aCsiNode('a', { d: count })],
      });
      const handles = (numbers: readonly number[]): readonly number[] => numbers.map((n) => n % 5);
      const before = new Set(uses.flatMap(handles));
      const after = new Set([...before, ...handles(wanted)]);
      const isFull = after.size > before.size && after.size > count;
      if (isFull) refusals++;
      assert.equal(said !== 'skip' && said[0] === full, isFull);
    }),
    { numRuns: 500 },
  );
  assert.ok(refusals > 50, `only ${refusals} refused`);
});
