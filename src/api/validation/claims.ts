import type { PersistentVolumeClaimSpec, PersistentVolumeClaimTemplate } from '#api/generated/core-v1.ts';
import { dns1123SubdomainProblems } from '#api/names.ts';
import { formatQuantity, parseQuantity, signOf } from '#api/quantity.ts';
import type { Finding } from '#api/validation/check.ts';
import { validateAnnotations, validateLabels, validateLabelSelector } from '#api/validation/metadata.ts';
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

export function validateClaimSpec(spec: PersistentVolumeClaimSpec, found: Finding): void {
  const { accessModes = [], selector, resources, storageClassName, volumeMode } = spec;
  const modes = found.child('accessModes');
  if (accessModes.length === 0) modes.required('at least 1 access mode is required');
  validateLabelSelector(selector, found.child('selector'));
  for (const mode of accessModes) {
    modes.oneOf(mode, ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod']);
  }
  if (accessModes.includes('ReadWriteOncePod') && accessModes.some((mode) => mode !== 'ReadWriteOncePod')) {
    modes.forbidden('may not use ReadWriteOncePod with other access modes');
  }
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
}
