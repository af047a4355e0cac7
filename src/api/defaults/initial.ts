import type { Namespace, Pod, PodSpec, Service, Toleration } from '#api/generated/core-v1.ts';
import { qosClassOf, type QosClass } from '#api/qos.ts';
import { QuantityError } from '#api/quantity.ts';
import { notReadyTaint, unreachableTaint } from '#api/taints.ts';

/**
 * What an object is given when it is created, whatever its author says: upstream's create strategies and the admission
 * plugins that need no other object. Unlike defaulting, none of this is repeated on updates.
 */

/**
 * A pod's first status: Pending, its class of service for good, and why it is not scheduled when it is gated. It may
 * run before validation, as upstream's does: a pod without containers or with wrong quantities will be refused there.
 */
export function withInitialPodStatus(pod: Pod): Pod {
  const isGated = (pod.spec?.schedulingGates?.length ?? 0) > 0;
  return {
    ...pod,
    status: {
      phase: 'Pending',
      qosClass: readableQosClass(pod),
      ...(isGated
        ? {
            conditions: [
              {
                type: 'PodScheduled',
                status: 'False',
                reason: 'SchedulingGated',
                message: 'Scheduling is blocked due to non-empty scheduling gates',
              },
            ],
          }
        : {}),
    },
  };
}

function readableQosClass(pod: Pod): QosClass {
  if (!Array.isArray(pod.spec?.containers)) return 'BestEffort';
  try {
    return qosClassOf(pod);
  } catch (error) {
    if (error instanceof QuantityError) return 'BestEffort';
    throw error;
  }
}

/** A namespace's first state: Active, and emptied by the cluster before it goes. */
export const withInitialNamespaceStatus = (namespace: Namespace): Namespace => ({
  ...namespace,
  spec: { ...namespace.spec, finalizers: ['kubernetes'] },
  status: { phase: 'Active' },
});

/** How long pods stay on a node that is not ready or out of reach, unless they say so themselves. */
const stayOnBadNodeSeconds = 300;

/** Admission plugin DefaultTolerationSeconds; the same pod when it has both tolerations already. */
export function withDefaultTolerations(pod: Pod): Pod {
  if (pod.spec === undefined) return pod;
  const given = pod.spec.tolerations ?? [];
  const added = [notReadyTaint, unreachableTaint]
    .filter((key) => !given.some((toleration) => toleratesForGood(toleration, key)))
    .map((key): Toleration => ({
      key,
      operator: 'Exists',
      effect: 'NoExecute',
      tolerationSeconds: stayOnBadNodeSeconds,
    }));
  return added.length === 0 ? pod : { ...pod, spec: { ...pod.spec, tolerations: [...given, ...added] } };
}

const toleratesForGood = ({ key, effect }: Toleration, taint: string): boolean =>
  (!key || key === taint) && (!effect || effect === 'NoExecute');

/** Admission plugin ServiceAccount, as far as the name goes. Mirror pods of static pods have none. */
export function withDefaultServiceAccount(pod: Pod): Pod {
  if (pod.spec === undefined) return pod;
  if (pod.spec.serviceAccountName || pod.metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined)
    return pod;
  const spec: PodSpec = { ...pod.spec, serviceAccountName: 'default', serviceAccount: 'default' };
  return { ...pod, spec };
}

/** `clusterIP` is the first of `clusterIPs`; who gives one of them means both. */
export function withBothClusterIps(service: Service, old?: Service): Service {
  if (service.spec === undefined) return service;
  const { clusterIP, clusterIPs = [] } = service.spec;
  const isOld = old !== undefined && old.spec.clusterIP !== clusterIP && old.spec.clusterIPs?.[0] === clusterIPs[0];
  if (!clusterIP || (clusterIPs.length > 0 && !isOld)) return service;
  return { ...service, spec: { ...service.spec, clusterIPs: [clusterIP] } };
}
