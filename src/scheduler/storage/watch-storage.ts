import type { KubeObject } from '#api/meta.ts';
import type { Resource } from '#api/resource.ts';
import { createInformer } from '#client/create-informer.ts';
import type { Change, Informer, InformerOptions } from '#client/informer.ts';
import {
  csiDriverResource,
  csiNodeResource,
  csiStorageCapacityResource,
  persistentVolumeClaimResource,
  persistentVolumeResource,
  storageClassResource,
  volumeAttachmentResource,
} from '#client/resources.ts';
import type { StorageChange } from '#scheduler/storage/storage-view.ts';

export type StorageInformer = Pick<Informer, 'resource' | 'run' | 'synced'>;

/** Informers of all that storage is, to be run by the caller; `onChange` is told of each change. */
export function watchStorage(
  options: Pick<InformerOptions<KubeObject>, 'client' | 'clock' | 'onError'>,
  onChange: (change: StorageChange) => void,
): readonly StorageInformer[] {
  const watch = <T extends KubeObject>(
    resource: Resource<T>,
    told: (change: Pick<Change<T>, 'before' | 'after'>) => StorageChange,
  ): StorageInformer => {
    const informer = createInformer({ ...options, resource });
    informer.onChange((change) => onChange(told(change)));
    return informer;
  };
  return [
    watch(storageClassResource, ({ before, after }) => ({ kind: 'storage-class', before, after })),
    watch(csiDriverResource, ({ before, after }) => ({ kind: 'csi-driver', before, after })),
    watch(csiNodeResource, ({ before, after }) => ({ kind: 'csi-node', before, after })),
    watch(csiStorageCapacityResource, ({ before, after }) => ({ kind: 'storage-capacity', before, after })),
    watch(volumeAttachmentResource, ({ before, after }) => ({ kind: 'volume-attachment', before, after })),
    watch(persistentVolumeResource, ({ before, after }) => ({ kind: 'volume', before, after })),
    watch(persistentVolumeClaimResource, ({ before, after }) => ({ kind: 'claim', before, after })),
  ];
}
