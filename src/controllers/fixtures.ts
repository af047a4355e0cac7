import type { Node, NodeCondition, Pod, Taint, Toleration } from '#api/generated/core-v1.ts';

/** Nodes and pods for the tests of the controllers that look after nodes. */
interface NodeParts {
  readonly name?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** undefined: it has never said so. */
  readonly ready?: 'True' | 'False' | 'Unknown' | undefined;
  readonly conditions?: readonly NodeCondition[];
  readonly taints?: readonly Taint[];
  readonly unschedulable?: boolean;
}

const CREATED = '2026-01-01T00:00:00Z';

export function node(parts: NodeParts = {}): Node {
  const { name = 'n1', labels = {}, conditions = [], taints, unschedulable } = parts;
  const ready = 'ready' in parts ? parts.ready : 'True';
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels, uid: name, resourceVersion: '1', creationTimestamp: CREATED } as never,
    spec: { ...(taints ? { taints } : {}), ...(unschedulable ? { unschedulable } : {}) },
    status: { conditions: [...conditions, ...(ready ? [{ type: 'Ready', status: ready }] : [])] },
  };
}

interface PodParts {
  readonly name?: string;
  readonly uid?: string;
  readonly nodeName?: string | undefined;
  readonly phase?: string;
  readonly reason?: string;
  readonly ready?: 'True' | 'False';
  readonly tolerations?: readonly Toleration[];
  readonly ending?: boolean;
  readonly created?: string;
}

/** On n1, unless said otherwise. */
export function pod(parts: PodParts = {}): Pod {
  const { name = 'web', uid = name, phase = 'Running', reason, ready, tolerations, ending, created = CREATED } = parts;
  const nodeName = 'nodeName' in parts ? parts.nodeName : 'n1';
  const metadata = { name, namespace: 'shop', uid, resourceVersion: '1', creationTimestamp: created };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...metadata, ...(ending ? { deletionTimestamp: CREATED } : {}) } as never,
    spec: {
      containers: [{ name: 'main', image: 'app:1' }],
      ...(nodeName ? { nodeName } : {}),
      ...(tolerations ? { tolerations } : {}),
    },
    status: {
      phase: phase as never,
      ...(reason ? { reason } : {}),
      ...(ready ? { conditions: [{ type: 'Ready', status: ready }] } : {}),
    },
  };
}
