/**
 * What listens on this machine's loopback alone (the API, the registry) as nodes that are hosts of their own reach it: by the
 * machine's address on their bridge, and by nobody else. In the kernel, so that it does not depend on who lives.
 */
import { applyRuleset, replacingTable } from '#host/nft.ts';
import { writeSysctl } from '#host/sysctl.ts';
import type { ClusterPaths } from '#host/data-dir.ts';
import { bridgeName, loopbackTableName } from '#network/network.ts';

/** These ports and no others, from now on. The bridge must exist. */
export async function leadToLoopback(
  paths: Pick<ClusterPaths, 'hash'>,
  to: LoopbackPorts,
  signal: AbortSignal,
): Promise<void> {
  const bridge = bridgeName(paths);
  // The guard first: without it the setting would open the whole loopback (CVE-2020-8558).
  const table = { family: 'inet', name: loopbackTableName(paths) };
  await applyRuleset(replacingTable(table, loopbackRules(bridge, to)), signal);
  writeSysctl(`net/ipv4/conf/${bridge}/route_localnet`, '1');
}

export interface LoopbackPorts {
  /** The machine's address on the bridge. */
  readonly address: string;
  readonly ports: readonly number[];
}

export const loopbackRules = (bridge: string, { address, ports }: LoopbackPorts): string =>
  [
    '  chain guard {',
    '    type filter hook prerouting priority raw; policy accept;',
    `    iifname "${bridge}" ip daddr 127.0.0.0/8 drop`,
    '  }',
    '  chain prerouting {',
    '    type nat hook prerouting priority dstnat; policy accept;',
    `    iifname "${bridge}" ip daddr ${address} tcp dport { ${ports.join(', ')} } dnat ip to 127.0.0.1`,
    '  }',
  ].join('\n');
