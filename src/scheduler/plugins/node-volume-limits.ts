import type { PersistentVolumeClaim, Pod } from '#api/generated/core-v1.ts';
import type { VolumeAttachment } from '#api/generated/storage-v1.ts';
import { claimsOf, classOf, ephemeralConflict } from '#api/persistent-volumes.ts';
import {
  fits,
  skip,
  type ClusterChange,
  type NodeView,
  type Rejected,
  type SchedulerPlugin,
  type Verdict,
} from '#scheduler/plugin.ts';
import { isOwnClaim, notFoundText, refused, usesClaim } from '#scheduler/plugins/own-claims.ts';
import type { StorageView } from '#scheduler/storage/storage-view.ts';

const tooMany = refused('node(s) exceed max volume count', false);

/** A volume of a driver, by its handle; one that is still to be made by its claim. */
type Volumes = ReadonlyMap<string, { readonly driver: string }>;

/**
 * How many volumes of a CSI driver a node can take (`allocatable` in its CSINode). A volume counts once however many pods of the
 * node use it; what is attached to the node counts before its pod is there and until it is detached.
 */
export const nodeVolumeLimits: SchedulerPlugin = {
  name: 'NodeVolumeLimits',
  consider(pod, { storage }) {
    if (claimsOf(pod).length === 0) return skip;
    const wanted = volumesOf(pod, storage, 'must be there');
    if ('kind' in wanted) return wanted;
    if (wanted.size === 0) return skip;
    return { kind: 'opinion', filter: (node) => verdictOn(node, wanted, storage) };
  },
  interests: [
    'node-added',
    'csi-node',
    'pod-added',
    'pod-removed',
    'claim',
    'volume',
    'storage-class',
    'volume-attachment',
  ],
  mightHelp,
};

function verdictOn(node: NodeView, wanted: Volumes, storage: StorageView): Verdict {
  const limits = limitsOf(node.name, storage);
  if (![...wanted.values()].some(({ driver }) => limits.has(driver))) return fits;
  const attached = new Map(attachedTo(node.name, storage));
  for (const pod of node.pods.values()) {
    const used = volumesOf(pod, storage, 'may be gone');
    if (!('kind' in used)) for (const [key, volume] of used) attached.set(key, volume);
  }
  const counts = new Map<string, number>();
  for (const { driver } of new Map([...attached, ...wanted]).values())
    counts.set(driver, (counts.get(driver) ?? 0) + 1);
  for (const [key, { driver }] of wanted) {
    // A driver that gets nothing new may have too many already.
    if (!attached.has(key) && (counts.get(driver) ?? 0) > (limits.get(driver) ?? Infinity)) return tooMany;
  }
  return fits;
}

function limitsOf(node: string, storage: StorageView): ReadonlyMap<string, number> {
  const limits = new Map<string, number>();
  for (const { name, allocatable } of storage.csiNode(node)?.spec.drivers ?? [])
    if (allocatable?.count !== undefined) limits.set(name, allocatable.count);
  return limits;
}

/** Claims of a pod that is on a node already may have gone from under it: they do not count. */
function volumesOf(pod: Pod, storage: StorageView, claims: 'must be there' | 'may be gone'): Volumes | Rejected {
  const volumes = new Map<string, { readonly driver: string }>();
  const namespace = pod.metadata.namespace ?? '';
  for (const { claim: name, isEphemeral } of claimsOf(pod)) {
    const claim = storage.claim(namespace, name);
    const conflict = claim !== undefined && isEphemeral ? ephemeralConflict(pod, claim) : undefined;
    if (claim === undefined || conflict !== undefined) {
      if (claims === 'may be gone') continue;
      return refused(conflict ?? `looking up PVC ${namespace}/${name}: ${notFoundText('persistentvolumeclaim', name)}`);
    }
    const found = volumeOf(claim, storage);
    if (found !== undefined) volumes.set(found.key, found);
  }
  return volumes;
}

function volumeOf(claim: PersistentVolumeClaim, storage: StorageView): { key: string; driver: string } | undefined {
  const { volumeName } = claim.spec;
  const volume = volumeName ? storage.volume(volumeName) : undefined;
  if (volume !== undefined) return volume.spec.csi && keyed(volume.spec.csi.driver, volume.spec.csi.volumeHandle);
  const driver = storage.storageClass(classOf(claim))?.provisioner;
  // No handle is like that.
  const { namespace, name } = claim.metadata;
  return driver === undefined ? undefined : { key: `${driver} for ${namespace}/${name}`, driver };
}

function* attachedTo(node: string, storage: StorageView): Iterable<[string, { readonly driver: string }]> {
  for (const attachment of storage.attachments(node)) {
    const csi = sourceOf(attachment, storage);
    if (csi === undefined) continue;
    const { key, driver } = keyed(csi.driver, csi.volumeHandle);
    yield [key, { driver }];
  }
}

function sourceOf({ spec: { source } }: VolumeAttachment, storage: StorageView) {
  if (source.inlineVolumeSpec !== undefined) return source.inlineVolumeSpec.csi;
  return storage.volume(source.persistentVolumeName ?? '')?.spec.csi;
}

const keyed = (driver: string, handle: string): { key: string; driver: string } => ({
  key: `${driver}/${handle}`,
  driver,
});

function mightHelp(pod: Pod, change: ClusterChange): boolean {
  switch (change.kind) {
    case 'node-added':
    case 'csi-node':
    case 'volume-attachment':
      return true;
    case 'pod-added':
      // What is there already for another pod is nothing new.
      return claimsOf(pod).some(({ claim }) => usesClaim(change.pod, { ...pod.metadata, name: claim }));
    case 'pod-removed':
      return claimsOf(change.pod).length > 0;
    case 'claim':
      // What others have got, or have no more, may count less than what they were to get.
      return isOwnClaim(pod, change) || change.before?.spec.volumeName !== change.after?.spec.volumeName;
    case 'volume':
      return change.before?.spec.csi?.volumeHandle !== change.after?.spec.csi?.volumeHandle;
    case 'storage-class':
      return change.before?.provisioner !== change.after?.provisioner;
    default:
      return false;
  }
}
