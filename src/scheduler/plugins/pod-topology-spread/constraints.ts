import type { Pod, TopologySpreadConstraint } from '#api/generated/core-v1.ts';
import { requiredNodes } from '#api/node-affinity.ts';
import { selectorOf, selectorOfLabels, selectorOfObject, type LabelSelector } from '#api/selectors.ts';
import { isHardTaint, untoleratedTaint } from '#api/taints.ts';
import type { ClusterView, NodeView } from '#scheduler/plugin.ts';
import { type PodSelection, podsOf } from '#scheduler/pod-term.ts';

/** A topology spread constraint, understood. */
export interface Spread {
  readonly maxSkew: number;
  readonly topologyKey: string;
  /** With fewer domains than this the least count is taken for 0. */
  readonly minDomains: number;
  /** The pods that are to be spread; those that are going do not count. */
  readonly selection: PodSelection;
  /** Whether the pod is one of them. */
  readonly isOwn: boolean;
  /** Whether a node and what is on it count; follows from the node's labels and taints. */
  readonly includes: (node: NodeView) => boolean;
  /** The same for constraints that count the same on the same nodes. */
  readonly text: string;
}

export interface Spreads {
  readonly hard: readonly Spread[];
  readonly soft: readonly Spread[];
  /** Nodes without one of the soft constraints' labels have no say in the score, and none of it. */
  readonly needsAllLabels: boolean;
}

/** What is applied to pods that say nothing themselves and belong to a Service (KEP-1258). */
export interface DefaultSpread {
  readonly constraints: readonly TopologySpreadConstraint[];
  readonly needsAllLabels: boolean;
}

/** Upstream's: by host, and by zone where there are any. */
export const systemSpread: DefaultSpread = {
  constraints: [
    { maxSkew: 3, topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'ScheduleAnyway' },
    { maxSkew: 5, topologyKey: 'topology.kubernetes.io/zone', whenUnsatisfiable: 'ScheduleAnyway' },
  ],
  needsAllLabels: false,
};

export function spreadsOf(pod: Pod, cluster: ClusterView, defaults: DefaultSpread): Spreads {
  const own = pod.spec.topologySpreadConstraints ?? [];
  if (own.length > 0) return spreadsFrom(pod, own, (each) => selectorIn(pod, each));
  const { constraints, needsAllLabels } = defaults;
  const served = constraints.length === 0 ? undefined : cluster.servedLabels(pod);
  if (served === undefined) return { hard: [], soft: [], needsAllLabels };
  return { ...spreadsFrom(pod, constraints, () => selectorOfLabels(served)), needsAllLabels };
}

function spreadsFrom(
  pod: Pod,
  constraints: readonly TopologySpreadConstraint[],
  selectorOfOne: (constraint: TopologySpreadConstraint) => LabelSelector,
): Spreads {
  const of = (when: string): readonly Spread[] => {
    const some = constraints.filter(({ whenUnsatisfiable }) => whenUnsatisfiable === when);
    return understood(pod, some, selectorOfOne);
  };
  return { hard: of('DoNotSchedule'), soft: of('ScheduleAnyway'), needsAllLabels: true };
}

function understood(
  pod: Pod,
  constraints: readonly TopologySpreadConstraint[],
  selectorOfOne: (constraint: TopologySpreadConstraint) => LabelSelector,
): readonly Spread[] {
  const required = requiredNodes(pod);
  const { tolerations, nodeSelector, affinity } = pod.spec;
  return constraints.map((constraint) => {
    const { maxSkew, topologyKey, minDomains = 1 } = constraint;
    const honorsAffinity = (constraint.nodeAffinityPolicy ?? 'Honor') === 'Honor' && required !== undefined;
    const honorsTaints = constraint.nodeTaintsPolicy === 'Honor';
    const selector = selectorOfOne(constraint);
    const selection = staying(podsOf(pod.metadata.namespace ?? '', selector));
    const includes = ({ object, taints }: NodeView): boolean =>
      (!honorsAffinity || required(object)) &&
      (!honorsTaints || untoleratedTaint(taints, tolerations, isHardTaint) === undefined);
    const who = JSON.stringify([
      honorsAffinity ? [nodeSelector, affinity?.nodeAffinity] : undefined,
      honorsTaints ? (tolerations ?? []) : undefined,
    ]);
    const isOwn = selector.matches(pod.metadata.labels);
    return { maxSkew, topologyKey, minDomains, selection, isOwn, includes, text: `${selection.text} ${who}` };
  });
}

/** `matchLabelKeys` (KEP-3243): of these keys the pod's own values count too. A key the pod has not is passed over. */
function selectorIn(
  { metadata }: Pod,
  { labelSelector, matchLabelKeys = [] }: TopologySpreadConstraint,
): LabelSelector {
  const selector = selectorOfObject(labelSelector);
  const more = matchLabelKeys.flatMap((key) => {
    const value = metadata.labels?.[key];
    const isSaid = selector.requirements.some((each) => each.key === key && each.values.join() === value);
    return value === undefined || isSaid ? [] : [{ key, operator: 'in' as const, values: [value] }];
  });
  return labelSelector === undefined || more.length === 0 ? selector : selectorOf([...selector.requirements, ...more]);
}

const staying = (selection: PodSelection): PodSelection => ({
  ...selection,
  matches: (pod, cluster) => pod.metadata.deletionTimestamp === undefined && selection.matches(pod, cluster),
});
