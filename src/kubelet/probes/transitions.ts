import type { ProbeTransition } from '#api/peapod/pod-timeline.ts';
import type { Asking, ProbeKind, ProbeState } from '#kubelet/probe.ts';
import type { Attempt } from '#kubelet/probes/history.ts';

/** A probe that fails now and then is told of once a minute; what its failures lead to always. */
const TELL_AGAIN_MS = 60_000;

type Told = Omit<ProbeTransition, 'type' | 'container'>;

/** Which of the answers of one container's probes are worth telling: those that change what is believed, or begin to. */
export class ProbeTransitions {
  readonly #failedAt = new Map<ProbeKind, number>();
  /** Of whom a failure was told and no recovery yet. */
  readonly #failing = new Set<ProbeKind>();
  readonly #unknown = new Map<ProbeKind, string>();

  /** An answer, and what was believed before and after it. undefined when it is not worth telling. */
  heard(
    { kind, probe }: Asking,
    attempt: Attempt,
    { before, after }: { readonly before: ProbeState; readonly after: ProbeState },
  ): Told | undefined {
    const { outcome, output, latencyMs, at } = attempt;
    const tell = (transition: Told['transition'], run: number, threshold: number): Told => ({
      probe: kind,
      transition,
      output: output.trimEnd(),
      run,
      threshold,
      latencyMs,
    });
    if (outcome === 'unknown') {
      const known = this.#unknown.get(kind) === output;
      this.#unknown.set(kind, output);
      return known ? undefined : tell('Unknown', 1, 1);
    }
    this.#unknown.delete(kind);
    const changed = before.reported !== after.reported;
    if (outcome === 'failure') {
      const transition = changed ? 'ThresholdReached' : before.last === 'failure' ? undefined : 'FirstFailure';
      if (transition === undefined || (transition === 'FirstFailure' && !this.#isDue(kind, at))) return undefined;
      this.#failing.add(kind);
      this.#failedAt.set(kind, at);
      return tell(transition, after.run, probe.failureThreshold ?? 3);
    }
    const recovered = this.#failing.has(kind) && before.last === 'failure' && before.reported === 'success';
    if (before.last === 'failure') this.#failing.delete(kind);
    if (changed) return tell(kind === 'startup' ? 'Started' : 'Ready', after.run, probe.successThreshold ?? 1);
    return recovered ? tell('Recovered', after.run, probe.successThreshold ?? 1) : undefined;
  }

  #isDue(kind: ProbeKind, at: number): boolean {
    const told = this.#failedAt.get(kind);
    return told === undefined || at - told >= TELL_AGAIN_MS;
  }
}
