import type { Pod } from '#api/generated/core-v1.ts';

/** What a pod is called by itself and its peers (KEP-1797, KEP-4762). `domain` is '' where it has none. */
export interface PodNames {
  readonly hostname: string;
  readonly domain: string;
}

/** The domain of the cluster's names; upstream's usual one. */
export const CLUSTER_DOMAIN = 'cluster.local';

const MAX_HOSTNAME = 63;
/** The kernel's limit for a host's name, which may have a domain in it. */
const MAX_KERNEL_HOSTNAME = 64;

export function podNames({ spec, metadata }: Pod): PodNames {
  const { hostname = '', hostnameOverride, subdomain = '' } = spec;
  // It stands for the whole name, dots and all: the pod has no domain then, whatever `subdomain` says.
  if (hostnameOverride !== undefined) return { hostname: cut(hostnameOverride), domain: '' };
  return {
    hostname: cut(hostname === '' ? metadata.name : hostname),
    domain: subdomain === '' ? '' : `${subdomain}.${metadata.namespace}.svc.${CLUSTER_DOMAIN}`,
  };
}

/** What `hostname` prints in the pod's containers. Throws, in upstream's words, for a name the kernel would not take. */
export function kernelHostname(pod: Pod): string {
  const { hostname, domain } = podNames(pod);
  if (domain === '' || pod.spec.setHostnameAsFQDN !== true) return hostname;
  const fqdn = `${hostname}.${domain}`;
  if (fqdn.length <= MAX_KERNEL_HOSTNAME) return fqdn;
  const limits = `${MAX_KERNEL_HOSTNAME} characters is the max, ${fqdn.length} characters requested`;
  throw new Error(
    `failed to construct FQDN from pod hostname and cluster domain, FQDN ${fqdn} is too long (${limits})`,
  );
}

/** Cut to what a hostname may be, and not ending in what it may not end in. */
const cut = (name: string): string =>
  name.length <= MAX_HOSTNAME ? name : name.slice(0, MAX_HOSTNAME).replace(/[-.]+$/, '');
