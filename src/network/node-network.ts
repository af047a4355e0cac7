/**
 * The network between nodes that are each a host of their own, on one machine: a bridge with a port for every node, and
 * at the port's other end the node's network namespace with its `eth0`. The part of the cluster's range that is nobody's
 * pods' (index 0) is theirs: the machine has .1, node number N has .(N+1). Nodes send what is for each other's pods straight
 * to each other, unmasqueraded; all else goes to the machine, which masquerades what leaves the cluster. The machine reaches
 * every pod too. A partition is a port that is down: the kernel then drops what a real cable would lose.
 */
import { join } from 'node:path';
import type { ClusterPaths } from '#host/data-dir.ts';
import { listLinks } from '#host/links.ts';
import { createNetworkNamespace } from '#host/namespaces.ts';
import { run } from '#host/process.ts';
import { bridgeName, type ClusterRange, type NodeRange } from '#network/network.ts';
import { nodeRange } from '#network/ranges.ts';

export interface NodeNetwork {
  readonly bridge: string;
  /** The machine's own addresses on the bridge. */
  readonly machine: HostAddresses;
  readonly hosts: readonly NodeHost[];
}

export interface HostAddresses {
  readonly v4: string;
  readonly v6?: string;
}

export interface NodeHost {
  readonly name: string;
  readonly addresses: HostAddresses;
  readonly pods: NodeRange;
  /** The file that pins its network namespace. */
  readonly namespace: string;
  /** The bridge's port it hangs on. */
  readonly port: string;
}

export interface NumberedNode {
  readonly name: string;
  /** From 1; its addresses follow from it. */
  readonly index: number;
}

export function planNodeNetwork(
  paths: Pick<ClusterPaths, 'hash' | 'hosts'>,
  range: ClusterRange,
  nodes: readonly NumberedNode[],
): NodeNetwork {
  const hosts = nodes.map(({ name, index }) => ({
    name,
    addresses: addressesOf(range, index + 1),
    pods: nodeRange(range, index),
    namespace: namespaceFile(paths, name),
    port: portName(paths, index),
  }));
  return { bridge: bridgeName(paths), machine: addressesOf(range, 1), hosts };
}

/** Where a node's network namespace is pinned. */
export const namespaceFile = (paths: Pick<ClusterPaths, 'hosts'>, node: string): string =>
  join(paths.hosts, `${node}.net`);

/** At most 15 characters, as the kernel wants it; index at most 255. */
export const portName = (paths: Pick<ClusterPaths, 'hash'>, index: number): string => `${bridgeName(paths)}p${index}`;

function addressesOf({ v4, v6 }: ClusterRange, number: number): HostAddresses {
  const own = { v4: v4.replace(/\.0\/16$/, `.${number}`) };
  // The first /64 of the range: its other end is cut off after the colons, as 10.244.0 is for IPv4.
  return v6 === undefined ? own : { ...own, v6: v6.replace(/::\/48$/, `::${number}`) };
}

/**
 * Makes what is missing of it and leaves the rest as it is, ports that are down included: nodes of a cluster that was killed
 * go on meanwhile. Throws when the kernel refuses; call it again then.
 */
export async function connectNodes(network: NodeNetwork, mtu: number, signal: AbortSignal): Promise<void> {
  const { hosts } = network;
  await Promise.all(hosts.map(({ namespace }) => createNetworkNamespace(namespace, signal)));
  const there = new Set((await listLinks(signal)).map(({ name }) => name));
  await ip(machineCommands(network, there, mtu), signal);
  await Promise.all(hosts.map((host) => ip(hostCommands(host, network, mtu), signal, host.namespace)));
}

/** What `ip -batch` is to do on the machine where these links are `there`. */
export function machineCommands(
  { bridge, machine, hosts }: NodeNetwork,
  there: ReadonlySet<string>,
  mtu: number,
): readonly string[] {
  const ports = hosts.flatMap(({ port, namespace }) =>
    there.has(port)
      ? []
      : [
          `link add ${port} mtu ${mtu} type veth peer name eth0 mtu ${mtu} netns ${namespace}`,
          `link set ${port} master ${bridge} up`,
        ],
  );
  return [
    ...(there.has(bridge) ? [] : [`link add ${bridge} type bridge`]),
    `addr replace ${machine.v4}/24 dev ${bridge}`,
    ...(machine.v6 === undefined ? [] : [`addr replace ${machine.v6}/64 dev ${bridge} nodad`]),
    `link set ${bridge} up`,
    ...ports,
    ...hosts.flatMap(routesTo),
  ];
}

/** What it is to do in the namespace of one of them. */
export function hostCommands(host: NodeHost, { machine, hosts }: NodeNetwork, mtu: number): readonly string[] {
  const { v4, v6 } = host.addresses;
  return [
    `link set eth0 mtu ${mtu} up`,
    `addr replace ${v4}/24 dev eth0`,
    ...(v6 === undefined ? [] : [`addr replace ${v6}/64 dev eth0 nodad`]),
    `route replace 0.0.0.0/0 via ${machine.v4}`,
    ...(machine.v6 === undefined ? [] : [`route replace ::/0 via ${machine.v6}`]),
    ...hosts.filter((other) => other !== host).flatMap(routesTo),
  ];
}

const routesTo = ({ addresses, pods }: NodeHost): readonly string[] => [
  `route replace ${pods.v4.subnet} via ${addresses.v4}`,
  ...(pods.v6 === undefined || addresses.v6 === undefined
    ? []
    : [`route replace ${pods.v6.subnet} via ${addresses.v6}`]),
];

/** Cuts a node off from the others and from the machine, or joins it again. Doing either twice changes nothing. */
export async function setLinked(port: string, linked: boolean, signal: AbortSignal): Promise<void> {
  await run('ip', ['link', 'set', port, linked ? 'up' : 'down'], {}, signal);
}

/** In a network namespace when one is given. Not `ip -n`: that knows only those with a name in /run/netns. */
async function ip(commands: readonly string[], signal: AbortSignal, namespace?: string): Promise<void> {
  const batch = ['ip', '-batch', '-'];
  const [command, ...args] = namespace === undefined ? batch : ['nsenter', `--net=${namespace}`, ...batch];
  await run(command!, args, { input: `${commands.join('\n')}\n` }, signal);
}
