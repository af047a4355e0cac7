/** One node's worth of host and network for tests, put together as the program does it. Run as a program, it is a parent to kill. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { realClock } from '#lib/clock.ts';
import { Children } from '#host/children.ts';
import { Containerd } from '#host/containerd/containerd.ts';
import { findContainerdTools, usualPlaces, type ContainerdTools } from '#host/containerd/tools.ts';
import {
  clusterPathsHere,
  nodePaths,
  prepareDirectories,
  prepareNodeDirectories,
  type ClusterPaths,
  type NodePaths,
} from '#host/data-dir.ts';
import { bootId } from '#host/machine.ts';
import { realHost } from '#host/real-host.ts';
import { realMounts } from '#host/mounts.ts';
import type { Host, PodCgroup } from '#host/host.ts';
import { hostHasIpv6, writeCniConfig } from '#network/cni.ts';
import type { NetworkPlaces } from '#network/leaks.ts';
import { masquerade } from '#network/masquerade.ts';
import { bridgeName } from '#network/network.ts';
import { claimRange } from '#network/range-claims.ts';
import { nodeRange } from '#network/ranges.ts';
import { tearDownHost } from '#network/tear-down-host.ts';
import { importPauseImage, PAUSE_IMAGE, TestCri } from '#test/integration/host-pods.ts';

export const never: AbortSignal = new AbortController().signal;

export interface TestCluster {
  readonly paths: ClusterPaths;
  readonly node: NodePaths;
  readonly host: Host;
  readonly tools: ContainerdTools;
  readonly children: Children;
  readonly containerd: Containerd;
  readonly places: NetworkPlaces;
  readonly prefix: string;
}

/** Gives a data directory to `body`, takes down whatever it left of the cluster there, and removes the directory. */
export async function withDataDir(body: (dataDir: string) => Promise<void>): Promise<void> {
  const base = mkdtempSync(join(tmpdir(), 'peapod-host-'));
  const dataDir = join(base, 'data');
  try {
    await body(dataDir);
  } finally {
    await tearDownHost(testPaths(dataDir), realClock, never);
    await realMounts.unmountAll(base, never);
    rmSync(base, { recursive: true });
  }
}

/** Named after the data directory, which mkdtemp makes unique: parallel runs never meet. */
export const testPaths = (dataDir: string): ClusterPaths => clusterPathsHere('host-test', dataDir);

/** Starts or adopts. Not kept running: that is for the test to do. */
export async function startCluster(dataDir: string): Promise<TestCluster> {
  const paths = testPaths(dataDir);
  prepareDirectories(paths, bootId());
  const node = nodePaths(paths, `${paths.name}-node1`);
  prepareNodeDirectories(node);
  const tools = await findContainerdTools(usualPlaces(), 'runc', paths.data, never);
  const cluster = await claimRange(paths, { ipv6: hostHasIpv6() }, never);
  await masquerade(paths, cluster, never);
  const range = nodeRange(cluster, 1);
  const [network, bridge] = [node.network, bridgeName(paths)];
  writeCniConfig(node.cniConfig, { network, bridge, range, ipam: node.ipam });
  const host = realHost(node, realClock);
  await host.cgroups.prepare({}, never);
  const children = new Children(paths.children, realClock);
  const containerd = new Containerd(
    { node, tools, sandboxImage: PAUSE_IMAGE, certs: paths.certs },
    children,
    realClock,
  );
  await containerd.start(never);
  await importPauseImage(containerd.socket, never);
  const places = { network, ipam: node.ipam, containerdState: node.containerdState };
  return { paths, node, host, tools, children, containerd, places, prefix: range.v4.subnet.replace(/\.0\/24$/, '') };
}

export const podCgroup = (uid: string): PodCgroup => ({ uid, qosClass: 'BestEffort' });

/** Runs a pod of one sandbox, in its own cgroup, and returns the sandbox's id. */
export async function runPod({ host, containerd }: TestCluster, uid: string): Promise<string> {
  const cgroupParent = await host.cgroups.apply(podCgroup(uid), {});
  using cri = new TestCri(containerd.socket);
  return await cri.run({ name: uid, uid, cgroupParent });
}

if (import.meta.main) {
  const cluster = await startCluster(process.argv[2]!);
  const sandbox = await runPod(cluster, 'of-the-killed-parent');
  console.log(JSON.stringify({ sandbox, containerd: cluster.children.find(cluster.containerd.name)?.pid }));
  setInterval(() => {}, 1_000);
}
