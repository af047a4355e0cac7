import { networkInterfaces } from 'node:os';
import type { NodeRequest } from '#cli/commands.ts';
import type { NodeTraits } from '#cli/cluster-shape.ts';
import type { Client } from '#client/client.ts';
import { createEventRecorder } from '#client/event-recorder.ts';
import { TimelineRecorder } from '#client/timeline-recorder.ts';
import type { NodePaths } from '#host/data-dir.ts';
import { CAP_SYS_RESOURCE, hasAppArmor, hasCapability, type MachineFacts } from '#host/machine.ts';
import { Kubelet } from '#kubelet/kubelet.ts';
import { memoryAvailable } from '#kubelet/node-agent.ts';
import type { NodeSelf } from '#kubelet/node-object.ts';
import type { ManifestFolder } from '#kubelet/static-pods/manifest-folder.ts';
import { nodeServer } from '#kubelet/server/node-server.ts';
import { crashLoopUpTo, type KubeletSettings, leaseWithin, usualSettings } from '#kubelet/settings.ts';
import type { Clock } from '#lib/clock.ts';
import { remembered } from '#lib/remembered.ts';
import type { Scope } from '#lib/scope.ts';
import type { Log } from '#main/log.ts';
import type { Machine } from '#main/below-kubelet.ts';
import type { KeyPair } from '#wire/certificates.ts';
import { HttpServer } from '#wire/http-server.ts';

export const KUBELET_VERSION = 'v1.36.0';
/** Where a kubelet's server listens on a host of its own. */
export const KUBELET_PORT = 10_250;

export interface NodeParts {
  readonly name: string;
  readonly node: NodePaths;
  readonly machine: Machine;
  readonly client: Client;
  readonly clock: Clock;
  /** What the cluster's file says of it. */
  readonly traits: NodeTraits;
  /** What is known of its machine better than from the machine itself. */
  readonly facts?: Partial<MachineFacts>;
  readonly owner: string;
  readonly settings: NodeRequest;
  /** Instead of what follows from `settings`. */
  readonly kubelet?: Partial<KubeletSettings>;
  /** Absent on a node that has no folder for static pods. */
  readonly manifests?: ManifestFolder;
  readonly allowedUnsafeSysctls: readonly string[];
  readonly log: Log;
}

export interface NodeServerParts {
  /** What it serves with. */
  readonly papers: KeyPair;
  /** Whose clients it believes. */
  readonly caCertificate: string;
  readonly listen: { readonly host: string; readonly port: number };
}

/**
 * Each look at a pod wants them. Asking the kernel takes 10 ms and more while the network of pods is being made, because it lists
 * every link and waits for whoever changes one. The node tells of its addresses about as often as this.
 */
const ADDRESSES_KEPT_MS = 10_000;

const settingsOf = ({
  crashLoopMaxDelayMs,
  logMaxBytes,
  logMaxFiles,
  nodeMonitorGraceMs,
}: NodeRequest): KubeletSettings => ({
  crashLoop: crashLoopMaxDelayMs === undefined ? usualSettings.crashLoop : crashLoopUpTo(crashLoopMaxDelayMs),
  logs: {
    maxBytes: logMaxBytes ?? usualSettings.logs.maxBytes,
    maxFiles: logMaxFiles ?? usualSettings.logs.maxFiles,
  },
  leaseSeconds: nodeMonitorGraceMs === undefined ? usualSettings.leaseSeconds : leaseWithin(nodeMonitorGraceMs),
});

/** The node's own server, and its kubelet in `scope`. */
export async function startNode(
  parts: NodeParts & NodeServerParts,
  stack: AsyncDisposableStack,
  scope: Scope,
): Promise<Kubelet> {
  const { papers, caCertificate, listen, clock, log } = parts;
  let port = 0;
  const addresses = remembered(hostAddresses, ADDRESSES_KEPT_MS, clock);
  const { kubelet, serves, run } = createNode(parts, { addresses, port: () => port, memoryAvailable });
  const server = stack.use(nodeHttpServer(serves, { papers, caCertificate, clock, log }));
  ({ port } = await server.listen(listen.host, listen.port));
  run(scope);
  return kubelet;
}

/** Where a node is, which is not always on the machine whose process has its kubelet. */
export interface NodeSurroundings {
  /** The primary address first. */
  readonly addresses: () => readonly string[];
  /** Of the server that answers for it. */
  readonly port: () => number;
  /** Bytes. */
  readonly memoryAvailable: () => Promise<number>;
}

export interface NodeMade {
  readonly kubelet: Kubelet;
  /** What its server answers. */
  readonly serves: ReturnType<typeof nodeServer>;
  /** Runs its kubelet in the scope. Once, with its server listening: the port is among the first things it tells. */
  run(scope: Scope): void;
}

/** A node that does not run yet, and has no server. */
export function createNode(parts: NodeParts, { addresses, port, memoryAvailable: free }: NodeSurroundings): NodeMade {
  const { name, node, machine, client, clock, owner, settings, manifests, allowedUnsafeSysctls, log } = parts;
  const facts = { ...machine.host.machine, ...parts.facts };
  const { runtime, host, files, network, podRanges, ports } = machine;
  const events = createEventRecorder({
    client,
    clock,
    source: { component: 'kubelet', host: name },
    onError: (error) => log('events of the kubelet', error),
  });
  const timeline = new TimelineRecorder({ client, clock, onError: (error) => log('timelines of the kubelet', error) });
  const self = (): NodeSelf => ({
    name,
    machine: facts,
    addresses: addresses(),
    podRanges,
    port: port(),
    kubeletVersion: KUBELET_VERSION,
    maxPods: 110,
    ...parts.traits,
  });
  const kubelet = new Kubelet({
    client,
    clock,
    runtime,
    host,
    events,
    timeline,
    files,
    network,
    ...(ports === undefined ? {} : { ports }),
    memoryAvailable: free,
    disk: () => host.disk(node.root),
    self,
    owner,
    settings: { ...settingsOf(settings), ...parts.kubelet },
    missing: hasCapability(CAP_SYS_RESOURCE) ? [] : ['SYS_RESOURCE'],
    appArmor: hasAppArmor(),
    ...(manifests === undefined ? {} : { manifests }),
    allowedUnsafeSysctls,
    log,
  });
  return {
    kubelet,
    serves: nodeServer({ runtime, podNamed: (of) => kubelet.podNamed(of), files, clock }),
    run(scope) {
      scope.spawn('events of the kubelet', (signal) => events.run(signal));
      scope.spawn('timelines of the kubelet', (signal) => timeline.run(signal));
      scope.spawn('kubelet', (signal) => kubelet.run(signal));
    },
  };
}

/** Not listening yet. */
export const nodeHttpServer = (
  serves: ReturnType<typeof nodeServer>,
  { papers, caCertificate, clock, log }: Omit<NodeServerParts, 'listen'> & Pick<NodeParts, 'clock' | 'log'>,
): HttpServer =>
  new HttpServer({
    ...papers,
    clientCa: caCertificate,
    ...serves,
    onError: (error, { method, url }) => log(`node server ${method} ${url}`, error),
    clock,
  });

/** The machine's first address of each family that is not a loopback's, IPv4 first; without a network the loopback's. */
export function hostAddresses(): readonly string[] {
  const all = Object.entries(networkInterfaces())
    .filter(([name]) => !/^(pea|veth|docker|cni|br-)/.test(name))
    .flatMap(([, addresses]) => addresses ?? [])
    .filter(({ internal, address }) => !internal && !address.startsWith('fe80:'));
  const first = (family: string): readonly string[] =>
    all
      .filter((one) => one.family === family)
      .slice(0, 1)
      .map(({ address }) => address);
  const found = [...first('IPv4'), ...first('IPv6')];
  return found.length > 0 ? found : ['127.0.0.1'];
}
