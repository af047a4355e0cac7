import { ApiError, type Cause } from '#api/errors.ts';
import type { Pod } from '#api/generated/core-v1.ts';
import type { PodDisruptionBudget, PodDisruptionBudgetStatus } from '#api/generated/policy-v1.ts';
import { isReady, withAllowedCondition } from '#api/pod-disruption.ts';
import { timestamp } from '#server/registry/meta.ts';

/**
 * What a disruption budget says to the eviction of one pod. Pure; the rules, and every word of a refusal, are upstream's.
 */

/** With more pods that have leave to go and have not gone, nobody seems to look after the budget. */
const MOST_DISRUPTED_PODS = 2000;
/** Upstream's hint, in seconds, for when it is a matter of moments. */
const SOON = 10;

/** Who has ended, has not begun or is going already is missed by nobody: no budget is asked. */
export const isBeyondBudgets = (pod: Pod): boolean => hasEndedOrEnds(pod) || pod.status?.phase === 'Pending';

export const hasEndedOrEnds = ({ status, metadata }: Pod): boolean =>
  metadata.deletionTimestamp !== undefined || status?.phase === 'Succeeded' || status?.phase === 'Failed';

/**
 * Whether a pod that is not ready may go without being counted: nobody is served by it. IfHealthyBudget (the default) asks that the
 * others suffice, lest an application that is only coming up be disturbed.
 */
export function maySpare(pod: Pod, { spec, status }: PodDisruptionBudget): boolean {
  if (isReady(pod)) return false;
  if (spec?.unhealthyPodEvictionPolicy === 'AlwaysAllow') return true;
  const { currentHealthy = 0, desiredHealthy = 0 } = status ?? {};
  return desiredHealthy > 0 && currentHealthy >= desiredHealthy;
}

/** The budget with one disruption less, spent on this pod. Throws the refusal when it allows none: 429, or 403 when it makes no sense. */
export function spent(budget: PodDisruptionBudget, podName: string, now: number): PodDisruptionBudget {
  const status = budget.status ?? {};
  const allowed = status.disruptionsAllowed ?? 0;
  if ((status.observedGeneration ?? 0) < (budget.metadata.generation ?? 0)) throw stillProcessed(budget);
  if (allowed < 0) throw senseless(budget, 'pdb disruptions allowed is negative');
  if (Object.keys(status.disruptedPods ?? {}).length > MOST_DISRUPTED_PODS) {
    throw senseless(budget, 'DisruptedPods map too big - too many evictions not confirmed by PDB controller');
  }
  if (allowed === 0) throw refused(refusalOf(budget.metadata.name, status));
  const next = {
    ...status,
    disruptionsAllowed: allowed - 1,
    disruptedPods: { ...status.disruptedPods, [podName]: timestamp(now) },
  };
  return { ...budget, status: allowed === 1 ? withAllowedCondition(next, now) : next };
}

/** The disruption controller has yet to look at it, or the pod has changed in between: asking again will do. */
export const stillProcessed = ({ metadata }: PodDisruptionBudget): ApiError =>
  refused(`The disruption budget ${metadata.name} is still being processed by the server.`, SOON);

/** Kubernetes lets a pod have one budget. */
export const tooManyBudgets = (): ApiError =>
  new ApiError(
    'Unknown',
    'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
    { code: 500 },
  );

function refusalOf(name: string, status: PodDisruptionBudgetStatus): string {
  const { conditions = [], currentHealthy = 0, desiredHealthy = 0 } = status;
  const why = conditions.find(
    (each) => each.type === 'DisruptionAllowed' && each.status === 'False' && each.message !== '',
  );
  // Numbers are not to be trusted when the controller could not work them out.
  if (why?.reason === 'SyncFailed') {
    return `The disruption budget ${name} does not allow evicting pods currently because it failed sync: ${why.message}`;
  }
  if (currentHealthy <= desiredHealthy) {
    return `The disruption budget ${name} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`;
  }
  const said = why === undefined ? '' : ` (${why.reason}): ${why.message}`;
  return `The disruption budget ${name} does not allow evicting pods currently${said}`;
}

function refused(message: string, retryAfterSeconds?: number): ApiError {
  const causes: readonly Cause[] = [{ reason: 'DisruptionBudget', message }];
  return new ApiError('TooManyRequests', "Cannot evict pod as it would violate the pod's disruption budget.", {
    details: { causes, ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) },
  });
}

function senseless({ metadata: { name } }: PodDisruptionBudget, why: string): ApiError {
  const kind = 'poddisruptionbudget';
  const message = `${kind}.policy ${JSON.stringify(name)} is forbidden: ${why}`;
  return new ApiError('Forbidden', message, { details: { name, group: 'policy', kind } });
}
