import type { PersistentVolume, PersistentVolumeSpec, VolumeNodeAffinity } from '#api/generated/core-v1.ts';
import type { FieldError } from '#api/field-error.ts';
import { dns1123SubdomainProblems } from '#api/names.ts';
import { formatQuantity, parseQuantity, signOf } from '#api/quantity.ts';
import { differences, differenceText, semanticallyEqual } from '#api/semantic-diff.ts';
import { Finding } from '#api/validation/check.ts';
import { validateAccessModes } from '#api/validation/claims.ts';
import { clusterName, validateImmutable, validateMeta, validateMetaUpdate } from '#api/validation/metadata.ts';
import { validateNodeSelector } from '#api/validation/placement.ts';
import { validateQuantity } from '#api/validation/resources.ts';
import { persistentSources } from '#api/validation/persistent-sources.ts';

export const validatePersistentVolume = (volume: PersistentVolume): readonly FieldError[] => {
  const found = validateMeta(volume.metadata, clusterName);
  return [...found.errors, ...specErrors(volume.spec ?? {})];
};

/** Where the bytes are cannot change, nor from where they can be reached once that has been said. */
export function validatePersistentVolumeUpdate(volume: PersistentVolume, old: PersistentVolume): readonly FieldError[] {
  const errors: FieldError[] = [
    ...validateMetaUpdate(volume.metadata, old.metadata).errors,
    ...specErrors(volume.spec ?? {}),
  ];
  const [now, before] = [sourceOf(volume.spec, old.spec), sourceOf(old.spec, old.spec)];
  if (!semanticallyEqual(before, now)) {
    const changes = differences(before, now, 'spec').map(differenceText).join('\n');
    Finding.at('spec', errors)
      .child('persistentvolumesource')
      .forbidden(`spec.persistentvolumesource is immutable after creation\n${changes}`);
  }
  validateImmutable(volume.spec.volumeMode, old.spec.volumeMode, Finding.at('volumeMode', errors));
  if (old.spec.nodeAffinity !== undefined)
    validateImmutable(volume.spec.nodeAffinity, old.spec.nodeAffinity, Finding.at('nodeAffinity', errors));
  if (old.spec.volumeAttributesClassName !== undefined && volume.spec.volumeAttributesClassName === undefined) {
    Finding.at('spec', errors)
      .child('volumeAttributesClassName')
      .forbidden('update from non-nil value to nil is forbidden');
  }
  return errors;
}

export const validatePersistentVolumeStatusUpdate = (
  volume: PersistentVolume,
  old: PersistentVolume,
): readonly FieldError[] => validateMetaUpdate(volume.metadata, old.metadata).errors;

/** A volume as it stands in an attachment: a CSI volume and nothing about its binding. */
export function validateInlineVolume(spec: PersistentVolumeSpec, found: Finding): void {
  const inline = 'in the context of inline volumes';
  if (spec.claimRef !== undefined) found.child('claimRef').forbidden(`may not be specified ${inline}`);
  if (Object.keys(spec.capacity ?? {}).length > 0) found.child('capacity').forbidden(`may not be specified ${inline}`);
  if (spec.csi === undefined) found.child('csi').required(`has to be specified ${inline}`);
  validateVolumeModes(spec, found);
  const { persistentVolumeReclaimPolicy: policy, volumeMode } = spec;
  if (policy && policy !== 'Retain')
    found.child('persistentVolumeReclaimPolicy').forbidden(`may only be Retain ${inline}`);
  if (spec.nodeAffinity !== undefined) found.child('nodeAffinity').forbidden(`may not be specified ${inline}`);
  validateSources(spec, found);
  if (spec.storageClassName) found.child('storageClassName').forbidden(`may not be specified ${inline}`);
  if (volumeMode !== undefined && volumeMode !== 'Filesystem')
    found.child('volumeMode').forbidden(`may not specify volumeMode other than Filesystem ${inline}`);
}

function specErrors(spec: PersistentVolumeSpec): readonly FieldError[] {
  const found = Finding.at('spec');
  validateVolumeModes(spec, found);
  validateCapacity(spec.capacity ?? {}, found.child('capacity'));
  const { persistentVolumeReclaimPolicy: policy, storageClassName, volumeMode, volumeAttributesClassName } = spec;
  if (policy) found.child('persistentVolumeReclaimPolicy').oneOf(policy, ['Delete', 'Recycle', 'Retain']);
  validateNodeAffinity(spec.nodeAffinity, found.child('nodeAffinity'));
  validateSources(spec, found);
  if (policy === 'Recycle' && isRoot(spec.hostPath?.path)) {
    found.child('persistentVolumeReclaimPolicy').forbidden("may not be 'recycle' for a hostPath mount of '/'");
  }
  if (storageClassName)
    found.child('storageClassName').problems(storageClassName, dns1123SubdomainProblems(storageClassName));
  found.child('volumeMode').oneOf(volumeMode, ['Block', 'Filesystem']);
  if (volumeAttributesClassName !== undefined) {
    const own = found.child('volumeAttributesClassName');
    if (own.text(volumeAttributesClassName, 'an empty string is disallowed'))
      own.problems(volumeAttributesClassName, dns1123SubdomainProblems(volumeAttributesClassName));
    if (spec.csi === undefined) found.child('csi').required('has to be specified when using volumeAttributesClassName');
  }
  return found.errors;
}

function validateVolumeModes(spec: PersistentVolumeSpec, found: Finding): void {
  const own = found.child('accessModes');
  if ((spec.accessModes ?? []).length === 0) own.required();
  validateAccessModes(spec.accessModes ?? [], own);
}

function validateCapacity(capacity: Readonly<Record<string, string>>, found: Finding): void {
  const names = Object.keys(capacity);
  if (names.length === 0) found.required();
  if (names.length !== 1 || names[0] !== 'storage') found.unsupported(capacity as never, ['storage']);
  for (const name of names) {
    const own = found.key(name);
    const text = capacity[name] ?? '';
    const amount = validateQuantity(name, text, own);
    if (amount !== undefined && signOf(amount) <= 0)
      own.invalid(formatQuantity(parseQuantity(text)), 'must be greater than zero');
  }
}

function validateNodeAffinity(affinity: VolumeNodeAffinity | undefined, found: Finding): void {
  if (affinity === undefined) return;
  if (affinity.required === undefined) found.child('required').required('must specify required node constraints');
  else validateNodeSelector(affinity.required, found.child('required'));
}

function validateSources(spec: PersistentVolumeSpec, found: Finding): void {
  let isTyped = false;
  for (const rule of persistentSources) {
    if (spec[rule.name] === undefined) continue;
    if (isTyped) found.child(rule.name).forbidden('may not specify more than 1 volume type');
    else rule.validate(spec, found);
    isTyped = true;
  }
  if (!isTyped) found.required('must specify a volume type');
}

/** Only where it is: of a CSI source the secret for expansion may be added later. */
function sourceOf(spec: PersistentVolumeSpec, old: PersistentVolumeSpec): Readonly<Record<string, unknown>> {
  const source = Object.fromEntries(persistentSources.map(({ name }) => [name, spec[name]]));
  if (spec.csi === undefined || old.csi === undefined || old.csi.controllerExpandSecretRef !== undefined) return source;
  const { controllerExpandSecretRef: _, ...csi } = spec.csi;
  return { ...source, csi };
}

const isRoot = (path: string | undefined): boolean => path !== undefined && /^\/(\.?\/)*\.?$/.test(path);
