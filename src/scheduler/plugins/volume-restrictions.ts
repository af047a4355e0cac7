import type { Pod, Volume } from '#api/generated/core-v1.ts';
import { keyOfRef, type ObjectKey } from '#api/meta.ts';
import { claimsOf } from '#api/persistent-volumes.ts';
import {
  fits,
  skip,
  type ClusterChange,
  type NodeView,
  type Opinion,
  type SchedulerPlugin,
  type Verdict,
} from '#scheduler/plugin.ts';
import { isOwnClaim, notFoundText, refused } from '#scheduler/plugins/own-claims.ts';

const diskTaken = refused('node(s) had no available disk', false);
const claimTaken = refused(
  'node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod',
  false,
);

/**
 * Claims that one pod may use at a time, anywhere (ReadWriteOncePod), and disks that a pod names itself, which one pod of a node may
 * use unless all only read them. How many pods use each claim is kept up with the cluster.
 */
export function volumeRestrictions(): SchedulerPlugin {
  const users = new Map<ObjectKey, number>();
  const count = (pod: Pod, by: 1 | -1): void => {
    for (const key of claimKeys(pod)) {
      const left = (users.get(key) ?? 0) + by;
      if (left === 0) users.delete(key);
      else users.set(key, left);
    }
  };
  return {
    name: 'VolumeRestrictions',
    index: {
      init(cluster) {
        for (const { pods } of cluster.nodes) for (const pod of pods.values()) count(pod, 1);
      },
      apply(change) {
        if (change.kind === 'pod-added') count(change.pod, 1);
        else if (change.kind === 'pod-removed') count(change.pod, -1);
      },
    },
    consider(pod, { storage }) {
      const disks = (pod.spec.volumes ?? []).filter(isDisk);
      const exclusive: ObjectKey[] = [];
      const namespace = pod.metadata.namespace ?? '';
      for (const { claim: name, isEphemeral } of claimsOf(pod)) {
        if (isEphemeral) continue;
        const claim = storage.claim(namespace, name);
        if (claim === undefined) return refused(notFoundText('persistentvolumeclaim', name));
        if (claim.spec.accessModes?.includes('ReadWriteOncePod')) exclusive.push(keyOfRef({ namespace, name }));
      }
      if (disks.length === 0 && exclusive.length === 0) return skip;
      const inUse = exclusive.reduce((sum, key) => sum + (users.get(key) ?? 0), 0);
      return opinionOf(disks, new Set(exclusive), inUse);
    },
    interests: ['node-added', 'pod-removed', 'claim'],
    mightHelp,
  };
}

function opinionOf(disks: readonly Volume[], exclusive: ReadonlySet<ObjectKey>, inUse: number): Opinion {
  return {
    kind: 'opinion',
    filter(node): Verdict {
      if (disks.some((disk) => isTaken(disk, node))) return diskTaken;
      return inUse > 0 ? claimTaken : fits;
    },
    adjusted(change, pod) {
      const uses = claimKeys(pod).filter((key) => exclusive.has(key)).length;
      return opinionOf(disks, exclusive, inUse + (change === 'added' ? uses : -uses));
    },
  };
}

function mightHelp(pod: Pod, change: ClusterChange): boolean {
  switch (change.kind) {
    case 'node-added':
      return (pod.spec.volumes ?? []).some(isDisk);
    case 'pod-removed': {
      const gone = new Set(claimKeys(change.pod));
      return (
        claimKeys(pod).some((key) => gone.has(key)) ||
        (pod.spec.volumes ?? []).some((disk) => change.pod.spec.volumes?.some((other) => conflict(disk, other)))
      );
    }
    case 'claim':
      return isOwnClaim(pod, change);
    default:
      return false;
  }
}

/** Of claims that it names: those made for a pod are its own anyway. */
const claimKeys = (pod: Pod): readonly ObjectKey[] =>
  claimsOf(pod)
    .filter(({ isEphemeral }) => !isEphemeral)
    .map(({ claim: name }) => keyOfRef({ namespace: pod.metadata.namespace ?? '', name }));

const isDisk = ({ gcePersistentDisk, awsElasticBlockStore, iscsi, rbd }: Volume): boolean =>
  gcePersistentDisk !== undefined || awsElasticBlockStore !== undefined || iscsi !== undefined || rbd !== undefined;

function isTaken(disk: Volume, { pods }: NodeView): boolean {
  for (const { spec } of pods.values()) if (spec.volumes?.some((other) => conflict(disk, other))) return true;
  return false;
}

interface Readable {
  readonly readOnly?: boolean;
}

const bothRead = (a: Readable, b: Readable): boolean => a.readOnly === true && b.readOnly === true;

/** Whether two volumes are one disk, and one of them is written to. Amazon's disks have no readers either. */
function conflict(a: Volume, b: Volume): boolean {
  if (a.gcePersistentDisk && b.gcePersistentDisk) {
    if (a.gcePersistentDisk.pdName === b.gcePersistentDisk.pdName)
      return !bothRead(a.gcePersistentDisk, b.gcePersistentDisk);
  }
  if (a.awsElasticBlockStore && b.awsElasticBlockStore)
    return a.awsElasticBlockStore.volumeID === b.awsElasticBlockStore.volumeID;
  if (a.iscsi && b.iscsi) return a.iscsi.iqn === b.iscsi.iqn && !bothRead(a.iscsi, b.iscsi);
  if (!a.rbd || !b.rbd) return false;
  const [one, other] = [a.rbd, b.rbd];
  const isSame =
    one.pool === other.pool && one.image === other.image && one.monitors.some((each) => other.monitors.includes(each));
  return isSame && !bothRead(one, other);
}
