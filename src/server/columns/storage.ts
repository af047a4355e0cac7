import type { PersistentVolume, PersistentVolumeClaim } from '#api/generated/core-v1.ts';
import type {
  CSIDriver,
  CSINode,
  CSIStorageCapacity,
  StorageClass,
  VolumeAttachment,
} from '#api/generated/storage-v1.ts';
import type { KubeObject } from '#api/meta.ts';
import { accessModeText, classOf, isDefaultClass } from '#api/persistent-volumes.ts';
import type { Cell, Column } from '#server/columns/column.ts';
import { ageColumn, column, nameColumn, wide } from '#server/columns/common.ts';

/** The columns of storage, as `kubectl get` shows them. */
const as =
  <T>(show: (object: T) => Cell): ((object: KubeObject) => Cell) =>
  // A table is only made of objects of its descriptor's kind.
  (object) =>
    show(object as unknown as T);

const unset = '<unset>';
const boolean = { type: 'boolean' } as const;

const phaseOf = ({ metadata, status }: PersistentVolume | PersistentVolumeClaim): string =>
  metadata.deletionTimestamp === undefined ? (status?.phase ?? '') : 'Terminating';

const volume = as<PersistentVolume>;
export const persistentVolumeColumns: readonly Column[] = [
  nameColumn,
  column(
    'Capacity',
    'How much it holds.',
    volume((v) => v.spec.capacity?.['storage'] ?? ''),
  ),
  column(
    'Access Modes',
    'In which ways it can be used.',
    volume((v) => accessModeText(v.spec.accessModes)),
  ),
  column(
    'Reclaim Policy',
    'What becomes of it when its claim is gone.',
    volume((v) => v.spec.persistentVolumeReclaimPolicy ?? ''),
  ),
  column('Status', 'Whether it is free, bound or released.', volume(phaseOf)),
  column(
    'Claim',
    'Whose it is.',
    volume(({ spec: { claimRef } }) => (claimRef === undefined ? '' : `${claimRef.namespace}/${claimRef.name}`)),
  ),
  column('StorageClass', 'Its class.', volume(classOf)),
  column(
    'VolumeAttributesClass',
    'The class of its attributes.',
    volume((v) => v.spec.volumeAttributesClassName ?? unset),
  ),
  column(
    'Reason',
    'Why it is as it is.',
    volume((v) => v.status?.reason ?? ''),
  ),
  ageColumn,
  column(
    'VolumeMode',
    'Whether it is a file system or a block device.',
    volume((v) => v.spec.volumeMode ?? unset),
    wide,
  ),
];

/** What a claim has got stands in its status; before it has, nothing is shown. */
const got = (show: (claim: PersistentVolumeClaim) => string): Column['value'] =>
  as<PersistentVolumeClaim>((claim) => (claim.spec.volumeName ? show(claim) : ''));

const claim = as<PersistentVolumeClaim>;
export const persistentVolumeClaimColumns: readonly Column[] = [
  nameColumn,
  column('Status', 'Whether it has its volume.', claim(phaseOf)),
  column(
    'Volume',
    'The volume it is bound to.',
    claim((c) => c.spec.volumeName ?? ''),
  ),
  column(
    'Capacity',
    'How much it has got.',
    got((c) => c.status?.capacity?.['storage'] ?? ''),
  ),
  column(
    'Access Modes',
    'In which ways it can be used.',
    got((c) => accessModeText(c.status?.accessModes)),
  ),
  column('StorageClass', 'The class it asks for.', claim(classOf)),
  column(
    'VolumeAttributesClass',
    'The class of attributes it asks for.',
    claim((c) => c.spec.volumeAttributesClassName ?? unset),
  ),
  ageColumn,
  column(
    'VolumeMode',
    'Whether it is to be a file system or a block device.',
    claim((c) => c.spec.volumeMode ?? unset),
    wide,
  ),
];

const storageClass = as<StorageClass>;
export const storageClassColumns: readonly Column[] = [
  {
    ...nameColumn,
    value: storageClass((c) => (isDefaultClass(c) ? `${c.metadata.name} (default)` : c.metadata.name)),
  },
  column(
    'Provisioner',
    'Who makes its volumes.',
    storageClass((c) => c.provisioner),
  ),
  column(
    'ReclaimPolicy',
    'What becomes of its volumes when their claims are gone.',
    storageClass((c) => c.reclaimPolicy ?? 'Delete'),
  ),
  column(
    'VolumeBindingMode',
    'Whether claims get their volumes at once or with their first pod.',
    storageClass((c) => c.volumeBindingMode ?? 'Immediate'),
  ),
  column(
    'AllowVolumeExpansion',
    'Whether its claims may grow.',
    storageClass((c) => c.allowVolumeExpansion ?? false),
    boolean,
  ),
  ageColumn,
];

export const csiNodeColumns: readonly Column[] = [
  nameColumn,
  column(
    'Drivers',
    'How many drivers the node has.',
    as<CSINode>((n) => n.spec.drivers.length),
    { type: 'integer' },
  ),
  ageColumn,
];

const driver = as<CSIDriver>;
export const csiDriverColumns: readonly Column[] = [
  nameColumn,
  column(
    'AttachRequired',
    'Whether its volumes are attached to nodes first.',
    driver((d) => d.spec.attachRequired ?? true),
    boolean,
  ),
  column(
    'PodInfoOnMount',
    'Whether it is told of the pod.',
    driver((d) => d.spec.podInfoOnMount ?? false),
    boolean,
  ),
  column(
    'StorageCapacity',
    'Whether it says how much room there is.',
    driver((d) => d.spec.storageCapacity ?? false),
    boolean,
  ),
  column(
    'TokenRequests',
    'For whom it gets tokens of the pod.',
    driver((d) => (d.spec.tokenRequests ?? []).map(({ audience }) => audience).join(',') || unset),
  ),
  column(
    'RequiresRepublish',
    'Whether volumes are published again and again.',
    driver((d) => d.spec.requiresRepublish ?? false),
    boolean,
  ),
  column(
    'Modes',
    'Which kinds of volumes it makes.',
    driver((d) => (d.spec.volumeLifecycleModes ?? []).join(',') || '<none>'),
  ),
  ageColumn,
];

export const csiStorageCapacityColumns: readonly Column[] = [
  nameColumn,
  column(
    'StorageClassName',
    'The class that the capacity is for.',
    as<CSIStorageCapacity>((c) => c.storageClassName),
  ),
  column(
    'Capacity',
    'How much room there is.',
    as<CSIStorageCapacity>((c) => c.capacity ?? unset),
  ),
];

const attachment = as<VolumeAttachment>;
export const volumeAttachmentColumns: readonly Column[] = [
  nameColumn,
  column(
    'Attacher',
    'Who attaches it.',
    attachment((a) => a.spec.attacher),
  ),
  column(
    'PV',
    'Which volume.',
    attachment((a) => a.spec.source.persistentVolumeName ?? ''),
  ),
  column(
    'Node',
    'To which node.',
    attachment((a) => a.spec.nodeName),
  ),
  column(
    'Attached',
    'Whether it is.',
    attachment((a) => a.status?.attached ?? false),
    boolean,
  ),
  ageColumn,
];
