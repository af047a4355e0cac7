import type { Pod } from '#api/generated/core-v1.ts';
import { priorityOf } from '#scheduler/pod-facts.ts';

/** Epoch ms. A pod that has not been started yet is taken for one that starts now, which `Infinity` stands for. */
export const startOf = ({ status }: Pod): number =>
  status?.startTime === undefined ? Infinity : Date.parse(status.startTime);

/** Who is spared first comes first: the higher priority, then who has run for longer. */
export function byImportance(a: Pod, b: Pod): number {
  const difference = priorityOf(b) - priorityOf(a);
  if (difference !== 0) return difference;
  const [left, right] = [startOf(a), startOf(b)];
  return left === right ? 0 : left - right;
}
