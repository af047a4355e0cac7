import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { Node, PersistentVolume, PersistentVolumeClaim, Pod } from '#api/generated/core-v1.ts';
import type { CSIStorageCapacity, StorageClass } from '#api/generated/storage-v1.ts';
import type { Uid } from '#api/meta.ts';
import { volumeAnnotations } from '#api/persistent-volumes.ts';
import { parseQuantity, value } from '#api/quantity.ts';
import { aClaim, aClass, aVolume, boundClaim, refOf } from '#api/volume-fixtures.ts';
import { ClusterState } from '#scheduler/cluster-state.ts';
import { aNode, aPod } from '#scheduler/fixtures.ts';
import { volumeBinding } from '#scheduler/plugins/volume-binding/volume-binding.ts';
import { add, podUsing } from '#scheduler/storage/fixtures.ts';
import type { StorageState } from '#scheduler/storage/storage-state.ts';

type Given = Parameters<typeof add>[1];

const east = aNode('east', { labels: { zone: 'east' } });
const west = aNode('west', { labels: { zone: 'west' } });

/** What is said of a pod everywhere, or of each node: '' where it may go. */
function says(
  pod: Pod,
  storage: (storage: StorageState) => void,
  nodes: readonly Node[] = [east, west],
): string | object {
  const cluster = new ClusterState();
  for (const node of nodes) cluster.setNode(node);
  storage(cluster.storage);
  const answer = volumeBinding.consider(pod, cluster);
  if (answer.kind === 'skip') return 'skip';
  if (answer.kind === 'rejected') return `${answer.final ? '!' : ''}${answer.reasons.join()}`;
  return Object.fromEntries(
    cluster.nodes.map((node) => {
      const verdict = answer.filter?.(node);
      return [node.name, verdict?.kind === 'rejected' ? `${verdict.final ? '!' : ''}${verdict.reasons.join()}` : ''];
    }),
  );
}

const nowhere = (reason: string): object => ({ east: `!${reason}`, west: `!${reason}` });
const everywhere = { east: '', west: '' };
const unreachable = "node(s) didn't match PersistentVolume's node affinity";
const noVolume = "node(s) didn't find available persistent volumes to bind";
const noRoom = 'node(s) did not have enough free storage';

const ephemeralPod = aPod(
  'p',
  {},
  { volumes: [{ name: 'scratch', ephemeral: { volumeClaimTemplate: { spec: { accessModes: ['ReadWriteOnce'] } } } }] },
);
const owned = {
  ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'uid-p' as Uid, controller: true }],
};
const provisioned = { provisioner: 'd.example.com' };
const driver = (storageCapacity: boolean) => ({
  apiVersion: 'storage.k8s.io/v1' as const,
  kind: 'CSIDriver' as const,
  metadata: aClass('d.example.com').metadata,
  spec: { storageCapacity },
});
const room = (parts: Partial<CSIStorageCapacity>): CSIStorageCapacity => ({
  apiVersion: 'storage.k8s.io/v1',
  kind: 'CSIStorageCapacity',
  metadata: { ...aClass(`room-${parts.capacity}-${parts.maximumVolumeSize}`).metadata, namespace: 'kube-system' },
  storageClassName: 'slow',
  nodeTopology: { matchLabels: { zone: 'east' } },
  ...parts,
});
const withRooms =
  (tells: boolean, ...rooms: readonly CSIStorageCapacity[]) =>
  (storage: StorageState): void => {
    add(storage, aClaim('c'), aClass('slow', provisioned));
    storage.apply({ kind: 'csi-driver', before: undefined, after: driver(tells) });
    for (const after of rooms) storage.apply({ kind: 'storage-capacity', before: undefined, after });
  };

const cases: readonly {
  readonly name: string;
  readonly pod?: Pod;
  readonly storage?: readonly Given[];
  readonly more?: (storage: StorageState) => void;
  readonly want: string | object;
}[] = [
  { name: 'a pod without claims', pod: aPod('p'), want: 'skip' },
  { name: 'a claim that is not there', want: '!persistentvolumeclaim "c" not found' },
  {
    name: 'a claim whose volume is lost',
    storage: [aClaim('c', { spec: { volumeName: 'v' }, phase: 'Lost' })],
    want: '!persistentvolumeclaim "c" bound to non-existent persistentvolume "v"',
  },
  {
    name: 'a claim that is being deleted',
    storage: [aClaim('c', { meta: { deletionTimestamp: '2026-01-01T00:00:00Z' } })],
    want: '!persistentvolumeclaim "c" is being deleted',
  },
  {
    name: 'an ephemeral volume before its claim is made',
    pod: ephemeralPod,
    want: '!waiting for ephemeral volume controller to create the persistentvolumeclaim "p-scratch"',
  },
  {
    name: "an ephemeral volume's claim of somebody else",
    pod: ephemeralPod,
    storage: [aClaim('p-scratch')],
    want: '!PVC default/p-scratch was not created for pod default/p (pod is not owner)',
  },
  {
    name: "an ephemeral volume's claim",
    pod: ephemeralPod,
    storage: [aClaim('p-scratch', { meta: owned }), aClass('slow', provisioned)],
    want: everywhere,
  },
  {
    name: 'an unbound claim of a class that binds at once',
    storage: [aClaim('c'), aClass('slow', { volumeBindingMode: 'Immediate' })],
    want: '!pod has unbound immediate PersistentVolumeClaims',
  },
  {
    name: 'an unbound claim of a class that is not there',
    storage: [aClaim('c'), aVolume('v')],
    want: '!pod has unbound immediate PersistentVolumeClaims',
  },
  {
    name: 'an unbound claim that names its volume',
    storage: [aClaim('c', { spec: { volumeName: 'v' } }), aClass('slow'), aVolume('v')],
    want: '!pod has unbound immediate PersistentVolumeClaims',
  },
  { name: 'a bound claim', storage: [boundClaim('c', 'v'), aVolume('v')], want: everywhere },
  {
    name: 'a bound claim whose volume is in the east',
    storage: [boundClaim('c', 'v'), aVolume('v', { zone: 'east' })],
    want: { east: '', west: `!${unreachable}` },
  },
  {
    name: 'a bound claim whose volume is gone',
    storage: [boundClaim('c', 'v')],
    want: nowhere('node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)'),
  },
  {
    name: 'a claim that waits, and a volume in the east',
    storage: [aClaim('c'), aClass('slow'), aVolume('v', { zone: 'east' })],
    want: { east: '', west: `!${noVolume}` },
  },
  {
    name: 'a volume of another class, too small, taken, going, or not free yet',
    storage: [
      aClaim('c'),
      aClass('slow'),
      aVolume('fast', { spec: { storageClassName: 'fast' } }),
      aVolume('small', { size: '1023Mi' }),
      aVolume('taken', { for: aClaim('other') }),
      { ...aVolume('going'), metadata: { ...aVolume('going').metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } },
      aVolume('new', { phase: 'Pending' }),
      aVolume('block', { spec: { volumeMode: 'Block' } }),
      aVolume('read', { spec: { accessModes: ['ReadOnlyMany'] } }),
    ],
    want: nowhere(noVolume),
  },
  {
    name: 'a selector that a volume does not match',
    storage: [aClaim('c', { spec: { selector: { matchLabels: { disk: 'ssd' } } } }), aClass('slow'), aVolume('v')],
    want: nowhere(noVolume),
  },
  {
    name: 'a volume kept for the claim wins, wherever it is',
    storage: [aClaim('c'), aClass('slow'), aVolume('v'), aVolume('kept', { zone: 'west', for: aClaim('c') })],
    want: { east: `!${noVolume}`, west: '' },
  },
  {
    name: 'two claims and one volume',
    pod: podUsing('p', 'c', 'd'),
    storage: [aClaim('c'), aClaim('d'), aClass('slow'), aVolume('v')],
    want: nowhere(noVolume),
  },
  {
    name: 'two claims, of which the larger needs the larger volume',
    pod: podUsing('p', 'large', 'small'),
    storage: [
      aClaim('large', { size: '2Gi' }),
      aClaim('small'),
      aClass('slow'),
      aVolume('l', { size: '2Gi' }),
      aVolume('s'),
    ],
    want: everywhere,
  },
  {
    name: 'both: a bound one in the east, one that finds nothing',
    pod: podUsing('p', 'b', 'c'),
    storage: [boundClaim('b', 'v'), aVolume('v', { zone: 'east', phase: 'Bound' }), aClaim('c'), aClass('slow')],
    want: { east: `!${noVolume}`, west: `!${unreachable},${noVolume}` },
  },
  {
    name: 'a volume can be made',
    storage: [aClaim('c'), aClass('slow', provisioned)],
    want: everywhere,
  },
  {
    name: 'a volume can be made in the west',
    storage: [
      aClaim('c'),
      aClass('slow', {
        ...provisioned,
        allowedTopologies: [{}, { matchLabelExpressions: [{ key: 'zone', values: ['north', 'west'] }] }],
      }),
    ],
    want: { east: `!${noVolume}`, west: '' },
  },
  {
    name: 'a volume is being made for the west',
    storage: [aClaim('c', { annotations: { [volumeAnnotations.selectedNode]: 'west' } }), aClass('slow', provisioned)],
    want: { east: `!${noVolume}`, west: '' },
  },
  { name: 'a driver that says how much room there is, and none', more: withRooms(true), want: nowhere(noRoom) },
  { name: 'a driver that does not say it', more: withRooms(false), want: everywhere },
  {
    name: 'room enough in the east',
    more: withRooms(true, room({ capacity: '1Gi' })),
    want: { east: '', west: `!${noRoom}` },
  },
  {
    name: 'room enough, but not for one volume',
    more: withRooms(true, room({ capacity: '9Gi', maximumVolumeSize: '512Mi' })),
    want: nowhere(noRoom),
  },
];
for (const { name, pod = podUsing('p', 'c'), storage = [], more = () => {}, want } of cases) {
  test(`VolumeBinding: ${name}`, () => {
    const all = (state: StorageState): void => {
      add(state, ...storage);
      more(state);
    };
    assert.deepEqual(says(pod, all), want);
  });
}

/** Node by node and volume by volume, as upstream's documentation tells it. */
function slowly(
  node: Node,
  claims: readonly PersistentVolumeClaim[],
  volumes: readonly PersistentVolume[],
  classes: readonly StorageClass[],
): boolean {
  const bytes = (text: string | undefined): number => value(parseQuantity(text ?? '0'));
  const isHere = ({ spec }: PersistentVolume): boolean =>
    spec.nodeAffinity === undefined ||
    spec.nodeAffinity.required?.nodeSelectorTerms[0]?.matchExpressions?.[0]?.values?.[0] ===
      node.metadata.labels?.['zone'];
  const sizeOf = (claim: PersistentVolumeClaim): number => bytes(claim.spec.resources?.requests?.['storage']);
  const gone = new Set<string>();
  const left: PersistentVolumeClaim[] = [];
  for (const claim of claims.toSorted((a, b) => sizeOf(a) - sizeOf(b))) {
    const ours = volumes.filter(({ spec }) => spec.storageClassName === claim.spec.storageClassName);
    const large = ours.filter(({ spec }) => bytes(spec.capacity?.['storage']) >= sizeOf(claim));
    const kept = large.find(({ spec }) => spec.claimRef?.name === claim.metadata.name);
    const free = large
      .filter((volume) => volume.spec.claimRef === undefined && volume.status?.phase === 'Available')
      .filter((volume) => !gone.has(volume.metadata.name) && isHere(volume))
      .toSorted((a, b) => bytes(a.spec.capacity?.['storage']) - bytes(b.spec.capacity?.['storage']));
    const found = kept === undefined ? free[0] : isHere(kept) ? kept : undefined;
    if (found === undefined) left.push(claim);
    else gone.add(found.metadata.name);
  }
  return left.every((claim) => {
    const of = classes.find(({ metadata }) => metadata.name === claim.spec.storageClassName);
    const zones = of?.allowedTopologies?.[0]?.matchLabelExpressions?.[0]?.values;
    if (of === undefined || of.provisioner === 'kubernetes.io/no-provisioner') return false;
    return zones === undefined || zones.includes(node.metadata.labels?.['zone'] ?? '');
  });
}

const someSize = fc.constantFrom('1Gi', '2Gi', '3Gi');
const someZone = fc.option(fc.constantFrom('east', 'west'), { nil: undefined });
const someClassName = fc.constantFrom('slow', 'fast');
const someClaim = fc.record({ size: someSize, className: someClassName });
const someVolume = fc.record({
  size: someSize,
  className: someClassName,
  zone: someZone,
  phase: fc.constantFrom('Available' as const, 'Available' as const, 'Pending' as const),
  kept: fc.option(fc.nat(2), { nil: undefined, freq: 4 }),
});

test('VolumeBinding: it decides as a plain look at every volume for every node does', () => {
  let decided = 0;
  fc.assert(
    fc.property(
      fc.array(someClaim, { minLength: 1, maxLength: 3 }),
      fc.array(someVolume, { maxLength: 5 }),
      fc.record({ slow: someZone, fast: someZone, makes: fc.constantFrom('slow', 'fast', 'neither', 'both') }),
      (wanted, there, makes) => {
        const claims = wanted.map(({ size, className }, n) =>
          aClaim(`c${n}`, { size, spec: { storageClassName: className } }),
        );
        const volumes = there.map(({ size, className, zone, phase, kept }, n) =>
          aVolume(`v${n}`, {
            size,
            phase,
            ...(zone === undefined ? {} : { zone }),
            spec: {
              storageClassName: className,
              ...(kept === undefined ? {} : { claimRef: refOf(aClaim(`c${kept}`)) }),
            },
          }),
        );
        const classes = (['slow', 'fast'] as const).map((name) => {
          const zone = makes[name];
          const isMade = makes.makes === name || makes.makes === 'both';
          return aClass(name, {
            ...(isMade ? provisioned : {}),
            ...(zone === undefined
              ? {}
              : { allowedTopologies: [{ matchLabelExpressions: [{ key: 'zone', values: [zone] }] }] }),
          });
        });
        const pod = podUsing('p', ...claims.map(({ metadata }) => metadata.name));
        const said = says(pod, (storage) => add(storage, ...claims, ...volumes, ...classes)) as Record<string, string>;
        for (const node of [east, west]) {
          const fits = slowly(node, claims, volumes, classes);
          if (fits) decided++;
          assert.equal(said[node.metadata.name] === '', fits, node.metadata.name);
        }
      },
    ),
    { numRuns: 2_000 },
  );
  assert.ok(decided > 400, `only ${decided} fitted`);
});
