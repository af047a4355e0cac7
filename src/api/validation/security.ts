import type {
  AppArmorProfile,
  Container,
  PodSecurityContext,
  PodSpec,
  SeccompProfile,
  SecurityContext,
} from '#api/generated/core-v1.ts';
import { tooLongValue } from '#api/field-error.ts';
import { notInRange } from '#api/names.ts';
import type { Finding } from '#api/validation/check.ts';
import { validateDescendingPath } from '#api/validation/paths.ts';

const mostId = 0xff_ff_ff_ff;
const pathMostBytes = 4095;
const windows = 'cannot be set for a windows pod';

/** `hostUsers` says whether the pod shares the host's user namespace. */
export function validateSecurityContext(
  context: SecurityContext | undefined,
  hostUsers: boolean,
  found: Finding,
): void {
  if (context === undefined) return;
  validateId(context.runAsUser, found.child('runAsUser'));
  validateId(context.runAsGroup, found.child('runAsGroup'));
  found.child('procMount').oneOf(context.procMount, ['Default', 'Unmasked']);
  if (hostUsers && context.procMount === 'Unmasked') {
    found.child('procMount').invalid('Unmasked', '`hostUsers` must be false to use `Unmasked`');
  }
  validateSeccomp(context.seccompProfile, found.child('seccompProfile'));
  validateAppArmor(context.appArmorProfile, found.child('appArmorProfile'));
  if (context.allowPrivilegeEscalation !== false) return;
  if (context.privileged === true) {
    found.invalid(context, 'cannot set `allowPrivilegeEscalation` to false and `privileged` to true');
  }
  if (context.capabilities?.add?.includes('CAP_SYS_ADMIN')) {
    found.invalid(context, 'cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN');
  }
}

/** `found` stands at the spec: some of what belongs together here stands beside the security context. */
export function validatePodSecurity(spec: PodSpec, found: Finding): void {
  const context = spec.securityContext;
  const own = found.child('securityContext');
  if (spec.shareProcessNamespace === true && spec.hostPID === true) {
    const why = 'ShareProcessNamespace and HostPID cannot both be enabled';
    found.child('shareProcessNamespace').invalid(true, why);
  }
  validateHostUsers(spec, found);
  if (context === undefined) return;
  validateId(context.fsGroup, own.child('fsGroup'));
  validateId(context.runAsUser, own.child('runAsUser'));
  validateId(context.runAsGroup, own.child('runAsGroup'));
  for (const [index, group] of (context.supplementalGroups ?? []).entries()) {
    validateId(group, own.child('supplementalGroups').at(index));
  }
  validateSysctls(spec, context, own.child('sysctls'));
  own.child('fsGroupChangePolicy').oneOf(context.fsGroupChangePolicy, ['Always', 'OnRootMismatch']);
  validateSeccomp(context.seccompProfile, own.child('seccompProfile'));
  validateAppArmor(context.appArmorProfile, own.child('appArmorProfile'));
  own.child('supplementalGroupsPolicy').oneOf(context.supplementalGroupsPolicy, ['Merge', 'Strict']);
  own.child('seLinuxChangePolicy').oneOf(context.seLinuxChangePolicy, ['MountOption', 'Recursive']);
}

/** A pod that names its system must not ask for what that system has not. `found` stands at the spec. */
export function validateSystem(spec: PodSpec, found: Finding): void {
  if (spec.os === undefined) return;
  if (!found.child('os').child('name').text(spec.os.name, 'cannot be empty')) return;
  if (spec.os.name === 'linux') validateLinux(spec, found);
  else if (spec.os.name === 'windows') validateWindows(spec, found);
  else found.child('os').unsupported(spec.os.name, ['linux', 'windows']);
}

function validateId(id: number | undefined, found: Finding): void {
  if (id !== undefined && (id < 0 || id > mostId)) found.invalid(id, notInRange(0, mostId));
}

function validateHostUsers(spec: PodSpec, found: Finding): void {
  if (spec.hostUsers !== false) return;
  const why = 'when `pod.Spec.HostUsers` is false';
  if (spec.hostNetwork === true) found.child('hostNetwork').forbidden(why);
  if (spec.hostPID === true) found.child('HostPID').forbidden(why);
  if (spec.hostIPC === true) found.child('HostIPC').forbidden(why);
}

function validateSeccomp(profile: SeccompProfile | undefined, found: Finding): void {
  if (profile === undefined) return;
  const { type, localhostProfile } = profile;
  const own = found.child('localhostProfile');
  if (found.child('type').text(type, 'type is required when seccompProfile is set')) {
    found.child('type').oneOf(type, ['Localhost', 'RuntimeDefault', 'Unconfined']);
  }
  if (type !== 'Localhost') {
    if (localhostProfile !== undefined) own.invalid(profile, 'can only be set when seccomp type is Localhost');
  } else if (localhostProfile === undefined) own.required('must be set when seccomp type is Localhost');
  else validateDescendingPath(localhostProfile, own);
}

function validateAppArmor(profile: AppArmorProfile | undefined, found: Finding): void {
  if (profile === undefined) return;
  const { type, localhostProfile } = profile;
  const own = found.child('localhostProfile');
  if (!found.child('type').text(type, 'type is required when appArmorProfile is set')) return;
  found.child('type').oneOf(type, ['Localhost', 'RuntimeDefault', 'Unconfined']);
  if (type !== 'Localhost') {
    if (localhostProfile === undefined) return;
    own.invalid(localhostProfile, 'can only be set when AppArmor type is Localhost');
  } else if (localhostProfile === undefined || localhostProfile === '') {
    own.required('must be set when AppArmor type is Localhost');
  } else {
    if (localhostProfile.trim() !== localhostProfile)
      own.invalid(localhostProfile, 'must not be padded with whitespace');
    if (localhostProfile.length > pathMostBytes) own.add(tooLongValue(own, pathMostBytes));
  }
}

const sysctlPattern = '([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?';
const sysctlExpression = new RegExp(`^${sysctlPattern}$`);

function validateSysctls(spec: PodSpec, { sysctls = [] }: PodSecurityContext, found: Finding): void {
  const names = new Set<string>();
  for (const [index, { name = '' }] of sysctls.entries()) {
    const own = found.at(index).child('name');
    if (name === '') own.required();
    else if (name.length > 253 || !sysctlExpression.test(name)) {
      own.invalid(name, `must have at most 253 characters and match regex ^${sysctlPattern}$`);
    } else if (names.has(name)) own.duplicate(name);
    names.add(name);
    const dotted = name.replaceAll('/', '.');
    if (spec.hostNetwork === true && dotted.startsWith('net.')) {
      own.invalid(name, "may not be specified when 'hostNetwork' is true");
    } else if (spec.hostIPC === true && /^(kernel\.(sem|shm|msg)|fs\.mqueue\.)/.test(dotted)) {
      own.invalid(name, "may not be specified when 'hostIPC' is true");
    }
  }
}

function validateLinux(spec: PodSpec, found: Finding): void {
  const why = 'windows options cannot be set for a linux pod';
  if (spec.securityContext?.windowsOptions !== undefined) {
    found.child('securityContext').child('windowsOptions').forbidden(why);
  }
  forEachContainer(spec, found, (container, own) => {
    if (container.securityContext?.windowsOptions === undefined) return;
    own.child('securityContext').child('windowsOptions').forbidden(why);
  });
}

const notOnWindows = {
  spec: ['hostUsers', 'hostPID', 'hostIPC', 'shareProcessNamespace'],
  pod: [
    'appArmorProfile',
    'seLinuxOptions',
    'seccompProfile',
    'fsGroup',
    'fsGroupChangePolicy',
    'sysctls',
    'runAsUser',
    'runAsGroup',
    'supplementalGroups',
    'supplementalGroupsPolicy',
    'seLinuxChangePolicy',
  ],
  container: [
    'appArmorProfile',
    'seLinuxOptions',
    'seccompProfile',
    'capabilities',
    'readOnlyRootFilesystem',
    'privileged',
    'allowPrivilegeEscalation',
    'procMount',
    'runAsUser',
    'runAsGroup',
  ],
} as const;

function validateWindows(spec: PodSpec, found: Finding): void {
  const context: Readonly<Record<string, unknown>> = { ...spec.securityContext };
  const own: Readonly<Record<string, unknown>> = { ...spec };
  for (const name of notOnWindows.spec) if (own[name] !== undefined) found.child(name).forbidden(windows);
  for (const name of notOnWindows.pod) {
    if (context[name] !== undefined) found.child('securityContext').child(name).forbidden(windows);
  }
  forEachContainer(spec, found, (container, at) => {
    const inner: Readonly<Record<string, unknown>> = { ...container.securityContext };
    for (const name of notOnWindows.container) {
      if (inner[name] !== undefined) at.child('securityContext').child(name).forbidden(windows);
    }
  });
}

function forEachContainer(
  spec: PodSpec,
  found: Finding,
  visit: (container: Pick<Container, 'securityContext'>, found: Finding) => void,
): void {
  for (const list of ['initContainers', 'containers', 'ephemeralContainers'] as const) {
    for (const [index, container] of (spec[list] ?? []).entries()) visit(container, found.child(list).at(index));
  }
}
