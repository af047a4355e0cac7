import type { Pod } from '#api/generated/core-v1.ts';
import type { Eviction, Impasse } from '#api/peapod/node-verdict.ts';
import { unreachable } from '#lib/unreachable.ts';
import { nearestNodes } from '#scheduler/explain/nearest.ts';
import { Hearing } from '#scheduler/explain/verdict.ts';
import type { Nowhere } from '#scheduler/placement.ts';
import type { ClusterView } from '#scheduler/plugin.ts';
import { podName, priorityOf } from '#scheduler/pod-facts.ts';
import type { Budgets } from '#scheduler/preemption/budgets.ts';
import { preempt, type Preemption } from '#scheduler/preemption/preempt.ts';
import type { Profile } from '#scheduler/profile.ts';

interface Where {
  readonly cluster: ClusterView;
  readonly profile: Profile;
  readonly budgets: Budgets;
}

/** Would others be evicted for it? undefined: the profile makes room for nobody. */
export function preemptionFor(
  pod: Pod,
  placement: Nowhere,
  { cluster, profile, budgets }: Where,
): Preemption | undefined {
  if (profile.preemption === undefined) return undefined;
  return preempt(pod, placement, { cluster, profile, budgets, luck: 0 });
}

/** What stands in the way of a pod that `place` has found no node for, and whether `preemption` would help. */
export function impasseOf(pod: Pod, { cluster, profile }: Where, preemption: Preemption | undefined): Impasse {
  const hearing = new Hearing({ pod, cluster, plugins: profile.plugins });
  const hindered = cluster.nodes.map((node) => ({ node: node.name, obstacles: hearing.obstaclesOn(node) }));
  const eviction = preemption === undefined ? {} : { eviction: evictionOf(preemption, pod, cluster) };
  return { nearest: nearestNodes(hindered), ...eviction };
}

function evictionOf(preemption: Preemption, pod: Pod, { nominations }: ClusterView): Eviction {
  switch (preemption.kind) {
    case 'helpless':
      return { kind: 'does-not-help' };
    case 'not-eligible': {
      const claimed = pod.spec.preemptionPolicy === 'Never' ? undefined : nominations.nodeOf(pod.metadata.uid);
      return claimed === undefined
        ? { kind: 'not-eligible', why: preemption.why }
        : { kind: 'under-way', node: claimed };
    }
    case 'victims': {
      const { node, pods, violations } = preemption;
      const victims = pods.map((pod) => ({ ...podName(pod), priority: priorityOf(pod) }));
      return { kind: 'helps', node, victims, violations };
    }
    default:
      return unreachable(preemption);
  }
}
