import type { PersistentVolume, PersistentVolumeClaim, Pod } from '#api/generated/core-v1.ts';
import type { CSINode, StorageClass } from '#api/generated/storage-v1.ts';
import { aPod } from '#scheduler/fixtures.ts';
import type { StorageState } from '#scheduler/storage/storage-state.ts';

/** A pod that uses these claims. */
export const podUsing = (name: string, ...claims: readonly string[]): Pod =>
  aPod(name, {}, { volumes: claims.map((claimName, n) => ({ name: `v${n}`, persistentVolumeClaim: { claimName } })) });

/** Puts objects of any of these kinds where they belong. */
export function add(
  storage: StorageState,
  ...objects: readonly (PersistentVolume | PersistentVolumeClaim | StorageClass | CSINode)[]
): void {
  for (const after of objects) {
    switch (after.kind) {
      case 'PersistentVolume':
        storage.apply({ kind: 'volume', before: storage.volumeAsSaid(after.metadata.name), after });
        break;
      case 'PersistentVolumeClaim':
        storage.apply({ kind: 'claim', before: storage.claim('default', after.metadata.name), after });
        break;
      case 'StorageClass':
        storage.apply({ kind: 'storage-class', before: storage.storageClass(after.metadata.name), after });
        break;
      case 'CSINode':
        storage.apply({ kind: 'csi-node', before: storage.csiNode(after.metadata.name), after });
    }
  }
}
