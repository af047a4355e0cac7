import type {
  CSIPersistentVolumeSource,
  PersistentVolumeSource,
  PersistentVolumeSpec,
  SecretReference,
  Volume,
} from '#api/generated/core-v1.ts';
import { tooLongValue } from '#api/field-error.ts';
import { dns1123SubdomainProblems } from '#api/names.ts';
import type { Finding } from '#api/validation/check.ts';
import { validateNoBacksteps } from '#api/validation/paths.ts';
import { rareSources } from '#api/validation/rare-volumes.ts';
import { validateHostPath } from '#api/validation/volumes.ts';

/** How one kind of source of a persistent volume is checked; the volume has it. */
export interface PersistentSourceRule {
  readonly name: keyof PersistentVolumeSource;
  readonly validate: (spec: PersistentVolumeSpec, found: Finding) => void;
}

function rule<K extends keyof PersistentVolumeSource>(
  name: K,
  validate: (source: NonNullable<PersistentVolumeSource[K]>, found: Finding) => void,
): PersistentSourceRule {
  return {
    name,
    validate: (spec, found) => {
      const source = spec[name];
      if (source !== undefined && source !== null) validate(source, found.child(name));
    },
  };
}

/** Those that a pod may name itself and that look the same here, as far as they are checked. */
const shared: readonly (keyof PersistentVolumeSource & keyof Volume)[] = [
  'gcePersistentDisk',
  'awsElasticBlockStore',
  'glusterfs',
  'flocker',
  'nfs',
  'rbd',
  'quobyte',
  'cephfs',
  'iscsi',
  'cinder',
  'fc',
  'flexVolume',
  'azureFile',
  'vsphereVolume',
  'photonPersistentDisk',
  'portworxVolume',
  'azureDisk',
  'scaleIO',
  'storageos',
];

/** In upstream's order: of several the first is the one that counts. */
export const persistentSources: readonly PersistentSourceRule[] = [
  rule('hostPath', validateHostPath),
  ...shared.map((name): PersistentSourceRule => {
    const own = rareSources.find((each) => each.name === name);
    if (own === undefined) throw new Error(`there is no rule for volumes of kind ${name}`);
    // Of what the rules read, each field is called and means the same in both places.
    return { name, validate: (spec, found) => own.validate(spec as unknown as Volume, found) };
  }),
  {
    name: 'local',
    validate: ({ local, nodeAffinity }, found) => {
      const path = found.child('local').child('path');
      if (path.text(local?.path)) validateNoBacksteps(local?.path ?? '', path);
      if (nodeAffinity?.required === undefined)
        found.child('nodeAffinity').required('Local volume requires node affinity');
    },
  },
  rule('csi', validateCsi),
];

const secrets = [
  'controllerPublishSecretRef',
  'controllerExpandSecretRef',
  'nodePublishSecretRef',
  'nodeExpandSecretRef',
] as const;

function validateCsi(source: CSIPersistentVolumeSource, found: Finding): void {
  validateCsiDriverName(source.driver, found.child('driver'));
  found.child('volumeHandle').text(source.volumeHandle);
  for (const name of secrets) validateSecretReference(source[name], found.child(name));
}

export function validateCsiDriverName(driver: string | undefined, found: Finding): void {
  if (!found.text(driver)) return;
  if (driver.length > 63) found.add(tooLongValue(found, 63));
  found.problems(driver, dns1123SubdomainProblems(driver.toLowerCase()));
}

function validateSecretReference(secret: SecretReference | undefined, found: Finding): void {
  if (secret === undefined) return;
  found.child('name').text(secret.name);
  found.child('namespace').text(secret.namespace);
}
