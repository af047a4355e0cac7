import type { PersistentVolume, PersistentVolumeClaim } from '#api/generated/core-v1.ts';
import { isForClaim, volumeAnnotations } from '#api/persistent-volumes.ts';

/**
 * A volume as it is when it has been given to a claim (upstream's GetBindVolumeToClaim). One that was meant for the claim before
 * stays so when it is given back; the annotation says that this one did not.
 */
export function claimedBy(volume: PersistentVolume, claim: PersistentVolumeClaim): PersistentVolume {
  const { metadata } = claim;
  const wasMeant = isForClaim(volume, claim);
  const claimRef = {
    kind: 'PersistentVolumeClaim',
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    uid: metadata.uid,
    apiVersion: 'v1',
    resourceVersion: metadata.resourceVersion,
  };
  const annotations = wasMeant
    ? volume.metadata.annotations
    : { ...volume.metadata.annotations, [volumeAnnotations.boundByController]: 'yes' };
  return {
    ...volume,
    metadata: { ...volume.metadata, ...(annotations === undefined ? {} : { annotations }) },
    spec: { ...volume.spec, claimRef },
  };
}

/** A claim whose volume is to be made where pods on `node` can use it. */
export const selectedFor = (claim: PersistentVolumeClaim, node: string): PersistentVolumeClaim => ({
  ...claim,
  metadata: {
    ...claim.metadata,
    annotations: { ...claim.metadata.annotations, [volumeAnnotations.selectedNode]: node },
  },
});
