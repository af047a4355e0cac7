import type { PersistentVolumeClaim } from '#api/generated/core-v1.ts';
import { claimFinalizer, namesClass, newestDefaultClass, volumeFinalizer } from '#api/persistent-volumes.ts';
import type { AdmissionPlugin, Lookup } from '#server/admission.ts';

const finalizers: Readonly<Record<string, string>> = {
  persistentvolumes: volumeFinalizer,
  persistentvolumeclaims: claimFinalizer,
};

/** Volumes and claims that are deleted stay for as long as they are used: their controllers let them go. */
export const storageInUseProtection: AdmissionPlugin = {
  name: 'StorageObjectInUseProtection',
  mutate({ operation, descriptor, subresource }, object) {
    const finalizer = descriptor.group === '' ? finalizers[descriptor.plural] : undefined;
    if (operation !== 'CREATE' || subresource !== undefined || finalizer === undefined) return object;
    const known = object.metadata.finalizers ?? [];
    if (known.includes(finalizer)) return object;
    return { ...object, metadata: { ...object.metadata, finalizers: [...known, finalizer] } };
  },
};

/** A claim that names no class gets the default one, if there is one. `""` is a name: of no class. */
export const defaultStorageClass = (lookup: Lookup): AdmissionPlugin => ({
  name: 'DefaultStorageClass',
  mutate({ operation, descriptor, subresource }, object) {
    if (operation !== 'CREATE' || descriptor.plural !== 'persistentvolumeclaims' || subresource !== undefined)
      return object;
    const claim = object as PersistentVolumeClaim;
    if (claim.spec === undefined || namesClass(claim)) return object;
    const classes = lookup.under('storageclasses.storage.k8s.io/').map((stored) => stored.object);
    const chosen = newestDefaultClass(classes);
    if (chosen === undefined) return object;
    const changed: PersistentVolumeClaim = {
      ...claim,
      spec: { ...claim.spec, storageClassName: chosen.metadata.name },
    };
    return changed;
  },
});
