import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '#client/client.ts';
import { applyManifests } from '#cli/apply-files.ts';
import { followPods } from '#cli/follow-pods.ts';
import { type Manifests, readManifests } from '#cli/manifests.ts';
import { Children } from '#host/children.ts';
import { MissingToolError } from '#host/containerd/tools.ts';
import { type ClusterPaths, prepareDirectories, privateDirectory } from '#host/data-dir.ts';
import { busyMessage, lockDataDir, lockOwner } from '#host/lock.ts';
import { logTail } from '#host/log-file.ts';
import { bootId } from '#host/machine.ts';
import { isCancellation } from '#lib/scope.ts';
import { realClock } from '#lib/clock.ts';
import type { RunningCluster } from '#main/cluster.ts';
import { type ClusterFile, type ShapeRequest, simulatedNodeName } from '#cli/cluster-shape.ts';
import type { ImageChoice, NodeRequest, RuntimeChoice } from '#cli/commands.ts';
import { decideShape, forgetNodes } from '#main/shape.ts';
import { readRunState, removeRunState, type RunState, writeRunState } from '#main/run-state.ts';
import type { Terminal } from '#cli/terminal.ts';
import { UserError } from '#cli/user-error.ts';
import { nodesReady } from '#main/wait-until-ready.ts';
import type { SchedulerConfiguration } from '#scheduler/config/scheduler-configuration.ts';
import { openSqliteStore } from '#store/sqlite/sqlite-store.ts';

export interface UpOptions {
  readonly files: readonly string[];
  readonly port: number | undefined;
  readonly runtime: RuntimeChoice;
  readonly registryMirror: string | undefined;
  readonly images: ImageChoice;
  readonly staticPods: string | undefined;
  readonly schedulerConfig: string | undefined;
  readonly allowedUnsafeSysctls: readonly string[];
  readonly detach: boolean;
  readonly shape: Omit<ShapeRequest, 'file'>;
  readonly clusterFile: string | undefined;
  readonly node: NodeRequest;
  /** The command's own arguments, for the process that goes on behind a detached one. */
  readonly argv: readonly string[];
}

const READY_WITHIN_MS = 120_000;
const POLL_MS = 50;

/** `peapod up`: starts the cluster in this process, or with files applies them to the one that runs already. */
export async function up(paths: ClusterPaths, options: UpOptions, terminal: Terminal): Promise<number> {
  if (options.runtime.kind === 'containerd' && process.getuid?.() !== 0) {
    throw new UserError(
      'containers need root: run this with sudo, or try --runtime simulated, which needs none but runs no real containers',
    );
  }
  // What cannot be read is said before anything is started for it.
  const manifests = await readManifests(options.files);
  if (manifests.problems.length > 0) throw new UserError(manifests.problems.join('\npeapod: '));
  const scheduler = await schedulerOf(options);
  const shape = { ...options.shape, file: await clusterFileOf(paths, options) };
  const running = readRunState(paths);
  if (running !== undefined && options.files.length > 0) {
    if (Object.values(shape).some((wish) => wish !== undefined)) throw new UserError(tooLate(paths));
    terminal.line(`cluster ${paths.name} runs already (pid ${running.pid}); applying to it`);
    const never = new AbortController().signal;
    const { withClient } = await import('#main/access.ts');
    return withClient(paths, (client) => applyAndFollow(client, manifests, terminal, never));
  }
  if (options.detach) return upDetached(paths, options, terminal);
  return upInForeground({ paths, options, terminal, manifests, scheduler, shape, since: realClock.now() });
}

const tooLate = ({ name }: ClusterPaths): string =>
  `cluster ${name} runs already, and which nodes it has is decided when it starts: leave out --nodes, --simulated-nodes and --config, or stop it first (\`peapod down\`)`;

async function clusterFileOf({ name }: ClusterPaths, { clusterFile }: UpOptions): Promise<ClusterFile | undefined> {
  if (clusterFile === undefined) return undefined;
  const { readClusterFile } = await import('#cli/cluster-file/read-cluster-file.ts');
  const read = await readClusterFile({ name: clusterFile, text: readFileSync(clusterFile, 'utf8') }, name);
  if (read.kind === 'wrong') throw new UserError(read.problems.join('\npeapod: '));
  return read.file;
}

/** Most clusters have none, and need not load what reads it. */
async function schedulerOf({ schedulerConfig }: UpOptions): Promise<SchedulerConfiguration | undefined> {
  if (schedulerConfig === undefined) return undefined;
  const { readSchedulerConfig } = await import('#main/scheduler-config.ts');
  return readSchedulerConfig(schedulerConfig);
}

async function upInForeground(start: Start): Promise<number> {
  const { paths, terminal } = start;
  const locked = lockDataDir(paths);
  if (locked.kind === 'busy') throw new UserError(busyMessage(paths, locked.owner));
  using _lock = locked.lock;
  const stop = new AbortController();
  const ending = listenForSignals(stop, (signal) => signal !== 'SIGTERM' && terminal.line('stopping'));
  const children = new Children(paths.children, realClock);
  const ranBefore = children.names().some((name) => children.find(name) !== undefined);
  try {
    await runCluster(start, stop.signal);
  } catch (error) {
    if (!isCancellation(error, stop.signal)) {
      // What an earlier one left running is not ours to end because this start failed.
      if (!ranBefore) await stopAll(paths).catch(() => {});
      throw await explained(error, paths);
    }
  } finally {
    ending[Symbol.dispose]();
    removeRunState(paths);
  }
  if (ending.by() === 'SIGTERM') return 0;
  await stopAll(paths);
  terminal.line('stopped: containers, mounts, links and rules are gone; data is kept in ' + paths.data);
  return ending.by() === 'SIGINT' ? 130 : 0;
}

/** Loaded when it is needed, as is all that a start need not wait for. */
const stopAll = async (paths: ClusterPaths): Promise<void> => {
  const { stopEverything } = await import('#main/down.ts');
  await stopEverything(paths, realClock);
};

interface Start {
  readonly paths: ClusterPaths;
  readonly options: UpOptions;
  readonly terminal: Terminal;
  readonly manifests: Manifests;
  readonly scheduler: SchedulerConfiguration | undefined;
  readonly shape: ShapeRequest;
  /** When it began, epoch ms. */
  readonly since: number;
}

/** Until it is told to stop, or a part of it fails. */
async function runCluster(start: Start, signal: AbortSignal): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const { paths, options, terminal, scheduler } = start;
  const { port, runtime, images, registryMirror, node, staticPods, allowedUnsafeSysctls } = options;
  prepareDirectories(paths, bootId());
  const { shape, removed } = decideShape(paths, start.shape, runtime);
  // A thread of its own opens the store while this one loads the rest of the program.
  const store = openSqliteStore(paths.stateDb, { clock: realClock });
  stack.defer(async () => (await store.catch(() => undefined))?.[Symbol.asyncDispose]());
  const { startCluster } = await import('#main/cluster.ts');
  const { keepSchedulerConfig } = await import('#main/kept-scheduler-config.ts');
  keepSchedulerConfig(paths, options.schedulerConfig);
  const chosen = { port, runtime, images, registryMirror, shape, settings: node, staticPods, allowedUnsafeSysctls };
  const clusterOptions = { paths, store, clock: realClock, tell: terminal, scheduler, ...chosen };
  const cluster = await startCluster(clusterOptions, stack, signal);
  writeRunState(paths, {
    pid: process.pid,
    api: cluster.api,
    nodes: cluster.nodeNames,
    simulatedNodes: cluster.simulatedNames.length,
    runtime: runtime.kind === 'socket' ? runtime.socket : runtime.kind,
    images: { ...cluster.images, registry: cluster.images.registry ?? null },
    dataDir: paths.data,
  });
  await forgetNodes(paths, { client: cluster.client, names: removed }, signal);
  await Promise.race([cluster.failed, afterStart(start, cluster, signal)]);
  await Promise.race([cluster.failed, aborted(signal)]);
}

async function afterStart(
  { paths, terminal, manifests, since }: Start,
  cluster: RunningCluster,
  signal: AbortSignal,
): Promise<void> {
  const { client, nodeNames, simulatedNames } = cluster;
  await nodesReady(client, { names: [...nodeNames, ...simulatedNames], withinMs: READY_WITHIN_MS, since }, signal);
  terminal.line(readyText(nodeNames, simulatedNames.length));
  if (manifests.manifests.length > 0) await applyAndFollow(cluster.client, manifests, terminal, signal);
  terminal.line('');
  terminal.line(`  export KUBECONFIG=${paths.kubeconfig}`);
  terminal.line('  kubectl get pods --all-namespaces');
  terminal.line('');
  terminal.line(
    `Ctrl-C stops the cluster (as does \`peapod down${paths.name === 'peapod' ? '' : ` --name ${paths.name}`}\`).`,
  );
}

function readyText(names: readonly string[], simulated: number): string {
  if (simulated > 0) return `nodes ${names.join(', ')} and ${simulated} simulated ones are Ready`;
  return names.length === 1 ? `node ${names[0]} is Ready` : `nodes ${names.join(', ')} are Ready`;
}

/** Gives the exit code: 1 when a manifest was refused. */
async function applyAndFollow(
  client: Client,
  manifests: Manifests,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<number> {
  const applied = await applyManifests(client, manifests, terminal, signal);
  await followPods(client, applied.pods, terminal, signal);
  return applied.failures > 0 ? 1 : 0;
}

/** Starts this same command once more, apart from us, and waits until its node is Ready. */
async function upDetached(paths: ClusterPaths, options: UpOptions, terminal: Terminal): Promise<number> {
  const owner = lockOwner(paths);
  if (owner !== undefined) throw new UserError(busyMessage(paths, owner));
  const since = realClock.now();
  const logFile = join(paths.data, 'up.log');
  privateDirectory(paths.data);
  const out = openSync(logFile, 'w', 0o600);
  const child = spawn(
    process.execPath,
    [...process.execArgv, process.argv[1]!, ...options.argv.filter((one) => one !== '--detach')],
    {
      detached: true,
      stdio: ['ignore', out, out],
    },
  );
  closeSync(out);
  let exit: number | undefined;
  child.on('exit', (code) => (exit = code ?? 1));
  const deadline = Date.now() + READY_WITHIN_MS;
  while (exit === undefined && Date.now() < deadline) {
    const state = readRunState(paths);
    if (state === undefined || state.pid !== child.pid) {
      await sleep(POLL_MS);
      continue;
    }
    const never = new AbortController().signal;
    const { withClient } = await import('#main/access.ts');
    await withClient(paths, (client) =>
      nodesReady(client, { names: allNamesOf(paths, state), withinMs: deadline - Date.now(), since }, never),
    );
    child.unref();
    terminal.line(`cluster ${paths.name} runs (pid ${state.pid}), API server on ${state.api}`);
    terminal.line(`  export KUBECONFIG=${paths.kubeconfig}`);
    return 0;
  }
  throw new UserError(
    exit === undefined ? `the node is not Ready after ${READY_WITHIN_MS / 1000} s: see ${logFile}` : lastWords(logFile),
  );
}

const allNamesOf = ({ name }: ClusterPaths, { nodes, simulatedNodes }: RunState): readonly string[] => [
  ...nodes,
  ...Array.from({ length: simulatedNodes }, (_, index) => simulatedNodeName(name, index + 1)),
];

const SAID = 'peapod: ';

/** The error a detached process ended with; what it printed last, when that was none of ours. */
function lastWords(logFile: string): string {
  const tail = logTail(logFile, 3);
  return (
    tail
      .split('\n')
      .findLast((line) => line.startsWith(SAID))
      ?.slice(SAID.length) ?? tail
  );
}

interface Ending extends Disposable {
  by(): NodeJS.Signals | undefined;
}

/** SIGINT and SIGHUP end the cluster; SIGTERM leaves its containers to the next one. A second SIGINT cuts everything short. */
function listenForSignals(stop: AbortController, heard: (signal: NodeJS.Signals) => void): Ending {
  let first: NodeJS.Signals | undefined;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (first !== undefined && signal === 'SIGINT') process.exit(130);
    if (first === undefined) heard(signal);
    first ??= signal;
    stop.abort(new Error(`told to stop by ${signal}`));
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, onSignal);
  return {
    by: () => first,
    [Symbol.dispose]() {
      // Kept until the process ends: what follows is tidying up, and a signal must not cut it short by default.
    },
  };
}

async function explained(error: unknown, paths: ClusterPaths): Promise<unknown> {
  const { PortTakenError } = await import('#wire/http-server.ts');
  const cause = causeOf(error, (one) => one instanceof PortTakenError || one instanceof MissingToolError);
  if (cause instanceof PortTakenError) {
    return new UserError(`port ${cause.port} is taken: choose another with --port, or stop what listens there`, {
      cause: error,
    });
  }
  if (cause instanceof MissingToolError) return new UserError(cause.message, { cause: error });
  if (cause instanceof Error && 'code' in cause && cause.code === 'ENOSPC') {
    return new UserError(`no space is left on the disk of ${paths.data}: free some, or choose another --data-dir`, {
      cause: error,
    });
  }
  return error;
}

/** The first cause that says what people can do about it, or the last of all. */
function causeOf(error: unknown, isEnough: (error: Error) => boolean): unknown {
  let at = error;
  while (at instanceof Error && at.cause instanceof Error) {
    if (isEnough(at)) return at;
    at = at.cause;
  }
  return at;
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
