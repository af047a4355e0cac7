import type { Lease } from '#api/generated/coordination-v1.ts';
import type { PriorityClass } from '#api/generated/scheduling-v1.ts';
import type { FieldError } from '#api/field-error.ts';
import { labelKeyProblems } from '#api/names.ts';
import { Finding } from '#api/validation/check.ts';
import {
  clusterName,
  namespacedName,
  validateImmutable,
  validateMeta,
  validateMetaUpdate,
} from '#api/validation/metadata.ts';

/** The priorities the cluster keeps for itself; everybody else stays below. */
const systemPriorities: Readonly<Record<string, number>> = {
  'system-node-critical': 2_000_001_000,
  'system-cluster-critical': 2_000_000_000,
};
const mostUserPriority = 1_000_000_000;

export const validateLease = (lease: Lease): readonly FieldError[] => [
  ...validateMeta(lease.metadata, namespacedName).errors,
  ...leaseErrors(lease),
];

export const validateLeaseUpdate = (lease: Lease, old: Lease): readonly FieldError[] => [
  ...validateMetaUpdate(lease.metadata, old.metadata).errors,
  ...leaseErrors(lease),
];

function leaseErrors(lease: Lease): readonly FieldError[] {
  const spec = lease.spec ?? {};
  const found = Finding.at('spec');
  const { leaseDurationSeconds: seconds, leaseTransitions: transitions, strategy, preferredHolder } = spec;
  if (seconds !== undefined && seconds <= 0)
    found.child('leaseDurationSeconds').invalid(seconds, 'must be greater than 0');
  if (transitions !== undefined && transitions < 0) {
    found.child('leaseTransitions').invalid(transitions, 'must be greater than or equal to 0');
  }
  if (strategy?.includes('/')) found.child('strategy').problems(strategy, labelKeyProblems(strategy));
  else found.child('strategy').oneOf(strategy, ['OldestEmulationVersion']);
  if (preferredHolder && !strategy) {
    found.child('preferredHolder').forbidden('may only be specified if `strategy` is defined');
  }
  return found.errors;
}

export function validatePriorityClass(priorityClass: PriorityClass): readonly FieldError[] {
  const meta = validateMeta(priorityClass.metadata, clusterName);
  const errors: FieldError[] = [];
  const { value = 0, globalDefault, preemptionPolicy } = priorityClass;
  const name = priorityClass.metadata?.name ?? '';
  const problem = name.startsWith('system-') ? systemProblem(name, value, globalDefault === true) : undefined;
  if (problem !== undefined) {
    const why = `priority class names with 'system-' prefix are reserved for system use only. error: ${problem}`;
    Finding.at('metadata', errors).child('name').forbidden(why);
  } else if (!name.startsWith('system-') && value > mostUserPriority) {
    const why = `maximum allowed value of a user defined priority is ${mostUserPriority}`;
    Finding.at('value', errors).forbidden(why);
  }
  Finding.at('preemptionPolicy', errors).oneOf(preemptionPolicy, ['PreemptLowerPriority', 'Never']);
  return [...meta.errors, ...errors];
}

export function validatePriorityClassUpdate(priorityClass: PriorityClass, old: PriorityClass): readonly FieldError[] {
  const meta = validateMetaUpdate(priorityClass.metadata, old.metadata);
  const errors: FieldError[] = [];
  if ((priorityClass.value ?? 0) !== (old.value ?? 0)) {
    Finding.at('value', errors).forbidden('may not be changed in an update.');
  }
  const own = Finding.at('preemptionPolicy', errors);
  validateImmutable(priorityClass.preemptionPolicy, old.preemptionPolicy, own);
  return [...meta.errors, ...errors];
}

function systemProblem(name: string, value: number, globalDefault: boolean): string | undefined {
  const known = Object.hasOwn(systemPriorities, name) ? systemPriorities[name] : undefined;
  if (known === undefined) return `${name} is not a known system priority class`;
  if (known !== value) return `value of ${name} PriorityClass must be ${known}`;
  return globalDefault ? `globalDefault of ${name} PriorityClass must be false` : undefined;
}
