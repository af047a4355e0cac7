/** The CNI configuration of a node: what containerd asks for when a pod gets its network. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isErrno } from '#host/proc.ts';
import { readSysctl } from '#host/sysctl.ts';
import type { NodeRange } from '#network/network.ts';

export interface CniOptions {
  readonly network: string;
  readonly bridge: string;
  readonly range: NodeRange;
  /** host-local's reservations: DATA/nodes/NODE/ipam. */
  readonly ipam: string;
  /** Of the link that the default route leaves by; 1500 without. A bridge with more would lose large packets on the way out. */
  readonly mtu?: number;
}

/**
 * Writes the configuration into `directory`, in place: containerd 1.6 does not notice files renamed there. Writes
 * nothing when it already says this. Do it before containerd starts, or wait up to a second for its NetworkReady.
 */
export function writeCniConfig(directory: string, options: CniOptions): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const file = join(directory, CONFIG_FILE);
  const text = `${JSON.stringify(cniConfig(options), undefined, 2)}\n`;
  try {
    if (readFileSync(file, 'utf8') === text) return;
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
  }
  writeFileSync(file, text, { mode: 0o600 });
}

/** Host ports are not a plugin's business here: host-ports.ts. */
export function cniConfig({ network, bridge, range, ipam, mtu }: CniOptions): unknown {
  const families = [range.v4, ...(range.v6 ? [range.v6] : [])];
  return {
    cniVersion: '1.0.0',
    name: network,
    plugins: [
      {
        // Not ptp: its host side waits almost two seconds for duplicate address detection.
        type: 'bridge',
        bridge,
        isGateway: true,
        // A pod that reaches itself through a Service comes back by the port it left through.
        hairpinMode: true,
        // The plugin's own would hide pods' addresses from other nodes; masquerade.ts does it better.
        ipMasq: false,
        ...(mtu === undefined ? {} : { mtu }),
        ipam: {
          type: 'host-local',
          dataDir: ipam,
          ranges: families.map(({ subnet, first }) => [{ subnet, rangeStart: first }]),
          routes: [{ dst: '0.0.0.0/0' }, ...(range.v6 ? [{ dst: '::/0' }] : [])],
        },
      },
    ],
  };
}

/** Whether pods can have IPv6 addresses: the kernel has it, and it is not switched off for new links. */
export function hostHasIpv6(): boolean {
  return existsSync('/proc/net/if_inet6') && readSysctl('net/ipv6/conf/default/disable_ipv6') === '0';
}

const CONFIG_FILE = '10-peapod.conflist';
