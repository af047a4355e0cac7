import type { Node, NodeStatus, Pod, PodSpec } from '#api/generated/core-v1.ts';
import type { ResourceVersion, Uid } from '#api/meta.ts';

/** Pods and nodes as short as a test wants them. */

export const aPod = (
  name: string,
  requests: Readonly<Record<string, string>> = {},
  spec: Partial<PodSpec> = {},
): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { ...identity(name), namespace: 'default' },
  spec: { containers: [{ name: 'c', image: 'busybox', resources: { requests } }], ...spec },
});

export const aNode = (
  name: string,
  more: {
    readonly allocatable?: Readonly<Record<string, string>>;
    readonly labels?: Readonly<Record<string, string>>;
    readonly spec?: Node['spec'];
    readonly images?: NonNullable<NodeStatus['images']>;
  } = {},
): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { ...identity(name), labels: { ...more.labels } },
  spec: { ...more.spec },
  status: {
    allocatable: { cpu: '2', memory: '4Gi', pods: '110', ...more.allocatable },
    ...(more.images === undefined ? {} : { images: more.images }),
  },
});

const identity = (name: string): Pod['metadata'] => ({
  name,
  uid: `uid-${name}` as Uid,
  resourceVersion: '1' as ResourceVersion,
  creationTimestamp: '2026-01-01T00:00:00Z',
});
