import type { Container, EphemeralContainer, Pod, PodSpec, ResourceRequirements } from '#api/generated/core-v1.ts';
import { defaultContainer, defaultRequirements, publishPorts, requestLimits } from '#api/defaults/container.ts';
import {
  canonicalResources,
  change,
  complete,
  each,
  type Changes,
  type Recipe,
  type ResourceList,
} from '#api/defaults/shape.ts';
import { defaultVolume } from '#api/defaults/volume.ts';
import { containerLimits, containerRequests, isHugePages, isPodLevelResource } from '#api/pod-resources.ts';
import { formatQuantity, QuantityError, type Quantity } from '#api/quantity.ts';

/** What every pod spec gets, in pods and in templates. */
export const defaultPodSpec = (spec: PodSpec): PodSpec => bothServiceAccounts(complete(spec, specRecipe));

export const defaultPod = (pod: Pod): Pod => change(pod, podChanges);

const specDefaults: Partial<PodSpec> = {
  dnsPolicy: 'ClusterFirst',
  restartPolicy: 'Always',
  securityContext: {},
  terminationGracePeriodSeconds: 30,
  schedulerName: 'default-scheduler',
};

const specChanges: Changes<PodSpec> = {
  volumes: each(defaultVolume),
  containers: each<Container>(defaultContainer),
  initContainers: each<Container>(defaultContainer),
  ephemeralContainers: each<EphemeralContainer>(defaultContainer),
  overhead: canonicalResources,
  resources: defaultRequirements,
};

const specRecipe: Recipe<PodSpec> = { unset: specDefaults, changes: specChanges };

const requestChanges: Changes<PodSpec> = { containers: each(requestLimits), initContainers: each(requestLimits) };
const publishChanges: Changes<PodSpec> = { containers: each(publishPorts), initContainers: each(publishPorts) };
const podSpecRecipe: Recipe<PodSpec> = { unset: { enableServiceLinks: true }, changes: requestChanges };

const podChanges: Changes<Pod> = {
  spec: (given) => {
    const spec = defaultPodLevel(complete(defaultPodSpec(given), podSpecRecipe));
    return spec.hostNetwork === true ? change(spec, publishChanges) : spec;
  },
};

/** `serviceAccount` is the old name of `serviceAccountName`; upstream always shows both. */
function bothServiceAccounts(spec: PodSpec): PodSpec {
  const name = spec.serviceAccountName || spec.serviceAccount;
  if (!name || (spec.serviceAccountName === name && spec.serviceAccount === name)) return spec;
  return { ...spec, serviceAccountName: name, serviceAccount: name };
}

/** What a pod as a whole requests or is limited to follows from its containers, as far as it says anything itself. */
function defaultPodLevel(spec: PodSpec): PodSpec {
  const { resources } = spec;
  if (resources === undefined || !Array.isArray(spec.containers)) return spec;
  try {
    const withLimits = hugePageLimits(spec, resources);
    const withRequests = podLevelRequests(spec, withLimits);
    return withRequests === resources ? spec : { ...spec, resources: withRequests };
  } catch (error) {
    // A text that is no quantity: validation says where.
    if (error instanceof QuantityError) return spec;
    throw error;
  }
}

function hugePageLimits(spec: PodSpec, resources: ResourceRequirements): ResourceRequirements {
  if (isEmpty(resources.limits) && isEmpty(resources.requests)) return resources;
  const missing = missingFrom(resources.limits, containerLimits({ spec }), (name) => {
    return isHugePages(name) && !Object.hasOwn(resources.requests ?? {}, name);
  });
  return isEmpty(missing) ? resources : { ...resources, limits: { ...resources.limits, ...missing } };
}

function podLevelRequests(spec: PodSpec, resources: ResourceRequirements): ResourceRequirements {
  const { limits } = resources;
  if (isEmpty(limits)) return resources;
  const fromContainers = missingFrom(
    resources.requests,
    containerRequests({ spec }),
    (name) => name === 'cpu' || name === 'memory',
  );
  const requests: ResourceList = { ...fromContainers, ...resources.requests };
  const fromLimits = Object.entries(limits ?? {}).filter(
    ([name]) => isPodLevelResource(name) && !Object.hasOwn(requests, name),
  );
  if (isEmpty(fromContainers) && fromLimits.length === 0) return resources;
  return { ...resources, requests: { ...requests, ...Object.fromEntries(fromLimits) } };
}

function missingFrom(
  given: ResourceList | undefined,
  amounts: ReadonlyMap<string, Quantity>,
  counts: (name: string) => boolean,
): ResourceList {
  const missing: Record<string, string> = {};
  for (const [name, amount] of amounts) {
    if (counts(name) && !Object.hasOwn(given ?? {}, name)) missing[name] = formatQuantity(amount);
  }
  return missing;
}

const isEmpty = (list: ResourceList | undefined): boolean => list === undefined || Object.keys(list).length === 0;
