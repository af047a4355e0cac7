import { addQuantities, compareQuantities, parseQuantity, signOf, value, type Quantity } from '#api/quantity.ts';
import {
  containerRequests,
  hasPodLevelResources,
  wholeOf,
  type PodResourceFacts,
  type ResourceTexts,
} from '#api/pod-resources.ts';

/** A pod's class of service, computed when it is created, and how readily the kernel kills its processes for memory. */
export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort';

/** Only cpu and memory count, and only when more than zero. Ephemeral containers have no resources. */
export function qosClassOf(pod: PodResourceFacts): QosClass {
  const { spec } = pod;
  const parts = hasPodLevelResources(pod)
    ? [spec.resources]
    : [...spec.containers, ...(spec.initContainers ?? [])].map(({ resources }) => resources);
  const requests = new Map<string, Quantity>();
  const limits = new Map<string, Quantity>();
  let isLimited = true;
  for (const part of parts) {
    collect(requests, part?.requests);
    if (collect(limits, part?.limits) < 2) isLimited = false;
  }
  if (requests.size === 0 && limits.size === 0) return 'BestEffort';
  const isGuaranteed =
    isLimited &&
    requests.size === limits.size &&
    [...requests].every(([name, amount]) => {
      const limit = limits.get(name);
      return limit !== undefined && compareQuantities(limit, amount) === 0;
    });
  return isGuaranteed ? 'Guaranteed' : 'Burstable';
}

/** The class that stands in the status, which never changes; computed only for a pod that has none yet. */
export const qosOf = (pod: PodResourceFacts & { readonly status?: { readonly qosClass?: string } }): QosClass => {
  const known = pod.status?.qosClass;
  return known === 'Guaranteed' || known === 'Burstable' || known === 'BestEffort' ? known : qosClassOf(pod);
};

const guaranteedScore = -997;
const bestEffortScore = 1000;

interface NamedContainer {
  readonly name: string;
  readonly restartPolicy?: string;
  readonly resources?: { readonly requests?: ResourceTexts };
}
interface PodOomFacts {
  readonly spec: PodResourceFacts['spec'] & {
    readonly priorityClassName?: string;
    readonly containers: readonly NamedContainer[];
    readonly initContainers?: readonly NamedContainer[];
  };
  readonly status?: { readonly qosClass?: string };
}

/**
 * `oom_score_adj` of a container's processes. In a burstable pod, the larger its share of the node's memory
 * (`memoryCapacity`, bytes), the later it dies; a sidecar never dies before the containers it serves.
 */
export function oomScoreAdjOf(pod: PodOomFacts, container: NamedContainer, memoryCapacity: number): number {
  if (pod.spec.priorityClassName === 'system-node-critical') return guaranteedScore;
  switch (qosOf(pod)) {
    case 'Guaranteed':
      return guaranteedScore;
    case 'BestEffort':
      return bestEffortScore;
    case 'Burstable':
      break;
  }
  const own = burstableScore(memoryOf(pod, container), memoryCapacity);
  const initContainers: readonly NamedContainer[] = pod.spec.initContainers ?? [];
  const isSidecar = initContainers.some((each) => each.name === container.name && each.restartPolicy === 'Always');
  if (!isSidecar) return own;
  const served: readonly NamedContainer[] = pod.spec.containers;
  return Math.min(own, ...served.map((each) => burstableScore(memoryOf(pod, each), memoryCapacity)));
}

/** Between the two other classes: more than a guaranteed pod's, less than a best-effort one's. */
function burstableScore(memoryRequest: number, memoryCapacity: number): number {
  const score = 1000 - Math.floor((1000 * memoryRequest) / memoryCapacity);
  if (score < 1000 + guaranteedScore) return 1000 + guaranteedScore;
  return score === bestEffortScore ? score - 1 : score;
}

/** What the pod as a whole is granted and no container has named is shared evenly. */
function memoryOf(pod: PodOomFacts, container: NamedContainer): number {
  const named = container.resources?.requests?.['memory'];
  const own = named === undefined ? 0 : value(parseQuantity(named));
  const granted = pod.spec.resources?.requests?.['memory'];
  if (granted === undefined) return own;
  const rest = value(parseQuantity(granted)) - wholeOf(containerRequests(pod), 'memory');
  const sidecars = pod.spec.initContainers?.filter((each) => each.restartPolicy === 'Always').length ?? 0;
  return rest > 0 ? own + Math.floor(rest / (pod.spec.containers.length + sidecars)) : own;
}

/** How many of cpu and memory were named. */
function collect(total: Map<string, Quantity>, texts: ResourceTexts | undefined): number {
  let found = 0;
  for (const name of ['cpu', 'memory']) {
    const text = texts?.[name];
    if (text === undefined) continue;
    const amount = parseQuantity(text);
    if (signOf(amount) <= 0) continue;
    const known = total.get(name);
    total.set(name, known === undefined ? amount : addQuantities(known, amount));
    found += 1;
  }
  return found;
}
