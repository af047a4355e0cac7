import type { ConfigMap, Container, Pod, Secret, Service } from '#api/generated/core-v1.ts';
import type { Client } from '#client/client.ts';
import { configMapResource, secretResource } from '#client/resources.ts';
import { EnvironmentError } from '#kubelet/downward-fields.ts';
import { ENV_FILE_BYTES } from '#kubelet/env-file.ts';
import { type EnvFileRef, environmentOf, type FileKey, fileKey, referredBy } from '#kubelet/environment.ts';
import type { PodFiles } from '#kubelet/pod-files.ts';
import { serviceVariables } from '#kubelet/service-variables.ts';
import { StepFailure } from '#kubelet/step-failure.ts';

export interface EnvironmentDeps {
  readonly files: PodFiles;
  readonly client: Client;
  readonly hostAddresses: () => readonly string[];
  readonly allocatable: () => Readonly<Record<string, string>>;
  /** Those a pod of the namespace may be told of, as they are now. Rejects as long as nobody knows any. */
  readonly services: (pod: Pod, signal: AbortSignal) => Promise<readonly Service[]>;
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
  const { configMaps, secrets, files } = referredBy(container);
  const namespace = pod.metadata.namespace ?? '';
  const [maps, keys, texts, services] = await Promise.all([
    readAll<ConfigMap>(configMaps, (name) => deps.client.get(configMapResource, { namespace, name }, signal)),
    readAll<Secret>(secrets, (name) => deps.client.get(secretResource, { namespace, name }, signal)),
    readFiles(deps.files, pod, files),
    deps.services(pod, signal),
  ]);
  const hostAddresses = deps.hostAddresses();
  try {
    return environmentOf({
      pod,
      container,
      services: serviceVariables(services, { namespace, links: pod.spec.enableServiceLinks !== false }),
      configMaps: maps,
      secrets: keys,
      files: texts,
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

async function readFiles(
  files: PodFiles,
  pod: Pod,
  refs: readonly EnvFileRef[],
): Promise<ReadonlyMap<FileKey, string | undefined>> {
  const texts = new Map<FileKey, string | undefined>();
  for (const ref of refs) {
    if (texts.has(fileKey(ref))) continue;
    texts.set(fileKey(ref), await readFile(files, pod, ref));
  }
  return texts;
}

async function readFile(files: PodFiles, pod: Pod, { volumeName, path }: EnvFileRef): Promise<string | undefined> {
  try {
    return await files.readText(pod, { volume: volumeName, path, maxBytes: ENV_FILE_BYTES });
  } catch (error) {
    // What lies in the volume is the containers' doing; what the node says of it is not theirs to know.
    const message = `couldn't read env file ${JSON.stringify(path)} of volume ${JSON.stringify(volumeName)}`;
    throw new StepFailure('CreateContainerConfigError', message, { cause: error });
  }
}
