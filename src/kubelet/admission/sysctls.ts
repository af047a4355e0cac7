import type { Pod } from '#api/generated/core-v1.ts';
import { dottedSysctl, sysctlNamespace } from '#api/sysctls.ts';
import type { Rejection } from '#kubelet/desired.ts';

/** Upstream's safe set: what concerns nobody but the pod. With the kernel that has first kept it apart, where that is recent. */
const safe: readonly { readonly name: string; readonly since?: readonly [major: number, minor: number] }[] = [
  { name: 'kernel.shm_rmid_forced' },
  { name: 'net.ipv4.ip_local_port_range' },
  { name: 'net.ipv4.tcp_syncookies' },
  { name: 'net.ipv4.ping_group_range' },
  { name: 'net.ipv4.ip_unprivileged_port_start' },
  { name: 'net.ipv4.ip_local_reserved_ports', since: [3, 16] },
  { name: 'net.ipv4.tcp_keepalive_time', since: [4, 5] },
  { name: 'net.ipv4.tcp_fin_timeout', since: [4, 6] },
  { name: 'net.ipv4.tcp_keepalive_intvl', since: [4, 5] },
  { name: 'net.ipv4.tcp_keepalive_probes', since: [4, 5] },
  { name: 'net.ipv4.tcp_rmem', since: [4, 15] },
  { name: 'net.ipv4.tcp_wmem', since: [4, 15] },
];

/** Which sysctls a node lets pods set: names, and beginnings of names that end in `*`. */
export const allowedSysctls = (kernelVersion: string, unsafe: readonly string[]): readonly string[] => [
  ...safe.filter(({ since }) => since === undefined || isAtLeast(kernelVersion, since)).map(({ name }) => name),
  ...unsafe.map(dottedSysctl),
];

/** The first sysctl of a pod that the node does not allow. */
export function forbiddenSysctl({ spec }: Pod, allowed: readonly string[]): Rejection | undefined {
  for (const { name } of spec.securityContext?.sysctls ?? []) {
    const why = forbidden(dottedSysctl(name), spec, allowed);
    if (why !== undefined) return { reason: 'SysctlForbidden', message: `forbidden sysctl: ${why}` };
  }
  return undefined;
}

function forbidden(name: string, spec: Pod['spec'], allowed: readonly string[]): string | undefined {
  const rule = allowed.find((one) => (one.endsWith('*') ? name.startsWith(one.slice(0, -1)) : one === name));
  if (rule === undefined) return `${JSON.stringify(name)} not allowlisted`;
  const namespace = sysctlNamespace(rule.replace(/\*$/, ''));
  const shared = (namespace === 'ipc' && spec.hostIPC === true) || (namespace === 'net' && spec.hostNetwork === true);
  return shared ? `${JSON.stringify(name)} not allowed with host ${namespace} enabled` : undefined;
}

/** What cannot be read as a version is taken for an old one. */
function isAtLeast(kernelVersion: string, [major, minor]: readonly [number, number]): boolean {
  const [, first, second] = /^(\d+)\.(\d+)/.exec(kernelVersion) ?? [];
  if (first === undefined || second === undefined) return false;
  return Number(first) > major || (Number(first) === major && Number(second) >= minor);
}
