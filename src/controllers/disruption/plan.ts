import type { Pod } from '#api/generated/core-v1.ts';
import type { IntOrString } from '#api/generated/meta-v1.ts';
import type { PodDisruptionBudget, PodDisruptionBudgetStatus } from '#api/generated/policy-v1.ts';
import { DISRUPTION_LEAVE_MS, isReady, withAllowedCondition, withBudgetCondition } from '#api/pod-disruption.ts';
import { selectorOfObject } from '#api/selectors.ts';
import { semanticallyEqual } from '#api/semantic-diff.ts';
import type { EventText, Regarding } from '#client/events.ts';
import type { FindScale } from '#controllers/disruption/scales.ts';
import { unreachable } from '#lib/unreachable.ts';

/**
 * What a disruption budget comes to: how many of its pods are healthy, how many have to be, and so how many may be ended on purpose
 * now. Upstream's arithmetic, conditions and words.
 */
export interface BudgetPlan {
  /** undefined when the budget says it already. */
  readonly status: PodDisruptionBudgetStatus | undefined;
  /** For people; told when something has changed. */
  readonly events: readonly { readonly about: Regarding; readonly event: EventText }[];
  /** Epoch ms; when a pod that was let go and has not gone counts again. */
  readonly wakeAt: number | undefined;
}

export interface Found {
  /** All that the budget covers. */
  readonly pods: readonly Pod[];
  readonly findScale: FindScale;
}

export function planBudget(budget: PodDisruptionBudget, { pods, findScale }: Found, now: number): BudgetPlan {
  const expected = expectationOf(budget, pods, findScale);
  switch (expected.kind) {
    case 'failed':
      return failedPlan(budget, expected.why, now);
    case 'counted':
      return countedPlan(budget, pods, expected, now);
    default:
      return unreachable(expected);
  }
}

type Expectation =
  | {
      readonly kind: 'counted';
      readonly expectedPods: number;
      readonly desiredHealthy: number;
      readonly someUnmanaged: boolean;
    }
  | { readonly kind: 'failed'; readonly why: string };

/**
 * A number of pods that must be available is what it is. Everything else is a share of what the pods' controllers want, or is to be
 * taken off it: pods without a controller cannot be counted there, so that with them alone nothing is allowed.
 */
function expectationOf({ spec }: PodDisruptionBudget, pods: readonly Pod[], findScale: FindScale): Expectation {
  const { minAvailable, maxUnavailable } = spec ?? {};
  const amount = maxUnavailable ?? minAvailable;
  if (amount === undefined) return { kind: 'counted', expectedPods: 0, desiredHealthy: 0, someUnmanaged: false };
  if (maxUnavailable === undefined && typeof amount === 'number') {
    return { kind: 'counted', expectedPods: pods.length, desiredHealthy: amount, someUnmanaged: false };
  }
  const scale = wholeScale(pods, findScale);
  if (scale.kind === 'failed') return scale;
  const { expectedPods } = scale;
  const share = shareOf(amount, expectedPods);
  if (share === undefined) {
    return { kind: 'failed', why: 'invalid value for IntOrString: invalid type: string is not a percentage' };
  }
  const desiredHealthy = maxUnavailable === undefined ? share : Math.max(0, expectedPods - share);
  return { ...scale, desiredHealthy };
}

/** What all controllers of these pods want together. */
function wholeScale(
  pods: readonly Pod[],
  findScale: FindScale,
): Omit<Extract<Expectation, { kind: 'counted' }>, 'desiredHealthy'> | Extract<Expectation, { kind: 'failed' }> {
  const scales = new Map<string, number>();
  let someUnmanaged = false;
  for (const { metadata } of pods) {
    const controller = metadata.ownerReferences?.find((owner) => owner.controller === true);
    if (controller === undefined) {
      someUnmanaged = true;
      continue;
    }
    if (scales.has(controller.uid)) continue;
    const scale = findScale(controller, metadata.namespace ?? '');
    if (scale.kind === 'unknown') return { kind: 'failed', why: scale.why };
    if (scale.kind === 'absent') return { kind: 'failed', why: `found no controllers for pod "${metadata.name}"` };
    scales.set(scale.uid, scale.replicas);
  }
  return { kind: 'counted', expectedPods: [...scales.values()].reduce((sum, each) => sum + each, 0), someUnmanaged };
}

/** Rounded up, whichever side it is on: half a pod is a pod. undefined for what is neither a number nor a percentage. */
function shareOf(amount: IntOrString, whole: number): number | undefined {
  if (typeof amount === 'number') return amount;
  const percent = /^(\d+)%$/.exec(amount)?.[1];
  return percent === undefined ? undefined : Math.ceil((Number(percent) * whole) / 100);
}

function countedPlan(
  budget: PodDisruptionBudget,
  pods: readonly Pod[],
  { expectedPods, desiredHealthy, someUnmanaged }: Extract<Expectation, { kind: 'counted' }>,
  now: number,
): BudgetPlan {
  const { let: letGo, overdue, wakeAt } = leaves(budget, pods, now);
  const counts = (pod: Pod): boolean =>
    pod.metadata.deletionTimestamp === undefined && !Object.hasOwn(letGo, pod.metadata.name) && isReady(pod);
  const currentHealthy = pods.filter(counts).length;
  const { generation } = budget.metadata;
  const { conditions } = budget.status ?? {};
  const numbers: PodDisruptionBudgetStatus = {
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    ...(Object.keys(letGo).length === 0 ? {} : { disruptedPods: letGo }),
    // A budget without pods allows nothing: its first pods may appear before this is worked out anew.
    disruptionsAllowed: expectedPods <= 0 ? 0 : Math.max(0, currentHealthy - desiredHealthy),
    currentHealthy,
    desiredHealthy,
    expectedPods,
    ...(conditions === undefined ? {} : { conditions }),
  };
  const status = withAllowedCondition(numbers, now);
  const events = [
    ...overdue.map((pod) => ({ about: pod, event: notDeleted(budget) })),
    ...(pods.length === 0 ? [{ about: budget, event: noPods }] : []),
    ...(someUnmanaged ? [{ about: budget, event: unmanaged(budget) }] : []),
  ];
  return changedPlan(budget, status, events, wakeAt);
}

/** Nothing is allowed while it is not known what is: the numbers stay as they were. */
function failedPlan(budget: PodDisruptionBudget, why: string, now: number): BudgetPlan {
  const verdict = { status: 'False', reason: 'SyncFailed', message: why } as const;
  const status = withBudgetCondition({ ...budget.status, disruptionsAllowed: 0 }, verdict, now);
  const event: EventText = {
    type: 'Warning',
    reason: 'CalculateExpectedPodCountFailed',
    message: `Failed to calculate the number of expected pods: ${why}`,
  };
  return changedPlan(budget, status, [{ about: budget, event }], undefined);
}

function changedPlan(
  budget: PodDisruptionBudget,
  status: PodDisruptionBudgetStatus,
  events: BudgetPlan['events'],
  wakeAt: number | undefined,
): BudgetPlan {
  if (semanticallyEqual(budget.status, status)) return { status: undefined, events: [], wakeAt };
  return { status, events, wakeAt };
}

interface Leaves {
  /** Let go by an eviction and not seen going yet: not to be counted on. */
  readonly let: Readonly<Record<string, string>>;
  /** Let go and still there after two minutes: nobody is going to delete them. */
  readonly overdue: readonly Pod[];
  readonly wakeAt: number | undefined;
}

function leaves({ status }: PodDisruptionBudget, pods: readonly Pod[], now: number): Leaves {
  const known = status?.disruptedPods ?? {};
  const granted: Record<string, string> = {};
  const overdue: Pod[] = [];
  let wakeAt: number | undefined;
  for (const pod of pods) {
    const { name, deletionTimestamp } = pod.metadata;
    const at = Object.hasOwn(known, name) ? known[name] : undefined;
    if (at === undefined || deletionTimestamp !== undefined) continue;
    const until = Date.parse(at) + DISRUPTION_LEAVE_MS;
    if (until <= now) {
      overdue.push(pod);
      continue;
    }
    granted[name] = at;
    wakeAt = Math.min(until, wakeAt ?? until);
  }
  return { let: granted, overdue, wakeAt };
}

const noPods: EventText = { type: 'Normal', reason: 'NoPods', message: 'No matching pods found' };

const unmanaged = ({ spec }: PodDisruptionBudget): EventText => ({
  type: 'Warning',
  reason: 'UnmanagedPods',
  message: `Pods selected by this PodDisruptionBudget (selector: ${selectorOfObject(spec.selector).text}) were found to be unmanaged. As a result, the status of the PDB cannot be calculated correctly, which may result in undefined behavior. To account for these pods please set ".spec.minAvailable" field of the PDB to an integer value.`,
});

const notDeleted = ({ metadata: { namespace, name } }: PodDisruptionBudget): EventText => ({
  type: 'Warning',
  reason: 'NotDeleted',
  message: `Pod was expected by PDB ${namespace}/${name} to be deleted but it wasn't`,
});
