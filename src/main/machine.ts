import type { RuntimeChoice } from '#cli/commands.ts';
import { criRuntime } from '#cri/grpc/cri-runtime.ts';
import { followRuns } from '#cri/runs-under-way.ts';
import type { ContainerRuntime } from '#cri/runtime.ts';
import { runtimeIds } from '#cri/runtime-ids.ts';
import type { Child, ChildExit, Children } from '#host/children.ts';
import { Containerd } from '#host/containerd/containerd.ts';
import { type ContainerdTools, findContainerdTools, usualPlaces } from '#host/containerd/tools.ts';
import { type ClusterPaths, type NodePaths, privateDirectory } from '#host/data-dir.ts';
import { defaultRouteMtu } from '#host/links.ts';
import { realHost } from '#host/real-host.ts';
import { PodFilesOnHost } from '#kubelet/pod-files.ts';
import { SocketProber } from '#kubelet/probes/socket-prober.ts';
import type { Clock } from '#lib/clock.ts';
import type { Scope } from '#lib/scope.ts';
import type { Machine } from '#main/below-kubelet.ts';
import type { Log } from '#main/log.ts';
import { writeCniConfig } from '#network/cni.ts';
import { HostPorts } from '#network/host-ports.ts';
import { bridgeName, type NodeRange, portTableName } from '#network/network.ts';
import { nodeSweep } from '#network/node-sweep.ts';

/** Debian's containerd 1.6 asks for this one unless told otherwise; the kit has it under the same name. */
export const SANDBOX_IMAGE = 'registry.k8s.io/pause:3.6';

export interface MachineParts {
  readonly paths: ClusterPaths;
  readonly node: NodePaths;
  readonly clock: Clock;
  readonly children: Children;
  readonly log: Log;
  readonly choice: RuntimeChoice;
  /** Asked for where containerd is to be our own. */
  readonly network: PodNetwork;
}

/** Where a node's pods get their addresses, and what has to be done on the machine for them. */
export type PodNetwork = (signal: AbortSignal) => Promise<{
  readonly range: NodeRange;
  /** What need not be there before a pod is. */
  readonly ready: Promise<void>;
}>;

export async function startMachine(parts: MachineParts, stack: AsyncDisposableStack, scope: Scope): Promise<Machine> {
  const { paths, node, clock, choice, log } = parts;
  switch (choice.kind) {
    case 'simulated': {
      // Most clusters have real containers, and need not load this.
      const { simulatedMachine } = await import('#main/simulated-machine.ts');
      return simulatedMachine({ clock, logs: node.logs, podRanges: ['10.88.0.0/16', 'fd00:10:88::/64'] }, stack);
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
        network: node.network,
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
  { paths, node, clock, children, network }: MachineParts,
  signal: AbortSignal,
): Promise<{ readonly containerd: Containerd; readonly range: NodeRange; readonly tools: ContainerdTools }> {
  const [tools, { range, ready }, mtu] = await Promise.all([
    findContainerdTools(usualPlaces(), 'runc', paths.cache, signal),
    network(signal),
    defaultRouteMtu(signal),
  ]);
  writeCniConfig(node.cniConfig, {
    network: node.network,
    bridge: bridgeName(paths),
    range,
    ipam: node.ipam,
    ...(mtu === undefined ? {} : { mtu }),
  });
  const containerd = new Containerd({ node, tools, sandboxImage: SANDBOX_IMAGE, certs: paths.certs }, children, clock);
  await Promise.all([containerd.start(signal), ready]);
  return { containerd, range, tools };
}
