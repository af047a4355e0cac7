/**
 * The process of a node that is a host of its own: a containerd and a kubelet, in the node's network namespace. It knows the
 * API by HTTPS alone, as `system:node:NAME`. SIGTERM ends it and leaves its containers running, as a crash does; whoever
 * starts it again finds them. SIGHUP asks for a sign of life to the API. Arguments: the cluster's name, its data directory, the node's name.
 */
// Before the others: it finds their files.
import '#main/fast-imports.ts';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { createClient } from '#client/api-client.ts';
import { transportTo } from '#client/kubeconfig.ts';
import { Children } from '#host/children.ts';
import {
  type ClusterPaths,
  clusterPathsHere,
  nodePaths,
  prepareNodeDirectories,
  privateDirectory,
} from '#host/data-dir.ts';
import { ManifestFolderOnDisk } from '#kubelet/static-pods/manifest-folder.ts';
import { realClock } from '#lib/clock.ts';
import { isCancellation, Scope } from '#lib/scope.ts';
import { type AgentConfig, readAgentConfig } from '#main/agent-config.ts';
import { fileLog, type Log } from '#main/log.ts';
import type { Machine } from '#main/below-kubelet.ts';
import { startMachine } from '#main/machine.ts';
import { KUBELET_PORT, startNode } from '#main/node.ts';
import { papersOf } from '#main/pki.ts';
import { ownerOf } from '#main/run-state.ts';
import { fetchSandboxImage } from '#main/sandbox-image.ts';
import { hostHasIpv6 } from '#network/cni.ts';
import { enableForwarding } from '#network/masquerade.ts';

const [, , name = '', dataDir = '', node = ''] = process.argv;
const paths = clusterPathsHere(name, dataDir);
const config = readAgentConfig(paths, node);
if (config === undefined) throw new Error(`there is nothing known of a node ${JSON.stringify(node)} in ${paths.hosts}`);
const stop = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT'] as const)
  process.on(signal, () => stop.abort(new Error(`told to stop by ${signal}`)));
try {
  await runAgent(paths, config, stop.signal);
} catch (error) {
  if (!isCancellation(error, stop.signal)) throw error;
}

async function runAgent(cluster: ClusterPaths, own: AgentConfig, signal: AbortSignal): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const clock = realClock;
  const places = nodePaths(cluster, own.node);
  prepareNodeDirectories(places);
  privateDirectory(own.manifests);
  const log = fileLog(join(places.logs, 'peapod.log'));
  const scope = stack.use(new Scope(signal));
  const { caCertificate, papers } = papersOf(cluster.pki, own.node);
  const transport = stack.use(
    transportTo({
      server: own.api,
      certificateAuthority: caCertificate,
      clientCertificate: papers.certificate,
      clientKey: papers.key,
    }),
  );
  const machine = await startOwnMachine(cluster, { own, log }, stack, scope);
  const parts = {
    name: own.node,
    node: places,
    machine,
    client: createClient(transport),
    clock,
    papers,
    caCertificate,
    listen: { host: own.address, port: KUBELET_PORT },
    traits: own.traits,
    facts: {
      bootId: own.bootId,
      machineId: createHash('sha256').update(`${own.cluster.dataDir} ${own.node}`).digest('hex').slice(0, 32),
      hostname: own.node,
    },
    owner: ownerOf(cluster, own.node),
    settings: own.settings,
    manifests: new ManifestFolderOnDisk(own.manifests),
    allowedUnsafeSysctls: own.allowedUnsafeSysctls,
    log,
  };
  const kubelet = await startNode(parts, stack, scope);
  process.on('SIGHUP', () => kubelet.tellOfNode());
  stack.use(scope);
  fetchSandboxImage(machine.runtime.images, { clock, log }, scope);
  await scope.join();
}

function startOwnMachine(
  cluster: ClusterPaths,
  { own, log }: { readonly own: AgentConfig; readonly log: Log },
  stack: AsyncDisposableStack,
  scope: Scope,
): Promise<Machine> {
  const places = nodePaths(cluster, own.node);
  const parts = {
    paths: cluster,
    node: places,
    clock: realClock,
    children: new Children(places.children, realClock),
    log,
    choice: { kind: 'containerd' },
    // What leaves the cluster is masqueraded by the machine, on the way out.
    network: async () => {
      enableForwarding(hostHasIpv6());
      return { range: own.pods, ready: Promise.resolve() };
    },
  } as const;
  return startMachine(parts, stack, scope);
}
