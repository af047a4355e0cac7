/**
 * Shims that no living sandbox has. A containerd that is killed while it starts one has not noted yet how to reach it;
 * its successor clears the bundle away, and the shim and what it has started go on for ever. One whose shim did not answer
 * it takes the sandbox for dead, and never again ends what runs in it.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '#lib/clock.ts';
import { findShims, type Shim } from '#host/containerd/leftovers.ts';
import { isAlive, signalProcess } from '#host/proc.ts';
import { run } from '#host/process.ts';

/** `alive` holds the ids of the sandboxes that are ready or have a container that has not ended. */
export const strayShims = (socket: string, alive: ReadonlySet<string>): readonly Shim[] =>
  findShims(socket).filter(({ id }) => !alive.has(id));

export interface RunsContainers {
  readonly binary: string;
  /** Where it keeps the state of its containers. */
  readonly root: string;
}

const GONE_WITHIN_MS = 5_000;
const POLL_MS = 5;

/** Ends the shim, then its first container: the sandbox's own, by the same id. It has no other. Callable again. */
export async function endStrayShim(shim: Shim, runc: RunsContainers, clock: Clock, signal: AbortSignal): Promise<void> {
  // The shim before its container: it would clean up after that, in the way of us.
  signalProcess(shim, 'SIGKILL');
  const deadline = clock.now() + GONE_WITHIN_MS;
  while (isAlive(shim)) {
    if (clock.now() >= deadline) throw new Error(`the shim ${shim.pid} does not end`);
    await clock.sleep(POLL_MS, signal);
  }
  rmSync(shim.socket, { force: true });
  // Its processes and cgroup go with it. What never got as far as a container is no failure to it.
  await run(runc.binary, ['--root', join(runc.root, CRI_NAMESPACE), 'delete', '--force', shim.id], {}, signal);
}

/** Of CRI within containerd; the shim puts its containers' state below a directory of that name. */
const CRI_NAMESPACE = 'k8s.io';
