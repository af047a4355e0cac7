import { existsSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DEFAULT_GRACE_SECONDS, type DownRequest } from '#cli/commands.ts';
import { UserError } from '#cli/user-error.ts';
import { criRuntime } from '#cri/grpc/cri-runtime.ts';
import { type ClusterPaths, nodePaths } from '#host/data-dir.ts';
import { lockDataDir, lockOwner } from '#host/lock.ts';
import { isAlive, isErrno } from '#host/proc.ts';
import { SocketProber } from '#kubelet/probes/socket-prober.ts';
import { stopAll } from '#kubelet/stop-all.ts';
import type { Clock } from '#lib/clock.ts';
import { realClock } from '#lib/clock.ts';
import { stopAgents } from '#main/agents.ts';
import { ownerOf, rememberedSocket, removeRunState } from '#main/run-state.ts';
import type { Tell } from '#cli/tell.ts';
import { tearDownHost } from '#network/tear-down-host.ts';

/** How long a running peapod gets to give back its data directory. */
const LEAVE_WITHIN_MS = 15_000;
/** Enough to remove a hundred sandboxes on a busy machine; a runtime that hangs is not waited for any longer. */
const RUNTIME_ANSWERS_WITHIN_MS = 60_000;

/** `peapod down`: ends the cluster whether its process lives or not. Succeeds when nothing runs. */
export async function down(paths: ClusterPaths, { purge, graceSeconds }: DownRequest, tell: Tell): Promise<number> {
  const wasThere = existsSync(paths.run) || lockOwner(paths) !== undefined;
  if (!wasThere && !existsSync(paths.data)) {
    tell.line(`cluster ${paths.name} does not run, and has no data in ${paths.data}`);
    return 0;
  }
  await endProcess(paths);
  const locked = lockDataDir(paths);
  if (locked.kind === 'busy')
    throw new UserError(`${paths.data} is held by another process that does not end: end it first`);
  {
    using _lock = locked.lock;
    await stopEverything(paths, realClock, graceSeconds * 1000);
  }
  if (purge) removeData(paths.data);
  tell.line(
    purge
      ? `cluster ${paths.name} is gone, and its data with it`
      : wasThere
        ? `cluster ${paths.name} is stopped; its data is kept in ${paths.data}`
        : `cluster ${paths.name} did not run`,
  );
  return 0;
}

/** A directory that something is mounted on is only emptied: it cannot go, and its being there is somebody's wish. */
function removeData(directory: string): void {
  for (const name of existsSync(directory) ? readdirSync(directory) : [])
    rmSync(join(directory, name), { recursive: true, force: true });
  try {
    rmdirSync(directory);
  } catch (error) {
    if (!isErrno(error, 'EBUSY') && !isErrno(error, 'ENOENT')) throw error;
  }
}

/** SIGTERM: it leaves at once, and everything else to us. */
async function endProcess(paths: ClusterPaths): Promise<void> {
  const owner = lockOwner(paths);
  if (owner === undefined) return;
  process.kill(owner.pid, 'SIGTERM');
  const deadline = Date.now() + LEAVE_WITHIN_MS;
  while (isAlive(owner) && Date.now() < deadline) await sleep(20);
  if (isAlive(owner)) process.kill(owner.pid, 'SIGKILL');
  while (isAlive(owner)) await sleep(20);
}

/**
 * Containers first, with their own time to end but at most `graceMs`; then whatever is left of the cluster on this
 * machine. Hold the lock.
 */
export async function stopEverything(
  paths: ClusterPaths,
  clock: Clock,
  graceMs: number = DEFAULT_GRACE_SECONDS * 1000,
): Promise<void> {
  // Or they would start again what is stopped.
  await stopAgents({ paths, clock }, new AbortController().signal);
  const nodes = existsSync(paths.nodes) ? readdirSync(paths.nodes) : [];
  const given = rememberedSocket(paths);
  const stopping = nodes.flatMap((name) =>
    [nodePaths(paths, name).containerdSocket, ...(given === undefined ? [] : [given])]
      .filter((socket) => existsSync(socket))
      // A runtime that does not answer cannot be asked; the containers of our own are then killed with it.
      .map((socket) => stopContainers(socket, ownerOf(paths, name), clock, graceMs).catch(() => {})),
  );
  await Promise.all(stopping);
  await tearDownHost(paths, clock, new AbortController().signal);
  removeRunState(paths);
}

async function stopContainers(socket: string, owner: string, clock: Clock, graceMs: number): Promise<void> {
  await using runtime = criRuntime(socket, clock);
  const signal = AbortSignal.timeout(RUNTIME_ANSWERS_WITHIN_MS + graceMs);
  await stopAll({ runtime, clock, network: new SocketProber(clock), owner }, graceMs, signal);
}
