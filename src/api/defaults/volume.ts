import type {
  DownwardAPIVolumeFile,
  HostPathType,
  PersistentVolumeClaimSpec,
  PersistentVolumeSource,
  Volume,
  VolumeProjection,
} from '#api/generated/core-v1.ts';
import { defaultFieldRef, defaultResourceRef, pullPolicyOf } from '#api/defaults/container.ts';
import { canonicalQuantity, canonicalResources, change, each, fill, type Changes } from '#api/defaults/shape.ts';

/** Files of ConfigMaps, Secrets and the like are rw-r--r--. */
const fileMode = 0o644;

/** Nothing is checked before the path is mounted. */
const anyType: HostPathType = '';

/** One defaulting a source; a volume with none is an empty directory. */
export function defaultVolume(volume: Volume): Volume {
  return hasSource(volume) ? change(volume, volumeChanges) : { ...volume, emptyDir: {} };
}

const hasSource = (volume: Volume): boolean => {
  for (const key in volume) {
    if (key !== 'name' && volume[key as keyof Volume] !== undefined && volume[key as keyof Volume] !== null)
      return true;
  }
  return false;
};

const fieldChanges: Changes<DownwardAPIVolumeFile> = {
  fieldRef: defaultFieldRef,
  resourceFieldRef: defaultResourceRef,
};
const defaultFiles = each((file: DownwardAPIVolumeFile) => change(file, fieldChanges));

const projectionChanges: Changes<VolumeProjection> = {
  serviceAccountToken: (token) => fill(token, { expirationSeconds: 3600 }),
  downwardAPI: (source) => change(source, { items: defaultFiles }),
};

const amounts = { limits: canonicalResources, requests: canonicalResources };

export const defaultClaimSpec = (spec: PersistentVolumeClaimSpec): PersistentVolumeClaimSpec =>
  change(fill(spec, { volumeMode: 'Filesystem' }), { resources: (resources) => change(resources, amounts) });

/** What volumes of pods and persistent volumes have in common of these kinds. */
export const rareVolumeChanges: Changes<
  Pick<Volume & PersistentVolumeSource, 'iscsi' | 'rbd' | 'azureDisk' | 'scaleIO'>
> = {
  iscsi: (source) => fill(source, { iscsiInterface: 'default' }),
  rbd: (source) => fill(source, { pool: 'rbd', user: 'admin', keyring: '/etc/ceph/keyring' }),
  azureDisk: (source) => fill(source, { cachingMode: 'ReadWrite', fsType: 'ext4', readOnly: false, kind: 'Shared' }),
  scaleIO: (source) => fill(source, { storageMode: 'ThinProvisioned', fsType: 'xfs' }),
};

const volumeChanges: Changes<Volume> = {
  secret: (source) => fill(source, { defaultMode: fileMode }),
  configMap: (source) => fill(source, { defaultMode: fileMode }),
  emptyDir: (source) => change(source, { sizeLimit: (limit) => canonicalQuantity(limit) }),
  hostPath: (source) => (source.type === undefined ? { ...source, type: anyType } : source),
  downwardAPI: (source) => change(fill(source, { defaultMode: fileMode }), { items: defaultFiles }),
  projected: (source) =>
    change(fill(source, { defaultMode: fileMode }), {
      sources: each((projection: VolumeProjection) => change(projection, projectionChanges)),
    }),
  image: (source) => fill(source, { pullPolicy: pullPolicyOf(source.reference ?? '') }),
  ephemeral: (source) =>
    change(source, { volumeClaimTemplate: (template) => change(template, { spec: defaultClaimSpec }) }),
  ...rareVolumeChanges,
};
