import type { Container, Pod } from '#api/generated/core-v1.ts';
import type { ContainerId } from '#cri/runtime.ts';
import { containerNamed, type PodContainer, statusOfContainer } from '#kubelet/observed.ts';
import { probeKinds, probeOf, type ProbeResults } from '#kubelet/probe.ts';
import { ContainerProber, type ProberDeps } from '#kubelet/probes/container-prober.ts';
import type { Attempt } from '#kubelet/probes/history.ts';
import type { Scope } from '#lib/scope.ts';

/** What a look at a pod has shown of those who may have to be asked. */
export interface ProbedPod {
  readonly pod: Pod;
  readonly containers: readonly PodContainer[];
  readonly podIP: string | undefined;
  readonly ending: boolean;
  /** The last status, that a prober begins from. */
  readonly previous: Pod['status'];
}

interface Prober {
  readonly prober: ContainerProber;
  /** undefined once its container has ended. */
  stop: AbortController | undefined;
}

/** One prober a container that runs and has probes. What one has heard is kept as long as its container is there. */
export class PodProbers {
  readonly #deps: ProberDeps;
  readonly #probers = new Map<ContainerId, Prober>();

  constructor(deps: ProberDeps) {
    this.#deps = deps;
  }

  /** Of the containers that run, and of those that ended and are still there. */
  results(): ReadonlyMap<ContainerId, ProbeResults> {
    return new Map([...this.#probers].map(([id, { prober }]) => [id, prober.results]));
  }

  /** Every attempt still remembered of a container, oldest first; empty when it was never asked. */
  history(id: ContainerId): readonly Attempt[] {
    return this.#probers.get(id)?.prober.history.list() ?? [];
  }

  /** Begins and ends probers in `scope` as containers come and go. */
  follow(seen: ProbedPod, scope: Scope): void {
    const present = new Set(seen.containers.map(({ id }) => id));
    for (const [id, one] of this.#probers) {
      if (present.has(id)) continue;
      one.stop?.abort(new Error('the container is gone'));
      this.#probers.delete(id);
    }
    for (const found of seen.containers) {
      const container = containerNamed(seen.pod, found.name);
      if (container && probeKinds.some((kind) => probeOf(container, kind)))
        this.#followOne(found, container, seen, scope);
    }
  }

  #followOne(found: PodContainer, container: Container, seen: ProbedPod, scope: Scope): void {
    const known = this.#probers.get(found.id);
    if (found.state.kind === 'exited' && known) {
      known.stop?.abort(new Error('the container has ended'));
      known.stop = undefined;
    }
    if (found.state.kind !== 'running') return;
    const { podIP, ending, previous } = seen;
    const probed = { id: found.id, container, podIP, podEnding: ending, startedAt: found.state.startedAt };
    if (known) known.prober.update(probed);
    else this.#begin(new ContainerProber(probed, statusOfContainer(previous, found), this.#deps), found.id, scope);
  }

  #begin(prober: ContainerProber, id: ContainerId, scope: Scope): void {
    const stop = new AbortController();
    this.#probers.set(id, { prober, stop });
    scope.spawn(`probes of ${id}`, async (signal) => {
      await prober.run(AbortSignal.any([signal, stop.signal])).catch((error: unknown) => {
        if (signal.aborted) throw error;
        // Its pod lives on: what is believed of the container stays as it is.
        if (!stop.signal.aborted) this.#deps.log(`the probes of container ${id} ended`, error);
      });
    });
  }
}
