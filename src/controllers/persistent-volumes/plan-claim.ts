import type { PersistentVolume, PersistentVolumeClaim } from '#api/generated/core-v1.ts';
import type { StorageClass } from '#api/generated/storage-v1.ts';
import { classOf, isForClaim, isFullyBound, namesClass, volumeAnnotations } from '#api/persistent-volumes.ts';
import { semanticallyEqual } from '#api/semantic-diff.ts';
import { claimedBy } from '#api/volume-claiming.ts';
import { isLargeEnough, isSameMode, offers, suitableVolumes } from '#api/volume-matching.ts';
import {
  inPhase,
  nothing,
  notice,
  type Step,
  type VolumeEvent,
  warning,
} from '#controllers/persistent-volumes/step.ts';

const { bindCompleted, boundByController, selectedNode, storageProvisioner, betaStorageProvisioner } =
  volumeAnnotations;

/** What is looked at beside the claim. */
export interface StorageFacts {
  volume(name: string): PersistentVolume | undefined;
  readonly volumes: readonly PersistentVolume[];
  storageClass(name: string): StorageClass | undefined;
  /** For claims that name no class. */
  readonly defaultClass: StorageClass | undefined;
}

/**
 * A claim and its volume come to terms in four writes: the volume says whose it is, and that it is bound; then the claim which volume
 * it has, and that it is bound. A claim that has been bound stays so, or is lost. Upstream's syncClaim.
 */
export const planClaim = (claim: PersistentVolumeClaim, facts: StorageFacts): Step =>
  claim.metadata.annotations?.[bindCompleted] === undefined ? planUnbound(claim, facts) : planBound(claim, facts);

function planUnbound(claim: PersistentVolumeClaim, facts: StorageFacts): Step {
  const { volumeName } = claim.spec;
  if (!volumeName) return planSearch(claim, facts);
  const volume = facts.volume(volumeName);
  if (volume === undefined) return pending(claim);
  if (volume.spec.claimRef === undefined) {
    const why = mismatch(volume, claim);
    if (why === undefined) return bind(claim, volume);
    const message = `Cannot bind to requested volume ${JSON.stringify(volumeName)}: ${why}`;
    return pending(claim, warning(claim, 'VolumeMismatch', message));
  }
  if (isForClaim(volume, claim)) return bind(claim, volume);
  const message = `volume ${JSON.stringify(volumeName)} already bound to a different claim.`;
  return pending(claim, warning(claim, 'FailedBinding', message));
}

function planSearch(claim: PersistentVolumeClaim, facts: StorageFacts): Step {
  const storageClass = facts.storageClass(classOf(claim));
  const isDelayed = storageClass?.volumeBindingMode === 'WaitForFirstConsumer';
  const offered = facts.volumes.filter((volume) => offers(volume, claim));
  const [best] = suitableVolumes(claim, offered, 'modes');
  if (best !== undefined && (!isDelayed || isForClaim(best, claim))) return bind(claim, best);
  if (!namesClass(claim) && facts.defaultClass !== undefined) {
    const spec = { ...claim.spec, storageClassName: facts.defaultClass.metadata.name };
    return { write: { kind: 'claim', object: { ...claim, spec } } };
  }
  const isWanted = claim.metadata.annotations?.[selectedNode] !== undefined;
  if (isDelayed && !isWanted) {
    const message = 'waiting for first consumer to be created before binding';
    return pending(claim, notice(claim, 'WaitForFirstConsumer', message));
  }
  if (classOf(claim) === '') {
    const message = 'no persistent volumes available for this claim and no storage class is set';
    return pending(claim, notice(claim, 'FailedBinding', message));
  }
  return provision(claim, storageClass);
}

/** Volumes are made by others: they find the claims that are theirs by an annotation. */
function provision(claim: PersistentVolumeClaim, storageClass: StorageClass | undefined): Step {
  if (storageClass === undefined) {
    const message = `storageclass.storage.k8s.io ${JSON.stringify(classOf(claim))} not found`;
    return pending(claim, warning(claim, 'ProvisioningFailed', message));
  }
  const { provisioner } = storageClass;
  if (provisioner.startsWith('kubernetes.io/')) {
    const message = `no volume plugin matched name: ${provisioner}`;
    return pending(claim, warning(claim, 'ProvisioningFailed', message));
  }
  const message = `Waiting for a volume to be created either by the external provisioner '${provisioner}' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.`;
  const event = notice(claim, 'ExternalProvisioning', message);
  if (claim.metadata.annotations?.[storageProvisioner] === provisioner) return pending(claim, event);
  const names = { [storageProvisioner]: provisioner, [betaStorageProvisioner]: provisioner };
  return { write: { kind: 'claim', object: annotated(claim, names) }, event };
}

function planBound(claim: PersistentVolumeClaim, facts: StorageFacts): Step {
  const { volumeName } = claim.spec;
  if (!volumeName)
    return lost(claim, 'ClaimLost', 'Bound claim has lost reference to PersistentVolume. Data on the volume is lost!');
  const volume = facts.volume(volumeName);
  if (volume === undefined)
    return lost(claim, 'ClaimLost', 'Bound claim has lost its PersistentVolume. Data on the volume is lost!');
  const { claimRef } = volume.spec;
  if (claimRef === undefined || claimRef.uid === claim.metadata.uid) return bind(claim, volume);
  return lost(claim, 'ClaimMisbound', 'Two claims are bound to the same volume, this one is bound incorrectly');
}

/** The first of the four writes that is missing. */
function bind(claim: PersistentVolumeClaim, volume: PersistentVolume): Step {
  if (volume.spec.claimRef?.uid !== claim.metadata.uid)
    return { write: { kind: 'volume', object: claimedBy(volume, claim) } };
  const bound = inPhase(volume, 'Bound');
  if (bound !== undefined) return { write: bound };
  const { name } = volume.metadata;
  if (!isFullyBound(claim) || claim.spec.volumeName !== name) {
    const isOurs = claim.spec.volumeName !== name;
    const marked = annotated(claim, { [bindCompleted]: 'yes', ...(isOurs ? { [boundByController]: 'yes' } : {}) });
    return { write: { kind: 'claim', object: { ...marked, spec: { ...marked.spec, volumeName: name } } } };
  }
  const { accessModes = [], capacity = {} } = volume.spec;
  const status = { ...claim.status, phase: 'Bound' as const, accessModes, capacity };
  // What it has got may grow under it: that is told by who lets it grow.
  const isSaid = claim.status?.phase === 'Bound' && semanticallyEqual(claim.status.accessModes, accessModes);
  return isSaid ? nothing : { write: { kind: 'claim-status', object: { ...claim, status } } };
}

function pending(claim: PersistentVolumeClaim, event?: VolumeEvent): Step {
  if (claim.status?.phase === 'Pending') return { event };
  return { write: { kind: 'claim-status', object: { ...claim, status: { phase: 'Pending' } } }, event };
}

function lost(claim: PersistentVolumeClaim, reason: string, message: string): Step {
  if (claim.status?.phase === 'Lost') return nothing;
  const object: PersistentVolumeClaim = { ...claim, status: { phase: 'Lost' } };
  return { write: { kind: 'claim-status', object }, event: warning(claim, reason, message) };
}

const annotated = (
  claim: PersistentVolumeClaim,
  annotations: Readonly<Record<string, string>>,
): PersistentVolumeClaim => ({
  ...claim,
  metadata: { ...claim.metadata, annotations: { ...claim.metadata.annotations, ...annotations } },
});

/** Why a volume that a claim names will not do. */
function mismatch(volume: PersistentVolume, claim: PersistentVolumeClaim): string | undefined {
  if (!isLargeEnough(volume, claim)) return 'requested PV is too small';
  if (classOf(volume) !== classOf(claim)) return 'storageClassName does not match';
  if (!isSameMode(volume, claim)) return 'incompatible volumeMode';
  return offers(volume, claim) ? undefined : 'incompatible accessMode';
}
