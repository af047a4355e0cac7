import type { PersistentVolumeClaim, Pod } from '#api/generated/core-v1.ts';
import { claimsOf, classOf, ephemeralConflict, isFullyBound } from '#api/persistent-volumes.ts';
import { notFoundText } from '#scheduler/plugins/own-claims.ts';
import type { StorageView } from '#scheduler/storage/storage-view.ts';

/** What a pod's claims are like, before any node is looked at. */
export type PodClaims =
  | { readonly kind: 'none' }
  /** Wherever it went, it could not run. In upstream's words. */
  | { readonly kind: 'refused'; readonly why: string }
  | {
      readonly kind: 'claims';
      readonly bound: readonly PersistentVolumeClaim[];
      /** They get their volumes with their first pod: this one. */
      readonly delayed: readonly PersistentVolumeClaim[];
    };

export function podClaims(pod: Pod, storage: StorageView): PodClaims {
  const uses = claimsOf(pod);
  if (uses.length === 0) return { kind: 'none' };
  const claims: PersistentVolumeClaim[] = [];
  for (const { claim: name, isEphemeral } of uses) {
    const claim = storage.claim(pod.metadata.namespace ?? '', name);
    if (claim === undefined) return { kind: 'refused', why: missing(name, isEphemeral) };
    const why = troubleWith(claim) ?? (isEphemeral ? ephemeralConflict(pod, claim) : undefined);
    if (why !== undefined) return { kind: 'refused', why };
    claims.push(claim);
  }
  const unbound = claims.filter((claim) => !isFullyBound(claim));
  // A claim that names its volume is the controller's to bind, whatever its class says.
  if (unbound.some((claim) => claim.spec.volumeName || !waitsForPod(claim, storage)))
    return { kind: 'refused', why: 'pod has unbound immediate PersistentVolumeClaims' };
  return { kind: 'claims', bound: claims.filter(isFullyBound), delayed: unbound };
}

const missing = (name: string, isEphemeral: boolean): string =>
  isEphemeral
    ? `waiting for ephemeral volume controller to create the persistentvolumeclaim ${JSON.stringify(name)}`
    : notFoundText('persistentvolumeclaim', name);

function troubleWith({ metadata, spec, status }: PersistentVolumeClaim): string | undefined {
  const claim = `persistentvolumeclaim ${JSON.stringify(metadata.name)}`;
  if (status?.phase === 'Lost') {
    return `${claim} bound to non-existent persistentvolume ${JSON.stringify(spec.volumeName ?? '')}`;
  }
  return metadata.deletionTimestamp === undefined ? undefined : `${claim} is being deleted`;
}

const waitsForPod = (claim: PersistentVolumeClaim, storage: StorageView): boolean =>
  storage.storageClass(classOf(claim))?.volumeBindingMode === 'WaitForFirstConsumer';
