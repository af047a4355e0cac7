import type { ContainerRuntime, ListedContainer, SandboxId } from '#cri/runtime.ts';
import { Hooks } from '#kubelet/hooks.ts';
import { readKeptSpec } from '#kubelet/kept-spec.ts';
import { labels } from '#kubelet/observed.ts';
import type { NetworkProber } from '#kubelet/probes/probe-call.ts';
import type { Clock } from '#lib/clock.ts';

export interface StopAllDeps {
  readonly runtime: ContainerRuntime;
  readonly clock: Clock;
  readonly network: NetworkProber;
  /** Whose containers: a runtime may serve others too. */
  readonly owner: string;
}

/** Of a container on which nobody has written how long it gets. */
const USUAL_GRACE_MS = 30_000;

/**
 * Ends every container of a node without its kubelet and without the API, as a node that is shut down does: each in its
 * own pod's grace period, but at most in `atMostMs`; preStop hooks first, sidecars after the others. The sandboxes are
 * removed then. Pods are not deleted: who starts the node again finds them, and runs them anew.
 */
export async function stopAll(deps: StopAllDeps, atMostMs: number, signal: AbortSignal): Promise<void> {
  const { runtime, owner } = deps;
  const own = { labels: { [labels.owner]: owner } };
  const hooks = new Hooks({ streams: runtime.streams, network: deps.network, clock: deps.clock });
  const running = await runtime.containers.list({ ...own, state: 'running' }, signal);
  const byPod = Map.groupBy(running, ({ sandbox }) => sandbox);
  const stopping = [...byPod].map(([sandbox, containers]) =>
    stopPod({ ...deps, hooks }, { sandbox, containers, atMostMs }, signal),
  );
  await Promise.all(stopping);
  const sandboxes = await runtime.sandboxes.list(own, signal);
  await Promise.all(sandboxes.map(({ id }) => runtime.sandboxes.remove(id, signal)));
}

interface RunningPod {
  readonly sandbox: SandboxId;
  readonly containers: readonly ListedContainer[];
  readonly atMostMs: number;
}

async function stopPod(
  deps: StopAllDeps & { readonly hooks: Hooks },
  { sandbox, containers, atMostMs }: RunningPod,
  signal: AbortSignal,
): Promise<void> {
  const begun = deps.clock.now();
  const parts = containers.map(({ id, name, annotations }) => ({ id, ...readKeptSpec(name, annotations) }));
  const podIP = (await deps.runtime.sandboxes.status(sandbox, signal))?.addresses[0];
  const stop = async ({ id, container, graceMs }: (typeof parts)[number]): Promise<void> => {
    const deadlineAt = begun + Math.min(graceMs ?? USUAL_GRACE_MS, atMostMs);
    // A hook that fails stops nobody from being stopped.
    await deps.hooks.preStop({ id, container, podIP }, deadlineAt, signal).catch(() => signal.throwIfAborted());
    await deps.runtime.containers.stop(id, Math.max(0, deadlineAt - deps.clock.now()), signal);
  };
  await Promise.all(parts.filter(({ sidecar }) => sidecar === undefined).map(stop));
  const sidecars = parts.filter(({ sidecar }) => sidecar !== undefined);
  for (const one of sidecars.toSorted((a, b) => b.sidecar! - a.sidecar!)) await stop(one);
}
