import type { Pod } from '#api/generated/core-v1.ts';
import { dottedSysctl } from '#api/sysctls.ts';
import type { DnsConfig, SandboxConfig } from '#cri/config.ts';
import { portMappings } from '#kubelet/host-ports.ts';
import { labels } from '#kubelet/observed.ts';
import { kernelHostname } from '#kubelet/pod-hostname.ts';
import { sandboxSecurity } from '#kubelet/security-context.ts';

/** What a sandbox is made of besides its pod. */
export interface SandboxParts {
  readonly attempt: number;
  readonly dns: DnsConfig;
  readonly logDirectory: string;
  /** As the runtime wants it; undefined where there are no cgroups. */
  readonly cgroupParent: string | undefined;
  /** The value of `labels.owner`. */
  readonly owner: string;
}

/** Throws, in upstream's words, for a pod whose name no kernel would take. */
export function sandboxConfig(pod: Pod, parts: SandboxParts): SandboxConfig {
  const { name, namespace = '', uid } = pod.metadata;
  const { sysctls } = pod.spec.securityContext ?? {};
  return {
    metadata: { name, namespace, uid, attempt: parts.attempt },
    hostname: pod.spec.hostNetwork === true ? '' : kernelHostname(pod),
    logDirectory: parts.logDirectory,
    dns: parts.dns,
    portMappings: portMappings(pod),
    labels: { ...pod.metadata.labels, ...podLabels(pod), [labels.owner]: parts.owner },
    annotations: { ...pod.metadata.annotations },
    linux: {
      cgroupParent: parts.cgroupParent,
      ...(sysctls === undefined
        ? {}
        : { sysctls: Object.fromEntries(sysctls.map((one) => [dottedSysctl(one.name), one.value])) }),
      securityContext: sandboxSecurity(pod),
    },
  };
}

/** By which what lies in the runtime is known to be a pod's. */
export const podLabels = ({ metadata }: Pod): Readonly<Record<string, string>> => ({
  [labels.podName]: metadata.name,
  [labels.podNamespace]: metadata.namespace ?? '',
  [labels.podUid]: metadata.uid,
});
