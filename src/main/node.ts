import type { NodeRequest, RuntimeChoice } from '#cli/commands.ts';
import type { NodeSelf } from '#kubelet/node-object.ts';
import { rmSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import type { Client } from '#client/client.ts';
import { createEventRecorder } from '#client/event-recorder.ts';
import { TimelineRecorder } from '#client/timeline-recorder.ts';
import { criRuntime } from '#cri/grpc/cri-runtime.ts';
import { followRuns } from '#cri/runs-under-way.ts';
import type { ContainerRuntime } from '#cri/runtime.ts';
import { runtimeIds } from '#cri/runtime-ids.ts';
import { logFiles } from '#cri/simulated/log-files.ts';
import { simulatedRuntime } from '#cri/simulated/simulated-runtime.ts';
import type { Child, ChildExit, Children } from '#host/children.ts';
import { Containerd } from '#host/containerd/containerd.ts';
import { type ContainerdTools, findContainerdTools, usualPlaces } from '#host/containerd/tools.ts';
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
import { crashLoopUpTo, type KubeletSettings, leaseWithin, usualSettings } from '#kubelet/settings.ts';
import { SimulatedPodFiles } from '#kubelet/simulated-pod-files.ts';
import type { Clock } from '#lib/clock.ts';
import { remembered } from '#lib/remembered.ts';
import type { Scope } from '#lib/scope.ts';
import type { Log } from '#main/log.ts';
import type { Pki } from '#main/pki.ts';
import { hostHasIpv6, writeCniConfig } from '#network/cni.ts';
import { HostPorts } from '#network/host-ports.ts';
import { masquerade } from '#network/masquerade.ts';
import { bridgeName, networkName, type NodeRange, portTableName } from '#network/network.ts';
import { nodeSweep } from '#network/node-sweep.ts';
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
      const podRanges = ['10.88.0.0/16', 'fd00:10:88::/64'];
      const runtime = stack.use(simulatedRuntime({ clock, addressRanges: podRanges, log: logFiles }));
      const network = new SimulatedProber(runtime, clock);
      // They are of containers that went with the process that simulated them.
      rmSync(node.logs, { recursive: true, force: true });
      return { runtime, host, network, files: new SimulatedPodFiles(host, node.logs), podRanges };
    }
    case 'socket': {
      // Its images and its network are its own; only the containers are ours.
      const runtime = stack.use(criRuntime(choice.socket, clock));
      await refuseDeaf(runtime, choice.socket, scope.signal);
      return { runtime, ...onThisHost(node, clock), podRanges: [] };
    }
    case 'containerd': {
      const { containerd, range, tools } = await startContainerd(parts, scope.signal);
      const plain = stack.use(criRuntime(node.containerdSocket, clock));
      const { runtime, runsEnded } = followRuns(plain);
      const places = {
        network: networkName(paths),
        ipam: node.ipam,
        containerdState: node.containerdState,
        containerdSocket: node.containerdSocket,
        runc: { binary: tools.runtime, root: node.runcState },
      };
      const sweep = nodeSweep(places, { clock, ids: (signal) => runtimeIds(runtime, signal), runsEnded, log });
      scope.spawn('what crashes leave', (signal) => sweep.run(signal));
      const ended = (child: Child, exit: ChildExit): void =>
        log(`containerd (pid ${child.pid}) ended: ${JSON.stringify(exit)}`);
      const started = (): void => sweep.soon();
      scope.spawn('containerd', (signal) => containerd.keepRunning({ ended, started }, signal));
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

async function startContainerd(
  { paths, node, clock, children }: MachineParts,
  signal: AbortSignal,
): Promise<{ readonly containerd: Containerd; readonly range: NodeRange; readonly tools: ContainerdTools }> {
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
  return { containerd, range: own, tools };
}

export interface NodeParts {
  readonly name: string;
  readonly node: NodePaths;
  readonly machine: Machine;
  readonly client: Client;
  readonly clock: Clock;
  readonly pki: Pki;
  readonly owner: string;
  readonly settings: NodeRequest;
  readonly manifests: ManifestFolder;
  readonly allowedUnsafeSysctls: readonly string[];
  readonly log: Log;
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

/** The node's own server, and its kubelet in `scope`. Gives the server's port. */
export async function startNode(
  parts: NodeParts,
  stack: AsyncDisposableStack,
  scope: Scope,
): Promise<{ readonly port: number }> {
  const { name, node, machine, client, clock, owner, settings, manifests, allowedUnsafeSysctls, log } = parts;
  const { runtime, host, files, network, podRanges, ports } = machine;
  const events = createEventRecorder({
    client,
    clock,
    source: { component: 'kubelet', host: name },
    onError: (error) => log('events of the kubelet', error),
  });
  const timeline = new TimelineRecorder({ client, clock, onError: (error) => log('timelines of the kubelet', error) });
  let port = 0;
  const addresses = remembered(hostAddresses, ADDRESSES_KEPT_MS, clock);
  const self = (): NodeSelf => ({
    name,
    machine: host.machine,
    addresses: addresses(),
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
    timeline,
    files,
    network,
    ...(ports === undefined ? {} : { ports }),
    memoryAvailable,
    disk: () => host.disk(node.root),
    self,
    owner,
    settings: settingsOf(settings),
    missing: hasCapability(CAP_SYS_RESOURCE) ? [] : ['SYS_RESOURCE'],
    appArmor: hasAppArmor(),
    manifests,
    allowedUnsafeSysctls,
    log,
  });
  const server = stack.use(serverOf(parts, kubelet));
  // Any free port: several clusters share a machine. Only the API server, in this process, is to reach it.
  ({ port } = await server.listen('127.0.0.1', 0));
  scope.spawn('events of the kubelet', (signal) => events.run(signal));
  scope.spawn('timelines of the kubelet', (signal) => timeline.run(signal));
  scope.spawn('kubelet', (signal) => kubelet.run(signal));
  return { port };
}

function serverOf({ machine: { runtime, files }, clock, pki, log }: NodeParts, kubelet: Kubelet): HttpServer {
  return new HttpServer({
    certificate: pki.nodeServer.certificate,
    key: pki.nodeServer.key,
    clientCa: pki.caCertificate,
    ...nodeServer({ runtime, podNamed: (of) => kubelet.podNamed(of), files, clock }),
    onError: (error, exchange) => log(`node server ${exchange.method} ${exchange.url}`, error),
    clock,
  });
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
