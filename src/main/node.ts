import type { RuntimeChoice } from '#cli/commands.ts';
import type { NodeSelf } from '#kubelet/node-object.ts';
import { networkInterfaces } from 'node:os';
import type { Client } from '#client/client.ts';
import { createEventRecorder } from '#client/event-recorder.ts';
import { criRuntime } from '#cri/grpc/cri-runtime.ts';
import type { ContainerRuntime } from '#cri/runtime.ts';
import { simulatedRuntime } from '#cri/simulated/simulated-runtime.ts';
import type { Children } from '#host/children.ts';
import { Containerd } from '#host/containerd/containerd.ts';
import { findContainerdTools, usualPlaces } from '#host/containerd/tools.ts';
import { type ClusterPaths, type NodePaths, privateDirectory } from '#host/data-dir.ts';
import type { Host } from '#host/host.ts';
import { defaultRouteMtu } from '#host/links.ts';
import { CAP_SYS_RESOURCE, hasAppArmor, hasCapability } from '#host/machine.ts';
import { realHost } from '#host/real-host.ts';
import { simulatedHost } from '#host/simulated-host.ts';
import { Kubelet } from '#kubelet/kubelet.ts';
import { memoryAvailable } from '#kubelet/node-agent.ts';
import { type PodFiles, PodFilesOnHost } from '#kubelet/pod-files.ts';
import type { NetworkProber } from '#kubelet/probes/probe-call.ts';
import { SimulatedProber } from '#kubelet/probes/simulated-prober.ts';
import { SocketProber } from '#kubelet/probes/socket-prober.ts';
import type { PortPublisher } from '#kubelet/host-ports.ts';
import type { ManifestFolder } from '#kubelet/static-pods/manifest-folder.ts';
import { nodeServer } from '#kubelet/server/node-server.ts';
import { SimulatedPodFiles } from '#kubelet/simulated-pod-files.ts';
import type { Clock } from '#lib/clock.ts';
import type { Scope } from '#lib/scope.ts';
import type { Log } from '#main/log.ts';
import type { Pki } from '#main/pki.ts';
import { hostHasIpv6, writeCniConfig } from '#network/cni.ts';
import { HostPorts } from '#network/host-ports.ts';
import { removeLeaks } from '#network/leaks.ts';
import { masquerade } from '#network/masquerade.ts';
import { bridgeName, networkName, type NodeRange, portTableName } from '#network/network.ts';
import { claimRange } from '#network/range-claims.ts';
import { nodeRange } from '#network/ranges.ts';
import { HttpServer } from '#wire/http-server.ts';

/** Debian's containerd 1.6 asks for this one unless told otherwise; the kit has it under the same name. */
export const SANDBOX_IMAGE = 'registry.k8s.io/pause:3.6';
export const KUBELET_VERSION = 'v1.36.0';

/** Everything below a kubelet, ready to be used: the runtime answers, the network is configured. */
export interface Machine {
  readonly runtime: ContainerRuntime;
  readonly host: Host;
  readonly files: PodFiles;
  readonly network: NetworkProber;
  readonly podRanges: readonly string[];
  /** Opens host ports; without it they are the runtime's own business. */
  readonly ports?: PortPublisher;
}

export interface MachineParts {
  readonly paths: ClusterPaths;
  readonly node: NodePaths;
  readonly clock: Clock;
  readonly children: Children;
  readonly log: Log;
  readonly choice: RuntimeChoice;
}

export async function startMachine(parts: MachineParts, stack: AsyncDisposableStack, scope: Scope): Promise<Machine> {
  const { paths, node, clock, choice, log } = parts;
  switch (choice.kind) {
    case 'simulated': {
      const host = simulatedHost();
      const runtime = stack.use(simulatedRuntime({ clock, addressRanges: ['10.88.0.0/16', 'fd00:10:88::/64'] }));
      const network = new SimulatedProber(runtime, clock);
      const podRanges = ['10.88.0.0/16', 'fd00:10:88::/64'];
      return { runtime, host, network, files: new SimulatedPodFiles(host), podRanges };
    }
    case 'socket': {
      // Its images and its network are its own; only the containers are ours.
      const runtime = stack.use(criRuntime(choice.socket, clock));
      await refuseDeaf(runtime, choice.socket, scope.signal);
      return { runtime, ...onThisHost(node, clock), podRanges: [] };
    }
    case 'containerd': {
      const range = await startContainerd(parts, scope);
      const runtime = stack.use(criRuntime(node.containerdSocket, clock));
      // Addresses and attachments of sandboxes that a crash has left nothing else of.
      const sandboxes = await runtime.sandboxes.list({}, scope.signal);
      const places = {
        network: networkName(paths),
        ipam: node.ipam,
        containerdState: node.containerdState,
      };
      await removeLeaks(places, new Set(sandboxes.map(({ id }) => id)), scope.signal);
      const podRanges = [range.v4.subnet, ...(range.v6 ? [range.v6.subnet] : [])];
      const ports = new HostPorts({
        table: portTableName(paths),
        bridge: bridgeName(paths),
        ranges: podRanges,
        clock,
        onError: (error) => log('host ports of pods', error),
      });
      return { runtime, ...onThisHost(node, clock), podRanges, ports };
    }
  }
}

function onThisHost(node: NodePaths, clock: Clock): Pick<Machine, 'host' | 'files' | 'network'> {
  const host = realHost(node, clock);
  privateDirectory(node.pods);
  const files = new PodFilesOnHost(host, { pods: node.pods, logs: node.logs }, clock);
  return { host, files, network: new SocketProber(clock) };
}

async function refuseDeaf(runtime: ContainerRuntime, socket: string, signal: AbortSignal): Promise<void> {
  try {
    await runtime.info.version(signal);
  } catch (error) {
    throw new Error(`no container runtime answers on ${socket}: start it, or choose another with --runtime`, {
      cause: error,
    });
  }
}

async function startContainerd({ paths, node, clock, children, log }: MachineParts, scope: Scope): Promise<NodeRange> {
  const { signal } = scope;
  const ipv6 = hostHasIpv6();
  const [tools, range, mtu] = await Promise.all([
    findContainerdTools(usualPlaces(), 'runc', paths.cache, signal),
    claimRange(paths, ipv6, signal),
    defaultRouteMtu(signal),
  ]);
  const own = nodeRange(range, 1);
  writeCniConfig(node.cniConfig, {
    network: networkName(paths),
    bridge: bridgeName(paths),
    range: own,
    ipam: node.ipam,
    ...(mtu === undefined ? {} : { mtu }),
  });
  const containerd = new Containerd({ node, tools, sandboxImage: SANDBOX_IMAGE }, children, clock);
  await Promise.all([containerd.start(signal), masquerade(paths, range, signal)]);
  scope.spawn('containerd', (inner) =>
    containerd.keepRunning(
      { ended: (child, exit) => log(`containerd (pid ${child.pid}) ended: ${JSON.stringify(exit)}`) },
      inner,
    ),
  );
  return own;
}

export interface NodeParts {
  readonly name: string;
  readonly node: NodePaths;
  readonly machine: Machine;
  readonly client: Client;
  readonly clock: Clock;
  readonly pki: Pki;
  readonly owner: string;
  readonly manifests: ManifestFolder;
  readonly allowedUnsafeSysctls: readonly string[];
  readonly log: Log;
}

/** The node's own server, and its kubelet in `scope`. Gives the server's port. */
export async function startNode(
  parts: NodeParts,
  stack: AsyncDisposableStack,
  scope: Scope,
): Promise<{ readonly port: number }> {
  const { name, node, machine, client, clock, pki, owner, manifests, allowedUnsafeSysctls, log } = parts;
  const { runtime, host, files, network, podRanges, ports } = machine;
  const events = createEventRecorder({
    client,
    clock,
    source: { component: 'kubelet', host: name },
    onError: (error) => log('events of the kubelet', error),
  });
  let port = 0;
  const self = (): NodeSelf => ({
    name,
    machine: host.machine,
    addresses: hostAddresses(),
    podRanges,
    port,
    kubeletVersion: KUBELET_VERSION,
    maxPods: 110,
  });
  const kubelet = new Kubelet({
    client,
    clock,
    runtime,
    host,
    events,
    files,
    network,
    ...(ports === undefined ? {} : { ports }),
    memoryAvailable,
    disk: () => host.disk(node.root),
    self,
    owner,
    missing: hasCapability(CAP_SYS_RESOURCE) ? [] : ['SYS_RESOURCE'],
    appArmor: hasAppArmor(),
    manifests,
    allowedUnsafeSysctls,
    log,
  });
  const serving = nodeServer({ runtime, podNamed: (of) => kubelet.podNamed(of), files, clock });
  const server = stack.use(
    new HttpServer({
      certificate: pki.nodeServer.certificate,
      key: pki.nodeServer.key,
      clientCa: pki.caCertificate,
      ...serving,
      onError: (error, exchange) => log(`node server ${exchange.method} ${exchange.url}`, error),
      clock,
    }),
  );
  // Any free port: several clusters share a machine. Only the API server, in this process, is to reach it.
  ({ port } = await server.listen('127.0.0.1', 0));
  scope.spawn('events of the kubelet', (signal) => events.run(signal));
  scope.spawn('kubelet', (signal) => kubelet.run(signal));
  return { port };
}

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
