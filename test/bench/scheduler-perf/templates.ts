/** Nodes and pods as upstream's scheduler_perf has them, so that the numbers may be put side by side. */
import type { Namespace, Node, Pod, PodSpec } from '#api/generated/core-v1.ts';
import type { New } from '#api/resource.ts';

export const HOSTNAME = 'kubernetes.io/hostname';
export const ZONE = 'topology.kubernetes.io/zone';

export interface PodTemplate {
  readonly labels?: Readonly<Record<string, string>>;
  readonly spec?: Partial<PodSpec>;
  /** Asks for nothing at all. */
  readonly light?: boolean;
}

const small = { cpu: '100m', memory: '500Mi' };

export function podOf({ labels, spec, light = false }: PodTemplate, name: string, namespace: string): New<Pod> {
  const resources = light ? {} : { resources: { requests: small, limits: small } };
  const ports = light ? {} : { ports: [{ containerPort: 80 }] };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, ...(labels === undefined ? {} : { labels }) },
    spec: { containers: [{ name: 'pause', image: 'pause:3.10', ...ports, ...resources }], ...spec },
  };
}

export interface NodeTemplate {
  readonly labels?: Readonly<Record<string, string>>;
  readonly pods?: string;
  readonly cpu?: string;
  readonly memory?: string;
}

export function nodeOf(name: string, { labels, pods = '110', cpu = '4', memory = '32Gi' }: NodeTemplate): New<Node> {
  const capacity = { pods, cpu, memory };
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { [HOSTNAME]: name, ...labels } },
    spec: {},
    status: { capacity, allocatable: capacity, conditions: [{ type: 'Ready', status: 'True' }] },
  };
}

export const namespaceOf = (name: string): New<Namespace> => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, labels: { team: 'devops' } },
});

const requests = (cpu: string, memory: string): Pick<PodSpec, 'containers'> => ({
  containers: [{ name: 'pause', image: 'pause:3.10', resources: { requests: { cpu, memory } } }],
});

const named = { namespaces: ['sched-0', 'sched-1'] };
const byTeam = { namespaceSelector: { matchLabels: { team: 'devops' } } };
const term = (color: string, topologyKey: string, where: object) => ({
  labelSelector: { matchLabels: { color } },
  topologyKey,
  ...where,
});
const spread = (whenUnsatisfiable: 'DoNotSchedule' | 'ScheduleAnyway'): Partial<PodSpec> => ({
  topologySpreadConstraints: [
    { maxSkew: 5, topologyKey: ZONE, whenUnsatisfiable, labelSelector: { matchLabels: { color: 'blue' } } },
  ],
});

export const templates = {
  plain: {},
  light: { light: true },
  nodeAffinity: {
    spec: {
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [{ matchExpressions: [{ key: ZONE, operator: 'In', values: ['zone1', 'zone2'] }] }],
          },
        },
      },
    },
  },
  affinity: {
    labels: { color: 'blue' },
    spec: {
      affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term('blue', ZONE, named)] } },
    },
  },
  antiAffinity: {
    labels: { color: 'green' },
    spec: {
      affinity: {
        podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term('green', HOSTNAME, named)] },
      },
    },
  },
  antiAffinityLabel: { labels: { color: 'green' } },
  antiAffinityByTeam: {
    labels: { color: 'green' },
    spec: {
      affinity: {
        podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term('green', HOSTNAME, byTeam)] },
      },
    },
  },
  preferredAffinity: {
    labels: { color: 'red' },
    spec: {
      affinity: {
        podAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [
            { weight: 1, podAffinityTerm: term('red', HOSTNAME, named) },
          ],
        },
      },
    },
  },
  preferredAntiAffinity: {
    labels: { color: 'yellow' },
    spec: {
      affinity: {
        podAntiAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [
            { weight: 1, podAffinityTerm: term('yellow', HOSTNAME, named) },
          ],
        },
      },
    },
  },
  spread: { labels: { color: 'blue' }, spec: spread('DoNotSchedule') },
  preferredSpread: { labels: { color: 'blue' }, spec: spread('ScheduleAnyway') },
  gated: { light: true, spec: { schedulingGates: [{ name: 'bench.peapod.dev/never' }] } },
  daemon: {
    light: true,
    spec: {
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [
              { matchFields: [{ key: 'metadata.name', operator: 'In', values: ['scheduler-perf-node'] }] },
            ],
          },
        },
      },
    },
  },
  lowPriority: { spec: { ...requests('900m', '500Mi'), priority: 0 } },
  highPriority: { spec: { ...requests('3000m', '500Mi'), priorityClassName: 'bench-high' } },
  tooLarge: { spec: { ...requests('9', '500Mi'), priorityClassName: 'bench-high' } },
} as const satisfies Readonly<Record<string, PodTemplate>>;
