import { join, resolve } from 'node:path';
import { nodePaths, prepareNodeDirectories } from '#host/data-dir.ts';
import { defaultRouteMtu } from '#host/links.ts';
import type { AgentConfig } from '#main/agent-config.ts';
import { keepAgent } from '#main/agents.ts';
import type { Nodes, NodesParts } from '#main/nodes.ts';
import { hostHasIpv6 } from '#network/cni.ts';
import { leadToLoopback } from '#network/loopback-ports.ts';
import { masquerade } from '#network/masquerade.ts';
import { connectNodes, type NodeHost, planNodeNetwork } from '#network/node-network.ts';
import { claimRange } from '#network/range-claims.ts';

const USUAL_MTU = 1500;

/** Nodes that are each a host of its own: a network namespace on a bridge of this machine, a containerd and an agent in it. */
export async function nodesApart({ options, children, clock, log, scope }: NodesParts): Promise<Nodes> {
  const { paths, shape, settings, allowedUnsafeSysctls, staticPods } = options;
  const { signal } = scope;
  const range = await claimRange(paths, { ipv6: hostHasIpv6(), wanted: shape.podRange }, signal);
  const network = planNodeNetwork(paths, range, shape.nodes);
  const { machine, hosts } = network;
  const reached = (url: string): string => {
    const at = new URL(url);
    if (!isLoopback(at.hostname)) return url;
    at.hostname = machine.v4;
    return at.href.replace(/\/$/, '');
  };
  const configOf = (host: NodeHost, api: string): Omit<AgentConfig, 'bootId'> => ({
    cluster: { name: paths.name, dataDir: paths.data },
    node: host.name,
    api,
    address: host.addresses.v4,
    pods: host.pods,
    traits: shape.nodes.find(({ name }) => name === host.name)?.traits ?? {},
    settings,
    allowedUnsafeSysctls,
    manifests: join(resolve(staticPods ?? paths.manifests), host.name),
  });
  return {
    papers: hosts.map(({ name, addresses }) => ({ name, addresses: Object.values(addresses) })),
    serverNames: Object.values(machine),
    async prepare() {
      for (const { name } of hosts) prepareNodeDirectories(nodePaths(paths, name));
      const mtu = (await defaultRouteMtu(signal)) ?? USUAL_MTU;
      await Promise.all([connectNodes(network, mtu, signal), masquerade(paths, range, signal)]);
    },
    async start({ port }) {
      const api = `https://${machine.v4}:${port}`;
      await Promise.all(hosts.map((host) => keepAgent(configOf(host, api), { paths, clock, children, log }, scope)));
    },
    reached,
    async open(urls) {
      const ports = urls.map((url) => new URL(url)).filter(({ hostname }) => isLoopback(hostname));
      await leadToLoopback(paths, { address: machine.v4, ports: ports.map(portOf) }, signal);
    },
    imagesReady() {},
    addressOf: (address) => address,
  };
}

const isLoopback = (host: string): boolean => host === 'localhost' || host === '[::1]' || host.startsWith('127.');
const portOf = ({ port, protocol }: URL): number => Number(port) || (protocol === 'https:' ? 443 : 80);
