import type { FieldError } from '#api/field-error.ts';
import type {
  PersistentVolumeClaim,
  PersistentVolumeClaimSpec,
  PersistentVolumeClaimTemplate,
  TypedObjectReference,
} from '#api/generated/core-v1.ts';
import { dns1123LabelProblems, dns1123SubdomainProblems } from '#api/names.ts';
import { compareQuantities, formatQuantity, parseQuantity, signOf } from '#api/quantity.ts';
import { differences, differenceText, semanticallyEqual } from '#api/semantic-diff.ts';
import { Finding } from '#api/validation/check.ts';
import {
  namespacedName,
  validateAnnotations,
  validateImmutable,
  validateLabels,
  validateLabelSelector,
  validateMeta,
  validateMetaUpdate,
} from '#api/validation/metadata.ts';
import { requestOf } from '#api/volume-matching.ts';
import { validateQuantity } from '#api/validation/resources.ts';

/** The claim an ephemeral volume is made of. */
export function validateClaimTemplate(template: PersistentVolumeClaimTemplate, found: Finding): void {
  const { labels, annotations, ...others } = template.metadata ?? {};
  const meta = found.child('metadata');
  validateAnnotations(annotations, meta.child('annotations'));
  validateLabels(labels, meta.child('labels'));
  for (const [name, value] of Object.entries(others)) {
    if (value !== undefined && value !== null && value !== '') meta.child(name).forbidden('cannot be set');
  }
  validateClaimSpec(template.spec ?? {}, found.child('spec'));
}

function validateClaimSpec(spec: PersistentVolumeClaimSpec, found: Finding): void {
  const { accessModes = [], selector, resources, storageClassName, volumeMode } = spec;
  const modes = found.child('accessModes');
  if (accessModes.length === 0) modes.required('at least 1 access mode is required');
  validateLabelSelector(selector, found.child('selector'));
  validateAccessModes(accessModes, modes);
  const storage = resources?.requests?.['storage'];
  const own = found.child('resources').key('storage');
  if (storage === undefined) own.required();
  else if (validateQuantity('storage', storage, own) !== undefined && signOf(parseQuantity(storage)) === 0) {
    own.invalid(formatQuantity(parseQuantity(storage)), 'must be greater than zero');
  }
  if (storageClassName) {
    found.child('storageClassName').problems(storageClassName, dns1123SubdomainProblems(storageClassName));
  }
  found.child('volumeMode').oneOf(volumeMode, ['Block', 'Filesystem']);
  const { dataSource, dataSourceRef, volumeAttributesClassName } = spec;
  if (dataSource !== undefined) validateDataSource(dataSource, found.child('dataSource'));
  if (dataSourceRef !== undefined) validateDataSource(dataSourceRef, found.child('dataSourceRef'));
  if (dataSource !== undefined && dataSourceRef !== undefined) {
    if (dataSourceRef.namespace)
      found.invalid('dataSource', 'may not be specified when dataSourceRef.namespace is specified');
    else if (!semanticallyEqual(dataSource, { ...dataSourceRef, namespace: undefined }))
      found.invalid('dataSource', 'must match dataSourceRef');
  }
  if (volumeAttributesClassName) {
    const problems = dns1123SubdomainProblems(volumeAttributesClassName);
    found.child('volumeAttributesClassName').problems(volumeAttributesClassName, problems);
  }
}

export function validateAccessModes(modes: readonly string[], found: Finding): void {
  for (const mode of modes) found.oneOf(mode, supportedModes);
  if (!modes.includes('ReadWriteOncePod')) return;
  if (modes.some((mode) => mode !== 'ReadWriteOncePod' && supportedModes.includes(mode)))
    found.forbidden('may not use ReadWriteOncePod with other access modes');
}

const supportedModes = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod'];

function validateDataSource(source: TypedObjectReference, found: Finding): void {
  const { name, kind, apiGroup, namespace } = source;
  found.child('name').text(name);
  found.child('kind').text(kind);
  if (!apiGroup && kind !== 'PersistentVolumeClaim')
    found.invalid(kind, "must be 'PersistentVolumeClaim' when referencing the default apiGroup");
  if (apiGroup) found.child('apiGroup').problems(apiGroup, dns1123SubdomainProblems(apiGroup));
  if (namespace) found.child('namespace').problems(namespace, dns1123LabelProblems(namespace));
}

export const validateClaim = (claim: PersistentVolumeClaim): readonly FieldError[] => {
  const found = validateMeta(claim.metadata, namespacedName);
  const spec = Finding.at('spec');
  validateClaimSpec(claim.spec ?? {}, spec);
  return [...found.errors, ...spec.errors];
};

/**
 * What is asked for is asked for once: it may be given its volume, a class where it named none, and once it is bound a larger size.
 */
export function validateClaimUpdate(claim: PersistentVolumeClaim, old: PersistentVolumeClaim): readonly FieldError[] {
  const errors: FieldError[] = [...validateMetaUpdate(claim.metadata, old.metadata).errors];
  validateClaimSpec(claim.spec ?? {}, Finding.at('spec', errors));
  const spec = Finding.at('spec', errors);
  const changes = differences(old.spec, withChangeableOf(claim, old), 'spec');
  if (changes.length > 0) {
    const list = changes.map(differenceText).join('\n');
    spec.forbidden(
      `spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n${list}`,
    );
  }
  const [size, before] = [requestOf(claim), requestOf(old)];
  const storage = spec.child('resources').child('requests').child('storage');
  const granted = old.status?.capacity?.['storage'];
  if (
    compareQuantities(size, before) < 0 &&
    (granted === undefined || compareQuantities(size, parseQuantity(granted)) <= 0)
  )
    storage.forbidden('field can not be less than status.capacity');
  validateImmutable(claim.spec.volumeMode, old.spec.volumeMode, Finding.at('volumeMode', errors));
  const [attributes, attributesBefore] = [claim.spec.volumeAttributesClassName, old.spec.volumeAttributesClassName];
  if (attributesBefore !== undefined && !attributes) {
    const what = attributes === undefined ? 'nil' : 'an empty string';
    spec.child('volumeAttributesClassName').forbidden(`update from non-nil value to ${what} is forbidden`);
  }
  return errors;
}

/** The new spec, with what may have changed as it was. */
function withChangeableOf({ spec }: PersistentVolumeClaim, old: PersistentVolumeClaim): object {
  const { volumeName, storageClassName, volumeAttributesClassName, resources } = old.spec;
  const requests = { ...spec.resources?.requests, storage: resources?.requests?.['storage'] };
  return {
    ...spec,
    volumeAttributesClassName,
    ...(volumeName ? {} : { volumeName }),
    ...(storageClassName === undefined ? { storageClassName } : {}),
    ...(old.status?.phase === 'Bound' ? { resources: { ...spec.resources, requests } } : {}),
  };
}

export function validateClaimStatusUpdate(
  claim: PersistentVolumeClaim,
  old: PersistentVolumeClaim,
): readonly FieldError[] {
  const errors: FieldError[] = [...validateMetaUpdate(claim.metadata, old.metadata).errors];
  const found = Finding.at('status', errors);
  for (const [name, text] of Object.entries(claim.status?.capacity ?? {}))
    validateQuantity(name, text, found.child('capacity').key(name));
  return errors;
}
