import type { Container, Pod, SeccompProfile, SELinuxOptions } from '#api/generated/core-v1.ts';
import type {
  Capabilities,
  ContainerSecurityContext,
  NamespaceOptions,
  SandboxSecurityContext,
  SecurityProfile,
  SelinuxOptions,
} from '#cri/config.ts';

/** What upstream's kubelet hides of /proc and /sys unless a container is privileged or asks for an unmasked /proc. */
const maskedPaths: readonly string[] = [
  '/proc/asound',
  '/proc/acpi',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/sys/firmware',
  '/sys/devices/virtual/powercap',
];
const readonlyPaths: readonly string[] = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];

/** What the host itself may not do it cannot give to a container (names without `CAP_`). */
export type MissingCapabilities = readonly string[];

export const namespacesOf = ({ spec }: Pod): NamespaceOptions => ({
  network: spec.hostNetwork === true ? 'node' : 'pod',
  // Silence would mean the pod's: every container would see the others' processes.
  pid: spec.hostPID === true ? 'node' : spec.shareProcessNamespace === true ? 'pod' : 'container',
  ipc: spec.hostIPC === true ? 'node' : 'pod',
});

export function sandboxSecurity(pod: Pod): SandboxSecurityContext {
  const { securityContext = {} } = pod.spec;
  const all = [...(pod.spec.initContainers ?? []), ...pod.spec.containers];
  return {
    namespaceOptions: namespacesOf(pod),
    runAsUser: securityContext.runAsUser,
    runAsGroup: securityContext.runAsGroup,
    supplementalGroups: groupsOf(pod),
    privileged: all.some((container) => container.securityContext?.privileged === true),
    seccomp: { kind: 'runtime-default' },
    selinux: selinuxOf(securityContext.seLinuxOptions),
  };
}

export function containerSecurity(
  pod: Pod,
  container: Container,
  missing: MissingCapabilities,
): ContainerSecurityContext {
  const own = container.securityContext ?? {};
  const shared = pod.spec.securityContext ?? {};
  const privileged = own.privileged === true;
  const bare = privileged || own.procMount === 'Unmasked';
  return {
    namespaceOptions: namespacesOf(pod),
    privileged,
    runAsUser: own.runAsUser ?? shared.runAsUser,
    runAsGroup: own.runAsGroup ?? shared.runAsGroup,
    readonlyRootfs: own.readOnlyRootFilesystem ?? false,
    noNewPrivs: own.allowPrivilegeEscalation === false,
    capabilities: capabilitiesOf(container, missing),
    supplementalGroups: groupsOf(pod),
    supplementalGroupsPolicy: shared.supplementalGroupsPolicy === 'Strict' ? 'strict' : 'merge',
    seccomp: privileged ? { kind: 'unconfined' } : profileOf(own.seccompProfile ?? shared.seccompProfile),
    apparmor: profileOf(own.appArmorProfile ?? shared.appArmorProfile),
    selinux: selinuxOf(own.seLinuxOptions ?? shared.seLinuxOptions),
    maskedPaths: bare ? [] : maskedPaths,
    readonlyPaths: bare ? [] : readonlyPaths,
  };
}

/** The user is checked against `runAsNonRoot`; undefined when it may run. `imageUser` is what the image itself says. */
export function nonRootProblem(
  pod: Pod,
  container: Container,
  imageUser: { readonly user: number | undefined; readonly username: string | undefined },
): string | undefined {
  const own = container.securityContext ?? {};
  const shared = pod.spec.securityContext ?? {};
  if ((own.runAsNonRoot ?? shared.runAsNonRoot) !== true) return undefined;
  const where = `(pod: "${pod.metadata.name}_${pod.metadata.namespace}(${pod.metadata.uid})", container: ${container.name})`;
  const uid = own.runAsUser ?? shared.runAsUser;
  if (uid === 0) return `container's runAsUser breaks non-root policy ${where}`;
  if (uid !== undefined) return undefined;
  if (imageUser.user === undefined && imageUser.username !== undefined && imageUser.username !== '') {
    return `container has runAsNonRoot and image has non-numeric user (${imageUser.username}), cannot verify user is non-root ${where}`;
  }
  return (imageUser.user ?? 0) === 0 ? `container has runAsNonRoot and image will run as root ${where}` : undefined;
}

function groupsOf({ spec: { securityContext = {} } }: Pod): readonly number[] {
  const { fsGroup, supplementalGroups = [] } = securityContext;
  return fsGroup === undefined ? supplementalGroups : [...supplementalGroups, fsGroup];
}

function capabilitiesOf(container: Container, missing: MissingCapabilities): Capabilities | undefined {
  const { capabilities } = container.securityContext ?? {};
  if (capabilities === undefined) return undefined;
  return {
    add: (capabilities.add ?? []).map(bareName).filter((name) => !missing.includes(name)),
    drop: (capabilities.drop ?? []).map(bareName),
  };
}

const bareName = (name: string): string => name.replace(/^CAP_/, '');

function profileOf(profile: SeccompProfile | undefined): SecurityProfile | undefined {
  switch (profile?.type) {
    case 'RuntimeDefault':
      return { kind: 'runtime-default' };
    case 'Localhost':
      return { kind: 'localhost', ref: profile.localhostProfile ?? '' };
    case 'Unconfined':
      return { kind: 'unconfined' };
    default:
      return undefined;
  }
}

const selinuxOf = (options: SELinuxOptions | undefined): SelinuxOptions | undefined =>
  options && {
    user: options.user ?? '',
    role: options.role ?? '',
    type: options.type ?? '',
    level: options.level ?? '',
  };
