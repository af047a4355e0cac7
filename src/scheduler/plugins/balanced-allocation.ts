import { bestScore, skip, type SchedulerPlugin } from '#scheduler/plugin.ts';
import { useOf } from '#scheduler/plugins/scoring-strategy.ts';
import { requestsOf, requestsText } from '#scheduler/pod-facts.ts';

/** Likes nodes of which these resources would be taken up alike. Pods that ask for none of them have no say. */
export const balancedAllocationOf = (resources: readonly string[]): SchedulerPlugin => ({
  name: 'NodeResourcesBalancedAllocation',
  share: { textOf: requestsText },
  consider(pod) {
    const wanted = requestsOf(pod);
    const isAsked = { cpu: wanted.milliCpu, memory: wanted.memory, 'ephemeral-storage': wanted.ephemeralStorage };
    const asked = { ...isAsked, ...Object.fromEntries(wanted.scalars) } as Readonly<Record<string, number>>;
    if (resources.every((name) => (asked[name] ?? 0) === 0)) return skip;
    return {
      kind: 'opinion',
      scorer: () => ({
        score(node) {
          const shares: number[] = [];
          for (const name of resources) {
            const use = useOf(name, wanted, node, true);
            if (use !== undefined && use.capacity > 0) shares.push(Math.min(1, use.requested / use.capacity));
          }
          return Math.trunc((1 - deviation(shares)) * bestScore);
        },
      }),
    };
  },
  interests: [],
});

export const balancedAllocation = balancedAllocationOf(['cpu', 'memory']);

/** The standard deviation; of two values it is half of what they differ by. */
function deviation(shares: readonly number[]): number {
  if (shares.length < 2) return 0;
  if (shares.length === 2) return Math.abs(shares[0]! - shares[1]!) / 2;
  const mean = shares.reduce((a, b) => a + b, 0) / shares.length;
  return Math.sqrt(shares.reduce((sum, share) => sum + (share - mean) ** 2, 0) / shares.length);
}
