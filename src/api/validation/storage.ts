import type { FieldError } from '#api/field-error.ts';
import { tooLongValue } from '#api/field-error.ts';
import type { TopologySelectorTerm } from '#api/generated/core-v1.ts';
import type {
  CSIDriver,
  CSIDriverSpec,
  CSINode,
  CSINodeDriver,
  CSIStorageCapacity,
  StorageClass,
} from '#api/generated/storage-v1.ts';
import { dns1123SubdomainProblems, labelKeyProblems } from '#api/names.ts';
import { semanticallyEqual } from '#api/semantic-diff.ts';
import { Finding } from '#api/validation/check.ts';
import {
  clusterName,
  namespacedName,
  validateImmutable,
  validateLabelName,
  validateLabelSelector,
  validateMeta,
  validateMetaUpdate,
} from '#api/validation/metadata.ts';
import { validateQuantity } from '#api/validation/resources.ts';

const mostParameters = 512;
const parametersMostBytes = 256 * 1024;
const nodeIdMostCharacters = 256;

export function validateStorageClass(storageClass: StorageClass): readonly FieldError[] {
  const errors: FieldError[] = [...validateMeta(storageClass.metadata, clusterName).errors];
  const { provisioner, parameters, reclaimPolicy, volumeBindingMode, allowedTopologies } = storageClass;
  const own = Finding.at('provisioner', errors);
  if (own.text(provisioner)) own.problems(provisioner.toLowerCase(), labelKeyProblems(provisioner.toLowerCase()));
  validateParameters(parameters ?? {}, Finding.at('parameters', errors));
  if (reclaimPolicy) Finding.at('reclaimPolicy', errors).oneOf(reclaimPolicy, ['Delete', 'Retain']);
  Finding.at('volumeBindingMode', errors).requiredOneOf(volumeBindingMode, ['Immediate', 'WaitForFirstConsumer']);
  validateTopologies(allowedTopologies ?? [], Finding.at('allowedTopologies', errors));
  return errors;
}

/** Volumes have been made by what it said: only what is not asked again may change. */
export function validateStorageClassUpdate(storageClass: StorageClass, old: StorageClass): readonly FieldError[] {
  const errors: FieldError[] = [...validateMetaUpdate(storageClass.metadata, old.metadata).errors];
  for (const name of ['parameters', 'provisioner', 'reclaimPolicy'] as const) {
    if (!semanticallyEqual(storageClass[name], old[name]))
      Finding.at(name, errors).forbidden(`updates to ${name} are forbidden.`);
  }
  const mode = Finding.at('volumeBindingMode', errors);
  validateImmutable(storageClass.volumeBindingMode, old.volumeBindingMode, mode);
  return errors;
}

function validateParameters(parameters: Readonly<Record<string, string>>, found: Finding): void {
  const entries = Object.entries(parameters);
  if (entries.length > mostParameters) return found.add(tooLongValue(found, mostParameters));
  const encoder = new TextEncoder();
  let length = 0;
  for (const [key, value] of entries) {
    if (key === '') found.invalid(key, 'field can not be empty.');
    length += encoder.encode(key).length + encoder.encode(value).length;
  }
  if (length > parametersMostBytes) found.add(tooLongValue(found, parametersMostBytes));
}

function validateTopologies(terms: readonly TopologySelectorTerm[], found: Finding): void {
  const seen: unknown[] = [];
  for (const [index, { matchLabelExpressions = [] }] of terms.entries()) {
    const own = found.at(index).child('matchLabelExpressions');
    const values = new Map<string, readonly string[]>();
    for (const [at, requirement] of matchLabelExpressions.entries()) {
      const each = own.at(at);
      const given = requirement.values ?? [];
      if (given.length === 0) each.child('values').required();
      for (const [n, value] of given.entries())
        if (given.indexOf(value) < n) each.child('values').at(n).duplicate(value);
      validateLabelName(requirement.key, each.child('key'));
      if (values.has(requirement.key)) each.child('key').duplicate(requirement.key);
      values.set(requirement.key, given.toSorted());
    }
    const term = Object.fromEntries(values);
    if (seen.some((other) => semanticallyEqual(other, term))) own.duplicate('');
    seen.push(term);
  }
}

export const validateCsiNode = (node: CSINode): readonly FieldError[] => [
  ...validateMeta(node.metadata, clusterName).errors,
  ...csiNodeErrors(node),
];

/** What a driver has said of a node stands, but for how many volumes it takes. */
export function validateCsiNodeUpdate(node: CSINode, old: CSINode): readonly FieldError[] {
  const errors: FieldError[] = [...validateMetaUpdate(node.metadata, old.metadata).errors, ...csiNodeErrors(node)];
  const found = Finding.at('spec', errors).child('drivers');
  const fixed = (driver: CSINodeDriver): object => ({ ...driver, allocatable: undefined });
  for (const before of old.spec.drivers ?? []) {
    for (const after of node.spec.drivers ?? [])
      if (after.name === before.name) validateImmutable(fixed(after), fixed(before), found);
  }
  return errors;
}

function csiNodeErrors({ spec }: CSINode): readonly FieldError[] {
  const found = Finding.at('spec').child('drivers');
  const names = new Set<string>();
  for (const [index, { name, nodeID, allocatable, topologyKeys = [] }] of (spec?.drivers ?? []).entries()) {
    const own = found.at(index);
    own.child('name').problems(name || '', dns1123SubdomainProblems(name || ''));
    if (own.child('nodeID').text(nodeID) && nodeID.length > nodeIdMostCharacters)
      own.child('nodeID').invalid(nodeID, `must be ${nodeIdMostCharacters} characters or less`);
    own.child('allocatable').child('count').nonNegative(allocatable?.count);
    if (names.has(name)) own.child('name').duplicate(name);
    names.add(name);
    for (const [at, key] of topologyKeys.entries()) {
      own.text(key);
      if (topologyKeys.indexOf(key) < at) own.duplicate(key);
      own.problems(key, labelKeyProblems(key));
    }
  }
  return found.errors;
}

export const validateCsiDriver = (driver: CSIDriver): readonly FieldError[] => [
  ...validateMeta(driver.metadata, clusterName).errors,
  ...csiDriverErrors(driver.spec ?? {}),
];

export function validateCsiDriverUpdate(driver: CSIDriver, old: CSIDriver): readonly FieldError[] {
  const errors: FieldError[] = [
    ...validateMetaUpdate(driver.metadata, old.metadata).errors,
    ...csiDriverErrors(driver.spec ?? {}),
  ];
  const found = Finding.at('spec', errors);
  // Upstream's spelling.
  validateImmutable(driver.spec.attachRequired, old.spec.attachRequired, found.child('attachedRequired'));
  const modes = found.child('volumeLifecycleModes');
  validateImmutable(driver.spec.volumeLifecycleModes, old.spec.volumeLifecycleModes, modes);
  return errors;
}

function csiDriverErrors(spec: CSIDriverSpec): readonly FieldError[] {
  const found = Finding.at('spec');
  found.child('fsGroupPolicy').oneOf(spec.fsGroupPolicy, ['File', 'None', 'ReadWriteOnceWithFSType']);
  const audiences = new Set<string>();
  for (const [index, { audience, expirationSeconds: seconds }] of (spec.tokenRequests ?? []).entries()) {
    const own = found.child('tokenRequests').at(index);
    if (audiences.has(audience)) own.child('audience').duplicate(audience);
    audiences.add(audience);
    const at = own.child('expirationSeconds');
    if (seconds !== undefined && seconds < 600) at.invalid(seconds, 'may not specify a duration less than 10 minutes');
    if (seconds !== undefined && seconds > 2 ** 32)
      at.invalid(seconds, 'may not specify a duration larger than 2^32 seconds');
  }
  for (const mode of spec.volumeLifecycleModes ?? [])
    found.child('volumeLifecycleModes').oneOf(mode, ['Persistent', 'Ephemeral']);
  const period = spec.nodeAllocatableUpdatePeriodSeconds;
  if (period !== undefined && period < 10)
    found.child('nodeAllocatableUpdatePeriodSeconds').invalid(period, 'must be greater than or equal to 10 seconds');
  return found.errors;
}

export function validateCsiStorageCapacity(capacity: CSIStorageCapacity): readonly FieldError[] {
  const errors: FieldError[] = [...validateMeta(capacity.metadata, namespacedName).errors];
  validateLabelSelector(capacity.nodeTopology, Finding.at('nodeTopology', errors));
  const { capacity: amount } = capacity;
  // What a client has left out is missing, whatever the type says.
  const name = capacity.storageClassName || '';
  Finding.at('storageClassName', errors).problems(name, dns1123SubdomainProblems(name));
  if (amount !== undefined) validateQuantity('storage', amount, Finding.at('capacity', errors));
  return errors;
}

export function validateCsiStorageCapacityUpdate(
  capacity: CSIStorageCapacity,
  old: CSIStorageCapacity,
): readonly FieldError[] {
  const errors: FieldError[] = [...validateMetaUpdate(capacity.metadata, old.metadata).errors];
  for (const name of ['nodeTopology', 'storageClassName'] as const)
    validateImmutable(capacity[name], old[name], Finding.at(name, errors));
  return errors;
}
