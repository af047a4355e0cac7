import type {
  PersistentVolume,
  PersistentVolumeClaim,
  PersistentVolumeClaimSpec,
  PersistentVolumeSpec,
  VolumeNodeAffinity,
} from '#api/generated/core-v1.ts';
import type { CSINode, StorageClass } from '#api/generated/storage-v1.ts';
import type { KubeObject, ResourceVersion, Uid } from '#api/meta.ts';
import { volumeAnnotations } from '#api/persistent-volumes.ts';

/** Claims, volumes and classes as short as a test wants them. */

type Texts = Readonly<Record<string, string>>;

const metaOf = (name: string, more: Partial<KubeObject['metadata']> = {}): KubeObject['metadata'] => ({
  name,
  uid: `uid-${name}` as Uid,
  resourceVersion: '1' as ResourceVersion,
  creationTimestamp: '2026-01-01T00:00:00Z',
  ...more,
});

interface ClaimParts {
  readonly spec?: PersistentVolumeClaimSpec;
  readonly size?: string;
  readonly annotations?: Texts;
  readonly meta?: Partial<KubeObject['metadata']>;
  readonly phase?: 'Pending' | 'Bound' | 'Lost';
}

/** Of the class `slow`, for 1Gi. */
export function aClaim(name: string, { spec, size = '1Gi', annotations = {}, meta, phase }: ClaimParts = {}) {
  const claim: PersistentVolumeClaim = {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: metaOf(name, { namespace: 'default', annotations, ...meta }),
    spec: {
      accessModes: ['ReadWriteOnce'],
      storageClassName: 'slow',
      resources: { requests: { storage: size } },
      ...spec,
    },
    status: { phase: phase ?? 'Pending' },
  };
  return claim;
}

/** Both sides have agreed. */
export const boundClaim = (
  name: string,
  volumeName: string,
  spec: PersistentVolumeClaimSpec = {},
): PersistentVolumeClaim =>
  aClaim(name, {
    spec: { ...spec, volumeName },
    annotations: { [volumeAnnotations.bindCompleted]: 'yes' },
    phase: 'Bound',
  });

interface VolumeParts {
  readonly spec?: PersistentVolumeSpec;
  readonly size?: string;
  readonly labels?: Texts;
  readonly zone?: string;
  readonly for?: PersistentVolumeClaim;
  readonly phase?: 'Pending' | 'Available' | 'Bound' | 'Released';
}

/** Of the class `slow`, with room for 1Gi, free. */
export function aVolume(name: string, parts: VolumeParts = {}): PersistentVolume {
  const { spec, size = '1Gi', labels = {}, zone, phase = 'Available' } = parts;
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: metaOf(name, { labels }),
    spec: {
      capacity: { storage: size },
      accessModes: ['ReadWriteOnce'],
      storageClassName: 'slow',
      hostPath: { path: '/v' },
      ...(zone === undefined ? {} : { nodeAffinity: inZone(zone) }),
      ...(parts.for === undefined ? {} : { claimRef: refOf(parts.for) }),
      ...spec,
    },
    status: { phase },
  };
}

export const refOf = ({ metadata }: PersistentVolumeClaim): NonNullable<PersistentVolumeSpec['claimRef']> => ({
  namespace: metadata.namespace ?? '',
  name: metadata.name,
  uid: metadata.uid,
});

const inZone = (zone: string): VolumeNodeAffinity => ({
  required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'zone', operator: 'In', values: [zone] }] }] },
});

/** Its claims wait for their first pod, and nobody makes volumes. */
export const aClass = (name: string, more: Partial<StorageClass> = {}): StorageClass => ({
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  metadata: metaOf(name),
  provisioner: 'kubernetes.io/no-provisioner',
  volumeBindingMode: 'WaitForFirstConsumer',
  ...more,
});

export const aCsiNode = (name: string, counts: Readonly<Record<string, number>>): CSINode => ({
  apiVersion: 'storage.k8s.io/v1',
  kind: 'CSINode',
  metadata: metaOf(name),
  spec: {
    drivers: Object.entries(counts).map(([driver, count]) => ({ name: driver, nodeID: name, allocatable: { count } })),
  },
});
