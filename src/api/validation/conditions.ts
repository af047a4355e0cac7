import { tooLongValue } from '#api/field-error.ts';
import type { Condition } from '#api/generated/meta-v1.ts';
import { conditionReasonProblems } from '#api/names.ts';
import type { Finding } from '#api/validation/check.ts';
import { validateLabelName } from '#api/validation/metadata.ts';

const statuses = ['False', 'True', 'Unknown'];
const reasonMostBytes = 1024;
const messageMostBytes = 32 * 1024;

/** A list of `meta/v1` conditions: each as it must be, and of each type one. */
export function validateConditions(conditions: readonly Condition[], found: Finding): void {
  const types = new Set<string>();
  for (const [index, condition] of conditions.entries()) {
    const own = found.at(index);
    if (types.has(condition.type)) own.child('type').duplicate(condition.type);
    types.add(condition.type);
    validateCondition(condition, own);
  }
}

function validateCondition(condition: Condition, found: Finding): void {
  const { type, status, observedGeneration = 0, lastTransitionTime, reason, message } = condition;
  validateLabelName(type, found.child('type'));
  if (!statuses.includes(status)) found.child('status').unsupported(status ?? '', statuses);
  if (observedGeneration < 0) {
    found.child('observedGeneration').invalid(observedGeneration, 'must be greater than or equal to zero');
  }
  found.child('lastTransitionTime').text(lastTransitionTime, 'must be set');
  const reasonFound = found.child('reason');
  if (reasonFound.text(reason, 'must be set')) {
    reasonFound.problems(reason, conditionReasonProblems(reason));
    if (bytesOf(reason) > reasonMostBytes) reasonFound.add(tooLongValue(reasonFound, reasonMostBytes));
  }
  const messageFound = found.child('message');
  if (bytesOf(message ?? '') > messageMostBytes) messageFound.add(tooLongValue(messageFound, messageMostBytes));
}

const bytesOf = (text: string): number => new TextEncoder().encode(text).length;
