import { posix } from 'node:path';
import type { ConfigMap, Container, Pod, Secret } from '#api/generated/core-v1.ts';
import { expand } from '#api/expansion.ts';
import type { Client } from '#client/client.ts';
import { configMapResource, secretResource } from '#client/resources.ts';
import type { ContainerConfig, DnsConfig, Mount, PortMapping, SandboxConfig } from '#cri/config.ts';
import type { ContainerRuntime, CreateConfigs } from '#cri/runtime.ts';
import { EnvironmentError, environmentOf, referredBy } from '#kubelet/environment.ts';
import { annotations, currentSandbox, labels, type Observed } from '#kubelet/observed.ts';
import type { PodFiles } from '#kubelet/pod-files.ts';
import { containerResources } from '#kubelet/resources.ts';
import {
  containerSecurity,
  type MissingCapabilities,
  nonRootProblem,
  sandboxSecurity,
} from '#kubelet/security-context.ts';
import { StepFailure } from '#kubelet/step-failure.ts';

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
        : { sysctls: Object.fromEntries(pod.spec.securityContext.sysctls.map((one) => [one.name, one.value])) }),
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

const portMappings = ({ spec }: Pod): readonly PortMapping[] =>
  spec.hostNetwork === true
    ? []
    : spec.containers
        .flatMap(({ ports = [] }) => ports)
        .filter(({ hostPort }) => hostPort !== undefined && hostPort > 0)
        .map((port) => ({
          protocol: port.protocol ?? 'TCP',
          containerPort: port.containerPort,
          hostPort: port.hostPort!,
          hostIp: port.hostIP,
        }));

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
    mounts: mountsOf(deps.files, pod, container),
    labels: { ...podLabels(pod), [labels.containerName]: container.name, [labels.owner]: deps.owner },
    annotations: {
      [annotations.image]: container.image ?? '',
      [annotations.restartDelayMs]: String(restartDelayMs),
    },
    logPath: posix.join(container.name, `${attempt}.log`),
    stdin: container.stdin,
    stdinOnce: container.stdinOnce,
    tty: container.tty,
    linux: {
      resources: containerResources(pod, container, deps.memoryCapacity),
      securityContext: containerSecurity(pod, container, deps.missing),
    },
  };
}

const mountsOf = (files: PodFiles, pod: Pod, container: Container): readonly Mount[] =>
  (container.volumeMounts ?? []).map((mount) => ({
    hostPath: files.volumePath(pod, mount.name),
    // A relative path is meant from the root, as with docker.
    containerPath: posix.resolve('/', mount.mountPath),
    readonly: mount.readOnly === true,
    propagation: propagations[mount.mountPropagation ?? 'None'] ?? 'private',
  }));

const propagations: Readonly<Record<string, Mount['propagation']>> = {
  None: 'private',
  HostToContainer: 'host-to-container',
  Bidirectional: 'bidirectional',
};

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
function refuseUnsupported({ volumeMounts = [], volumeDevices = [] }: Container): void {
  const mount = volumeMounts.find(({ subPath = '', subPathExpr = '' }) => subPath !== '' || subPathExpr !== '');
  const what = mount
    ? `subPath of volume mount "${mount.name}"`
    : volumeDevices[0] && `volume device "${volumeDevices[0].name}"`;
  if (what !== undefined)
    throw new StepFailure('CreateContainerConfigError', `${what}: not supported yet (see SCOPE.md)`);
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
