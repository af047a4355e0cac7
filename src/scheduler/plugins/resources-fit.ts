import type { Pod } from '#api/generated/core-v1.ts';
import type { RequestedResources } from '#api/pod-resources.ts';
import { bestScore, fits, type NodeView, type SchedulerPlugin, type Verdict } from '#scheduler/plugin.ts';
import { requestsOf, requestsText } from '#scheduler/pod-facts.ts';

/** What a node has left must be enough; where more is left is better (upstream's LeastAllocated, the default). */
export const resourcesFit: SchedulerPlugin = {
  name: 'NodeResourcesFit',
  share: { textOf: requestsText },
  consider(pod) {
    const wanted = requestsOf(pod);
    return {
      kind: 'opinion',
      filter: (node) => (isEnough(wanted, node) ? fits : refusal(wanted, node)),
      scorer: () => ({ score: (node) => leastAllocated(wanted, node) }),
    };
  },
  interests: ['node-added', 'node-allocatable', 'pod-removed', 'pod-updated', 'pod-itself'],
  mightHelp(pod, change) {
    switch (change.kind) {
      case 'node-added':
      case 'node-allocatable':
      case 'pod-removed':
      case 'pod-updated':
        return change.node !== undefined && isEnough(requestsOf(pod), change.node);
      case 'pod-itself':
        return asksForLess(pod, change.before);
      default:
        return false;
    }
  },
};

/** As `refusal`, told by a boolean: most nodes fit, and what says so should cost nothing. */
function isEnough(wanted: RequestedResources, { allocatable, requested, pods }: NodeView): boolean {
  return (
    pods.size < allocatable.pods &&
    isLeft(wanted.milliCpu, requested.milliCpu, allocatable.milliCpu) &&
    isLeft(wanted.memory, requested.memory, allocatable.memory) &&
    isLeft(wanted.ephemeralStorage, requested.ephemeralStorage, allocatable.ephemeralStorage) &&
    (wanted.scalars.size === 0 || scalarsLack(wanted, allocatable.scalars, requested.scalars).length === 0)
  );
}

/** Who asks for nothing gets it, even of a node that has promised more than it has. */
const isLeft = (wanted: number, requested: number, allocatable: number): boolean =>
  wanted === 0 || wanted <= allocatable - requested;

function refusal(wanted: RequestedResources, { allocatable, requested, pods }: NodeView): Verdict {
  const reasons: string[] = pods.size < allocatable.pods ? [] : ['Too many pods'];
  let final = false;
  for (const [name, key] of counted) {
    if (isLeft(wanted[key], requested[key], allocatable[key])) continue;
    reasons.push(`Insufficient ${name}`);
    final ||= wanted[key] > allocatable[key];
  }
  for (const name of scalarsLack(wanted, allocatable.scalars, requested.scalars)) {
    reasons.push(`Insufficient ${name}`);
    final ||= (wanted.scalars.get(name) ?? 0) > (allocatable.scalars.get(name) ?? 0);
  }
  return { kind: 'rejected', reasons, final };
}

const counted = [
  ['cpu', 'milliCpu'],
  ['memory', 'memory'],
  ['ephemeral-storage', 'ephemeralStorage'],
] as const;

type Scalars = ReadonlyMap<string, number>;

function scalarsLack({ scalars }: RequestedResources, allocatable: Scalars, requested: Scalars): readonly string[] {
  const names: string[] = [];
  for (const [name, wanted] of scalars) {
    if (!isLeft(wanted, requested.get(name) ?? 0, allocatable.get(name) ?? 0)) names.push(name);
  }
  return names;
}

function leastAllocated(wanted: RequestedResources, { allocatable, requested }: NodeView): number {
  let total = 0;
  let resources = 0;
  if (allocatable.milliCpu > 0) {
    total += shareLeft(requested.nonZeroMilliCpu + wanted.nonZeroMilliCpu, allocatable.milliCpu);
    resources++;
  }
  if (allocatable.memory > 0) {
    total += shareLeft(requested.nonZeroMemory + wanted.nonZeroMemory, allocatable.memory);
    resources++;
  }
  return resources === 0 ? 0 : Math.trunc(total / resources);
}

const shareLeft = (requested: number, capacity: number): number =>
  requested > capacity ? 0 : Math.trunc(((capacity - requested) * bestScore) / capacity);

function asksForLess(pod: Pod, before: Pod): boolean {
  const now = requestsOf(pod);
  const then = requestsOf(before);
  if (counted.some(([, key]) => now[key] < then[key])) return true;
  return [...then.scalars].some(([name, amount]) => (now.scalars.get(name) ?? 0) < amount);
}
