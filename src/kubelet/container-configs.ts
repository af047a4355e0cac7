import { posix } from 'node:path';
import { expand } from '#api/expansion.ts';
import type { Container, Pod } from '#api/generated/core-v1.ts';
import type { EventText } from '#client/events.ts';
import type { ContainerConfig, ContainerSecurityContext, SandboxConfig } from '#cri/config.ts';
import type { ContainerRuntime, CreateConfigs } from '#cri/runtime.ts';
import type { HostNames } from '#host/host-names.ts';
import { mountsOf } from '#kubelet/container-mounts.ts';
import { parseResolvConf, type PodDns, podDns } from '#kubelet/dns-config.ts';
import { hostsFileOf } from '#kubelet/hosts-file.ts';
import { annotations, containersNamed, currentSandbox, labels, type Observed } from '#kubelet/observed.ts';
import { keptSpec } from '#kubelet/kept-spec.ts';
import { CLUSTER_DOMAIN } from '#kubelet/pod-hostname.ts';
import { type EnvironmentDeps, readEnvironment } from '#kubelet/read-environment.ts';
import { containerResources } from '#kubelet/resources.ts';
import { podLabels, sandboxConfig } from '#kubelet/sandbox-config.ts';
import { containerSecurity, type MissingCapabilities, nonRootProblem } from '#kubelet/security-context.ts';
import { StepFailure } from '#kubelet/step-failure.ts';

/** What a container is made of, in the runtime's terms. */
export interface ContainerConfigs {
  /** Throws, in upstream's words, for a pod that no sandbox can be made for. */
  sandbox(pod: Pod, attempt: number): Promise<SandboxPlan>;
  /** Reads what the container refers to. Throws StepFailure CreateContainerConfigError when something of it is missing. */
  container(request: ContainerRequest, signal: AbortSignal): Promise<CreateConfigs>;
}

export interface SandboxPlan {
  readonly config: SandboxConfig;
  /** What whoever made the pod should know of it. */
  readonly warnings: readonly EventText[];
  /** The pod wanted the cluster's DNS, which this node does not know. */
  readonly missingClusterDns: boolean;
}

export interface ContainerRequest {
  readonly pod: Pod;
  readonly container: Container;
  readonly attempt: number;
  readonly restartDelayMs: number;
  readonly imageRef: string;
  readonly observed: Observed;
}

export interface ConfigDeps extends EnvironmentDeps {
  readonly runtime: ContainerRuntime;
  /** What the node itself resolves names by. */
  readonly names: HostNames;
  readonly missing: MissingCapabilities;
  readonly memoryCapacity: number;
  /** The value of `labels.owner`. */
  readonly owner: string;
}

export function createContainerConfigs(deps: ConfigDeps): ContainerConfigs {
  return {
    async sandbox(pod, attempt) {
      const dns = await dnsOf(deps, pod);
      return { ...dns, config: sandboxOf(deps, pod, { attempt, dns }) };
    },
    async container(request, signal) {
      const { pod } = request;
      const attempt = currentSandbox(request.observed)?.metadata.attempt ?? 0;
      refuseUnsupported(request.container);
      await checkUser(deps, request, signal);
      return {
        container: await containerConfig(deps, request, signal),
        sandbox: sandboxOf(deps, pod, { attempt, dns: await dnsOf(deps, pod) }),
      };
    },
  };
}

async function dnsOf({ names }: ConfigDeps, pod: Pod): Promise<PodDns> {
  // The cluster has no DNS of its own yet.
  return podDns(pod, parseResolvConf(await names.resolvConf()), { servers: [], domain: CLUSTER_DOMAIN });
}

const sandboxOf = (
  { files, owner }: ConfigDeps,
  pod: Pod,
  { attempt, dns }: { readonly attempt: number; readonly dns: PodDns },
): SandboxConfig =>
  sandboxConfig(pod, {
    attempt,
    dns: dns.config,
    logDirectory: files.logDirectory(pod),
    cgroupParent: files.cgroupParent(pod),
    owner,
  });

async function containerConfig(
  deps: ConfigDeps,
  request: ContainerRequest,
  signal: AbortSignal,
): Promise<ContainerConfig> {
  const { pod, container, attempt, restartDelayMs, imageRef } = request;
  const addresses = currentSandbox(request.observed)?.addresses ?? [];
  const environment = await readEnvironment(deps, { pod, container, addresses }, signal);
  const expanded = (texts: readonly string[] = []): readonly string[] => texts.map((text) => expand(text, environment));
  const hosts = hostsFileOf(pod, { addresses, nodeHosts: await deps.names.hosts() });
  return {
    name: container.name,
    attempt,
    image: { ref: imageRef, userSpecified: container.image ?? '' },
    command: expanded(container.command),
    args: expanded(container.args),
    workingDir: container.workingDir,
    envs: [...environment].map(([name, value]) => ({ name, value })),
    mounts: await mountsOf(deps.files, { pod, container, attempt, environment, hosts }, signal),
    labels: { ...podLabels(pod), [labels.containerName]: container.name, [labels.owner]: deps.owner },
    annotations: {
      [annotations.image]: container.image ?? '',
      [annotations.restartDelayMs]: String(restartDelayMs),
      [annotations.terminationMessagePath]: container.terminationMessagePath ?? '',
      [annotations.terminationMessagePolicy]: container.terminationMessagePolicy ?? 'File',
      ...keptSpec(pod, container),
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
