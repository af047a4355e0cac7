/**
 * How the names in a pod are resolved: what its resolv.conf says, from the pod's policy, its own config, the node's
 * resolv.conf and the cluster's DNS. Pure.
 */
import type { Pod, PodDNSConfigOption } from '#api/generated/core-v1.ts';
import type { EventText } from '#client/events.ts';
import type { DnsConfig } from '#cri/config.ts';
import { unreachable } from '#lib/unreachable.ts';

export interface ClusterDns {
  /** Addresses; empty as long as the cluster has no DNS of its own. */
  readonly servers: readonly string[];
  readonly domain: string;
}

export interface PodDns {
  readonly config: DnsConfig;
  /** What whoever made the pod should know of it, in upstream's words. */
  readonly warnings: readonly EventText[];
  /** A pod that wanted the cluster's DNS did not get it. */
  readonly missingClusterDns: boolean;
}

/** Upstream's limits: what resolvers are known to bear (KEP-2595). */
const MAX_SERVERS = 3;
const MAX_SEARCHES = 32;
const MAX_SEARCH_CHARACTERS = 2048;
const MAX_SEARCH_LENGTH = 253;

export const missingClusterDns: EventText = {
  type: 'Warning',
  reason: 'MissingClusterDNS',
  message:
    'kubelet does not have ClusterDNS IP configured and cannot create Pod using "ClusterFirst" policy. Falling back to "Default" policy.',
};

/** `node` is what the node's own resolv.conf says. */
export function podDns(pod: Pod, node: DnsConfig, cluster: ClusterDns): PodDns {
  const base = baseOf(pod, node, cluster);
  const { nameservers = [], searches = [], options = [] } = pod.spec.dnsConfig ?? {};
  const servers = firstServers(unique([...base.servers, ...nameservers]));
  const paths = fittingSearches(unique([...base.searches, ...searches]));
  const missing = wantsCluster(pod) && cluster.servers.length === 0;
  const { metadata } = pod;
  const name = `${metadata.name}_${metadata.namespace}(${metadata.uid})`;
  const fallback = { ...missingClusterDns, message: `pod: ${JSON.stringify(name)}. ${missingClusterDns.message}` };
  return {
    config: { servers: servers.kept, searches: paths.kept, options: mergedOptions(base.options, options) },
    warnings: [...(missing ? [fallback] : []), ...servers.warnings, ...paths.warnings],
    missingClusterDns: missing,
  };
}

/** Of lines of one kind, `nameserver`s add up; of the others the last one holds. */
export function parseResolvConf(text: string): DnsConfig {
  const servers: string[] = [];
  let searches: readonly string[] = [];
  let options: readonly string[] = [];
  for (const line of text.split('\n')) {
    const [keyword = '', ...values] = line.trim().split(/\s+/);
    if (keyword === 'nameserver' && values[0] !== undefined) servers.push(values[0]);
    // With and without the dot at the end it is the same domain.
    else if (keyword === 'search') searches = values.map((value) => value.replace(/\.$/, ''));
    else if (keyword === 'options') options = values;
  }
  return { servers, searches, options };
}

type Source = 'none' | 'cluster' | 'node';

function sourceOf({ spec }: Pod): Source {
  switch (spec.dnsPolicy) {
    case 'None':
      return 'none';
    case 'Default':
      return 'node';
    case 'ClusterFirst':
      return spec.hostNetwork === true ? 'node' : 'cluster';
    default:
      return 'cluster';
  }
}

const wantsCluster = (pod: Pod): boolean => sourceOf(pod) === 'cluster';

function baseOf(pod: Pod, node: DnsConfig, { servers, domain }: ClusterDns): DnsConfig {
  const source = sourceOf(pod);
  switch (source) {
    case 'none':
      return { servers: [], searches: [], options: [] };
    case 'node':
      return node;
    case 'cluster': {
      if (servers.length === 0) return node;
      const searches = [`${pod.metadata.namespace}.svc.${domain}`, `svc.${domain}`, domain, ...node.searches];
      return { servers, searches, options: ['ndots:5'] };
    }
    default:
      return unreachable(source);
  }
}

/** The pod's own options replace those of the same name; each stays where it was first. */
function mergedOptions(base: readonly string[], own: readonly PodDNSConfigOption[]): readonly string[] {
  const merged = new Map<string, string>();
  for (const option of base) {
    const [name = '', ...rest] = option.split(':');
    merged.set(name, rest.join(':'));
  }
  for (const { name = '', value = '' } of own) merged.set(name, value);
  return [...merged].map(([name, value]) => (value === '' ? name : `${name}:${value}`));
}

interface Fitted {
  readonly kept: readonly string[];
  readonly warnings: readonly EventText[];
}

const fitted = (all: readonly string[], kept: readonly string[], message: string): Fitted => ({
  kept,
  warnings:
    kept.length === all.length
      ? []
      : [{ type: 'Warning', reason: 'DNSConfigForming', message: `${message}: ${kept.join(' ')}` }],
});

function firstServers(all: readonly string[]): Fitted {
  const why = 'Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is';
  return fitted(all, all.slice(0, MAX_SERVERS), why);
}

function fittingSearches(all: readonly string[]): Fitted {
  // A resolver may abort at a name longer than names can be (glibc 2.28 does).
  const kept = all.slice(0, MAX_SEARCHES).filter((search) => search.length <= MAX_SEARCH_LENGTH);
  while (kept.join(' ').length > MAX_SEARCH_CHARACTERS) kept.pop();
  const why = 'Search Line limits were exceeded, some search paths have been omitted, the applied search line is';
  return fitted(all, kept, why);
}

const unique = (texts: readonly string[]): readonly string[] => [...new Set(texts)];
