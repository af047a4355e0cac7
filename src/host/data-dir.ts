/** Where a cluster's things lie. Pure but for the one look at the disk that resolves symbolic links. */
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';

export interface ClusterPaths {
  readonly name: string;
  /** What outlives a reboot: mode 0700, files 0600. */
  readonly data: string;
  /** What must vanish at a reboot: sockets, containerd's state, pinned namespaces, records of children. */
  readonly run: string;
  /** Shared by all clusters of this user: image kit, compiled code. */
  readonly cache: string;
  /** Eight hex digits from DATA's real path: tells clusters apart where names must be short. */
  readonly hash: string;
  /**
   * The cluster's part of cgroup paths: its name, or name-hash when DATA is not the name's own default: two clusters of
   * one name in two data directories must not meet either.
   */
  readonly scope: string;
  readonly lock: string;
  readonly kubeconfig: string;
  readonly pki: string;
  readonly stateDb: string;
  readonly journal: string;
  /** Of the nodes' static pods, unless they are kept elsewhere. */
  readonly manifests: string;
  readonly nodes: string;
  readonly registry: string;
  readonly children: string;
  /** Where containerd asks for images, of every node: HOST/hosts.toml. */
  readonly certs: string;
  /** Where nodes that are hosts of their own have their network namespaces pinned, and which of them are switched off. */
  readonly hosts: string;
}

export interface NodePaths {
  readonly name: string;
  readonly root: string;
  /** containerd's `root`: images, snapshots, its database. */
  readonly containerd: string;
  readonly ipam: string;
  readonly pods: string;
  readonly logs: string;
  readonly run: string;
  /** containerd's `state`. */
  readonly containerdState: string;
  readonly containerdSocket: string;
  readonly containerdConfig: string;
  readonly runcState: string;
  readonly cniConfig: string;
  /** The CNI network's name: part of names in a directory that all CNI users of a machine share, told apart by what stands before a dash. */
  readonly network: string;
  /** Records of the node's own children. */
  readonly children: string;
  /** The node's cgroup, absolute within a hierarchy. */
  readonly cgroup: string;
}

export interface PathOptions {
  readonly name: string;
  readonly dataDir?: string;
  readonly root: boolean;
  readonly uid: number;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** A name, path or data directory that cannot be used. The message says what to do. */
export class DataDirError extends Error {
  override readonly name = 'DataDirError';
}

/** Node names are NAME-nodeN and hostnames end at 63 characters; cgroup and socket paths carry the name too. */
const LONGEST_NAME = 40;
/** containerd refuses longer socket paths (sun_path is 108 bytes, and it appends to them). */
export const LONGEST_SOCKET_PATH = 104;

/** The paths for this process: root or not, with its environment. */
export function clusterPathsHere(name: string, dataDir: string | undefined): ClusterPaths {
  const uid = process.getuid?.() ?? -1;
  return clusterPaths({
    name,
    root: uid === 0,
    uid,
    environment: process.env,
    ...(dataDir === undefined ? {} : { dataDir }),
  });
}

/** Throws DataDirError for a name that cannot be part of node names and paths. */
export function clusterPaths(options: PathOptions): ClusterPaths {
  const { name } = options;
  if (name.length > LONGEST_NAME || !/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(name)) {
    throw new DataDirError(
      `the name ${JSON.stringify(name)} cannot be used: at most ${LONGEST_NAME} lower case letters, digits and '-', beginning and ending with a letter or digit`,
    );
  }
  const own = realPath(defaultDataDir(options));
  const data = options.dataDir === undefined ? own : realPath(resolve(options.dataDir));
  const hash = shortHash(data);
  return {
    name,
    data,
    hash,
    run: join(runBase(options), hash),
    cache: cacheDir(options),
    scope: data === own ? name : `${name}-${hash}`,
    lock: join(data, 'lock'),
    kubeconfig: join(data, 'kubeconfig'),
    pki: join(data, 'pki'),
    stateDb: join(data, 'state.db'),
    journal: join(data, 'journal'),
    manifests: join(data, 'manifests'),
    nodes: join(data, 'nodes'),
    registry: join(data, 'registry'),
    children: join(runBase(options), hash, 'children'),
    certs: join(runBase(options), hash, 'certs.d'),
    hosts: join(runBase(options), hash, 'hosts'),
  };
}

/** Throws DataDirError when the node's sockets would be longer than containerd takes. */
export function nodePaths(cluster: ClusterPaths, name: string): NodePaths {
  const root = join(cluster.nodes, name);
  const run = join(cluster.run, 'nodes', name);
  const socket = join(run, 'containerd.sock');
  if (Buffer.byteLength(`${socket}.ttrpc`) > LONGEST_SOCKET_PATH) {
    throw new DataDirError(
      `the socket path ${socket}.ttrpc is longer than ${LONGEST_SOCKET_PATH} bytes: choose a shorter name`,
    );
  }
  return {
    name,
    root,
    containerd: join(root, 'containerd'),
    ipam: join(root, 'ipam'),
    pods: join(root, 'pods'),
    logs: join(root, 'logs'),
    run,
    containerdState: join(run, 'containerd'),
    containerdSocket: socket,
    containerdConfig: join(run, 'containerd.toml'),
    runcState: join(run, 'runc'),
    cniConfig: join(run, 'cni'),
    network: `peapod-${cluster.hash}-${shortHash(name)}`,
    children: join(run, 'children'),
    cgroup: `/peapod/${cluster.scope}/${name}`,
  };
}

export const podPath = (node: NodePaths, uid: string): string => join(node.pods, uid);

/**
 * Makes DATA and RUN, mode 0700, and empties a RUN from before a reboot (/run is not always a tmpfs). Call it with the
 * lock held, but for the directory itself: `lockDataDir` makes that. Throws DataDirError when DATA belongs to a cluster
 * of another name.
 */
export function prepareDirectories(paths: ClusterPaths, bootId: string): void {
  privateDirectory(paths.data);
  const nameFile = join(paths.data, 'name');
  const owner = existsSync(nameFile) ? readFileSync(nameFile, 'utf8').trim() : undefined;
  if (owner === undefined) writeFileSync(nameFile, `${paths.name}\n`, { mode: 0o600 });
  else if (owner !== paths.name) {
    throw new DataDirError(
      `${paths.data} belongs to the cluster ${JSON.stringify(owner)}: use --name ${owner}, or another --data-dir`,
    );
  }
  const bootFile = join(paths.run, 'boot-id');
  const boot = existsSync(bootFile) ? readFileSync(bootFile, 'utf8').trim() : undefined;
  // Nothing is mounted here after a reboot, so this deletes only what RUN itself holds.
  if (boot !== undefined && boot !== bootId) rmSync(paths.run, { recursive: true, force: true });
  for (const directory of [
    paths.run,
    paths.children,
    paths.certs,
    paths.hosts,
    join(paths.run, 'nodes'),
    paths.nodes,
    paths.journal,
  ])
    privateDirectory(directory);
  writeFileSync(bootFile, `${bootId}\n`, { mode: 0o600 });
}

/** A second call changes nothing. Pod and log directories stay 0700: containers get their own mounts of what is inside. */
export function prepareNodeDirectories(node: NodePaths): void {
  for (const directory of [node.root, node.containerd, node.ipam, node.pods, node.logs, node.run, node.cniConfig])
    privateDirectory(directory);
}

export function privateDirectory(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  chmodSync(path, 0o700);
}

function defaultDataDir({ name, root, environment }: PathOptions): string {
  if (root) return join('/var/lib/peapod', name);
  return join(environment['XDG_STATE_HOME'] || join(homeOf(environment), '.local/state'), 'peapod', name);
}

function runBase({ root, uid, environment }: PathOptions): string {
  if (root) return '/run/peapod';
  const runtime = environment['XDG_RUNTIME_DIR'];
  return runtime ? join(runtime, 'peapod') : `/tmp/peapod-${uid}`;
}

function cacheDir({ root, environment }: PathOptions): string {
  if (root) return '/var/cache/peapod';
  return join(environment['XDG_CACHE_HOME'] || join(homeOf(environment), '.cache'), 'peapod');
}

function homeOf(environment: PathOptions['environment']): string {
  const home = environment['HOME'];
  if (!home) throw new DataDirError('HOME is not set: choose a --data-dir');
  return home;
}

const shortHash = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 8);

/** Symbolic links resolved as far as the path exists, so that a directory has one hash before and after it is made. */
function realPath(path: string): string {
  if (existsSync(path)) return realpathSync(path);
  const parent = dirname(path);
  return parent === path ? path : join(realPath(parent), basename(path));
}
