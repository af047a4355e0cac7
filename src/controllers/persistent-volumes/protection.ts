import type { PersistentVolume, PersistentVolumeClaim, Pod } from '#api/generated/core-v1.ts';
import { claimFinalizer, volumeFinalizer } from '#api/persistent-volumes.ts';
import type { Write } from '#controllers/persistent-volumes/step.ts';

/** A claim that is deleted stays until no pod on a node uses it. `pods` are those that do; who has no node yet gets none any more. */
export function protectClaim(claim: PersistentVolumeClaim, pods: readonly Pod[]): Write | undefined {
  const isUsed = pods.some(({ spec }) => Boolean(spec.nodeName));
  const object = guarded(claim, claimFinalizer, isUsed);
  return object && { kind: 'claim', object };
}

/** A volume that is deleted stays until it is bound no more. */
export function protectVolume(volume: PersistentVolume): Write | undefined {
  const object = guarded(volume, volumeFinalizer, volume.status?.phase === 'Bound');
  return object && { kind: 'volume', object };
}

/** With the finalizer while it is not being deleted, without it when it is and nobody uses it; undefined when that is so already. */
function guarded<T extends PersistentVolume | PersistentVolumeClaim>(
  object: T,
  finalizer: string,
  isUsed: boolean,
): T | undefined {
  const { finalizers = [], deletionTimestamp } = object.metadata;
  const isGuarded = finalizers.includes(finalizer);
  if (deletionTimestamp === undefined)
    return isGuarded ? undefined : withFinalizers(object, [...finalizers, finalizer]);
  if (!isGuarded || isUsed) return undefined;
  return withFinalizers(
    object,
    finalizers.filter((each) => each !== finalizer),
  );
}

const withFinalizers = <T extends PersistentVolume | PersistentVolumeClaim>(
  object: T,
  finalizers: readonly string[],
): T => ({ ...object, metadata: { ...object.metadata, finalizers } });
