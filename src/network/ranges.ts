import { BlockList } from 'node:net';
import type { UsedPrefix } from '#host/links.ts';
import type { ClusterRange, NodeRange } from '#network/network.ts';

/** The second octets tried, in order: 10.244 is what kind and kubeadm's examples use. */
const FIRST_OCTET = 244;
const LAST_OCTET = 255;
/** A /16 holds this many /24: nodes count from 1, and 0 is left free. */
const LAST_NODE = 255;

/** No range is free. The message says which are taken and by whom. */
export class NoFreeRangeError extends Error {
  override readonly name = 'NoFreeRangeError';
}

/**
 * The first of 10.244–10.255 that no address or route of the machine overlaps, in either family. `known`, a range chosen
 * before, is kept whatever the machine says: pods and others rely on it. Links of our own (`ownLink`) are no obstacle.
 */
export function chooseRange(
  used: readonly UsedPrefix[],
  options: { readonly known?: ClusterRange; readonly ownLink: string; readonly ipv6: boolean },
): ClusterRange {
  if (options.known) return options.known;
  const obstacles: string[] = [];
  for (let octet = FIRST_OCTET; octet <= LAST_OCTET; octet++) {
    const range = rangeOf(octet, options.ipv6);
    const obstacle = obstacleTo(range, used, options.ownLink);
    if (!obstacle) return range;
    obstacles.push(`${range.v4} (${obstacle})`);
  }
  throw new NoFreeRangeError(`no address range is free for pods; taken are ${obstacles.join(', ')}`);
}

/** What of the machine is in the way of a range: `10.244.0.0/24 on eth1`; undefined when nothing is. */
export function obstacleTo(range: ClusterRange, used: readonly UsedPrefix[], ownLink: string): string | undefined {
  const found = used
    .filter(({ link, cidr }) => link !== ownLink && !coversEverything(cidr))
    .find(({ cidr }) => overlaps(range.v4, cidr) || (range.v6 !== undefined && overlaps(range.v6, cidr)));
  return found && `${found.cidr}${found.link === undefined ? '' : ` on ${found.link}`}`;
}

/** The part of node number `index`, from 1: 10.244.INDEX.0/24 and fd00:10:244:INDEX::/64. */
export function nodeRange(cluster: ClusterRange, index: number): NodeRange {
  if (!Number.isInteger(index) || index < 1 || index > LAST_NODE) {
    throw new RangeError(`node number ${index} has no address range: 1 to ${LAST_NODE} have`);
  }
  const v4 = cluster.v4.replace(/\.0\.0\/16$/, `.${index}`);
  const range: NodeRange = { v4: { subnet: `${v4}.0/24`, first: `${v4}.3`, gateway: `${v4}.1` } };
  if (cluster.v6 === undefined) return range;
  // Written in decimal, so that both families of a node look alike; at most 255, it is a valid group.
  const v6 = cluster.v6.replace(/::\/48$/, `:${index}`);
  return { ...range, v6: { subnet: `${v6}::/64`, first: `${v6}::3`, gateway: `${v6}::1` } };
}

/** Whether two networks, written ADDRESS/LENGTH, share an address. Different families never do. */
export function overlaps(a: string, b: string): boolean {
  const [left, right] = [networkOf(a), networkOf(b)];
  if (left.family !== right.family) return false;
  // One of two overlapping networks contains the other: the wider one.
  const [wide, narrow] = left.length <= right.length ? [left, right] : [right, left];
  const list = new BlockList();
  list.addSubnet(wide.address, wide.length, wide.family);
  return list.check(narrow.address, narrow.family);
}

function rangeOf(octet: number, ipv6: boolean): ClusterRange {
  const v4 = `10.${octet}.0.0/16`;
  return ipv6 ? { v4, v6: `fd00:10:${octet}::/48` } : { v4 };
}

/** A route to everywhere (a VPN's 0.0.0.0/1, say) is like a default route: more specific ones win over it. */
const coversEverything = (cidr: string): boolean => networkOf(cidr).length <= 1;

function networkOf(cidr: string): {
  readonly address: string;
  readonly length: number;
  readonly family: 'ipv4' | 'ipv6';
} {
  const [address = '', length = ''] = cidr.split('/');
  return { address, length: Number(length), family: address.includes(':') ? 'ipv6' : 'ipv4' };
}
