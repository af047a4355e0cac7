/**
 * What a node holds on its machine, by whose it is; and what of it is nobody's. The API says which pods there are, and
 * everything else has to follow from that: an independent look, by /proc, links, mounts, cgroups and files.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Pod } from '#api/generated/core-v1.ts';
import { cgroupsIn, machineCgroups } from '#host/cgroups.ts';
import { findShims, shimSocket } from '#host/containerd/leftovers.ts';
import { type NodePaths, nodePaths } from '#host/data-dir.ts';
import { listLinks } from '#host/links.ts';
import { realMounts } from '#host/mounts.ts';
import { pinnedNamespaces } from '#host/namespaces.ts';
import { allPids, identityOf } from '#host/proc.ts';
import type { ContainerRuntime } from '#cri/runtime.ts';
import { labels } from '#kubelet/observed.ts';
import { attachments, reservations } from '#network/ipam.ts';
import { bridgeName } from '#network/network.ts';
import type { E2eCluster } from '#test/e2e/support/cluster.ts';

export interface Census {
  readonly sandboxes: readonly { readonly id: string; readonly uid: string; readonly ready: boolean }[];
  readonly containers: readonly FoundContainer[];
  /** Ids of the sandboxes whose shim runs; what is unknown goes by its socket. */
  readonly shims: readonly string[];
  readonly namespaces: readonly string[];
  /** Network attachments as ID of the sandbox and interface. */
  readonly attachments: readonly { readonly sandbox: string; readonly namespace: string | undefined }[];
  readonly addresses: readonly { readonly address: string; readonly sandbox: string }[];
  /** Ports of the bridge. */
  readonly veths: readonly string[];
  readonly mounts: readonly string[];
  /** UIDs of pods that have a cgroup. */
  readonly cgroups: readonly string[];
  /** UIDs of pods that have a folder. */
  readonly folders: readonly string[];
  /** UIDs of pods that have a folder for logs. */
  readonly logs: readonly string[];
}

export interface FoundContainer {
  readonly id: string;
  readonly uid: string;
  readonly name: string;
  readonly attempt: number;
  readonly sandbox: string;
  readonly state: string;
  /** Its first process, as pid and start time; empty unless exactly one is there. */
  readonly process: string;
}

export const nodeOf = (cluster: E2eCluster): NodePaths => nodePaths(cluster.paths, `${cluster.name}-node1`);

export async function takeCensus(cluster: E2eCluster, runtime: ContainerRuntime, signal: AbortSignal): Promise<Census> {
  const node = nodeOf(cluster);
  const { network } = node;
  const [sandboxes, containers, links, mounts] = await Promise.all([
    runtime.sandboxes.list({}, signal),
    runtime.containers.list({}, signal),
    listLinks(signal),
    Promise.all([realMounts.under(cluster.paths.run), realMounts.under(cluster.paths.data)]),
  ]);
  const processes = firstProcesses();
  const bySocket = new Map(sandboxes.map(({ id }) => [socketOf(node, id), id as string]));
  return {
    sandboxes: sandboxes.map((one) => ({
      id: one.id,
      uid: one.labels[labels.podUid] ?? '?',
      ready: one.state === 'ready',
    })),
    containers: containers.map((one) => ({
      id: one.id,
      uid: one.labels[labels.podUid] ?? '?',
      name: one.name,
      attempt: one.attempt,
      sandbox: one.sandbox,
      state: one.state,
      process: processes.get(one.id) ?? '',
    })),
    shims: findShims(node.containerdSocket).map(({ socket }) => bySocket.get(socket) ?? socket),
    namespaces: pinnedNamespaces(node.containerdState),
    attachments: attachments(network, node.containerdState).map(({ containerId, namespace }) => ({
      sandbox: containerId,
      namespace,
    })),
    addresses: reservations(node.ipam, network).map(({ address, containerId }) => ({ address, sandbox: containerId })),
    veths: links.filter(({ master }) => master === bridgeName(cluster.paths)).map(({ name }) => name),
    mounts: mounts.flat(),
    cgroups: await podCgroups(node),
    folders: readdirSync(node.pods),
    logs: readdirSync(node.logs).flatMap((name) => name.split('_')[2] ?? []),
  };
}

const socketOf = (node: NodePaths, id: string): string =>
  shimSocket({ namespace: 'k8s.io', id, address: node.containerdSocket });

async function podCgroups(node: NodePaths): Promise<readonly string[]> {
  const roots = machineCgroups();
  const levels = ['kubepods', 'kubepods/burstable', 'kubepods/besteffort'];
  const names = await Promise.all(levels.map((level) => cgroupsIn(join(node.cgroup, level), roots)));
  return names.flat().flatMap((name) => /^pod(.+)$/.exec(name)?.[1] ?? []);
}

/** By the id of the container whose cgroup it is in: the process that is number 1 there. */
function firstProcesses(): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const pid of allPids()) {
    const id = /\/pod[^/]+\/([0-9a-f]{64})$/m.exec(textOf(`/proc/${pid}/cgroup`))?.[1];
    if (id === undefined || !/^NSpid:.*\t1$/m.test(textOf(`/proc/${pid}/status`))) continue;
    const identity = identityOf(pid);
    if (identity) found.set(id, found.has(id) ? 'several' : `${pid}@${identity.startTicks}`);
  }
  return found;
}

/**
 * What does not belong to the pods that the API has, or is missing to them; empty when all is as it should be. Of a pod
 * that has ended nothing may be left but its dead sandbox, its dead containers and its logs.
 */
export function straysOf(census: Census, pods: readonly Pod[]): readonly string[] {
  const uids = pods.map(({ metadata }) => metadata.uid as string);
  const living = pods.filter(({ status }) => !/Succeeded|Failed/.test(status?.phase ?? ''));
  const livingUids = living.map(({ metadata }) => metadata.uid as string);
  const ready = census.sandboxes.filter((sandbox) => sandbox.ready);
  const networked = ready.map(({ id }) => id);
  const namespaces = census.attachments
    .filter(({ sandbox }) => networked.includes(sandbox))
    .flatMap(({ namespace }) => namespace ?? []);
  const ips = living.flatMap(({ status }) => (status?.podIPs ?? []).map(({ ip }) => ip));
  const running = census.containers.filter(({ state }) => state !== 'exited');
  const ids = new Set([...networked, ...running.map(({ id }) => id)]);
  return [
    ...differences(
      'ready sandboxes',
      ready.map(({ uid }) => uid),
      livingUids,
    ),
    ...beyond(
      'sandboxes',
      census.sandboxes.map(({ uid }) => uid),
      uids,
    ),
    ...beyond(
      'containers',
      census.containers.map(({ uid }) => uid),
      uids,
    ),
    ...beyond(
      'living containers',
      running.map(({ uid }) => uid),
      livingUids,
    ),
    ...twice(
      'running containers',
      running.map(({ uid, name }) => `${uid}/${name}`),
    ),
    ...differences('shims', census.shims, networked),
    ...differences('attached sandboxes', [...new Set(census.attachments.map(({ sandbox }) => sandbox))], networked),
    ...differences('network namespaces', census.namespaces, [...new Set(namespaces)]),
    ...differences(
      'addresses',
      census.addresses.map(({ address }) => address),
      ips,
    ),
    ...beyond(
      'holders of addresses',
      census.addresses.map(({ sandbox }) => sandbox),
      networked,
    ),
    ...(census.veths.length === networked.length ? [] : [`veths: ${census.veths.length}, not ${networked.length}`]),
    ...differences('cgroups', census.cgroups, livingUids),
    ...differences('folders', census.folders, livingUids),
    ...beyond('folders of logs', census.logs, uids),
    ...census.mounts.filter((mount) => !isOf(mount, ids, livingUids, namespaces)).map((mount) => `mount ${mount}`),
  ];
}

/** Every mount of the cluster names in its path the container, sandbox or pod that it is for. */
const isOf = (
  mount: string,
  ids: ReadonlySet<string>,
  uids: readonly string[],
  namespaces: readonly string[],
): boolean =>
  namespaces.includes(mount) ||
  (mount.match(/[0-9a-f]{64}/g) ?? []).some((id) => ids.has(id)) ||
  uids.some((uid) => mount.includes(`/${uid}/`));

function differences(what: string, found: readonly string[], wanted: readonly string[]): readonly string[] {
  const missing = wanted.filter((one) => !found.includes(one));
  return [...beyond(what, found, wanted), ...twice(what, found), ...missing.map((one) => `${what}: ${one} is missing`)];
}

const beyond = (what: string, found: readonly string[], allowed: readonly string[]): readonly string[] =>
  found.filter((one) => !allowed.includes(one)).map((one) => `${what}: ${one} belongs to nothing`);

const twice = (what: string, found: readonly string[]): readonly string[] =>
  found.filter((one, at) => found.indexOf(one) !== at).map((one) => `${what}: ${one} is there twice`);

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
