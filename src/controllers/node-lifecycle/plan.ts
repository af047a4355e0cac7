import type { Node, NodeCondition, Pod, Taint } from '#api/generated/core-v1.ts';
import { nodeCondition } from '#api/node-conditions.ts';
import {
  diskPressureTaint,
  isSameTaint,
  memoryPressureTaint,
  networkUnavailableTaint,
  notReadyTaint,
  pidPressureTaint,
  unreachableTaint,
  unschedulableTaint,
} from '#api/taints.ts';
import { apiTime } from '#controllers/api-time.ts';
import type { NodeLifecycleSettings } from '#controllers/node-lifecycle/settings.ts';

export interface NodeFacts {
  readonly node: Node;
  /** That are bound to it. */
  readonly pods: readonly Pod[];
  /** When it was last seen to renew its lease or its status, and when its Ready became what it is: both by our own clock. */
  readonly heardAt: number;
  readonly readySince: number;
  /** No node of the cluster is ready. */
  readonly allDisrupted: boolean;
  readonly now: number;
  readonly settings: Pick<NodeLifecycleSettings, 'graceMs' | 'startupGraceMs' | 'pauseMs'>;
}

/** What is to be done about a node now; the other parts come when this one has been seen. */
export type NodeStep =
  /** It was not heard of for too long; `conditions` are all it has. `wasReady`: it is news. */
  | { readonly kind: 'say-unknown'; readonly conditions: readonly NodeCondition[]; readonly wasReady: boolean }
  /** `taints` are all it has. */
  | { readonly kind: 'taint'; readonly taints: readonly Taint[] }
  /** As that, but its pods lose their place by it: only in the zone's turn. `meanwhile`: what need not wait for it. */
  | { readonly kind: 'evict'; readonly taints: readonly Taint[]; readonly meanwhile: readonly Taint[] | undefined }
  /** What is out of reach serves nobody. */
  | { readonly kind: 'pods-not-ready'; readonly pods: readonly Pod[] };

export interface NodePlan {
  readonly steps: readonly NodeStep[];
  /** When to look again should nothing change until then. */
  readonly wakeAt?: number;
}

/** The node's health as the API should tell it, for schedulers (taints NoSchedule), pods (taints NoExecute) and their users. */
export function planNode(facts: NodeFacts): NodePlan {
  const { node, now, settings, heardAt } = facts;
  const ready = nodeCondition(node, 'Ready');
  const silentAt = heardAt + (ready ? settings.graceMs : settings.startupGraceMs);
  const silent = now >= silentAt;
  if (silent && ready?.status !== 'Unknown') {
    return {
      steps: [{ kind: 'say-unknown', conditions: unknownConditions(node, now), wasReady: ready?.status === 'True' }],
    };
  }
  const { step, dueAt = Infinity } = planTaints(facts);
  const wakeAt = Math.min(dueAt, silent ? Infinity : silentAt);
  const serving = silent ? facts.pods.filter(saysReady) : [];
  return {
    steps: [
      ...(step ? [step] : []),
      ...(serving.length > 0 ? [{ kind: 'pods-not-ready', pods: serving } as const] : []),
    ],
    ...(wakeAt === Infinity ? {} : { wakeAt }),
  };
}

const saysReady = ({ status }: Pod): boolean =>
  status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value !== 'False') === true;

/** NetworkUnavailable is not the kubelet's to say. */
const kubeletConditions = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure'] as const;

export function unknownConditions(node: Node, now: number): readonly NodeCondition[] {
  const known = node.status?.conditions ?? [];
  const told = known.map((condition): NodeCondition => {
    if (!kubeletConditions.some((type) => type === condition.type) || condition.status === 'Unknown') return condition;
    return {
      ...condition,
      status: 'Unknown',
      reason: 'NodeStatusUnknown',
      message: 'Kubelet stopped posting node status.',
      lastTransitionTime: apiTime(now),
    };
  });
  const never = kubeletConditions.filter((type) => !known.some((condition) => condition.type === type));
  return [
    ...told,
    ...never.map((type): NodeCondition => ({
      type,
      status: 'Unknown',
      reason: 'NodeStatusNeverUpdated',
      message: 'Kubelet never posted node status.',
      lastHeartbeatTime: node.metadata.creationTimestamp,
      lastTransitionTime: apiTime(now),
    })),
  ];
}

/** Which condition, when it has which status, repels pods by which taint. */
const conditionTaints: Readonly<Record<string, { readonly [status: string]: string }>> = {
  Ready: { False: notReadyTaint, Unknown: unreachableTaint },
  MemoryPressure: { True: memoryPressureTaint },
  DiskPressure: { True: diskPressureTaint },
  NetworkUnavailable: { True: networkUnavailableTaint },
  PIDPressure: { True: pidPressureTaint },
};
const ownKeys: readonly string[] = [unschedulableTaint, ...Object.values(conditionTaints).flatMap(Object.values)];
const evictingKeys: readonly string[] = [notReadyTaint, unreachableTaint];

const isOwn = ({ key, effect }: Taint): boolean =>
  (effect === 'NoSchedule' && ownKeys.includes(key)) || (effect === 'NoExecute' && evictingKeys.includes(key));

function planTaints(facts: NodeFacts): { readonly step?: NodeStep; readonly dueAt?: number } {
  const { node, now, settings, readySince } = facts;
  const taints = node.spec?.taints ?? [];
  const own = repellingTaints(node);
  const repelling = changed(taints, own, now);
  const repel: { readonly step?: NodeStep } = repelling ? { step: { kind: 'taint', taints: repelling } } : {};
  const evicting = evictingTaint(facts);
  if (evicting === undefined) return repel;
  const all = changed(taints, [...own, evicting], now);
  if (all === undefined) return {};
  // Its pods have been told to go already: only the reason is another.
  if (taints.some((taint) => isOwn(taint) && taint.effect === 'NoExecute'))
    return { step: { kind: 'taint', taints: all } };
  const dueAt = readySince + settings.pauseMs;
  return now >= dueAt ? { step: { kind: 'evict', taints: all, meanwhile: repelling } } : { ...repel, dueAt };
}

/** A node that has never said how it is, is left alone. */
function evictingTaint({ node, allDisrupted }: NodeFacts): Taint | undefined {
  const key = conditionTaints['Ready']![nodeCondition(node, 'Ready')?.status ?? 'True'];
  return key === undefined || allDisrupted ? undefined : { key, effect: 'NoExecute' };
}

function repellingTaints(node: Node): readonly Taint[] {
  const keys = (node.status?.conditions ?? []).flatMap(({ type, status }) => conditionTaints[type]?.[status] ?? []);
  const all = node.spec?.unschedulable ? [...keys, unschedulableTaint] : keys;
  return all.map((key) => ({ key, effect: 'NoSchedule' }));
}

/** The node's taints with `own` instead of those that are ours; undefined when that changes nothing. Others' stay. */
function changed(taints: readonly Taint[], own: readonly Taint[], now: number): readonly Taint[] | undefined {
  const kept = taints.filter((taint) => !isOwn(taint) || own.some((each) => isSameTaint(each, taint)));
  const added = own.filter((each) => !taints.some((taint) => isSameTaint(each, taint)));
  if (added.length === 0 && kept.length === taints.length) return undefined;
  return [...kept, ...added.map((taint) => ({ ...taint, timeAdded: apiTime(now) }))];
}
