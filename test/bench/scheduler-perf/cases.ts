import { type NodeTemplate, type PodTemplate, templates, ZONE } from '#test/bench/scheduler-perf/templates.ts';

/** One of upstream's scheduler_perf workloads, at the size for which upstream states a floor. */
export interface PerfCase {
  readonly name: string;
  /** Upstream's own: fewer pods a second make its CI fail. */
  readonly podsPerSecond: number;
  readonly nodes: number;
  readonly pods: number;
  readonly measured: PodTemplate;
  readonly namespace?: string;
  /** One template for each value: node n gets the n-th, round and round. */
  readonly nodeTemplates?: readonly NodeTemplate[];
  /** Beside the others; its name is given. */
  readonly extraNode?: { readonly name: string } & NodeTemplate;
  readonly namespaces?: readonly string[];
  /** What stands on the nodes before the measurement begins. */
  readonly before?: readonly Batch[];
  readonly meanwhile?: Meanwhile;
}

export interface Batch {
  readonly template: PodTemplate;
  /** At the case's full size; scaled with the nodes. */
  readonly pods: number;
  readonly namespace?: string;
  /** Not waited for: they will never have a node. */
  readonly never?: boolean;
}

export type Meanwhile =
  /** A pod is created every so often. */
  | { readonly kind: 'create'; readonly template: PodTemplate; readonly everyMs: number }
  /** A node, a pod that fits nowhere and a Service are made and deleted in turn. */
  | { readonly kind: 'churn'; readonly everyMs: number }
  /** The pods of the batches before go, one after the other. */
  | { readonly kind: 'delete'; readonly perSecond: number };

const zone1: readonly NodeTemplate[] = [{ labels: { [ZONE]: 'zone1' } }];
const moons: readonly NodeTemplate[] = ['moon-1', 'moon-2', 'moon-3'].map((zone) => ({ labels: { [ZONE]: zone } }));
const onlyNode = { name: 'scheduler-perf-node', pods: '90000', cpu: '90000', memory: '9000Ti' };
const sched = { namespaces: ['sched-0', 'sched-1'], namespace: 'sched-1' };
const first = (template: PodTemplate, pods: number): readonly Batch[] => [{ template, pods, namespace: 'sched-0' }];
const teams = Array.from({ length: 100 }, (_, at) => `init-ns-${at}`);
const { plain } = templates;

export const perfCases: readonly PerfCase[] = [
  {
    name: 'basic',
    podsPerSecond: 680,
    nodes: 5000,
    pods: 10_000,
    measured: plain,
    before: [{ template: plain, pods: 1000 }],
  },
  {
    name: 'basic, many pods',
    podsPerSecond: 810,
    nodes: 5000,
    pods: 50_000,
    measured: plain,
    before: [{ template: plain, pods: 5000 }],
  },
  {
    name: 'node affinity',
    podsPerSecond: 220,
    nodes: 5000,
    pods: 10_000,
    nodeTemplates: zone1,
    measured: templates.nodeAffinity,
    before: [{ template: templates.nodeAffinity, pods: 5000 }],
  },
  {
    name: 'preferred pod affinity',
    podsPerSecond: 90,
    nodes: 5000,
    pods: 5000,
    ...sched,
    measured: templates.preferredAffinity,
    before: first(templates.preferredAffinity, 5000),
  },
  {
    name: 'preferred pod anti-affinity',
    podsPerSecond: 90,
    nodes: 5000,
    pods: 5000,
    ...sched,
    measured: templates.preferredAntiAffinity,
    before: first(templates.preferredAntiAffinity, 5000),
  },
  {
    name: 'required pod anti-affinity',
    podsPerSecond: 60,
    nodes: 5000,
    pods: 2000,
    ...sched,
    measured: templates.antiAffinity,
    before: first(templates.antiAffinity, 1000),
  },
  {
    name: 'matching pod anti-affinity',
    podsPerSecond: 595,
    nodes: 5000,
    pods: 5000,
    ...sched,
    measured: templates.antiAffinityLabel,
    before: first(templates.antiAffinity, 1000),
  },
  {
    name: 'pod anti-affinity by namespace selector',
    podsPerSecond: 24,
    nodes: 6000,
    pods: 2000,
    namespaces: [...teams, 'measure-ns-0'],
    namespace: 'measure-ns-0',
    measured: templates.antiAffinityByTeam,
    before: teams.map((namespace) => ({ template: templates.antiAffinityByTeam, pods: 40, namespace })),
  },
  {
    name: 'required pod affinity',
    podsPerSecond: 35,
    nodes: 5000,
    pods: 5000,
    ...sched,
    nodeTemplates: zone1,
    measured: templates.affinity,
    before: first(templates.affinity, 5000),
  },
  {
    name: 'topology spread, required',
    podsPerSecond: 460,
    nodes: 5000,
    pods: 5000,
    nodeTemplates: moons,
    measured: templates.spread,
    before: [{ template: plain, pods: 5000 }],
  },
  {
    name: 'topology spread, preferred',
    podsPerSecond: 340,
    nodes: 5000,
    pods: 5000,
    nodeTemplates: moons,
    measured: templates.preferredSpread,
    before: [{ template: plain, pods: 5000 }],
  },
  {
    name: 'mixed',
    podsPerSecond: 140,
    nodes: 5000,
    pods: 5000,
    nodeTemplates: zone1,
    namespaces: ['sched-0'],
    measured: plain,
    before: [
      plain,
      templates.affinity,
      templates.antiAffinity,
      templates.preferredAffinity,
      templates.preferredAntiAffinity,
    ].flatMap((template) => first(template, 2000)),
  },
  {
    name: 'gated',
    podsPerSecond: 910,
    nodes: 0,
    pods: 20_000,
    extraNode: onlyNode,
    measured: templates.light,
    before: [
      { template: templates.gated, pods: 10_000, never: true },
      { template: templates.light, pods: 20_000, namespace: 'sched-0' },
    ],
    namespaces: ['sched-0'],
    meanwhile: { kind: 'delete', perSecond: 50 },
  },
  {
    name: 'mixed churn',
    podsPerSecond: 710,
    nodes: 5000,
    pods: 10_000,
    measured: plain,
    meanwhile: { kind: 'churn', everyMs: 1000 },
  },
  {
    name: 'daemon set',
    podsPerSecond: 1100,
    nodes: 15_000,
    pods: 30_000,
    extraNode: onlyNode,
    measured: templates.daemon,
  },
  {
    name: 'while preemptors arrive',
    podsPerSecond: 570,
    nodes: 5000,
    pods: 5000,
    measured: plain,
    before: [{ template: templates.lowPriority, pods: 20_000 }],
    meanwhile: { kind: 'create', template: templates.highPriority, everyMs: 200 },
  },
  {
    name: 'while unschedulable pods arrive',
    podsPerSecond: 590,
    nodes: 5000,
    pods: 10_000,
    measured: plain,
    before: [{ template: plain, pods: 100 }],
    meanwhile: { kind: 'create', template: templates.tooLarge, everyMs: 200 },
  },
];
