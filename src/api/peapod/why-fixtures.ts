import type { ContainerState, ContainerStatus, Node, Pod, PodCondition, PodStatus } from '#api/generated/core-v1.ts';
import type { EntryBody } from '#api/peapod/pod-timeline.ts';
import type { WhyRequest } from '#api/peapod/why.ts';

/** Pods and timelines for the tests of why a pod is not ready. */
export const now = Date.parse('2026-01-02T03:04:00Z');

/** So many seconds from now. */
export const at = (seconds: number): string => new Date(now + seconds * 1000).toISOString();

export interface Story {
  readonly pod: Pod;
  readonly nodes?: readonly Node[];
  readonly pods?: readonly Pod[];
  readonly entries?: readonly ({ readonly time: string } & EntryBody)[];
}

export const facts = ({ pod: subject, nodes, pods = [], entries = [] }: Story): WhyRequest => ({
  pod: subject,
  cluster: nodes && { nodes, pods },
  entries: entries.map((entry) => ({ ...entry, source: { component: 'kubelet' } })),
  now,
});

interface PodParts {
  readonly name?: string;
  readonly metadata?: object;
  readonly spec?: object;
  readonly status?: PodStatus | undefined;
}

/** On node1, with one container `main` of image app:1, unless said otherwise. */
export function pod({ name = 'web', metadata = {}, spec = {}, status = {} }: PodParts): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: 'shop',
      uid: 'u',
      resourceVersion: '1',
      creationTimestamp: at(-600),
      ...metadata,
    } as never,
    spec: { nodeName: 'node1', restartPolicy: 'Always', containers: [{ name: 'main', image: 'app:1' }], ...spec },
    status,
  };
}

export const container = (state: ContainerState, more: Partial<ContainerStatus> = {}): ContainerStatus => ({
  name: 'main',
  state,
  lastState: {},
  ready: false,
  restartCount: 0,
  image: 'app:1',
  imageID: '',
  ...more,
});

export const scheduled = (reason: string, message: string): PodCondition => ({
  type: 'PodScheduled',
  status: 'False',
  reason,
  message,
});

export const node = (name: string, spec: object = {}, ready: Partial<PodCondition> = { status: 'True' }): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name, uid: name, resourceVersion: '1', creationTimestamp: at(-6000) } as never,
  spec,
  status: {
    allocatable: { cpu: '2', memory: '8Gi', pods: '110' },
    conditions: [{ type: 'Ready', status: 'True', ...ready }],
  },
});
