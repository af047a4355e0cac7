/**
 * Removes what containerd leaves behind when it cannot do so itself: shims and containers outlive it by design. What is
 * this node's is told by paths alone: shims report to its socket, processes are in its cgroup, mounts lie under its
 * directories, and each shim's own socket is named in its bundle.
 */
import { createHash } from 'node:crypto';
import { existsSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Clock } from '#lib/clock.ts';
import { CgroupDirectories } from '#host/cgroups.ts';
import type { CgroupRoots } from '#host/cgroup-roots.ts';
import type { NodePaths } from '#host/data-dir.ts';
import { realMounts } from '#host/mounts.ts';
import {
  allPids,
  commandLineOf,
  executableOf,
  identityOf,
  isAlive,
  signalProcess,
  type ProcessIdentity,
} from '#host/proc.ts';

export interface Shim extends ProcessIdentity {
  /** Of the sandbox that it was started for. */
  readonly id: string;
  /** Its own socket, in a directory that all containerds of a machine share. */
  readonly socket: string;
}

/** The shims that report to this containerd's socket. */
export function findShims(socket: string): readonly Shim[] {
  return allPids().flatMap((pid) => {
    // The program's name first: it is cheaper than the arguments, and most processes are not shims.
    if (!basename(executableOf(pid) ?? '').startsWith('containerd-shim')) return [];
    const flags = parseShimFlags(commandLineOf(pid));
    const identity = identityOf(pid);
    if (flags?.address !== socket || !identity) return [];
    return [{ ...identity, id: flags.id, socket: shimSocket(flags) }];
  });
}

export interface ShimFlags {
  readonly namespace: string;
  readonly id: string;
  readonly address: string;
}

export function parseShimFlags(commandLine: readonly string[]): ShimFlags | undefined {
  const valueOf = (flag: string): string | undefined => {
    const at = commandLine.indexOf(flag);
    return at < 0 ? undefined : commandLine[at + 1];
  };
  const [namespace, id, address] = [valueOf('-namespace'), valueOf('-id'), valueOf('-address')];
  return namespace === undefined || id === undefined || address === undefined ? undefined : { namespace, id, address };
}

/** containerd names a shim's socket after the daemon's socket, the namespace and the sandbox's id. */
export function shimSocket({ namespace, id, address }: ShimFlags): string {
  return join(
    '/run/containerd/s',
    createHash('sha256')
      .update(join(address, namespace, id))
      .digest('hex'),
  );
}

/**
 * Kills the node's shims and containers and removes its cgroups, mounts and runtime state. The daemon must be stopped
 * first, and the CNI plugins given their chance (they need the namespaces). Callable again after failing or cancelling.
 */
export async function removeContainerdLeftovers(
  node: NodePaths,
  cgroups: CgroupRoots | undefined,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  // Shims before containers: a shim that sees its container end starts the runtime to clean up, in the way of us.
  const shims = findShims(node.containerdSocket);
  for (const shim of shims) signalProcess(shim, 'SIGKILL');
  await allGone(shims, clock, signal);
  for (const shim of shims) rmSync(shim.socket, { force: true });
  if (cgroups) await new CgroupDirectories(cgroups, node.cgroup, clock).removeAll(signal);
  for (const directory of [node.run, node.containerd, node.pods]) {
    if (existsSync(directory)) await realMounts.unmountAll(directory, signal);
  }
}

const GONE_TIMEOUT_MS = 5_000;
const POLL_MS = 5;

async function allGone(processes: readonly ProcessIdentity[], clock: Clock, signal: AbortSignal): Promise<void> {
  const deadline = clock.now() + GONE_TIMEOUT_MS;
  for (let left = processes; ;) {
    left = left.filter(isAlive);
    if (left.length === 0) return;
    if (clock.now() >= deadline) throw new Error(`processes ${left.map(({ pid }) => pid).join(', ')} do not end`);
    await clock.sleep(POLL_MS, signal);
  }
}
