/**
 * What budgets say of pods: the rules that the API server's eviction, the disruption controller and whoever else ends pods of
 * others on purpose have in common. Pure. The rules are upstream's.
 */
import type { Pod, PodCondition } from '#api/generated/core-v1.ts';
import type { Condition } from '#api/generated/meta-v1.ts';
import type { PodDisruptionBudget, PodDisruptionBudgetStatus } from '#api/generated/policy-v1.ts';
import { nothing, SelectorError, selectorOfObject, type LabelSelector } from '#api/selectors.ts';

/** The condition of a pod that is to be ended for reasons that are not its own. */
export const disruptionTarget = 'DisruptionTarget';

/** For so long a pod that was given leave to go is taken to be going; then the leave lapses. */
export const DISRUPTION_LEAVE_MS = 120_000;

/** Objects never change, so what was parsed of one holds for as long as it is there. */
const selectors = new WeakMap<PodDisruptionBudget, LabelSelector>();

/** Whether the budget is about this pod, which is of its namespace. No selector selects nothing, an empty one everything. */
export function covers(budget: PodDisruptionBudget, pod: Pod): boolean {
  if (budget.metadata.namespace !== pod.metadata.namespace) return false;
  let selector = selectors.get(budget);
  if (selector === undefined) {
    selector = selectorOf(budget);
    selectors.set(budget, selector);
  }
  return selector.matches(pod.metadata.labels ?? {});
}

/** A selector that cannot be read selects nothing. */
function selectorOf({ spec }: PodDisruptionBudget): LabelSelector {
  try {
    return selectorOfObject(spec?.selector);
  } catch (error) {
    if (error instanceof SelectorError) return nothing;
    throw error;
  }
}

/** What counts as healthy to a budget. */
export const isReady = ({ status }: Pod): boolean =>
  status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') === true;

/** A budget's status with its condition DisruptionAllowed as its numbers say: upstream's words. */
export function withAllowedCondition(status: PodDisruptionBudgetStatus, now: number): PodDisruptionBudgetStatus {
  const allowed = (status.disruptionsAllowed ?? 0) > 0;
  const [said, reason] = allowed ? (['True', 'SufficientPods'] as const) : (['False', 'InsufficientPods'] as const);
  return withBudgetCondition(status, { status: said, reason, message: '' }, now);
}

export function withBudgetCondition(
  status: PodDisruptionBudgetStatus,
  verdict: Pick<Condition, 'status' | 'reason' | 'message'>,
  now: number,
): PodDisruptionBudgetStatus {
  const { conditions = [], observedGeneration } = status;
  const old = conditions.find(({ type }) => type === 'DisruptionAllowed');
  const condition: Condition = {
    type: 'DisruptionAllowed',
    ...verdict,
    ...(observedGeneration === undefined ? {} : { observedGeneration }),
    lastTransitionTime: old?.status === verdict.status ? old.lastTransitionTime : seconds(now),
  };
  const all = old ? conditions.map((each) => (each === old ? condition : each)) : [...conditions, condition];
  return { ...status, conditions: all };
}

/** The pod with this condition; the same pod when it has it already. The time is that of the status, not of the reason. */
export function withDisruptionTarget(
  pod: Pod,
  verdict: Pick<PodCondition, 'status' | 'reason' | 'message'>,
  now: number,
): Pod {
  const conditions = pod.status?.conditions ?? [];
  const old = conditions.find(({ type }) => type === disruptionTarget);
  if (old?.status === verdict.status && old.reason === verdict.reason && old.message === verdict.message) return pod;
  const since = old?.status === verdict.status ? old.lastTransitionTime : undefined;
  const { generation } = pod.metadata;
  const condition: PodCondition = {
    type: disruptionTarget,
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    ...verdict,
    lastTransitionTime: since ?? seconds(now),
  };
  const all = old ? conditions.map((each) => (each === old ? condition : each)) : [...conditions, condition];
  return { ...pod, status: { ...pod.status, conditions: all } };
}

const seconds = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;
