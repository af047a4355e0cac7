import type { Namespace, Node, NodeStatus, Secret, Service, ServicePort, ServiceSpec } from '#api/generated/core-v1.ts';
import type { PriorityClass } from '#api/generated/scheduling-v1.ts';
import { canonicalResources, change, each, fill } from '#api/defaults/shape.ts';

/** Three hours: how long a service sticks a client to a pod when asked to. */
const clientIpTimeoutSeconds = 10_800;

export const defaultService = (service: Service): Service => change(service, { spec: defaultServiceSpec });

/** Whether traffic may come from outside the cluster. */
export const isExternallyAccessible = ({ type, externalIPs }: ServiceSpec): boolean =>
  type === 'LoadBalancer' || type === 'NodePort' || (type === 'ClusterIP' && (externalIPs?.length ?? 0) > 0);

function defaultServiceSpec(given: ServiceSpec): ServiceSpec {
  let spec = fill(given, { sessionAffinity: 'None', type: 'ClusterIP' });
  spec = defaultAffinity(spec);
  spec = change(spec, { ports: each(defaultServicePort) });
  if (isExternallyAccessible(spec)) spec = fill(spec, { externalTrafficPolicy: 'Cluster' });
  if (spec.type !== 'ExternalName') spec = fill(spec, { internalTrafficPolicy: 'Cluster' });
  return spec.type === 'LoadBalancer' ? fill(spec, { allocateLoadBalancerNodePorts: true }) : spec;
}

function defaultAffinity(spec: ServiceSpec): ServiceSpec {
  if (spec.sessionAffinity === 'None' && spec.sessionAffinityConfig !== undefined) {
    const { sessionAffinityConfig: _, ...rest } = spec;
    return rest;
  }
  if (spec.sessionAffinity !== 'ClientIP' || spec.sessionAffinityConfig?.clientIP?.timeoutSeconds !== undefined) {
    return spec;
  }
  return { ...spec, sessionAffinityConfig: { clientIP: { timeoutSeconds: clientIpTimeoutSeconds } } };
}

const defaultServicePort = (port: ServicePort): ServicePort => {
  const withProtocol = fill(port, { protocol: 'TCP' });
  const isUnset = port.targetPort === undefined || port.targetPort === 0 || port.targetPort === '';
  return isUnset ? { ...withProtocol, targetPort: port.port } : withProtocol;
};

/** `stringData` is only ever written: it goes into `data`, over what stands there. */
export function defaultSecret(secret: Secret): Secret {
  const typed = fill(secret, { type: 'Opaque' });
  if (typed.stringData === undefined) return typed;
  const { stringData, ...rest } = typed;
  const written = Object.entries(stringData ?? {}).map(([key, value]) => [key, base64(String(value))]);
  return written.length === 0 ? rest : { ...rest, data: { ...rest.data, ...Object.fromEntries(written) } };
}

function base64(text: string): string {
  let binary = '';
  for (const byte of new TextEncoder().encode(text)) binary += String.fromCharCode(byte);
  return btoa(binary);
}

export const namespaceNameLabel = 'kubernetes.io/metadata.name';

const active = { phase: 'Active' } as const;

export function defaultNamespace(namespace: Namespace): Namespace {
  const phased = change(fill(namespace, { status: active }), { status: (status) => fill(status, active) });
  const { metadata } = phased;
  if (!metadata?.name || metadata.labels?.[namespaceNameLabel] === metadata.name) return phased;
  const labels = { ...metadata.labels, [namespaceNameLabel]: metadata.name };
  return { ...phased, metadata: { ...metadata, labels } };
}

export const defaultNode = (node: Node): Node => change(node, { status: defaultNodeStatus });

function defaultNodeStatus(given: NodeStatus): NodeStatus {
  const status = change(given, { capacity: canonicalResources, allocatable: canonicalResources });
  if (status.allocatable !== undefined || status.capacity === undefined) return status;
  return { ...status, allocatable: status.capacity };
}

export const defaultPriorityClass = (priorityClass: PriorityClass): PriorityClass =>
  fill(priorityClass, { value: 0, preemptionPolicy: 'PreemptLowerPriority' });
