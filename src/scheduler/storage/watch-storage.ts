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
type Watching = Pick<InformerOptions<KubeObject>, 'client' | 'clock' | 'onError'>;
type List = <T extends KubeObject>(resource: Resource<T>) => Promise<readonly T[]>;

/** One kind of what storage is: followed, or read once. */
interface StorageKind {
  watch(options: Watching, onChange: (change: StorageChange) => void): StorageInformer;
  read(list: List): Promise<readonly StorageChange[]>;
}

const kindOf = <T extends KubeObject>(
  resource: Resource<T>,
  told: (change: Pick<Change<T>, 'before' | 'after'>) => StorageChange,
): StorageKind => ({
  watch(options, onChange) {
    const informer = createInformer({ ...options, resource });
    informer.onChange((change) => onChange(told(change)));
    return informer;
  },
  read: async (list) => (await list(resource)).map((after) => told({ before: undefined, after })),
});

const kinds: readonly StorageKind[] = [
  kindOf(storageClassResource, ({ before, after }) => ({ kind: 'storage-class', before, after })),
  kindOf(csiDriverResource, ({ before, after }) => ({ kind: 'csi-driver', before, after })),
  kindOf(csiNodeResource, ({ before, after }) => ({ kind: 'csi-node', before, after })),
  kindOf(csiStorageCapacityResource, ({ before, after }) => ({ kind: 'storage-capacity', before, after })),
  kindOf(volumeAttachmentResource, ({ before, after }) => ({ kind: 'volume-attachment', before, after })),
  kindOf(persistentVolumeResource, ({ before, after }) => ({ kind: 'volume', before, after })),
  kindOf(persistentVolumeClaimResource, ({ before, after }) => ({ kind: 'claim', before, after })),
];

/** Informers of all that storage is, to be run by the caller; `onChange` is told of each change. */
export const watchStorage = (
  options: Watching,
  onChange: (change: StorageChange) => void,
): readonly StorageInformer[] => kinds.map((kind) => kind.watch(options, onChange));

/** All that storage is, each as what has just come. */
export const readStorage = async (list: List): Promise<readonly StorageChange[]> =>
  (await Promise.all(kinds.map((kind) => kind.read(list)))).flat();
