import type { Clock } from '#lib/clock.ts';
import { unreachable } from '#lib/unreachable.ts';
import type { Shim } from '#host/containerd/leftovers.ts';
import { strayMounts } from '#host/containerd/stray-mounts.ts';
import { endStrayShim, type RunsContainers, strayShims } from '#host/containerd/stray-shims.ts';
import { realMounts } from '#host/mounts.ts';
import { leakName, type LeakStep, type NetworkPlaces, observeNetwork, planLeaks, removeLeak } from '#network/leaks.ts';
import { type KnownIds, Sweep, type SweepDeps } from '#network/sweep.ts';

export type SandboxLeak =
  | { readonly kind: 'shim'; readonly shim: Shim }
  | { readonly kind: 'mount'; readonly path: string }
  | { readonly kind: 'network'; readonly step: LeakStep };

export interface SandboxPlaces extends NetworkPlaces {
  readonly containerdSocket: string;
  readonly runc: RunsContainers;
}

export interface SweepPorts extends Pick<SweepDeps<SandboxLeak>, 'clock' | 'ids' | 'runsEnded'> {
  readonly log: (message: string, error?: unknown) => void;
}

/** What sandboxes and containers of a node have outside of the runtime's books: shims, mounts, and the network. */
export function nodeSweep(places: SandboxPlaces, { log, ...ports }: SweepPorts): Sweep<SandboxLeak> {
  return new Sweep<SandboxLeak>({
    ...ports,
    find: (ids) => findLeaks(places, ids),
    remove: (leak, signal) => remove(leak, places, ports.clock, signal),
    removed: (name) => log(`removed what a crash has left: ${name}`),
    log,
  });
}

/** Shims first: what they started is in the mounts and the namespaces. */
function findLeaks(places: SandboxPlaces, { sandboxes, alive }: KnownIds): ReadonlyMap<string, SandboxLeak> {
  const shims = strayShims(places.containerdSocket, alive).map(
    (shim) => [`shim ${shim.pid} of ${shim.id}`, { kind: 'shim', shim }] as const,
  );
  const mounts = strayMounts(places.containerdState, alive).map(
    (path) => [`mount ${path}`, { kind: 'mount', path }] as const,
  );
  const network = planLeaks(observeNetwork(places), sandboxes).map(
    (step) => [leakName(step), { kind: 'network', step }] as const,
  );
  return new Map<string, SandboxLeak>([...shims, ...mounts, ...network]);
}

function remove(leak: SandboxLeak, places: SandboxPlaces, clock: Clock, signal: AbortSignal): Promise<void> {
  switch (leak.kind) {
    case 'shim':
      return endStrayShim(leak.shim, places.runc, clock, signal);
    case 'mount':
      return realMounts.unmountAll(leak.path, signal);
    case 'network':
      return removeLeak(leak.step, signal);
    default:
      return unreachable(leak);
  }
}
