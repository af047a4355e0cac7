/**
 * What /etc/hosts of a pod's containers says: upstream's managed file, letter for letter, which tools and tests look for.
 */
import type { HostAlias, Pod } from '#api/generated/core-v1.ts';
import { podNames } from '#kubelet/pod-hostname.ts';

export const HOSTS_PATH = '/etc/hosts';

const localLines = [
  '127.0.0.1\tlocalhost',
  '::1\tlocalhost ip6-localhost ip6-loopback',
  'fe00::0\tip6-localnet',
  'fe00::0\tip6-mcastprefix',
  'fe00::1\tip6-allnodes',
  'fe00::2\tip6-allrouters',
];

/**
 * `nodeHosts` is the node's own file, which pods in its network build on. undefined: a pod whose address nobody knows, to
 * whose containers the runtime gives a file of its own.
 */
export function hostsFileOf(
  pod: Pod,
  from: { readonly addresses: readonly string[]; readonly nodeHosts: string },
): string | undefined {
  const aliases = aliasLines(pod.spec.hostAliases ?? []);
  if (pod.spec.hostNetwork === true) {
    return `# Kubernetes-managed hosts file (host network).\n${from.nodeHosts}${textOf(aliases)}`;
  }
  if (from.addresses.length === 0) return undefined;
  const { hostname, domain } = podNames(pod);
  const names = domain === '' ? hostname : `${hostname}.${domain}\t${hostname}`;
  const own = from.addresses.map((address) => `${address}\t${names}`);
  return textOf(['# Kubernetes-managed hosts file.', ...localLines, ...own, ...aliases]);
}

const aliasLines = (aliases: readonly HostAlias[]): readonly string[] =>
  aliases.length === 0
    ? []
    : [
        '',
        '# Entries added by HostAliases.',
        ...aliases.map(({ ip, hostnames = [] }) => [ip, hostnames.join('\t')].join('\t')),
      ];

const textOf = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('');
