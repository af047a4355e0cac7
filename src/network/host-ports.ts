/**
 * Ports of the host that lead into pods: destination NAT in an nftables table of our own, replaced as a whole whenever
 * the set changes. Not the CNI plugin for it: its chains lie in tables all CNI users share, and stay behind.
 *
 * They are reached by every address of the host, 127.0.0.1 included, and from other pods. Not by ::1: the kernel routes
 * nothing from there to another link. What runs in the kernel goes on when peapod is stopped or killed.
 */
import { isIPv6 } from 'node:net';
import { applyRuleset, deleteTable, listTables, replacingTable } from '#host/nft.ts';
import { writeSysctl } from '#host/sysctl.ts';
import type { Clock } from '#lib/clock.ts';
import { isCancellation } from '#lib/scope.ts';
import { Signal } from '#lib/signal.ts';

export interface OpenPort {
  readonly protocol: 'TCP' | 'UDP' | 'SCTP';
  readonly hostPort: number;
  /** Only by this address of the host; undefined, '' and the unspecified address of a family mean by all (of that family). */
  readonly hostIp?: string | undefined;
  readonly containerPort: number;
  /** The pod's; the first of each family is used. */
  readonly addresses: readonly string[];
}

export interface HostPortsOptions {
  /** The table's name, family inet. */
  readonly table: string;
  /** The pods' bridge. It exists once the first pod has an address. */
  readonly bridge: string;
  /** The pods' ranges behind it, of either family. */
  readonly ranges: readonly string[];
  readonly clock: Clock;
  readonly onError: (error: unknown) => void;
}

const RETRY_MS = 1000;

export class HostPorts {
  readonly #options: HostPortsOptions;
  readonly #open = new Map<string, readonly OpenPort[]>();
  readonly #changed = new Signal();
  /** What the kernel was last told; undefined when it is not known what it was told. */
  #told: string | undefined;

  constructor(options: HostPortsOptions) {
    this.#options = options;
  }

  /** These and no others are `uid`'s from now on; takes effect while `run` runs. */
  set(uid: string, open: readonly OpenPort[]): void {
    const before = this.#open.get(uid) ?? [];
    if (JSON.stringify(before) === JSON.stringify(open)) return;
    if (open.length === 0) this.#open.delete(uid);
    else this.#open.set(uid, open);
    this.#changed.raise();
  }

  /** Until `signal` aborts; the ports then stay as they are. What fails is told and tried again. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, onError } = this.#options;
    for (;;) {
      let again: number | undefined;
      try {
        await this.#tell(signal);
      } catch (error) {
        if (isCancellation(error, signal)) throw error;
        onError(error);
        again = clock.now() + RETRY_MS;
      }
      await this.#changed.wait(clock, again, signal);
    }
  }

  async #tell(signal: AbortSignal): Promise<void> {
    const { table: name, bridge } = this.#options;
    const open = [...this.#open.values()].flat();
    const rules = open.length === 0 ? '' : portRules(open, this.#options);
    if (rules === this.#told) return;
    this.#told = undefined;
    const table = { family: 'inet', name };
    if (rules === '') {
      if ((await listTables(signal)).some((one) => one.name === name)) await deleteTable(table, signal);
    } else {
      // Or what comes back for 127.0.0.1 would be dropped as impossible.
      writeSysctl(`net/ipv4/conf/${bridge}/route_localnet`, '1');
      await applyRuleset(replacingTable(table, rules), signal);
    }
    this.#told = rules;
  }
}

/** The table's body. */
export function portRules(
  open: readonly OpenPort[],
  { bridge, ranges }: Pick<HostPortsOptions, 'bridge' | 'ranges'>,
): string {
  const [v4, v6] = [ranges.filter((range) => !range.includes(':')), ranges.filter((range) => range.includes(':'))];
  const back = `oifname "${bridge}" ct status dnat`;
  return [
    // What that setting would let pods do: reach what listens on the host's loopback alone (CVE-2020-8558).
    chain('guard', 'type filter hook prerouting priority raw', [`iifname "${bridge}" ip daddr 127.0.0.0/8 drop`]),
    chain('prerouting', 'type nat hook prerouting priority dstnat', ['fib daddr type local jump ports']),
    chain('output', 'type nat hook output priority -100', ['fib daddr type local jump ports']),
    // Answers must come back through the host: from a pod of the same bridge they would find a shorter way.
    chain('postrouting', 'type nat hook postrouting priority srcnat', [
      `${back} ip saddr { ${['127.0.0.0/8', ...v4].join(', ')} } masquerade`,
      ...(v6.length > 0 ? [`${back} ip6 saddr { ${v6.join(', ')} } masquerade`] : []),
    ]),
    chain('ports', undefined, open.flatMap(rulesOf)),
  ].join('\n');
}

const chain = (name: string, hook: string | undefined, rules: readonly string[]): string =>
  [
    `  chain ${name} {`,
    ...(hook === undefined ? [] : [`    ${hook}; policy accept;`]),
    ...rules.map((rule) => `    ${rule}`),
    '  }',
  ].join('\n');

function rulesOf({ protocol, hostPort, hostIp = '', containerPort, addresses }: OpenPort): readonly string[] {
  const port = `${protocol.toLowerCase()} dport ${hostPort}`;
  const v4 = addresses.find((address) => !isIPv6(address));
  const v6 = addresses.find((address) => isIPv6(address));
  const by = (keyword: string, unspecified: string): string =>
    hostIp === '' || hostIp === unspecified ? '' : `${keyword} daddr ${hostIp} `;
  const forFamily = (version: 4 | 6): boolean => hostIp === '' || isIPv6(hostIp) === (version === 6);
  return [
    ...(v4 !== undefined && forFamily(4)
      ? [`meta nfproto ipv4 ${by('ip', '0.0.0.0')}${port} dnat ip to ${v4}:${containerPort}`]
      : []),
    ...(v6 !== undefined && forFamily(6)
      ? [`meta nfproto ipv6 ${by('ip6', '::')}${port} dnat ip6 to [${v6}]:${containerPort}`]
      : []),
  ];
}
