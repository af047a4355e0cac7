import { bestScore, skip, type SchedulerPlugin } from '#scheduler/plugin.ts';
import { requestsOf, requestsText } from '#scheduler/pod-facts.ts';

/** Likes nodes whose cpu and memory would be taken up alike. Pods that ask for neither have no say. */
export const balancedAllocation: SchedulerPlugin = {
  name: 'NodeResourcesBalancedAllocation',
  share: { textOf: requestsText },
  consider(pod) {
    const { milliCpu, memory } = requestsOf(pod);
    if (milliCpu === 0 && memory === 0) return skip;
    const score = ({ allocatable, requested }: Taken): number => {
      if (allocatable.milliCpu === 0 || allocatable.memory === 0) return bestScore;
      const cpuShare = Math.min(1, (requested.milliCpu + milliCpu) / allocatable.milliCpu);
      const memoryShare = Math.min(1, (requested.memory + memory) / allocatable.memory);
      // Of two values the standard deviation is half of what they differ by.
      return Math.trunc((1 - Math.abs(cpuShare - memoryShare) / 2) * bestScore);
    };
    return { kind: 'opinion', scorer: () => ({ score }) };
  },
  interests: [],
};

interface Taken {
  readonly allocatable: { readonly milliCpu: number; readonly memory: number };
  readonly requested: { readonly milliCpu: number; readonly memory: number };
}
