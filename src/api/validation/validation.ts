import type { FieldError } from '#api/field-error.ts';
import type { GivenMeta } from '#api/validation/metadata.ts';
import { namespacedName, validateMeta, validateMetaUpdate, clusterName } from '#api/validation/metadata.ts';
import { validateClaim, validateClaimStatusUpdate, validateClaimUpdate } from '#api/validation/claims.ts';
import {
  validateConfigMap,
  validateConfigMapUpdate,
  validateNamespace,
  validateNamespaceStatusUpdate,
  validateNamespaceUpdate,
  validateNode,
  validateNodeUpdate,
  validateSecret,
  validateSecretUpdate,
  validateServiceAccount,
  validateServiceAccountUpdate,
} from '#api/validation/core.ts';
import {
  validateDisruptionBudget,
  validateDisruptionBudgetStatusUpdate,
  validateDisruptionBudgetUpdate,
} from '#api/validation/disruption-budget.ts';
import { validateEvent, validateNewEvent, validateNewEventUpdate } from '#api/validation/event.ts';
import {
  validatePersistentVolume,
  validatePersistentVolumeStatusUpdate,
  validatePersistentVolumeUpdate,
} from '#api/validation/persistent-volume.ts';
import { validateBinding, validatePod, validatePodStatusUpdate, validatePodUpdate } from '#api/validation/pod.ts';
import {
  validateLease,
  validateLeaseUpdate,
  validatePriorityClass,
  validatePriorityClassUpdate,
} from '#api/validation/policy.ts';
import { validateService, validateServiceStatusUpdate, validateServiceUpdate } from '#api/validation/service.ts';
import {
  validateCsiDriver,
  validateCsiDriverUpdate,
  validateCsiNode,
  validateCsiNodeUpdate,
  validateCsiStorageCapacity,
  validateCsiStorageCapacityUpdate,
  validateStorageClass,
  validateStorageClassUpdate,
} from '#api/validation/storage.ts';
import { validateVolumeAttachment, validateVolumeAttachmentUpdate } from '#api/validation/volume-attachment.ts';

/**
 * Validation: what upstream refuses, with its paths and words. An empty list is a right object; anything else becomes
 * one 422 by `invalid` of `#api/field-error.ts`. Objects have been decoded (so types are right) and defaulted.
 *
 * A kind that is not in the table has its metadata checked and nothing else.
 */
interface KindRules {
  readonly create: (object: unknown) => readonly FieldError[];
  readonly update: (object: unknown, old: unknown) => readonly FieldError[];
  readonly status?: (object: unknown, old: unknown) => readonly FieldError[];
}

interface Typed {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: GivenMeta;
}

export const validateCreate = (object: Typed): readonly FieldError[] => rulesOf(object).create(object);

export const validateUpdate = (object: Typed, old: Typed): readonly FieldError[] => rulesOf(object).update(object, old);

/** An update by `/status`: metadata and status may change, the spec is the old one already. */
export function validateStatusUpdate(object: Typed, old: Typed): readonly FieldError[] {
  const rules = rulesOf(object);
  return rules.status === undefined
    ? validateMetaUpdate(object.metadata, old.metadata).errors
    : rules.status(object, old);
}

function rulesOf({ apiVersion, kind, metadata }: Typed): KindRules {
  const key = `${apiVersion}/${kind}`;
  const known = Object.hasOwn(byKind, key) ? byKind[key] : undefined;
  return known ?? (metadata?.namespace ? otherNamespaced : otherCluster);
}

// The key is the check: what has this apiVersion and kind was decoded as this type.
const forKind = <K>(
  create: (object: K) => readonly FieldError[],
  update: (object: K, old: K) => readonly FieldError[],
  status?: (object: K, old: K) => readonly FieldError[],
): KindRules => ({
  create: (object) => create(object as K),
  update: (object, old) => update(object as K, old as K),
  ...(status === undefined ? {} : { status: (object, old) => status(object as K, old as K) }),
});

const metaOnly = (rules: typeof namespacedName): KindRules =>
  forKind<Typed>(
    ({ metadata }) => validateMeta(metadata, rules).errors,
    ({ metadata }, old) => validateMetaUpdate(metadata, old.metadata).errors,
  );

const otherNamespaced = metaOnly(namespacedName);
const otherCluster = metaOnly(clusterName);

const byKind: Readonly<Record<string, KindRules>> = {
  'v1/Pod': forKind(validatePod, validatePodUpdate, validatePodStatusUpdate),
  'v1/Binding': forKind(validateBinding, validateBinding),
  'v1/Namespace': forKind(validateNamespace, validateNamespaceUpdate, validateNamespaceStatusUpdate),
  'v1/ConfigMap': forKind(validateConfigMap, validateConfigMapUpdate),
  'v1/Secret': forKind(validateSecret, validateSecretUpdate),
  'v1/ServiceAccount': forKind(validateServiceAccount, validateServiceAccountUpdate),
  'v1/Service': forKind(validateService, validateServiceUpdate, validateServiceStatusUpdate),
  'v1/Node': forKind(validateNode, validateNodeUpdate, validateNodeUpdate),
  'v1/PersistentVolume': forKind(
    validatePersistentVolume,
    validatePersistentVolumeUpdate,
    validatePersistentVolumeStatusUpdate,
  ),
  'v1/PersistentVolumeClaim': forKind(validateClaim, validateClaimUpdate, validateClaimStatusUpdate),
  'v1/Event': forKind(validateEvent, validateEvent),
  'events.k8s.io/v1/Event': forKind(validateNewEvent, validateNewEventUpdate),
  'coordination.k8s.io/v1/Lease': forKind(validateLease, validateLeaseUpdate),
  'policy/v1/PodDisruptionBudget': forKind(
    validateDisruptionBudget,
    validateDisruptionBudgetUpdate,
    validateDisruptionBudgetStatusUpdate,
  ),
  'scheduling.k8s.io/v1/PriorityClass': forKind(validatePriorityClass, validatePriorityClassUpdate),
  'storage.k8s.io/v1/CSIDriver': forKind(validateCsiDriver, validateCsiDriverUpdate),
  'storage.k8s.io/v1/CSINode': forKind(validateCsiNode, validateCsiNodeUpdate),
  'storage.k8s.io/v1/CSIStorageCapacity': forKind(validateCsiStorageCapacity, validateCsiStorageCapacityUpdate),
  'storage.k8s.io/v1/StorageClass': forKind(validateStorageClass, validateStorageClassUpdate),
  'storage.k8s.io/v1/VolumeAttachment': forKind(
    validateVolumeAttachment,
    validateVolumeAttachmentUpdate,
    validateVolumeAttachmentUpdate,
  ),
};
