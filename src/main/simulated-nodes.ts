import { setImmediate } from 'node:timers/promises';
import type { NodeRequest } from '#cli/commands.ts';
import { type SimulatedGroup, simulatedCount, simulatedNodeName } from '#cli/cluster-shape.ts';
import { type ClusterPaths, nodePaths } from '#host/data-dir.ts';
import { usualSettings } from '#kubelet/settings.ts';
import type { Clock } from '#lib/clock.ts';
import { Scope } from '#lib/scope.ts';
import type { ControlPlane } from '#main/control-plane.ts';
import type { Log } from '#main/log.ts';
import { createNode, nodeHttpServer, type NodeMade } from '#main/node.ts';
import type { Pki, PkiOptions } from '#main/pki.ts';
import { ownerOf } from '#main/run-state.ts';
import type { simulatedMachine } from '#main/simulated-machine.ts';
import type { NodeAddress } from '#server/nodes/node-connection.ts';
import type { Handler, UpgradeHandler } from '#wire/exchange.ts';

/** Nodes without containers in this process: real kubelets over simulated runtimes, one server for them all. */
export interface SimulatedNodes {
  readonly names: readonly string[];
  readonly papers: PkiOptions['nodes'];
  /** Resolves when all have been started; they may not be Ready yet. They run in `scope`. Once. */
  start(plane: ControlPlane, pki: Pki): Promise<void>;
  /** Where their server is, for a node that is one of them. */
  addressOf(node: NodeAddress): NodeAddress | undefined;
}

export interface SimulatedNodesParts {
  readonly paths: ClusterPaths;
  readonly groups: readonly SimulatedGroup[];
  readonly settings: NodeRequest;
  readonly clock: Clock;
  readonly log: Log;
  readonly stack: AsyncDisposableStack;
  readonly scope: Scope;
}

const LOOPBACK = '127.0.0.1';
/** How many are started before others get their turn: they all speak to an API in this same process. */
const AT_A_TIME = 10;
/** What all leases together may cost: a write each, a few milliseconds of processor time in every second. */
const RENEWALS_A_SECOND = 100;
const RENEWALS_A_LEASE = 4;
/** So that with upstream's grace period of 50 s one renewal may fail. */
const LONGEST_LEASE_S = 100;

export function simulatedNodes(parts: SimulatedNodesParts): SimulatedNodes {
  const { paths, groups, clock, log, stack, scope } = parts;
  const traits = groups.flatMap((group) => Array.from({ length: group.count }, () => group.traits));
  const names = traits.map((_, index) => simulatedNodeName(paths.name, index + 1));
  const own = new Set(names);
  const serverName = `${paths.name}-simulated`;
  return {
    names,
    papers: names.length === 0 ? [] : [{ name: serverName, addresses: [LOOPBACK] }],
    async start(plane, { caCertificate, nodes: papers }) {
      if (names.length === 0) return;
      const { simulatedMachine } = await import('#main/simulated-machine.ts');
      const nodes: NodeMade[] = [];
      const server = stack.use(
        nodeHttpServer(whoeverHas(nodes), { papers: papers.get(serverName)!, caCertificate, clock, log }),
      );
      const { port } = await server.listen(LOOPBACK, 0);
      for (const [index, name] of names.entries()) {
        const place = { index, name, traits: traits[index]!, port, makeMachine: simulatedMachine };
        const node = simulatedNode(parts, place, plane.clientFor(`system:node:${name}`, 'system:nodes'));
        nodes.push(node);
        // A scope of its own: what a thousand nodes do is too much for one to keep an eye on.
        scope.spawn(name, async (signal) => {
          await using own = new Scope(signal);
          node.run(own);
          await own.join();
        });
        if (index % AT_A_TIME === AT_A_TIME - 1) await setImmediate();
        scope.signal.throwIfAborted();
      }
    },
    addressOf: (node) => (own.has(node.name) ? { ...node, host: LOOPBACK } : undefined),
  };
}

interface Place {
  /** From 0, among all that are simulated. */
  readonly index: number;
  readonly name: string;
  readonly traits: SimulatedGroup['traits'];
  /** Of the server that answers for it. */
  readonly port: number;
  readonly makeMachine: typeof simulatedMachine;
}

function simulatedNode(
  { paths, groups, settings, clock, log, stack }: SimulatedNodesParts,
  { index, name, traits, port, makeMachine }: Place,
  client: ReturnType<ControlPlane['clientFor']>,
): NodeMade {
  const node = nodePaths(paths, name);
  const { address, podRanges } = simulatedRanges(index);
  const machine = makeMachine({ clock, logs: node.logs, hostname: name, podRanges }, stack);
  const { nodeMonitorGraceMs } = settings;
  const kubelet = nodeMonitorGraceMs === undefined ? { leaseSeconds: leaseFor(simulatedCount(groups)) } : {};
  const { memoryBytes } = machine.host.machine;
  return createNode(
    {
      name,
      node,
      machine,
      client,
      clock,
      traits: { ...traits, labels: { [SIMULATED]: 'true', ...traits.labels } },
      owner: ownerOf(paths, name),
      settings,
      kubelet,
      allowedUnsafeSysctls: [],
      log,
    },
    { addresses: () => [address], port: () => port, memoryAvailable: async () => memoryBytes },
  );
}

/** By which people and manifests tell them from the others. */
const SIMULATED = 'peapod.dev/simulated';

/** Seconds. The more nodes, the longer each is good for. */
const leaseFor = (count: number): number =>
  Math.min(LONGEST_LEASE_S, Math.max(usualSettings.leaseSeconds, (count * RENEWALS_A_LEASE) / RENEWALS_A_SECOND));

/** A /24 of 100.64.0.0/10, which is nobody's on the internet (RFC 6598), and a /64; nothing of them is on any link. */
export function simulatedRanges(index: number): { readonly address: string; readonly podRanges: readonly string[] } {
  const v4 = `100.${64 + (index >> 8)}.${index & 255}`;
  return { address: `${v4}.1`, podRanges: [`${v4}.0/24`, `fd00:100:64:${index.toString(16)}::/64`] };
}

/** The server of the node that has the pod which is asked about; the first node says what is to be said of any other. */
function whoeverHas(nodes: readonly NodeMade[]): { readonly handler: Handler; readonly upgrade: UpgradeHandler } {
  const nodeOf = (url: string): NodeMade => {
    const [, , namespace = '', name = ''] = new URL(url, 'https://node').pathname.split('/').map(decodeURIComponent);
    return nodes.find(({ kubelet }) => kubelet.podNamed({ namespace, name }) !== undefined) ?? nodes[0]!;
  };
  return {
    handler: (exchange) => nodeOf(exchange.url).serves.handler(exchange),
    upgrade: (exchange, socket, head) => nodeOf(exchange.url).serves.upgrade(exchange, socket, head),
  };
}
