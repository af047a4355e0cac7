import { tooLongValue } from '#api/field-error.ts';
import type { ManagedFieldsEntry, NewMeta, ObjectMeta, OwnerReference } from '#api/meta.ts';
import {
  dns1123LabelProblems,
  dns1123SubdomainProblems,
  labelKeyProblems,
  labelValueProblems,
  maskTrailingDash,
} from '#api/names.ts';
import { semanticallyEqual } from '#api/semantic-diff.ts';
import { Finding, isImmutable } from '#api/validation/check.ts';

/** What an object's metadata may say. The server has generated the name already when `generateName` was used. */
export interface MetaRules {
  readonly namespaced: boolean;
  readonly nameProblems: (name: string) => readonly string[];
}

/** Metadata as it arrives: any of it may be missing. */
export type GivenMeta = NewMeta & Partial<Pick<ObjectMeta, 'uid' | 'resourceVersion' | 'creationTimestamp'>>;

export const namespacedName: MetaRules = { namespaced: true, nameProblems: dns1123SubdomainProblems };
export const clusterName: MetaRules = { namespaced: false, nameProblems: dns1123SubdomainProblems };

const annotationsMostBytes = 256 * 1024;
const fieldManagerMostBytes = 128;
const standardFinalizers = ['kubernetes', 'orphan', 'foregroundDeletion'];

export function validateMeta(meta: GivenMeta | undefined, rules: MetaRules): Finding {
  const found = Finding.at('metadata');
  const given = meta ?? {};
  if (given.generateName) {
    found.child('generateName').problems(given.generateName, rules.nameProblems(maskTrailingDash(given.generateName)));
  }
  if (found.child('name').text(given.name, 'name or generateName is required')) {
    found.child('name').problems(given.name, rules.nameProblems(given.name));
  }
  if (!rules.namespaced) {
    if (given.namespace) found.child('namespace').forbidden('not allowed on this type');
  } else if (found.child('namespace').text(given.namespace)) {
    found.child('namespace').problems(given.namespace, dns1123LabelProblems(given.namespace));
  }
  validateCommon(given, found);
  validateKubeFinalizers(given.finalizers, found.child('finalizers'));
  return found;
}

/** `rules` are not asked: what may not change was right before. */
export function validateMetaUpdate(meta: GivenMeta, old: GivenMeta): Finding {
  const found = Finding.at('metadata');
  if (old.deletionTimestamp !== undefined) refuseNewFinalizers(meta, old, found.child('finalizers'));
  if (!meta.resourceVersion) found.child('resourceVersion').invalid('', 'must be specified for an update');
  if ((meta.generation ?? 0) < (old.generation ?? 0)) {
    found.child('generation').invalid(meta.generation ?? 0, 'must not be decremented');
  }
  for (const name of immutableFields) {
    if ((meta[name] ?? '') !== (old[name] ?? '')) found.child(name).invalid(meta[name], isImmutable);
  }
  validateCommon(meta, found);
  validateKubeFinalizers(meta.finalizers, found.child('finalizers'));
  return found;
}

const immutableFields = [
  'name',
  'namespace',
  'uid',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
] as const;

export function validateLabels(labels: Readonly<Record<string, string>> | undefined, found: Finding): void {
  for (const key in labels) {
    found.problems(key, labelKeyProblems(key));
    const value = labels[key] ?? '';
    found.problems(value, labelValueProblems(value));
  }
}

export function validateLabelName(key: string | undefined, found: Finding): void {
  found.problems(key ?? '', labelKeyProblems(key ?? ''));
}

/** An annotation's key may have upper case in its prefix. */
export function validateAnnotations(annotations: Readonly<Record<string, string>> | undefined, found: Finding): void {
  let length = 0;
  for (const key in annotations) {
    found.problems(key, labelKeyProblems(key.toLowerCase()));
    length += key.length + (annotations[key]?.length ?? 0);
  }
  // A UTF-16 unit is at most three bytes: only what could be too long is encoded to be counted.
  if (length * 3 > annotationsMostBytes && byteLength(annotations ?? {}) > annotationsMostBytes) {
    found.add(tooLongValue(found, annotationsMostBytes));
  }
}

function byteLength(texts: Readonly<Record<string, string>>): number {
  const encoder = new TextEncoder();
  return Object.entries(texts).reduce(
    (total, [key, value]) => total + encoder.encode(key).length + encoder.encode(value).length,
    0,
  );
}

export function validateLabelSelector(
  selector:
    | {
        readonly matchLabels?: Readonly<Record<string, string>>;
        readonly matchExpressions?: readonly {
          readonly key: string;
          readonly operator: string;
          readonly values?: readonly string[];
        }[];
      }
    | undefined,
  found: Finding,
): void {
  if (selector === undefined) return;
  validateLabels(selector.matchLabels, found.child('matchLabels'));
  for (const [index, { key, operator, values = [] }] of (selector.matchExpressions ?? []).entries()) {
    const own = found.child('matchExpressions').at(index);
    if (operator === 'In' || operator === 'NotIn') {
      if (values.length === 0) {
        own.child('values').required("must be specified when `operator` is 'In' or 'NotIn'");
      }
    } else if (operator === 'Exists' || operator === 'DoesNotExist') {
      if (values.length > 0) {
        own.child('values').forbidden("may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
      }
    } else {
      own.child('operator').invalid(operator, 'not a valid selector operator');
    }
    validateLabelName(key, own.child('key'));
    for (const [at, value] of values.entries()) own.child('values').at(at).problems(value, labelValueProblems(value));
  }
}

/** A field that must stay as it was; `after` is shown in the message. */
export function validateImmutable(after: unknown, before: unknown, found: Finding): void {
  if (!semanticallyEqual(before, after)) found.invalid(after, isImmutable);
}

function validateCommon(meta: GivenMeta, found: Finding): void {
  found.child('generation').nonNegative(meta.generation);
  validateLabels(meta.labels, found.child('labels'));
  validateAnnotations(meta.annotations, found.child('annotations'));
  validateOwners(meta.ownerReferences ?? [], found.child('ownerReferences'));
  validateFinalizers(meta.finalizers ?? [], found.child('finalizers'));
  validateManagedFields(meta.managedFields ?? [], found.child('managedFields'));
}

function validateOwners(owners: readonly OwnerReference[], found: Finding): void {
  let controller: string | undefined;
  for (const owner of owners) {
    if (!owner.apiVersion) found.child('apiVersion').invalid('', 'version must not be empty');
    for (const name of ['kind', 'name', 'uid'] as const) {
      if (!owner[name]) found.child(name).invalid('', 'must not be empty');
    }
    if (owner.apiVersion === 'v1' && owner.kind === 'Event') {
      found.invalid(owner, '/v1, Kind=Event is disallowed from being an owner');
    }
    if (owner.controller !== true) continue;
    const current = `${owner.kind}/${owner.name}`;
    if (controller === undefined) controller = current;
    else {
      const why = `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${current}`;
      found.invalid(owners, why);
    }
  }
}

function validateFinalizers(finalizers: readonly string[], found: Finding): void {
  for (const finalizer of finalizers) found.problems(finalizer, labelKeyProblems(finalizer));
  if (finalizers.includes('orphan') && finalizers.includes('foregroundDeletion')) {
    found.invalid(finalizers, 'finalizer orphan and foregroundDeletion cannot be both set');
  }
}

/** Also the finalizers of a namespace's spec follow this. */
export function validateKubeFinalizers(finalizers: readonly string[] | undefined, found: Finding): void {
  for (const [index, finalizer] of (finalizers ?? []).entries()) {
    if (finalizer.includes('/') || standardFinalizers.includes(finalizer)) continue;
    const why = 'name is neither a standard finalizer name nor is it fully qualified';
    found.at(index).invalid(finalizer, why);
  }
}

function refuseNewFinalizers(meta: GivenMeta, old: GivenMeta, found: Finding): void {
  const added = (meta.finalizers ?? []).filter((finalizer) => !old.finalizers?.includes(finalizer)).toSorted();
  if (added.length === 0) return;
  const names = `[]string{${added.map((each) => JSON.stringify(each)).join(', ')}}`;
  found.forbidden(`no new finalizers can be added if the object is being deleted, found new finalizers ${names}`);
}

function validateManagedFields(entries: readonly ManagedFieldsEntry[], found: Finding): void {
  for (const [index, { operation, fieldsType, manager = '' }] of entries.entries()) {
    const own = found.at(index);
    if (operation !== 'Apply' && operation !== 'Update') {
      own.child('operation').invalid(operation ?? '', 'must be `Apply` or `Update`');
    }
    if (fieldsType !== undefined && fieldsType !== 'FieldsV1') {
      own.child('fieldsType').invalid(fieldsType, 'must be `FieldsV1`');
    }
    if (manager.length > fieldManagerMostBytes) {
      own.add(tooLongValue(own.child('manager'), fieldManagerMostBytes));
    }
  }
}
