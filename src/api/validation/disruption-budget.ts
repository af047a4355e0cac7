import type { FieldError } from '#api/field-error.ts';
import type { IntOrString } from '#api/generated/meta-v1.ts';
import type { PodDisruptionBudget, PodDisruptionBudgetSpec } from '#api/generated/policy-v1.ts';
import { pathSegmentProblems, percentProblems } from '#api/names.ts';
import { Finding } from '#api/validation/check.ts';
import { validateConditions } from '#api/validation/conditions.ts';
import { validateLabelSelector, validateMeta, validateMetaUpdate } from '#api/validation/metadata.ts';

/** Upstream asks no more of a budget's name than that it can stand in a path. */
const budgetName = { namespaced: true, nameProblems: pathSegmentProblems };

export const validateDisruptionBudget = (budget: PodDisruptionBudget): readonly FieldError[] => [
  ...validateMeta(budget.metadata, budgetName).errors,
  ...specErrors(budget.spec ?? {}),
];

/** All of the spec may be changed. */
export const validateDisruptionBudgetUpdate = (
  budget: PodDisruptionBudget,
  old: PodDisruptionBudget,
): readonly FieldError[] => [
  ...validateMetaUpdate(budget.metadata, old.metadata).errors,
  ...specErrors(budget.spec ?? {}),
];

export function validateDisruptionBudgetStatusUpdate(
  budget: PodDisruptionBudget,
  old: PodDisruptionBudget,
): readonly FieldError[] {
  const meta = validateMetaUpdate(budget.metadata, old.metadata);
  const found = Finding.at('status');
  const { conditions = [], disruptionsAllowed, currentHealthy, desiredHealthy, expectedPods } = budget.status ?? {};
  validateConditions(conditions, found.child('conditions'));
  found.child('disruptionsAllowed').nonNegative(disruptionsAllowed);
  found.child('currentHealthy').nonNegative(currentHealthy);
  found.child('desiredHealthy').nonNegative(desiredHealthy);
  found.child('expectedPods').nonNegative(expectedPods);
  return [...meta.errors, ...found.errors];
}

function specErrors(spec: PodDisruptionBudgetSpec): readonly FieldError[] {
  const found = Finding.at('spec');
  const { minAvailable, maxUnavailable, unhealthyPodEvictionPolicy, selector } = spec;
  if (minAvailable !== undefined && maxUnavailable !== undefined) {
    found.invalid(spec, 'minAvailable and maxUnavailable cannot be both set');
  }
  validateAmount(minAvailable, found.child('minAvailable'));
  validateAmount(maxUnavailable, found.child('maxUnavailable'));
  validateLabelSelector(selector, found.child('selector'));
  found.child('unhealthyPodEvictionPolicy').oneOf(unhealthyPodEvictionPolicy, ['AlwaysAllow', 'IfHealthyBudget']);
  return found.errors;
}

/** So many pods, or so many in a hundred. */
function validateAmount(amount: IntOrString | undefined, found: Finding): void {
  if (amount === undefined) return;
  if (typeof amount === 'number') return found.nonNegative(amount);
  const problems = percentProblems(amount);
  found.problems(amount, problems);
  if (problems.length === 0 && Number.parseInt(amount, 10) > 100)
    found.invalid(amount, 'must not be greater than 100%');
}
