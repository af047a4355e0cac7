import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { Pod } from '#api/generated/core-v1.ts';
import type { VolumeAttachment } from '#api/generated/storage-v1.ts';
import type { Uid } from '#api/meta.ts';
import { aClaim, aClass, aCsiNode, aVolume, boundClaim } from '#api/volume-fixtures.ts';
import type { ClusterState } from '#scheduler/cluster-state.ts';
import { aNode, aPod } from '#scheduler/fixtures.ts';
import { nodeVolumeLimits } from '#scheduler/plugins/node-volume-limits.ts';
import { podUsing, says, type Told } from '#scheduler/storage/fixtures.ts';

const [a, b] = [aNode('a'), aNode('b')];
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
