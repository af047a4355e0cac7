import type { PersistentVolume, PersistentVolumeClaim } from '#api/generated/core-v1.ts';
import type {
  CSIDriver,
  CSINode,
  CSIStorageCapacity,
  StorageClass,
  VolumeAttachment,
} from '#api/generated/storage-v1.ts';

/**
 * What there is of storage, as plugins see it: what the API says, and on top of it what has been promised to pods that are on their
 * way to a node. A volume that is promised shows its claim; a claim that is to be provisioned shows its node.
 */
export interface StorageView {
  claim(namespace: string, name: string): PersistentVolumeClaim | undefined;
  volume(name: string): PersistentVolume | undefined;
  volumesOfClass(name: string): Iterable<PersistentVolume>;
  storageClass(name: string): StorageClass | undefined;
  csiDriver(name: string): CSIDriver | undefined;
  csiNode(name: string): CSINode | undefined;
  readonly capacities: Iterable<CSIStorageCapacity>;
  /** Of volumes to a node. */
  attachments(node: string): Iterable<VolumeAttachment>;
}

/** What has changed of storage. `before` is undefined for what is new, `after` for what is gone. */
export type StorageChange =
  | Changed<'claim', PersistentVolumeClaim>
  | Changed<'volume', PersistentVolume>
  | Changed<'storage-class', StorageClass>
  | Changed<'csi-driver', CSIDriver>
  | Changed<'csi-node', CSINode>
  | Changed<'storage-capacity', CSIStorageCapacity>
  | Changed<'volume-attachment', VolumeAttachment>;

interface Changed<Kind extends string, T> {
  readonly kind: Kind;
  readonly before: T | undefined;
  readonly after: T | undefined;
}
