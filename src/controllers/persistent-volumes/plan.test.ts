import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { PersistentVolume, PersistentVolumeClaim } from '#api/generated/core-v1.ts';
import type { StorageClass } from '#api/generated/storage-v1.ts';
import type { ResourceVersion, Uid } from '#api/meta.ts';
import { claimFinalizer, isFullyBound, volumeAnnotations, volumeFinalizer } from '#api/persistent-volumes.ts';
import { aClaim, aClass, aVolume, boundClaim, refOf } from '#api/volume-fixtures.ts';
import { pod } from '#controllers/fixtures.ts';
import { planClaim, type StorageFacts } from '#controllers/persistent-volumes/plan-claim.ts';
import { planVolume } from '#controllers/persistent-volumes/plan-volume.ts';
import { protectClaim, protectVolume } from '#controllers/persistent-volumes/protection.ts';
import type { Step } from '#controllers/persistent-volumes/step.ts';

const factsOf = (
  volumes: readonly PersistentVolume[],
  classes: readonly StorageClass[] = [],
  defaultClass?: StorageClass,
): StorageFacts => ({
  volumes,
  volume: (name) => volumes.find(({ metadata }) => metadata.name === name),
  storageClass: (name) => classes.find(({ metadata }) => metadata.name === name),
  defaultClass,
});

/** What is written, in a word or two, and what is told. */
function told({ write, event }: Step): string {
  const said = event === undefined ? '' : ` ${event.text.type} ${event.text.reason}: ${event.text.message}`;
  return `${writeText(write)}${said}`.trim();
}

function writeText(write: Step['write']): string {
  switch (write?.kind) {
    case undefined:
      return '';
    case 'claim': {
      const { spec, metadata } = write.object;
      const marks = Object.keys(metadata.annotations ?? {}).map((key) => key.split('/')[1]);
      return `claim ${spec.volumeName ?? '-'} ${spec.storageClassName ?? '-'} [${marks.join()}]`;
    }
    case 'volume':
      return `volume ${write.object.metadata.name} for ${write.object.spec.claimRef?.name ?? 'nobody'} ${write.object.spec.claimRef?.uid ?? ''}`.trim();
    case 'claim-status':
      return `claim is ${write.object.status?.phase} ${write.object.status?.capacity?.['storage'] ?? ''}`.trim();
    case 'volume-status':
      return `volume is ${write.object.status?.phase} ${write.object.status?.message ?? ''}`.trim();
  }
}

const wanted = aClaim('c');
const taken = aVolume('v', { for: wanted });
const isBound = aVolume('v', { for: wanted, phase: 'Bound' });
const halfBound = boundClaim('c', 'v');
const marked = { ...halfBound, status: { phase: 'Pending' as const } };
const whole: PersistentVolumeClaim = {
  ...halfBound,
  status: { phase: 'Bound', accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' } },
};
const named = aClaim('c', { spec: { volumeName: 'v' } });
const noClass = aClaim('c', { spec: { storageClassName: '' } });
const { storageClassName: _, ...unsaid } = wanted.spec;
const atOnce = aClass('slow', { volumeBindingMode: 'Immediate', provisioner: 'd.example.com' });

const claims: readonly {
  readonly name: string;
  readonly claim: PersistentVolumeClaim;
  readonly facts: StorageFacts;
  readonly want: string;
}[] = [
  { name: 'a volume that suits it', claim: wanted, facts: factsOf([aVolume('v')]), want: 'volume v for c uid-c' },
  { name: 'the volume is its own', claim: wanted, facts: factsOf([taken]), want: 'volume is Bound' },
  {
    name: 'and says so',
    claim: wanted,
    facts: factsOf([isBound]),
    want: 'claim v slow [bind-completed,bound-by-controller]',
  },
  { name: 'the claim says which', claim: marked, facts: factsOf([isBound]), want: 'claim is Bound 1Gi' },
  { name: 'all is said', claim: whole, facts: factsOf([isBound]), want: '' },
  {
    name: 'the smallest of those with the fewest modes',
    claim: wanted,
    facts: factsOf([
      aVolume('many', { spec: { accessModes: ['ReadWriteOnce', 'ReadOnlyMany'] } }),
      aVolume('large', { size: '2Gi' }),
      aVolume('small', { size: '1500Mi' }),
    ]),
    want: 'volume small for c uid-c',
  },
  {
    name: 'none that suits it, and a class that is not there',
    claim: wanted,
    facts: factsOf([aVolume('other', { spec: { storageClassName: 'fast' } })]),
    want: 'Warning ProvisioningFailed: storageclass.storage.k8s.io "slow" not found',
  },
  {
    name: 'one is not there yet',
    claim: wanted,
    facts: factsOf([aVolume('v', { phase: 'Pending' })], [atOnce]),
    want: "claim - slow [storage-provisioner,storage-provisioner] Normal ExternalProvisioning: Waiting for a volume to be created either by the external provisioner 'd.example.com' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.",
  },
  {
    name: 'a class whose volumes nobody makes',
    claim: wanted,
    facts: factsOf([], [aClass('slow', { volumeBindingMode: 'Immediate' })]),
    want: 'Warning ProvisioningFailed: no volume plugin matched name: kubernetes.io/no-provisioner',
  },
  {
    name: 'no class, no volume',
    claim: noClass,
    facts: factsOf([aVolume('v')], [], aClass('usual')),
    want: 'Normal FailedBinding: no persistent volumes available for this claim and no storage class is set',
  },
  {
    name: 'no class said, and there is a usual one',
    claim: { ...wanted, spec: unsaid },
    facts: factsOf([], [], aClass('usual')),
    want: 'claim - usual []',
  },
  {
    name: 'a class whose claims wait for their pods',
    claim: wanted,
    facts: factsOf([aVolume('v')], [aClass('slow')]),
    want: 'Normal WaitForFirstConsumer: waiting for first consumer to be created before binding',
  },
  {
    name: 'the scheduler has given it a volume',
    claim: wanted,
    facts: factsOf([aVolume('other'), taken], [aClass('slow')]),
    want: 'volume is Bound',
  },
  { name: 'a volume that it names', claim: named, facts: factsOf([aVolume('v')]), want: 'volume v for c uid-c' },
  {
    name: 'a volume that it names and that is bound to it',
    claim: named,
    facts: factsOf([isBound]),
    want: 'claim v slow [bind-completed]',
  },
  {
    name: 'a volume that it names and that will not do',
    claim: named,
    facts: factsOf([aVolume('v', { size: '1Mi' })]),
    want: 'Warning VolumeMismatch: Cannot bind to requested volume "v": requested PV is too small',
  },
  {
    name: 'a volume that it names and that is taken',
    claim: named,
    facts: factsOf([aVolume('v', { for: aClaim('other') })]),
    want: 'Warning FailedBinding: volume "v" already bound to a different claim.',
  },
  { name: 'a volume that it names and that is to come', claim: named, facts: factsOf([]), want: '' },
  {
    name: 'its volume is gone',
    claim: whole,
    facts: factsOf([]),
    want: 'claim is Lost Warning ClaimLost: Bound claim has lost its PersistentVolume. Data on the volume is lost!',
  },
  {
    name: 'its volume is another claims',
    claim: whole,
    facts: factsOf([aVolume('v', { for: aClaim('other') })]),
    want: 'claim is Lost Warning ClaimMisbound: Two claims are bound to the same volume, this one is bound incorrectly',
  },
  {
    name: 'it is lost, and that was said',
    claim: { ...whole, status: { phase: 'Lost' } },
    facts: factsOf([]),
    want: '',
  },
];
for (const { name, claim, facts, want } of claims) {
  test(`claims: ${name}`, () => assert.equal(told(planClaim(claim, facts)), want));
}

const released = aVolume('v', { for: wanted, phase: 'Released' });
const withPolicy = (volume: PersistentVolume, policy: 'Delete' | 'Recycle', annotations = {}): PersistentVolume => ({
  ...volume,
  metadata: { ...volume.metadata, annotations },
  spec: { ...volume.spec, persistentVolumeReclaimPolicy: policy },
});
const elsewhere = boundClaim('c', 'other');

const volumes: readonly {
  readonly name: string;
  readonly volume: PersistentVolume;
  readonly claim?: PersistentVolumeClaim;
  readonly want: string;
}[] = [
  { name: 'a new one', volume: aVolume('v', { phase: 'Pending' }), want: 'volume is Available' },
  { name: 'a free one', volume: aVolume('v'), want: '' },
  {
    name: 'one that is meant for a claim to come',
    volume: aVolume('v', { phase: 'Pending', spec: { claimRef: { namespace: 'default', name: 'c' } } }),
    want: 'volume is Available',
  },
  { name: 'its claim is about to take it', volume: taken, claim: wanted, want: '' },
  { name: 'its claim has it', volume: taken, claim: whole, want: 'volume is Bound' },
  { name: 'its claim is gone', volume: isBound, want: 'volume is Released' },
  {
    name: 'another claim has the name',
    volume: isBound,
    claim: aClaim('c', { meta: { uid: 'uid-new' as Uid } }),
    want: 'volume is Released',
  },
  { name: 'it is kept', volume: released, want: '' },
  {
    name: 'nobody can empty it',
    volume: withPolicy(released, 'Recycle'),
    want: 'volume is Failed No recycler plugin found for the volume! Warning VolumeFailedRecycle: No recycler plugin found for the volume!',
  },
  {
    name: 'nobody can delete it',
    volume: withPolicy(released, 'Delete'),
    want: 'volume is Failed error getting deleter volume plugin for volume "v": no deletable volume plugin matched Warning VolumeFailedDelete: error getting deleter volume plugin for volume "v": no deletable volume plugin matched',
  },
  {
    name: 'who made it deletes it',
    volume: withPolicy(released, 'Delete', { [volumeAnnotations.provisionedBy]: 'd' }),
    want: '',
  },
  {
    name: 'its claim has another: it was meant for it',
    volume: taken,
    claim: elsewhere,
    want: 'volume v for c',
  },
  {
    name: 'its claim has another: it was found for it',
    volume: {
      ...taken,
      metadata: { ...taken.metadata, annotations: { [volumeAnnotations.boundByController]: 'yes' } },
    },
    claim: elsewhere,
    want: 'volume v for nobody',
  },
];
for (const { name, volume, claim, want } of volumes) {
  test(`volumes: ${name}`, () => assert.equal(told(planVolume(volume, claim)), want));
}

const going = { deletionTimestamp: '2026-01-01T00:00:00Z' };
const finalizersOf = (write: ReturnType<typeof protectClaim>): unknown => write?.object.metadata.finalizers;

test('protection: a claim stays while a pod on a node uses it, a volume while it is bound', () => {
  const kept = aClaim('c', { meta: { ...going, finalizers: [claimFinalizer, 'other'] } });
  assert.deepEqual(finalizersOf(protectClaim(wanted, [])), [claimFinalizer]);
  assert.equal(protectClaim(kept, [pod()]), undefined);
  assert.deepEqual(finalizersOf(protectClaim(kept, [pod({ nodeName: undefined })])), ['other']);
  assert.equal(protectClaim(aClaim('c', { meta: going }), []), undefined, 'it is too late to keep it');
  const volume = (phase: 'Bound' | 'Released'): PersistentVolume => {
    const made = aVolume('v', { phase });
    return { ...made, metadata: { ...made.metadata, ...going, finalizers: [volumeFinalizer] } };
  };
  assert.equal(protectVolume(volume('Bound')), undefined);
  assert.deepEqual(finalizersOf(protectVolume(volume('Released'))), []);
});

/** Claims and volumes as an API server keeps them, and the plans that are made of them, one at a time in any order. */
class World {
  readonly claims = new Map<string, PersistentVolumeClaim>();
  readonly volumes = new Map<string, PersistentVolume>();
  writes = 0;

  step(which: number): boolean {
    const facts = factsOf(
      [...this.volumes.values()],
      [aClass('late'), aClass('slow', { volumeBindingMode: 'Immediate' })],
    );
    const steps = [
      ...[...this.claims.values()].map((claim) => planClaim(claim, facts)),
      ...[...this.volumes.values()].map((volume) =>
        planVolume(volume, this.claims.get(volume.spec.claimRef?.name ?? '')),
      ),
    ].filter(({ write }) => write !== undefined);
    const chosen = steps[which % Math.max(1, steps.length)];
    if (chosen?.write === undefined) return false;
    this.writes++;
    const { kind, object } = chosen.write;
    if (kind === 'claim' || kind === 'claim-status')
      this.claims.set(object.metadata.name, object as PersistentVolumeClaim);
    else this.volumes.set(object.metadata.name, object as PersistentVolume);
    return true;
  }

  /** No volume has two claims, and no claim is bound to a volume that is not its own. */
  check(): void {
    const owners = new Map<string, string>();
    for (const claim of this.claims.values()) {
      const { volumeName } = claim.spec;
      if (!isFullyBound(claim) || !volumeName || claim.status?.phase === 'Lost') continue;
      const volume = this.volumes.get(volumeName);
      if (volume?.spec.claimRef?.uid !== claim.metadata.uid) continue;
      assert.equal(owners.get(volumeName), undefined, `${volumeName} has two claims`);
      owners.set(volumeName, claim.metadata.name);
    }
  }
}

const someMeddling = fc.oneof(
  fc.record({
    kind: fc.constant('claim' as const),
    n: fc.nat(2),
    size: fc.constantFrom('1Gi', '2Gi'),
    of: fc.constantFrom('slow', 'late'),
    names: fc.option(fc.nat(2)),
  }),
  fc.record({
    kind: fc.constant('volume' as const),
    n: fc.nat(2),
    size: fc.constantFrom('1Gi', '2Gi'),
    meant: fc.option(fc.nat(2)),
  }),
  fc.record({ kind: fc.constant('no claim' as const), n: fc.nat(2) }),
  fc.record({ kind: fc.constant('no volume' as const), n: fc.nat(2) }),
  fc.record({ kind: fc.constant('steps' as const), picks: fc.array(fc.nat(5), { maxLength: 4 }) }),
);

test('claims and volumes: whatever is done to them they come to rest, and no volume has two claims', () => {
  let born = 0;
  let bound = 0;
  fc.assert(
    fc.property(
      fc.array(someMeddling, { minLength: 8, maxLength: 24 }),
      fc.infiniteStream(fc.nat(5)),
      (meddling, order) => {
        const world = new World();
        for (const each of meddling) {
          born++;
          const meta = { uid: `uid-${born}` as Uid, resourceVersion: `${born}` as ResourceVersion };
          switch (each.kind) {
            case 'claim': {
              const spec = {
                storageClassName: each.of,
                ...(each.names === null ? {} : { volumeName: `v${each.names}` }),
              };
              if (!world.claims.has(`c${each.n}`))
                world.claims.set(`c${each.n}`, aClaim(`c${each.n}`, { size: each.size, spec, meta }));
              break;
            }
            case 'volume': {
              const { uid: __, ...claimRef } = refOf(aClaim(`c${each.meant}`));
              const spec = each.meant === null ? {} : { claimRef };
              if (!world.volumes.has(`v${each.n}`))
                world.volumes.set(`v${each.n}`, aVolume(`v${each.n}`, { size: each.size, phase: 'Pending', spec }));
              break;
            }
            case 'no claim':
              world.claims.delete(`c${each.n}`);
              break;
            case 'no volume':
              world.volumes.delete(`v${each.n}`);
              break;
            case 'steps':
              for (const pick of each.picks) world.step(pick);
          }
          world.check();
        }
        world.writes = 0;
        for (const pick of order) {
          if (!world.step(pick)) break;
          world.check();
          assert.ok(world.writes < 60, 'it goes on for ever');
        }
        bound += [...world.claims.values()].filter(({ status }) => status?.phase === 'Bound').length;
      },
    ),
    { numRuns: 1_500 },
  );
  assert.ok(bound > 200, `only ${bound} were bound`);
});
