import type {
  Container,
  ContainerPort,
  EnvVar,
  EnvVarSource,
  EphemeralContainer,
  HTTPGetAction,
  Lifecycle,
  LifecycleHandler,
  ObjectFieldSelector,
  Probe,
  ResourceFieldSelector,
  ResourceRequirements,
} from '#api/generated/core-v1.ts';
import {
  canonicalQuantity,
  canonicalResources,
  change,
  complete,
  each,
  fill,
  fillZeros,
  type Changes,
  type Recipe,
} from '#api/defaults/shape.ts';
import { imageTag } from '#api/defaults/image-tag.ts';

/** What a container gets wherever it stands, in a pod or in a template. */
export function defaultContainer<C extends Container | EphemeralContainer>(container: C): C {
  const recipe: Recipe<Container | EphemeralContainer> = container.imagePullPolicy
    ? containerRecipe
    : {
        unset: { ...containerDefaults, imagePullPolicy: pullPolicyOf(container.image ?? '') },
        changes: containerChanges,
      };
  // Nothing is taken away: what goes in as a C is one still.
  return complete<Container | EphemeralContainer>(container, recipe) as C;
}

/** Always for `latest`, which is what no tag means; else only when the image is not there yet. */
export const pullPolicyOf = (image: string): 'Always' | 'IfNotPresent' =>
  imageTag(image) === 'latest' ? 'Always' : 'IfNotPresent';

export function defaultRequirements(requirements: ResourceRequirements): ResourceRequirements {
  return change(requirements, requirementChanges);
}

/** What is limited is requested, unless something else is. Only in pods: a template stays as it was written. */
export function requestLimits<C extends { readonly resources?: ResourceRequirements }>(container: C): C {
  const { resources } = container;
  const limits = resources?.limits;
  if (limits === undefined) return container;
  const { requests } = resources ?? {};
  if (requests !== undefined && Object.keys(limits).every((name) => Object.hasOwn(requests, name))) return container;
  return { ...container, resources: { ...resources, requests: { ...limits, ...requests } } };
}

/** On the host's network a port of the container is a port of the host. */
export const publishPorts = (container: Container): Container => change(container, hostPortChanges);

export const defaultFieldRef = (reference: ObjectFieldSelector): ObjectFieldSelector =>
  fill(reference, { apiVersion: 'v1' });

export const defaultResourceRef = (reference: ResourceFieldSelector): ResourceFieldSelector =>
  complete(reference, divisorRecipe);

const divisorRecipe: Recipe<ResourceFieldSelector> = {
  unset: { divisor: '0' },
  changes: { divisor: (divisor) => canonicalQuantity(divisor) },
};

const requirementChanges: Changes<ResourceRequirements> = { limits: canonicalResources, requests: canonicalResources };

const hostPortChanges: Changes<Container> = {
  ports: each((port: ContainerPort) => fillZeros(port, { hostPort: port.containerPort })),
};

const httpDefaults = { path: '/', scheme: 'HTTP' } as const;
const httpChange = { httpGet: (action: HTTPGetAction): HTTPGetAction => fill(action, httpDefaults) };

const probeNumbers = { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 };
const probeChanges: Changes<Probe> = {
  ...httpChange,
  grpc: (grpc) => (grpc.service === undefined ? { ...grpc, service: '' } : grpc),
};
const probeRecipe: Recipe<Probe> = { zero: probeNumbers, changes: probeChanges };
const defaultProbe = (probe: Probe): Probe => complete(probe, probeRecipe);

const defaultHandler = (handler: LifecycleHandler): LifecycleHandler => change(handler, httpChange);
const lifecycleChanges: Changes<Lifecycle> = { postStart: defaultHandler, preStop: defaultHandler };

const protocolDefault = { protocol: 'TCP' } as const;
const sourceChanges: Changes<EnvVarSource> = { fieldRef: defaultFieldRef, resourceFieldRef: defaultResourceRef };
const envChanges: Changes<EnvVar> = { valueFrom: (source) => change(source, sourceChanges) };

const containerDefaults: Partial<Container> = {
  terminationMessagePath: '/dev/termination-log',
  terminationMessagePolicy: 'File',
  resources: {},
};

const containerChanges: Changes<Container> = {
  ports: each((port: ContainerPort) => fill(port, protocolDefault)),
  env: each((variable: EnvVar) => change(variable, envChanges)),
  resources: defaultRequirements,
  livenessProbe: defaultProbe,
  readinessProbe: defaultProbe,
  startupProbe: defaultProbe,
  lifecycle: (lifecycle) => change(lifecycle, lifecycleChanges),
};
const containerRecipe: Recipe<Container> = { unset: containerDefaults, changes: containerChanges };
