import type { KubeObject } from '#api/meta.ts';
import type { Descriptor } from '#server/descriptor.ts';
import {
  csiDriverColumns,
  csiNodeColumns,
  csiStorageCapacityColumns,
  storageClassColumns,
  volumeAttachmentColumns,
} from '#server/columns/storage.ts';
import { declare, statusOf, strategy, withStatus } from '#server/resources/strategy.ts';

const group = 'storage.k8s.io';
const version = 'v1';

const storageClasses = declare({
  group,
  version,
  plural: 'storageclasses',
  kind: 'StorageClass',
  namespaced: false,
  shortNames: ['sc'],
  columns: storageClassColumns,
  strategy: strategy({ answersDeleted: true }),
});

/** Most of these are written by drivers, who have read what they change. */
const read = strategy({ answersDeleted: true, unconditionalUpdate: false });

const csiDrivers = declare({
  group,
  version,
  plural: 'csidrivers',
  kind: 'CSIDriver',
  namespaced: false,
  columns: csiDriverColumns,
  strategy: read,
});

const csiNodes = declare({
  group,
  version,
  plural: 'csinodes',
  kind: 'CSINode',
  namespaced: false,
  columns: csiNodeColumns,
  strategy: read,
});

const csiStorageCapacities = declare({
  group,
  version,
  plural: 'csistoragecapacities',
  kind: 'CSIStorageCapacity',
  namespaced: true,
  columns: csiStorageCapacityColumns,
  strategy: read,
});

const volumeAttachments = declare({
  group,
  version,
  plural: 'volumeattachments',
  kind: 'VolumeAttachment',
  namespaced: false,
  subresources: { status: statusOf('VolumeAttachment') },
  columns: volumeAttachmentColumns,
  strategy: withStatus({
    prepareForCreate: (object) => ({ ...object, status: { attached: false } }) as KubeObject,
    unconditionalUpdate: false,
    answersDeleted: true,
  }),
});

export const storageGroup: readonly Descriptor[] = [
  csiDrivers,
  csiNodes,
  csiStorageCapacities,
  storageClasses,
  volumeAttachments,
];
