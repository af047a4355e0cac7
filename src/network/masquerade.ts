/**
 * One nftables table per cluster: what pods send to the world carries the machine's address, what they send to each
 * other keeps theirs. And the kernel's forwarding, which is switched on and left on: others may rely on it by then.
 */
import { applyRuleset, replacingTable } from '#host/nft.ts';
import { readSysctl, sysctlsIn, writeSysctl } from '#host/sysctl.ts';
import { tableName, type ClusterRange } from '#network/network.ts';

/** Replaces the cluster's table in one transaction and switches forwarding on. */
export async function masquerade(
  cluster: { readonly hash: string },
  range: ClusterRange,
  signal: AbortSignal,
): Promise<void> {
  enableForwarding(range.v6 !== undefined);
  await applyRuleset(replacingTable({ family: 'inet', name: tableName(cluster) }, masqueradeRules(range)), signal);
}

/** Multicast is not masqueraded: it never leaves the link, and an answer to a group has nowhere to go. */
export function masqueradeRules({ v4, v6 }: ClusterRange): string {
  const rules = [
    `ip saddr ${v4} ip daddr != { ${v4}, 224.0.0.0/4 } masquerade`,
    ...(v6 === undefined ? [] : [`ip6 saddr ${v6} ip6 daddr != { ${v6}, ff00::/8 } masquerade`]),
  ];
  return [
    '  chain postrouting {',
    '    type nat hook postrouting priority srcnat; policy accept;',
    ...rules.map((rule) => `    ${rule}`),
    '  }',
  ].join('\n');
}

/** In the network namespace of whoever calls it. */
export function enableForwarding(ipv6: boolean): void {
  writeSysctl('net/ipv4/ip_forward', '1');
  if (!ipv6 || readSysctl('net/ipv6/conf/all/forwarding') === '1') return;
  // A forwarding machine ignores router advertisements, and may lose its own default route by that, unless told 2.
  for (const link of sysctlsIn('net/ipv6/conf')) {
    const path = `net/ipv6/conf/${link}/accept_ra`;
    if (readSysctl(path) === '1') writeSysctl(path, '2');
  }
  writeSysctl('net/ipv6/conf/all/forwarding', '1');
}
