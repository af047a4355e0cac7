import type { PersistentVolume, Pod } from '#api/generated/core-v1.ts';
import type { CSIStorageCapacity } from '#api/generated/storage-v1.ts';
import { compareQuantities, parseQuantity } from '#api/quantity.ts';
import { semanticallyEqual } from '#api/semantic-diff.ts';
import { fits, skip, type ClusterChange, type SchedulerPlugin } from '#scheduler/plugin.ts';
import { isOwnClaim, refused, usesClaim } from '#scheduler/plugins/own-claims.ts';
import { podClaims } from '#scheduler/plugins/volume-binding/pod-claims.ts';
import { VolumePlanner } from '#scheduler/plugins/volume-binding/volume-planner.ts';

/**
 * Whether a node can use the volumes of a pod's claims, and find or be given volumes for those claims that wait for their first
 * pod. Doing what is decided here is the binder's (`volume-binder.ts`).
 */
export const volumeBinding: SchedulerPlugin = {
  name: 'VolumeBinding',
  consider(pod, { storage }) {
    const claims = podClaims(pod, storage);
    if (claims.kind === 'none') return skip;
    if (claims.kind === 'refused') return refused(claims.why);
    const planner = new VolumePlanner(claims, storage);
    return {
      kind: 'opinion',
      filter({ object }) {
        const planned = planner.on(object);
        return planned.kind === 'plan' ? fits : { kind: 'rejected', reasons: planned.reasons, final: true };
      },
    };
  },
  interests: ['node-added', 'node-labels', 'claim', 'volume', 'storage-class', 'csi-driver', 'storage-capacity'],
  mightHelp,
};

function mightHelp(pod: Pod, change: ClusterChange): boolean {
  switch (change.kind) {
    case 'node-added':
    case 'node-labels':
      return true;
    case 'claim':
      return isOwnClaim(pod, change);
    case 'volume':
      return isFreed(pod, change.before) || isToBeHad(pod, change.after);
    case 'storage-class':
      if (change.after === undefined) return false;
      return (
        change.before === undefined ||
        !semanticallyEqual(change.before.allowedTopologies, change.after.allowedTopologies)
      );
    case 'csi-driver':
      return change.before?.spec.storageCapacity === true && change.after?.spec.storageCapacity !== true;
    case 'storage-capacity':
      return hasGrown(change.before, change.after);
    default:
      return false;
  }
}

/** A volume that was meant for one of its claims keeps that claim from all others. */
const isFreed = (pod: Pod, before: PersistentVolume | undefined): boolean =>
  before?.spec.claimRef !== undefined && usesClaim(pod, before.spec.claimRef);

const isToBeHad = (pod: Pod, after: PersistentVolume | undefined): boolean =>
  after !== undefined && (after.spec.claimRef === undefined || usesClaim(pod, after.spec.claimRef));

function hasGrown(before: CSIStorageCapacity | undefined, after: CSIStorageCapacity | undefined): boolean {
  const limit = after?.maximumVolumeSize ?? after?.capacity;
  if (limit === undefined) return false;
  const old = before?.maximumVolumeSize ?? before?.capacity;
  return old === undefined || compareQuantities(parseQuantity(limit), parseQuantity(old)) > 0;
}
