import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { Node } from '#api/generated/core-v1.ts';
import { aClaim, aClass, aVolume, boundClaim } from '#api/volume-fixtures.ts';
import { aNode, aPod } from '#scheduler/fixtures.ts';
import { volumeZone } from '#scheduler/plugins/volume-zone.ts';
import { podUsing, says, type Told } from '#scheduler/storage/fixtures.ts';

const a = aNode('a');
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
