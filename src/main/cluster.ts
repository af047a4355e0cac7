import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { ConfigMap } from '#api/generated/core-v1.ts';
import { hasReason } from '#api/errors.ts';
import type { Client } from '#client/client.ts';
import { formatKubeconfig } from '#client/kubeconfig.ts';
import { configMapResource } from '#client/resources.ts';
import { type NodeLifecycleSettings, usualNodeLifecycle, withGrace } from '#controllers/node-lifecycle/settings.ts';
import { Children } from '#host/children.ts';
import { type ClusterPaths, nodePaths, prepareNodeDirectories, privateDirectory } from '#host/data-dir.ts';
import { ManifestFolderOnDisk } from '#kubelet/static-pods/manifest-folder.ts';
import type { Clock } from '#lib/clock.ts';
import { Scope } from '#lib/scope.ts';
import { type ControlPlaneParts, runComponents, startControlPlane } from '#main/control-plane.ts';
import { chooseImages, directPulls, type ImageSource, startRegistry } from '#main/images.ts';
import { fileLog } from '#main/log.ts';
import { hostAddresses, type NodeParts, SANDBOX_IMAGE, startMachine, startNode } from '#main/node.ts';
import { openPki, type Pki } from '#main/pki.ts';
import { ownerOf, rememberSocket } from '#main/run-state.ts';
import type { ImageChoice, NodeRequest, RuntimeChoice } from '#cli/commands.ts';
import type { Tell } from '#cli/tell.ts';
import { SqliteJournal } from '#store/journal/sqlite-journal.ts';
import type { SqliteStore } from '#store/sqlite/sqlite-store.ts';
import { HttpsNodeConnection } from '#server/nodes/https-node-connection.ts';
import type { NodeConnection } from '#server/nodes/node-connection.ts';

export interface ClusterOptions {
  readonly paths: ClusterPaths;
  /** Being opened. It is not closed here. */
  readonly store: Promise<SqliteStore>;
  readonly clock: Clock;
  readonly tell: Tell;
  /** undefined: the one it had before, else 6443. */
  readonly port: number | undefined;
  readonly runtime: RuntimeChoice;
  readonly images: ImageChoice;
  readonly registryMirror: string | undefined;
  readonly settings: NodeRequest;
  /** undefined: the usual place. */
  readonly staticPods: string | undefined;
  readonly allowedUnsafeSysctls: readonly string[];
}

/** A cluster that runs in this process. */
export interface RunningCluster {
  readonly api: string;
  readonly nodeName: string;
  readonly images: ImageSource;
  readonly client: Client;
  /** Rejects when a part of it fails for good. */
  readonly failed: Promise<never>;
}

const DEFAULT_PORT = 6443;
const LOOPBACK = '127.0.0.1';
/** Under which the API server is reached, besides the machine's own addresses: from here, and from pods. */
const SERVER_NAMES: readonly string[] = [
  'localhost',
  LOOPBACK,
  '::1',
  'kubernetes',
  'kubernetes.default',
  'kubernetes.default.svc',
  'kubernetes.default.svc.cluster.local',
  '10.96.0.1',
];

/**
 * Starts everything, side by side where nothing has to wait for anything. Hold the lock of `paths`, and have its folders made. What is
 * started is undone by `stack`, except for children and containers, which live on: `down` ends those.
 */
export async function startCluster(
  options: ClusterOptions,
  stack: AsyncDisposableStack,
  signal: AbortSignal,
): Promise<RunningCluster> {
  const { paths, clock, runtime, settings } = options;
  const nodeName = `${paths.name}-node1`;
  const node = nodePaths(paths, nodeName);
  prepareNodeDirectories(node);
  rememberSocket(paths, runtime.kind === 'socket' ? runtime.socket : undefined);
  const log = fileLog(join(paths.data, 'peapod.log'));
  const scope = stack.use(new Scope(signal));
  const children = new Children(paths.children, clock);
  const addresses = hostAddresses();
  const pki = openPki({
    directory: paths.pki,
    nodeName,
    serverNames: [...SERVER_NAMES, ...addresses],
    nodeAddresses: [LOOPBACK, ...addresses],
    now: clock.now(),
  });
  const port = options.port ?? rememberedPort(paths) ?? DEFAULT_PORT;
  const plain: ControlPlaneParts = {
    store: options.store,
    journal: stack.use(timelinesOf(options, log)),
    clock,
    log,
    host: LOOPBACK,
    port,
    nodes: lateNodes(pki, stack),
    nodeLife: nodeLifeOf(settings),
  };
  const planing = startControlPlane(plain, pki, stack);
  const machining = startMachine({ paths, node, clock, children, log, choice: runtime }, stack, scope);
  const imaging =
    runtime.kind === 'containerd' ? startImages(options, { children, certs: node.certs }, scope) : ownImages(runtime);
  const begun = [pki, planing, machining, imaging] as const;
  // One may fail before its turn to be waited for: unheard until then, it would end the process on the spot.
  for (const promise of begun) promise.catch(() => {});
  try {
    const [plane, papers] = await Promise.all([planing, pki]);
    // Should anything below fail: the parts that use the API go first, then the API.
    stack.use(scope);
    const api = await announce(options, plane.port, papers);
    runComponents(plane, plain, papers.caCertificate, scope);
    const machine = await machining;
    const client = plane.clientFor(`system:node:${nodeName}`, 'system:nodes');
    const owner = ownerOf(paths, nodeName);
    const own = { name: nodeName, node, owner, settings, ...nodeOptions(options) };
    await startNode({ ...own, machine, client, clock, pki: papers, log }, stack, scope);
    const images = await imaging;
    stack.use(scope);
    const admin = plane.clientFor('kubernetes-admin', 'system:masters');
    if (images.registry !== undefined) await announceRegistry(admin, images.registry, scope.signal);
    if (runtime.kind === 'containerd') fetchSandboxImage(machine.runtime.images, scope, log);
    return { api, nodeName, images, client: admin, failed: scope.join().then(() => new Promise<never>(() => {})) };
  } catch (error) {
    // Whatever failed first is what is told. The rest must have come to an end before anyone takes down what it began.
    scope.stop(error);
    await Promise.allSettled(begun);
    throw error;
  }
}

const nodeLifeOf = ({ nodeMonitorGraceMs }: NodeRequest): NodeLifecycleSettings =>
  nodeMonitorGraceMs === undefined ? usualNodeLifecycle : withGrace(nodeMonitorGraceMs);

/** Who still has something to tell when the cluster stops does so before it is closed. */
function timelinesOf(
  { paths, clock, store }: ClusterOptions,
  log: (message: string, error: unknown) => void,
): SqliteJournal {
  return new SqliteJournal(join(paths.journal, 'timelines.db'), {
    clock,
    host: (data, port) =>
      void store.then(
        (lender) => lender.lend(data, port),
        () => port.close(),
      ),
    onTrouble: (error) => log('timelines of pods', error),
  });
}

const nodeOptions = ({
  paths: { manifests },
  staticPods: chosen,
  allowedUnsafeSysctls,
}: ClusterOptions): Pick<NodeParts, 'manifests' | 'allowedUnsafeSysctls'> => {
  if (chosen === undefined) privateDirectory(manifests);
  return { manifests: new ManifestFolderOnDisk(resolve(chosen ?? manifests)), allowedUnsafeSysctls };
};

/** Where to reach the API, for who looks on and for who comes later. */
async function announce({ paths, tell }: ClusterOptions, port: number, papers: Pki): Promise<string> {
  writeFileSync(join(paths.data, 'port'), `${port}\n`, { mode: 0o600 });
  const api = `https://${LOOPBACK}:${port}`;
  await writeKubeconfig(paths, api, papers);
  tell.line(`API server on ${api}`);
  return api;
}

async function startImages(
  options: ClusterOptions,
  { children, certs }: { children: Children; certs: string },
  scope: Scope,
): Promise<ImageSource> {
  const { paths, clock, tell, registryMirror } = options;
  const { mode, why } = await chooseImages(options.images, paths, scope.signal);
  const registry = await startRegistry(mode, { paths, children, clock, tell }, scope);
  const source: ImageSource = { mode, why, registry };
  directPulls(certs, source, registryMirror);
  tell.line(
    mode === 'kit' ? `images come from the image kit: ${why}` : `images come from where their names say: ${why}`,
  );
  return source;
}

const ownImages = async (runtime: RuntimeChoice): Promise<ImageSource> => ({
  mode: 'hub',
  why: runtime.kind === 'simulated' ? 'simulated containers need none' : 'the runtime was given, and fetches its own',
  registry: undefined,
});

/** The first pod should not have to wait for the image that every pod needs. A failure shows when a pod needs it. */
function fetchSandboxImage(
  images: {
    status: (name: string, signal: AbortSignal) => Promise<unknown>;
    pull: (name: string, options: object, signal: AbortSignal) => Promise<unknown>;
  },
  scope: Scope,
  log: (message: string, error: unknown) => void,
): void {
  scope.spawn('the sandbox image', async (signal) => {
    try {
      if ((await images.status(SANDBOX_IMAGE, signal)) === undefined) await images.pull(SANDBOX_IMAGE, {}, signal);
    } catch (error) {
      if (!signal.aborted) log(`fetching ${SANDBOX_IMAGE} failed`, error);
    }
  });
}

/** The API server needs the way to the nodes before anyone has papers to show them. */
function lateNodes(pki: Promise<Pki>, stack: AsyncDisposableStack): NodeConnection {
  let connection: Promise<HttpsNodeConnection> | undefined;
  const connected = (): Promise<HttpsNodeConnection> =>
    (connection ??= pki.then(({ caCertificate, nodeClient }) =>
      stack.use(
        new HttpsNodeConnection({ ca: caCertificate, certificate: nodeClient.certificate, key: nodeClient.key }),
      ),
    ));
  // The only node lives in this process, and its server listens on the loopback alone.
  const here = <T extends { readonly host: string }>(node: T): T => ({ ...node, host: LOOPBACK });
  return {
    stream: async (node, path, signal) => (await connected()).stream(here(node), path, signal),
    splice: async (node, upgrade, signal) => (await connected()).splice(here(node), upgrade, signal),
  };
}

function rememberedPort(paths: ClusterPaths): number | undefined {
  const file = join(paths.data, 'port');
  return existsSync(file) ? Number(readFileSync(file, 'utf8')) || undefined : undefined;
}

async function writeKubeconfig(paths: ClusterPaths, server: string, { caCertificate, admin }: Pki): Promise<void> {
  const access = {
    server,
    certificateAuthority: caCertificate,
    clientCertificate: admin.certificate,
    clientKey: admin.key,
  };
  const known = existsSync(paths.kubeconfig) ? readFileSync(paths.kubeconfig, 'utf8') : '';
  // It is made of these; where they stand in it there is nothing to write, and no YAML library to load for it.
  const parts = [caCertificate, admin.certificate, admin.key].map((pem) => Buffer.from(pem).toString('base64'));
  if (known.includes(`server: ${server}\n`) && parts.every((part) => known.includes(part))) return;
  rmSync(paths.kubeconfig, { force: true });
  writeFileSync(paths.kubeconfig, await formatKubeconfig(access, paths.name), { mode: 0o600 });
}

/** KEP-1755: where local-development tools look for a registry they may push to. */
async function announceRegistry(client: Client, url: string, signal: AbortSignal): Promise<void> {
  const { port } = new URL(url);
  const ref = { namespace: 'kube-public', name: 'local-registry-hosting' };
  const data = {
    'localRegistryHosting.v1': `host: "localhost:${port}"\nhelp: "images pushed to localhost:${port} can be used in this cluster at once"\n`,
  };
  try {
    await client.create<ConfigMap>(
      configMapResource,
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: ref, data },
      signal,
    );
  } catch (error) {
    if (!hasReason(error, 'AlreadyExists')) throw error;
    await client.patch(configMapResource, ref, { kind: 'merge', body: { data } }, signal);
  }
}
