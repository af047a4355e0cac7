import type { Node, Pod, PodSpec } from '#api/generated/core-v1.ts';
import type { PodDisruptionBudget } from '#api/generated/policy-v1.ts';
import type { ClusterState } from '#scheduler/cluster-state.ts';
import { aNode, aPod } from '#scheduler/fixtures.ts';
import { indexedCluster } from '#scheduler/indexed-cluster.ts';
import { place, seededTieBreak } from '#scheduler/place.ts';
import { Budgets } from '#scheduler/preemption/budgets.ts';
import { preempt, type Preemption } from '#scheduler/preemption/preempt.ts';
import { defaultProfile, type PreemptionLimits } from '#scheduler/profile.ts';

type Labels = Readonly<Record<string, string>>;

export interface Made {
  readonly cpu?: string;
  readonly priority?: number;
  readonly labels?: Labels;
  /** Seconds after nine. */
  readonly started?: number;
  readonly spec?: Partial<PodSpec>;
  readonly ending?: boolean;
}

export function made(
  name: string,
  { cpu = '1', priority = 0, labels = {}, started, spec = {}, ending }: Made = {},
): Pod {
  const pod = aPod(name, { cpu }, { priority, ...spec });
  const startTime = started === undefined ? undefined : new Date(Date.UTC(2026, 0, 1, 9, 0, started)).toISOString();
  const condition = { type: 'DisruptionTarget', status: 'True', reason: 'PreemptionByScheduler' } as const;
  return {
    ...pod,
    metadata: { ...pod.metadata, labels, ...(ending ? { deletionTimestamp: '2026-01-01T00:00:30Z' } : {}) },
    status: {
      ...(startTime === undefined ? {} : { startTime }),
      ...(ending ? { conditions: [condition] } : {}),
    },
  };
}

export const aBudget = (
  app: string,
  disruptionsAllowed: number,
  disrupted: readonly string[] = [],
): PodDisruptionBudget => ({
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  metadata: { ...aPod(app).metadata, namespace: 'default' },
  spec: { selector: { matchLabels: { app } } },
  status: {
    disruptionsAllowed,
    disruptedPods: Object.fromEntries(disrupted.map((name) => [name, '2026-01-01T00:00:00Z'])),
  },
});

export interface World {
  readonly nodes: readonly Node[];
  readonly placed: readonly (readonly [Pod, string])[];
  readonly nominated?: readonly (readonly [Pod, string])[];
  readonly budgets?: readonly PodDisruptionBudget[];
}

export function clusterOf({ nodes, placed, nominated = [] }: World, { plugins } = defaultProfile()): ClusterState {
  const cluster = indexedCluster(plugins);
  for (const node of nodes) cluster.setNode(node);
  for (const [pod, node] of placed) cluster.setPod(pod, node);
  for (const [pod, node] of nominated) cluster.nominations.set(pod, node);
  return cluster;
}

export function decided(pod: Pod, world: World, preemption?: PreemptionLimits): Preemption | undefined {
  const profile = defaultProfile();
  const cluster = clusterOf(world, profile);
  const placement = place(pod, cluster, profile, seededTieBreak(1));
  if (placement.kind === 'chosen') return undefined;
  const budgets = new Budgets(world.budgets ?? []);
  return preempt(pod, placement, {
    cluster,
    budgets,
    luck: 0,
    profile: { ...profile, ...(preemption && { preemption }) },
  });
}

/** `n1: a b` for the victims on n1, `!` after it for each broken budget. */
export function told(preemption: Preemption | undefined): string {
  switch (preemption?.kind) {
    case undefined:
      return 'fits';
    case 'victims': {
      const names = preemption.pods.map(({ metadata }) => metadata.name).join(' ');
      return `${preemption.node}: ${names}${'!'.repeat(preemption.violations)}`;
    }
    case 'not-eligible':
      return preemption.why;
    case 'helpless':
      return [...preemption.reasons]
        .map(([reason, count]) => `${count} ${reason}`)
        .sort()
        .join(', ');
  }
}

export const far: Partial<PodSpec> = {
  affinity: {
    podAntiAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [
        { topologyKey: 'zone', labelSelector: { matchLabels: { app: 'web' } } },
      ],
    },
  },
};
export const zoned = (name: string, zone: string): Node => aNode(name, { labels: { zone } });
