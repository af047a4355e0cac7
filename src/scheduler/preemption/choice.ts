import { priorityOf } from '#scheduler/pod-facts.ts';
import { startOf } from '#scheduler/preemption/importance.ts';
import type { Victims } from '#scheduler/preemption/victims.ts';

/** Priorities may be below 0: with this much more each of them counts as a pod that goes. */
const SHIFT = 2 ** 31;

/** What is compared, in this order; less is better. An empty list of victims beats them all. */
const measures: readonly ((victims: Victims) => number)[] = [
  ({ violations }) => violations,
  ({ pods: [first] }) => (first === undefined ? -Infinity : priorityOf(first)),
  ({ pods }) => pods.reduce((sum, pod) => sum + priorityOf(pod) + SHIFT, 0),
  ({ pods }) => pods.length,
  latestStart,
];

/**
 * Where making room does least harm: the fewest broken budgets, the least important victim, the smallest sum of priorities, the
 * fewest victims; and of what is alike then where the most important victims have run for the shortest time. The first of equals.
 */
export function leastHarm(candidates: readonly Victims[]): Victims | undefined {
  let left = candidates;
  for (const measure of measures) {
    if (left.length <= 1) break;
    const values = left.map(measure);
    const least = values.reduce((a, b) => Math.min(a, b));
    left = left.filter((_, at) => values[at] === least);
  }
  return left[0];
}

/** Of the victims of the highest priority the one that has run longest says when; later is better. */
function latestStart({ pods }: Victims): number {
  const [first] = pods;
  if (first === undefined) return -Infinity;
  const highest = pods.filter((pod) => priorityOf(pod) === priorityOf(first));
  return -Math.min(...highest.map(startOf));
}
