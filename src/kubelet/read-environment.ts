import type { ConfigMap, Container, Pod, Secret, Service } from '#api/generated/core-v1.ts';
import type { Client } from '#client/client.ts';
import { configMapResource, secretResource } from '#client/resources.ts';
import { EnvironmentError, environmentOf, referredBy } from '#kubelet/environment.ts';
import { serviceVariables } from '#kubelet/service-variables.ts';
import { StepFailure } from '#kubelet/step-failure.ts';

export interface EnvironmentDeps {
  readonly client: Client;
  readonly hostAddresses: () => readonly string[];
  readonly allocatable: () => Readonly<Record<string, string>>;
  /** Those a pod of the namespace may be told of, as they are now. Rejects as long as nobody knows any. */
  readonly services: (namespace: string, signal: AbortSignal) => Promise<readonly Service[]>;
}

export interface EnvironmentRequest {
  readonly pod: Pod;
  readonly container: Container;
  /** Of the pod's sandbox. */
  readonly addresses: readonly string[];
}

/** The container's variables as the API has them now. Throws StepFailure CreateContainerConfigError for what is missing. */
export async function readEnvironment(
  deps: EnvironmentDeps,
  { pod, container, addresses }: EnvironmentRequest,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const { configMaps, secrets } = referredBy(container);
  const namespace = pod.metadata.namespace ?? '';
  const [maps, keys, services] = await Promise.all([
    readAll<ConfigMap>(configMaps, (name) => deps.client.get(configMapResource, { namespace, name }, signal)),
    readAll<Secret>(secrets, (name) => deps.client.get(secretResource, { namespace, name }, signal)),
    deps.services(namespace, signal),
  ]);
  const hostAddresses = deps.hostAddresses();
  try {
    return environmentOf({
      pod,
      container,
      services: serviceVariables(services, { namespace, links: pod.spec.enableServiceLinks !== false }),
      configMaps: maps,
      secrets: keys,
      hostAddresses,
      podAddresses: pod.spec.hostNetwork === true ? hostAddresses : addresses,
      allocatable: deps.allocatable(),
    });
  } catch (error) {
    if (!(error instanceof EnvironmentError)) throw error;
    throw new StepFailure('CreateContainerConfigError', error.message, { cause: error });
  }
}

const readAll = async <T>(
  names: readonly string[],
  read: (name: string) => Promise<T | undefined>,
): Promise<ReadonlyMap<string, T | undefined>> =>
  new Map(await Promise.all(names.map(async (name) => [name, await read(name)] as const)));
