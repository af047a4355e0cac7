import type { PersistentVolume, Pod } from '#api/generated/core-v1.ts';
import { claimsOf, classOf } from '#api/persistent-volumes.ts';
import { semanticallyEqual } from '#api/semantic-diff.ts';
import type { Labels } from '#api/selectors.ts';
import {
  fits,
  skip,
  type ClusterChange,
  type Rejected,
  type SchedulerPlugin,
  type Verdict,
} from '#scheduler/plugin.ts';
import { isOwnClaim, notFoundText, refused } from '#scheduler/plugins/own-claims.ts';
import type { StorageView } from '#scheduler/storage/storage-view.ts';

const elsewhere: Verdict = refused('node(s) had no available volume zone');

/** Where volumes say they are, and what a node that does not say it so may say instead. */
const zoneLabels = new Map([
  ['failure-domain.beta.kubernetes.io/zone', 'topology.kubernetes.io/zone'],
  ['failure-domain.beta.kubernetes.io/region', 'topology.kubernetes.io/region'],
  ['topology.kubernetes.io/zone', 'topology.kubernetes.io/zone'],
  ['topology.kubernetes.io/region', 'topology.kubernetes.io/region'],
]);

interface Place {
  readonly key: string;
  readonly values: ReadonlySet<string>;
}

/**
 * Volumes whose labels say in which zones and regions they are keep their pods there. What a volume says of its nodes itself
 * (`nodeAffinity`) is VolumeBinding's. Nodes that are in no zone at all are let through, as upstream does.
 */
export const volumeZone: SchedulerPlugin = {
  name: 'VolumeZone',
  consider(pod, { storage }) {
    const places = placesOf(pod, storage);
    if ('kind' in places) return places;
    if (places.length === 0) return skip;
    return {
      kind: 'opinion',
      filter: ({ object }) => (isThere(places, object.metadata.labels ?? {}) ? fits : elsewhere),
    };
  },
  interests: ['node-added', 'node-labels', 'claim', 'volume', 'storage-class'],
  mightHelp,
};

function isThere(places: readonly Place[], labels: Labels): boolean {
  if (![...zoneLabels.keys()].some((key) => labels[key] !== undefined)) return true;
  return places.every(({ key, values }) => {
    const value = labels[key] ?? labels[zoneLabels.get(key) ?? key];
    return value !== undefined && values.has(value);
  });
}

function placesOf(pod: Pod, storage: StorageView): readonly Place[] | Rejected {
  const places: Place[] = [];
  for (const { claim: name, isEphemeral } of claimsOf(pod)) {
    if (isEphemeral) continue;
    if (name === '') return refused('PersistentVolumeClaim had no name');
    const claim = storage.claim(pod.metadata.namespace ?? '', name);
    if (claim === undefined) return refused(notFoundText('persistentvolumeclaim', name));
    const { volumeName } = claim.spec;
    if (!volumeName) {
      const why = whyUnbound(classOf(claim), storage);
      if (why !== undefined) return refused(why);
      continue;
    }
    const volume = storage.volume(volumeName);
    if (volume === undefined) return refused(notFoundText('persistentvolume', volumeName));
    places.push(...placesOfVolume(volume));
  }
  return places;
}

/** Undefined for a claim that gets its volume with its pod. */
function whyUnbound(className: string, storage: StorageView): string | undefined {
  if (className === '') return 'PersistentVolumeClaim had no pv name and storageClass name';
  const storageClass = storage.storageClass(className);
  if (storageClass === undefined) return notFoundText('storageclass.storage.k8s.io', className);
  return storageClass.volumeBindingMode === 'WaitForFirstConsumer' ? undefined : 'PersistentVolume had no name';
}

/** Several zones of one volume stand in one label, with `__` between them; a label with an empty one says nothing. */
function placesOfVolume({ metadata }: PersistentVolume): readonly Place[] {
  return [...zoneLabels.keys()].flatMap((key) => {
    const label = metadata.labels?.[key];
    const values = label?.split('__').map((value) => value.trim()) ?? [];
    return values.length === 0 || values.includes('') ? [] : [{ key, values: new Set(values) }];
  });
}

function mightHelp(pod: Pod, change: ClusterChange): boolean {
  switch (change.kind) {
    case 'node-added':
    case 'node-labels':
      return true;
    case 'claim':
      return isOwnClaim(pod, change);
    case 'volume': {
      const { before, after } = change;
      if (after === undefined || before === undefined) return after !== undefined;
      return [...zoneLabels.keys()].some((key) => before.metadata.labels?.[key] !== after.metadata.labels?.[key]);
    }
    case 'storage-class':
      return (
        change.after?.volumeBindingMode === 'WaitForFirstConsumer' &&
        !semanticallyEqual(change.before?.volumeBindingMode, change.after.volumeBindingMode)
      );
    default:
      return false;
  }
}
