import type { Pod } from '#api/generated/core-v1.ts';
import type { RequestedResources } from '#api/pod-resources.ts';
import { bestScore, fits, type NodeView, type SchedulerPlugin, type Verdict } from '#scheduler/plugin.ts';
import { resourceObstacles } from '#scheduler/plugins/resource-obstacles.ts';
import { cpuAndMemory, type ScoringStrategy, strategyScore } from '#scheduler/plugins/scoring-strategy.ts';
import { requestsOf, requestsText } from '#scheduler/pod-facts.ts';

export interface ResourcesFitArgs {
  readonly strategy: ScoringStrategy;
  /** Extended resources that are not looked at: others see to them. */
  readonly isIgnored: (resource: string) => boolean;
}

export const defaultStrategy: ScoringStrategy = { kind: 'least-allocated', resources: cpuAndMemory };

/** What a node has left must be enough; where more is left is better, unless the strategy says otherwise. */
export function resourcesFitWith({ strategy, isIgnored }: ResourcesFitArgs): SchedulerPlugin {
  const wantedOf = (pod: Pod): RequestedResources => {
    const wanted = requestsOf(pod);
    if (![...wanted.scalars.keys()].some(isIgnored)) return wanted;
    return { ...wanted, scalars: new Map([...wanted.scalars].filter(([name]) => !isIgnored(name))) };
  };
  const isUsual = strategy === defaultStrategy;
  return {
    name: 'NodeResourcesFit',
    share: { textOf: requestsText },
    consider(pod) {
      const asked = requestsOf(pod);
      const wanted = wantedOf(pod);
      return {
        kind: 'opinion',
        filter: (node) => (isEnough(wanted, node) ? fits : refusal(wanted, node)),
        explain: (node) => resourceObstacles(wanted, node),
        scorer: () => ({
          score: isUsual ? (node) => leastAllocated(asked, node) : (node) => strategyScore(strategy, asked, node),
        }),
      };
    },
    interests: ['node-added', 'node-allocatable', 'pod-removed', 'pod-updated', 'pod-itself'],
    mightHelp(pod, change) {
      switch (change.kind) {
        case 'node-added':
        case 'node-allocatable':
        case 'pod-removed':
        case 'pod-updated':
          return change.node !== undefined && isEnough(wantedOf(pod), change.node);
        case 'pod-itself':
          return asksForLess(pod, change.before);
        default:
          return false;
      }
    },
  };
}

export const resourcesFit = resourcesFitWith({ strategy: defaultStrategy, isIgnored: () => false });

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

/** The default strategy, which is asked of every node that changes. */
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
