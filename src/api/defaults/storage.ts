import type { PersistentVolume, PersistentVolumeClaim, PersistentVolumeSpec } from '#api/generated/core-v1.ts';
import type { CSIDriver, CSIStorageCapacity, StorageClass } from '#api/generated/storage-v1.ts';
import { canonicalQuantity, canonicalResources, change, fill, type Changes } from '#api/defaults/shape.ts';
import { defaultClaimSpec, rareVolumeChanges } from '#api/defaults/volume.ts';

const pending = { phase: 'Pending' } as const;

const volumeChanges: Changes<PersistentVolumeSpec> = {
  ...rareVolumeChanges,
  capacity: canonicalResources,
  hostPath: (source) => (source.type === undefined ? { ...source, type: '' } : source),
};

export const defaultPersistentVolume = (volume: PersistentVolume): PersistentVolume =>
  change(fill(volume, { status: pending }), {
    spec: (spec) =>
      change(fill(spec, { persistentVolumeReclaimPolicy: 'Retain', volumeMode: 'Filesystem' }), volumeChanges),
    status: (status) => fill(status, pending),
  });

export const defaultPersistentVolumeClaim = (claim: PersistentVolumeClaim): PersistentVolumeClaim =>
  change(fill(claim, { status: pending }), {
    spec: defaultClaimSpec,
    status: (status) => change(fill(status, pending), { capacity: canonicalResources }),
  });

export const defaultStorageClass = (storageClass: StorageClass): StorageClass =>
  fill(storageClass, { reclaimPolicy: 'Delete', volumeBindingMode: 'Immediate' });

export const defaultCsiDriver = (driver: CSIDriver): CSIDriver =>
  change(driver, {
    spec: (spec) => {
      const filled = fill(spec, {
        attachRequired: true,
        podInfoOnMount: false,
        storageCapacity: false,
        fsGroupPolicy: 'ReadWriteOnceWithFSType',
        requiresRepublish: false,
        seLinuxMount: false,
      });
      return (filled.volumeLifecycleModes ?? []).length > 0
        ? filled
        : { ...filled, volumeLifecycleModes: ['Persistent'] };
    },
  });

export const defaultCsiStorageCapacity = (capacity: CSIStorageCapacity): CSIStorageCapacity =>
  change(capacity, {
    capacity: (text) => canonicalQuantity(text),
    maximumVolumeSize: (text) => canonicalQuantity(text),
  });
