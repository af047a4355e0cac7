import { rmSync } from 'node:fs';
import { findCgroupRoots } from '#host/cgroup-roots.ts';
import { Children } from '#host/children.ts';
import { removeContainerdLeftovers } from '#host/containerd/leftovers.ts';
import type { NodePaths } from '#host/data-dir.ts';
import { readMountinfo } from '#host/mountinfo.ts';
import type { Clock } from '#lib/clock.ts';
import { removeLeaks } from '#network/leaks.ts';

/**
 * Ends what one node runs: its own children (`graceMs` after SIGTERM they are killed), shims and containers at once; with
 * their cgroups, mounts, addresses and network namespaces. Its network namespace, if it has one of its own, stays. Callable
 * again at any time. Whatever starts them again must have been ended before.
 */
export async function tearDownNode(
  node: NodePaths,
  { clock, graceMs }: { readonly clock: Clock; readonly graceMs: number },
  signal: AbortSignal,
): Promise<void> {
  const children = new Children(node.children, clock);
  for (const name of children.names()) await children.stop(name, graceMs, signal);
  await removeContainerdLeftovers(node, findCgroupRoots(readMountinfo()), clock, signal);
  // No sandbox is alive any more: every address, attachment and namespace is a leak.
  await removeLeaks(node, new Set(), signal);
}

/** As if its plug was pulled: the same at once, and what lies in RUN is lost. */
export async function powerOff(node: NodePaths, clock: Clock, signal: AbortSignal): Promise<void> {
  await tearDownNode(node, { clock, graceMs: 0 }, signal);
  rmSync(node.run, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
}
