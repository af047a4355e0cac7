import type { Pod, Taint, Toleration } from '#api/generated/core-v1.ts';
import type { Obstacle } from '#api/peapod/obstacle.ts';
import { isHardTaint, tolerates, untoleratedTaint } from '#api/taints.ts';
import { fits, type NodeView, type SchedulerPlugin, type Verdict } from '#scheduler/plugin.ts';
import { normalize } from '#scheduler/plugins/normalize.ts';

const untolerated: Verdict = { kind: 'rejected', reasons: ['node(s) had untolerated taint(s)'], final: true };

/** Taints with NoSchedule or NoExecute keep out who does not tolerate them; those with PreferNoSchedule make a node less liked. */
export const taintToleration: SchedulerPlugin = {
  name: 'TaintToleration',
  share: { textOf: ({ spec }) => JSON.stringify(spec.tolerations ?? []) },
  consider: (pod) => ({
    kind: 'opinion',
    filter: ({ taints }) => (taints.length === 0 || isTolerated(pod, taints) ? fits : untolerated),
    explain: ({ taints }) => untoleratedOf(pod, taints),
    scorer: () => byDisliked(pod.spec.tolerations ?? []),
  }),
  interests: ['node-added', 'node-taints', 'pod-itself'],
  mightHelp(pod, change) {
    switch (change.kind) {
      case 'node-added':
        return isTolerated(pod, change.node.taints);
      case 'node-taints':
        return isTolerated(pod, change.node.taints) && !isTolerated(pod, change.before.spec.taints);
      case 'pod-itself':
        return JSON.stringify(pod.spec.tolerations) !== JSON.stringify(change.before.spec.tolerations);
      default:
        return false;
    }
  },
};

const isTolerated = ({ spec }: Pod, taints: readonly Taint[] | undefined): boolean =>
  untoleratedTaint(taints, spec.tolerations, isHardTaint) === undefined;

const untoleratedOf = ({ spec }: Pod, taints: readonly Taint[]): readonly Obstacle[] =>
  taints
    .filter((taint) => untoleratedTaint([taint], spec.tolerations, isHardTaint) !== undefined)
    .map(({ key, value, effect }) => ({ kind: 'taint', key, ...(value ? { value } : {}), effect }));

function byDisliked(all: readonly Toleration[]) {
  const tolerations = all.filter(({ effect }) => !effect || effect === 'PreferNoSchedule');
  const disliked = ({ effect }: Taint): boolean => effect === 'PreferNoSchedule';
  return {
    score: ({ taints }: NodeView): number => {
      let count = 0;
      for (const taint of taints) {
        if (disliked(taint) && !tolerations.some((each) => tolerates(each, taint))) count++;
      }
      return count;
    },
    normalize: (scores: Float64Array): void => normalize(scores, 'more-is-worse'),
  };
}
