import type { Clock } from '#lib/clock.ts';
import { unreachable } from '#lib/unreachable.ts';
import type { Shim } from '#host/containerd/leftovers.ts';
import { endStrayShim, type RunsContainers, strayShims } from '#host/containerd/stray-shims.ts';
import { leakName, type LeakStep, type NetworkPlaces, observeNetwork, planLeaks, removeLeak } from '#network/leaks.ts';
import { type Sandboxes, Sweep, type SweepDeps } from '#network/sweep.ts';

export type SandboxLeak =
  | { readonly kind: 'shim'; readonly shim: Shim }
  | { readonly kind: 'network'; readonly step: LeakStep };

export interface SandboxPlaces extends NetworkPlaces {
  readonly containerdSocket: string;
  readonly runc: RunsContainers;
}

export interface SweepPorts extends Pick<SweepDeps<SandboxLeak>, 'clock' | 'sandboxes' | 'runsEnded'> {
  readonly log: (message: string, error?: unknown) => void;
}

/** What a sandbox of a node has outside of the runtime's books: a shim, and its network. */
export function nodeSweep(places: SandboxPlaces, { log, ...ports }: SweepPorts): Sweep<SandboxLeak> {
  return new Sweep<SandboxLeak>({
    ...ports,
    find: (sandboxes) => findLeaks(places, sandboxes),
    remove: (leak, signal) => remove(leak, places, ports.clock, signal),
    removed: (name) => log(`removed what a crash has left: ${name}`),
    log,
  });
}

/** Shims first: what they started is in the namespaces. */
function findLeaks(places: SandboxPlaces, { known, alive }: Sandboxes): ReadonlyMap<string, SandboxLeak> {
  const shims = strayShims(places.containerdSocket, alive).map(
    (shim) => [`shim ${shim.pid} of ${shim.id}`, { kind: 'shim', shim }] as const,
  );
  const network = planLeaks(observeNetwork(places), known).map(
    (step) => [leakName(step), { kind: 'network', step }] as const,
  );
  return new Map<string, SandboxLeak>([...shims, ...network]);
}

function remove(leak: SandboxLeak, places: SandboxPlaces, clock: Clock, signal: AbortSignal): Promise<void> {
  switch (leak.kind) {
    case 'shim':
      return endStrayShim(leak.shim, places.runc, clock, signal);
    case 'network':
      return removeLeak(leak.step, signal);
    default:
      return unreachable(leak);
  }
}
