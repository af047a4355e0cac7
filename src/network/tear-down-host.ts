/**
 * Ends everything of one cluster on this machine and nothing else, from its paths alone: the process that started it may
 * have been killed. Callable again at any time; what is gone already is passed over. DATA is kept but for addresses.
 */
import { readdirSync, rmSync } from 'node:fs';
import type { Clock } from '#lib/clock.ts';
import { Children } from '#host/children.ts';
import { findCgroupRoots } from '#host/cgroup-roots.ts';
import { cgroupsIn } from '#host/cgroups.ts';
import { findShims } from '#host/containerd/leftovers.ts';
import { nodePaths, type ClusterPaths } from '#host/data-dir.ts';
import { deleteLink, listLinks } from '#host/links.ts';
import { readMountinfo } from '#host/mountinfo.ts';
import { realMounts } from '#host/mounts.ts';
import { pinnedNamespaces, removeNetworkNamespace } from '#host/namespaces.ts';
import { deleteTable, listTables, type NftTable } from '#host/nft.ts';
import { isErrno } from '#host/proc.ts';
import { CommandError } from '#host/process.ts';
import { releaseRange } from '#network/range-claims.ts';
import { bridgeName, loopbackTableName, portTableName, tableName } from '#network/network.ts';
import { tearDownNode } from '#network/tear-down-node.ts';

/** How long children get after SIGTERM: containerd needs 20 ms. */
const CHILD_GRACE_MS = 3_000;

/**
 * Hold the cluster's lock. Containers are killed: end them gracefully before, through the runtime, where that is wanted.
 * Throws at the first thing that cannot be removed, having gone on with the rest of the nodes only up to there.
 */
export async function tearDownHost(paths: ClusterPaths, clock: Clock, signal: AbortSignal): Promise<void> {
  const children = new Children(paths.children, clock);
  for (const name of children.names()) await children.stop(name, CHILD_GRACE_MS, signal);
  const cgroups = findCgroupRoots(readMountinfo());
  const names = new Set([
    ...directoriesIn(paths.nodes),
    ...directoriesIn(`${paths.run}/nodes`),
    ...(cgroups ? await cgroupsIn(`/peapod/${paths.scope}`, cgroups) : []),
  ]);
  for (const name of names) {
    await tearDownNode(nodePaths(paths, name), { clock, graceMs: CHILD_GRACE_MS }, signal);
  }
  await tearDownNetwork(paths, signal);
  for (const file of pinnedNamespaces(paths.run)) await removeNetworkNamespace(file, signal);
  await realMounts.unmountAll(paths.nodes, signal);
  releaseRange(paths);
  await removeRun(paths, signal);
}

async function tearDownNetwork(paths: ClusterPaths, signal: AbortSignal): Promise<void> {
  const bridge = bridgeName(paths);
  const links = await listLinks(signal);
  // The kernel removes a dead namespace's links in its own time; what is still there is removed now.
  for (const link of links.filter(({ master }) => master === bridge)) await deleteLink(link.name, signal);
  if (links.some(({ name }) => name === bridge)) await deleteLink(bridge, signal);
  await removeTables(paths, signal);
}

/** A cluster that never had a network (no nft either) can be taken down too. */
async function removeTables(paths: ClusterPaths, signal: AbortSignal): Promise<void> {
  try {
    for (const table of await listTables(signal)) if (isOwn(paths, table)) await deleteTable(table, signal);
  } catch (error) {
    if (!(error instanceof CommandError) || error.kind !== 'not-found') throw error;
  }
}

const isOwn = (paths: ClusterPaths, { family, name }: NftTable): boolean =>
  family === 'inet' && [tableName(paths), portTableName(paths), loopbackTableName(paths)].includes(name);

/** Never deletes through a mount: what is mounted may be a user's. */
async function removeRun(paths: ClusterPaths, signal: AbortSignal): Promise<void> {
  await realMounts.unmountAll(paths.run, signal);
  const left = await realMounts.under(paths.run);
  if (left.length > 0) throw new Error(`still mounted: ${left.join(', ')}`);
  // What was killed a moment ago may still be writing there.
  rmSync(paths.run, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
}

export interface Remains {
  readonly children: readonly string[];
  readonly shims: readonly number[];
  readonly mounts: readonly string[];
  readonly links: readonly string[];
  readonly tables: readonly string[];
  readonly cgroups: readonly string[];
}

/** What there is of the cluster on this machine; all empty after tearDownHost. For `status` and for tests. */
export async function remainsOf(paths: ClusterPaths, clock: Clock, signal: AbortSignal): Promise<Remains> {
  const cgroups = findCgroupRoots(readMountinfo());
  const nodes = new Set([...directoriesIn(paths.nodes), ...directoriesIn(`${paths.run}/nodes`)]);
  const nodesOwn = [...nodes].map((name) => nodePaths(paths, name));
  const links = await listLinks(signal);
  const bridge = bridgeName(paths);
  return {
    children: [...livingIn(paths.children, clock), ...nodesOwn.flatMap(({ children }) => livingIn(children, clock))],
    shims: nodesOwn.flatMap(({ containerdSocket }) => findShims(containerdSocket).map(({ pid }) => pid)),
    mounts: [...(await realMounts.under(paths.run)), ...(await realMounts.under(paths.data))],
    links: links.filter(({ name, master }) => name === bridge || master === bridge).map(({ name }) => name),
    tables: (await listTables(signal)).filter((table) => isOwn(paths, table)).map(({ name }) => name),
    cgroups: cgroups ? await cgroupsIn(`/peapod/${paths.scope}`, cgroups) : [],
  };
}

function livingIn(directory: string, clock: Clock): readonly string[] {
  const children = new Children(directory, clock);
  return children.names().filter((name) => children.find(name));
}

function directoriesIn(path: string): readonly string[] {
  try {
    return readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  }
}
