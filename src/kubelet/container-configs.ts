import { posix } from 'node:path';
import type { ConfigMap, Container, Pod, Secret, VolumeMount } from '#api/generated/core-v1.ts';
import { expand } from '#api/expansion.ts';
import { dottedSysctl } from '#api/sysctls.ts';
import type { Client } from '#client/client.ts';
import { configMapResource, secretResource } from '#client/resources.ts';
import type { ContainerConfig, ContainerSecurityContext, DnsConfig, Mount, SandboxConfig } from '#cri/config.ts';
import type { ContainerRuntime, CreateConfigs } from '#cri/runtime.ts';
import { EnvironmentError, environmentOf, referredBy } from '#kubelet/environment.ts';
import { annotations, containersNamed, currentSandbox, labels, type Observed } from '#kubelet/observed.ts';
import { portMappings } from '#kubelet/host-ports.ts';
import type { PodFiles } from '#kubelet/pod-files.ts';
import { containerResources } from '#kubelet/resources.ts';
import {
  containerSecurity,
  type MissingCapabilities,
  nonRootProblem,
  sandboxSecurity,
} from '#kubelet/security-context.ts';
import { StepFailure } from '#kubelet/step-failure.ts';
import { SubPathError, subPathOf } from '#kubelet/volumes/sub-path.ts';
import { volumesOf } from '#kubelet/volumes/volumes.ts';

/** What a container is made of, in the runtime's terms. */
export interface ContainerConfigs {
  sandbox(pod: Pod, attempt: number): SandboxConfig;
  /** Reads what the container refers to. Throws StepFailure CreateContainerConfigError when something of it is missing. */
  container(request: ContainerRequest, signal: AbortSignal): Promise<CreateConfigs>;
}

export interface ContainerRequest {
  readonly pod: Pod;
  readonly container: Container;
  readonly attempt: number;
  readonly restartDelayMs: number;
  readonly imageRef: string;
  readonly observed: Observed;
}

export interface ConfigDeps {
  readonly client: Client;
  readonly runtime: ContainerRuntime;
  readonly files: PodFiles;
  readonly missing: MissingCapabilities;
  readonly memoryCapacity: number;
  /** The value of `labels.owner`. */
  readonly owner: string;
  readonly hostAddresses: () => readonly string[];
  readonly allocatable: () => Readonly<Record<string, string>>;
}

const MAX_HOSTNAME = 63;

export function createContainerConfigs(deps: ConfigDeps): ContainerConfigs {
  return {
    sandbox: (pod, attempt) => sandboxConfig(pod, attempt, deps),
    async container(request, signal) {
      const { pod } = request;
      const sandbox = currentSandbox(request.observed);
      refuseUnsupported(request.container);
      await checkUser(deps, request, signal);
      return {
        container: await containerConfig(deps, request, signal),
        sandbox: sandboxConfig(pod, sandbox?.metadata.attempt ?? 0, deps),
      };
    },
  };
}

function sandboxConfig(pod: Pod, attempt: number, { files, owner }: ConfigDeps): SandboxConfig {
  const { name, namespace = '', uid } = pod.metadata;
  return {
    metadata: { name, namespace, uid, attempt },
    hostname: pod.spec.hostNetwork === true ? '' : hostnameOf(pod),
    logDirectory: files.logDirectory(pod),
    dns: dnsOf(pod),
    portMappings: portMappings(pod),
    labels: { ...pod.metadata.labels, ...podLabels(pod), [labels.owner]: owner },
    annotations: { ...pod.metadata.annotations },
    linux: {
      cgroupParent: files.cgroupParent(pod),
      ...(pod.spec.securityContext?.sysctls === undefined
        ? {}
        : {
            sysctls: Object.fromEntries(
              pod.spec.securityContext.sysctls.map(({ name: of, value }) => [dottedSysctl(of), value]),
            ),
          }),
      securityContext: sandboxSecurity(pod),
    },
  };
}

/** Cut to what a hostname may be, and not ending in what it may not end in. */
export const hostnameOf = ({ spec, metadata }: Pod): string =>
  (spec.hostname ?? metadata.name).slice(0, MAX_HOSTNAME).replace(/[-.]+$/, '');

const podLabels = ({ metadata }: Pod): Readonly<Record<string, string>> => ({
  [labels.podName]: metadata.name,
  [labels.podNamespace]: metadata.namespace ?? '',
  [labels.podUid]: metadata.uid,
});

/** Without a cluster DNS a pod gets the node's own resolv.conf, which is what an absent config means to the runtime. */
function dnsOf({ spec }: Pod): DnsConfig | undefined {
  if (spec.dnsPolicy !== 'None') return undefined;
  const { nameservers = [], searches = [], options = [] } = spec.dnsConfig ?? {};
  return {
    servers: nameservers,
    searches,
    options: options.map(({ name, value }) => (value === undefined ? (name ?? '') : `${name}:${value}`)),
  };
}

async function containerConfig(
  deps: ConfigDeps,
  request: ContainerRequest,
  signal: AbortSignal,
): Promise<ContainerConfig> {
  const { pod, container, attempt, restartDelayMs, imageRef } = request;
  const environment = await readEnvironment(deps, request, signal);
  const expanded = (texts: readonly string[] = []): readonly string[] => texts.map((text) => expand(text, environment));
  return {
    name: container.name,
    attempt,
    image: { ref: imageRef, userSpecified: container.image ?? '' },
    command: expanded(container.command),
    args: expanded(container.args),
    workingDir: container.workingDir,
    envs: [...environment].map(([name, value]) => ({ name, value })),
    mounts: [
      ...(await mountsOf(deps, { pod, container, environment }, signal)),
      ...(await messageMount(deps, request)),
    ],
    labels: { ...podLabels(pod), [labels.containerName]: container.name, [labels.owner]: deps.owner },
    annotations: {
      [annotations.image]: container.image ?? '',
      [annotations.restartDelayMs]: String(restartDelayMs),
      [annotations.terminationMessagePath]: container.terminationMessagePath ?? '',
      [annotations.terminationMessagePolicy]: container.terminationMessagePolicy ?? 'File',
    },
    logPath: posix.join(container.name, `${attempt}.log`),
    stdin: container.stdin,
    stdinOnce: container.stdinOnce,
    tty: container.tty,
    stopSignal: container.lifecycle?.stopSignal,
    linux: {
      resources: containerResources(pod, container, deps.memoryCapacity),
      securityContext: withTarget(containerSecurity(pod, container, deps.missing), request),
    },
  };
}

/** The file for a container's last words; its own mounts may lie over it. */
async function messageMount(
  { files }: ConfigDeps,
  { pod, container, attempt }: ContainerRequest,
): Promise<readonly Mount[]> {
  const { terminationMessagePath: path = '' } = container;
  if (path === '') return [];
  const hostPath = await files.terminationLog(pod, { container: container.name, attempt });
  if (hostPath === undefined) return [];
  return [{ hostPath, containerPath: posix.resolve('/', path), readonly: false, propagation: 'private' }];
}

interface MountsRequest {
  readonly pod: Pod;
  readonly container: Container;
  readonly environment: ReadonlyMap<string, string>;
}

async function mountsOf({ files }: ConfigDeps, request: MountsRequest, signal: AbortSignal): Promise<readonly Mount[]> {
  const { pod, container } = request;
  // What comes from the API nobody but the kubelet may write, or an update would undo it.
  const readOnly = new Set(volumesOf(pod).flatMap(({ kind, name }) => (kind === 'api-files' ? [name] : [])));
  const mounts: Mount[] = [];
  for (const [index, mount] of (container.volumeMounts ?? []).entries()) {
    mounts.push({
      hostPath: await hostPathOf(files, { ...request, mount, index }, signal),
      // A relative path is meant from the root, as with docker.
      containerPath: posix.resolve('/', mount.mountPath),
      readonly: mount.readOnly === true || readOnly.has(mount.name),
      propagation: propagations[mount.mountPropagation ?? 'None'] ?? 'private',
    });
  }
  return mounts;
}

/** The volume, or the part of it that the mount asks for. Throws StepFailure CreateContainerConfigError, in upstream's words. */
async function hostPathOf(
  files: PodFiles,
  {
    pod,
    container,
    environment,
    mount,
    index,
  }: MountsRequest & { readonly mount: VolumeMount; readonly index: number },
  signal: AbortSignal,
): Promise<string> {
  try {
    const subPath = subPathOf(mount, environment);
    if (subPath === '') return files.volumePath(pod, mount.name);
    return await files.subPath(pod, { volume: mount.name, container: container.name, index, subPath }, signal);
  } catch (error) {
    signal.throwIfAborted();
    const known = error instanceof SubPathError;
    const message = known
      ? error.message
      : `failed to prepare subPath for volumeMount "${mount.name}" of container "${container.name}"`;
    throw new StepFailure('CreateContainerConfigError', message, { cause: error });
  }
}

const propagations: Readonly<Record<string, Mount['propagation']>> = {
  None: 'private',
  HostToContainer: 'host-to-container',
  Bidirectional: 'bidirectional',
};

/** `kubectl debug --target`: where each container has its own processes, this one sees those of the one it looks into. */
function withTarget(
  security: ContainerSecurityContext,
  { pod, container, observed }: ContainerRequest,
): ContainerSecurityContext {
  const { targetContainerName: target = '' } =
    pod.spec.ephemeralContainers?.find(({ name }) => name === container.name) ?? {};
  if (target === '') return security;
  const found = containersNamed(observed, target).find(({ state }) => state.kind === 'running');
  if (found === undefined)
    throw new StepFailure('CreateContainerConfigError', `unable to find target container ${JSON.stringify(target)}`);
  const { namespaceOptions } = security;
  if (namespaceOptions.pid !== 'container') return security;
  return { ...security, namespaceOptions: { ...namespaceOptions, pid: 'target', targetId: found.id } };
}

async function readEnvironment(
  deps: ConfigDeps,
  { pod, container, observed }: ContainerRequest,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const { configMaps, secrets } = referredBy(container);
  const namespace = pod.metadata.namespace ?? '';
  const [maps, keys] = await Promise.all([
    readAll<ConfigMap>(configMaps, (name) => deps.client.get(configMapResource, { namespace, name }, signal)),
    readAll<Secret>(secrets, (name) => deps.client.get(secretResource, { namespace, name }, signal)),
  ]);
  const own = currentSandbox(observed)?.addresses ?? [];
  const hostAddresses = deps.hostAddresses();
  try {
    return environmentOf({
      pod,
      container,
      configMaps: maps,
      secrets: keys,
      hostAddresses,
      podAddresses: pod.spec.hostNetwork === true ? hostAddresses : own,
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

/** Ignoring these would give a container other files than its author meant: better none. */
function refuseUnsupported({ volumeDevices = [] }: Container): void {
  const [device] = volumeDevices;
  if (device === undefined) return;
  const message = `volume device "${device.name}": not supported yet (see SCOPE.md)`;
  throw new StepFailure('CreateContainerConfigError', message);
}

async function checkUser(
  { runtime }: ConfigDeps,
  { pod, container }: ContainerRequest,
  signal: AbortSignal,
): Promise<void> {
  const asked = container.securityContext?.runAsNonRoot ?? pod.spec.securityContext?.runAsNonRoot;
  if (asked !== true) return;
  const image = await runtime.images.status(container.image ?? '', signal);
  const problem = nonRootProblem(pod, container, { user: image?.user, username: image?.username });
  if (problem !== undefined) throw new StepFailure('CreateContainerConfigError', problem);
}
