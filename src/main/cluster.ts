import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ConfigMap } from '#api/generated/core-v1.ts';
import { hasReason } from '#api/errors.ts';
import type { NodeRequest, RuntimeChoice } from '#cli/commands.ts';
import type { Client } from '#client/client.ts';
import { formatKubeconfig } from '#client/kubeconfig.ts';
import { configMapResource } from '#client/resources.ts';
import { type NodeLifecycleSettings, usualNodeLifecycle, withGrace } from '#controllers/node-lifecycle/settings.ts';
import { Children } from '#host/children.ts';
import type { ClusterPaths } from '#host/data-dir.ts';
import { Scope } from '#lib/scope.ts';
import type { ClusterOptions } from '#main/cluster-options.ts';
import { type ControlPlane, type ControlPlaneParts, runComponents, startControlPlane } from '#main/control-plane.ts';
import { chooseImages, directPulls, type ImageSource, startRegistry } from '#main/images.ts';
import { fileLog } from '#main/log.ts';
import { hostAddresses } from '#main/node.ts';
import { nodesHere } from '#main/nodes-here.ts';
import type { Nodes, NodesParts } from '#main/nodes.ts';
import { type SimulatedNodes, simulatedNodes } from '#main/simulated-nodes.ts';
import { openPki, type Pki } from '#main/pki.ts';
import { rememberSocket } from '#main/run-state.ts';
import { SqliteJournal } from '#store/journal/sqlite-journal.ts';
import { HttpsNodeConnection } from '#server/nodes/https-node-connection.ts';
import type { NodeAddress, NodeConnection } from '#server/nodes/node-connection.ts';

/** A cluster that runs in this process. */
export interface RunningCluster {
  readonly api: string;
  readonly nodeNames: readonly string[];
  /** Those without containers. */
  readonly simulatedNames: readonly string[];
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
  const { paths, clock, runtime, shape, settings } = options;
  rememberSocket(paths, runtime.kind === 'socket' ? runtime.socket : undefined);
  const log = fileLog(join(paths.data, 'peapod.log'));
  const scope = stack.use(new Scope(signal));
  const children = new Children(paths.children, clock);
  const parts = { options, children, clock, log, stack, scope };
  const nodes = shape.nodes.length > 1 ? await severalNodes(parts) : nodesHere(parts);
  const simulated = simulatedNodes({ paths, groups: shape.simulated, settings, clock, log, stack, scope });
  const pki = openPki({
    directory: paths.pki,
    serverNames: [...SERVER_NAMES, ...hostAddresses(), ...nodes.serverNames],
    nodes: [...nodes.papers, ...simulated.papers],
    now: clock.now(),
  });
  const plain: ControlPlaneParts = {
    store: options.store,
    journal: stack.use(timelinesOf(options, log)),
    clock,
    log,
    host: LOOPBACK,
    port: options.port ?? rememberedPort(paths) ?? DEFAULT_PORT,
    nodes: lateNodes(pki, { nodes, simulated }, stack),
    nodeLife: nodeLifeOf(settings),
    scheduler: options.scheduler,
  };
  const planing = startControlPlane(plain, pki, stack);
  // Every process that is started holds up this one for some milliseconds: the API answers first. It is also what most often
  // cannot be, where its port is taken, and then nothing else was begun.
  const preparing = planing.then(() => nodes.prepare());
  const imaging = planing.then(() =>
    runtime.kind === 'containerd' ? startImages(options, { children, nodes }, scope) : ownImages(runtime),
  );
  const begun = [pki, planing, preparing, imaging] as const;
  // One may fail before its turn to be waited for: unheard until then, it would end the process on the spot.
  for (const promise of begun) promise.catch(() => {});
  try {
    const [plane, papers] = await Promise.all([planing, pki]);
    // Should anything below fail: the parts that use the API go first, then the API.
    stack.use(scope);
    const api = await announce(options, plane.port, papers);
    runComponents(plane, plain, papers.caCertificate, scope);
    const images = await startNodes({ plane, papers, api, begun: { preparing, imaging } }, { options, nodes, scope });
    // The others went first: somebody waits for their containers.
    await simulated.start(plane, papers);
    stack.use(scope);
    return {
      api,
      nodeNames: shape.nodes.map(({ name }) => name),
      simulatedNames: simulated.names,
      images,
      client: adminOf(plane),
      failed: scope.join().then(() => new Promise<never>(() => {})),
    };
  } catch (error) {
    // Whatever failed first is what is told. The rest must have come to an end before anyone takes down what it began.
    scope.stop(error);
    await Promise.allSettled(begun);
    throw error;
  }
}

/** Most clusters have one, and need not load what joins several. */
async function severalNodes(parts: NodesParts): Promise<Nodes> {
  const { nodesApart } = await import('#main/nodes-apart.ts');
  return nodesApart(parts);
}

const adminOf = (plane: ControlPlane): Client => plane.clientFor('kubernetes-admin', 'system:masters');

interface Answering {
  readonly plane: ControlPlane;
  readonly papers: Pki;
  readonly api: string;
  readonly begun: { readonly preparing: Promise<void>; readonly imaging: Promise<ImageSource> };
}

/** Once the API answers. Gives where images come from, which nodes need not wait for. */
async function startNodes(
  { plane, papers, api, begun }: Answering,
  { options, nodes, scope }: { readonly options: ClusterOptions; readonly nodes: Nodes; readonly scope: Scope },
): Promise<ImageSource> {
  await begun.preparing;
  const opened = options.registryMirror === undefined ? [api] : [api, options.registryMirror];
  await nodes.open(opened);
  await nodes.start(plane, papers);
  const images = await begun.imaging;
  if (images.registry !== undefined) {
    await nodes.open([...opened, images.registry]);
    await announceRegistry(adminOf(plane), images.registry, scope.signal);
  }
  nodes.imagesReady();
  return images;
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
  { children, nodes }: { readonly children: Children; readonly nodes: Nodes },
  scope: Scope,
): Promise<ImageSource> {
  const { paths, clock, tell, registryMirror, shape } = options;
  const { mode, why } = await chooseImages(options.images, paths, scope.signal);
  const registry = await startRegistry(mode, { paths, children, clock, tell }, scope);
  const source: ImageSource = { mode, why, registry };
  directPulls(paths.certs, source, { mirror: registryMirror, mirrors: shape.mirrors, reached: nodes.reached });
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

/** The API server needs the way to the nodes before anyone has papers to show them. */
function lateNodes(
  pki: Promise<Pki>,
  { nodes, simulated }: { readonly nodes: Nodes; readonly simulated: SimulatedNodes },
  stack: AsyncDisposableStack,
): NodeConnection {
  let connection: Promise<HttpsNodeConnection> | undefined;
  const connected = (): Promise<HttpsNodeConnection> =>
    (connection ??= pki.then(({ caCertificate, nodeClient }) =>
      stack.use(
        new HttpsNodeConnection({ ca: caCertificate, certificate: nodeClient.certificate, key: nodeClient.key }),
      ),
    ));
  const at = (node: NodeAddress): NodeAddress => simulated.addressOf(node) ?? nodes.addressOf(node);
  return {
    stream: async (node, path, signal) => (await connected()).stream(at(node), path, signal),
    splice: async (node, upgrade, signal) => (await connected()).splice(at(node), upgrade, signal),
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
