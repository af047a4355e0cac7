import type { Outcome, ProbeKind } from '#kubelet/probe.ts';

/** One time a container was asked. */
export interface Attempt {
  readonly kind: ProbeKind;
  /** Epoch milliseconds at which it began. */
  readonly at: number;
  readonly latencyMs: number;
  readonly outcome: Outcome;
  /** Cut to 1024 characters. */
  readonly output: string;
}

/** Per probe: at the usual ten seconds, the last ten minutes. */
const KEPT = 60;
const LONGEST_OUTPUT = 1024;

/** The last attempts of one container's probes; a busy probe does not push out another's. */
export class ProbeHistory {
  readonly #kept = new Map<ProbeKind, Attempt[]>();

  add(attempt: Attempt): void {
    const kept = this.#kept.get(attempt.kind) ?? [];
    kept.push({ ...attempt, output: attempt.output.slice(0, LONGEST_OUTPUT) });
    if (kept.length > KEPT) kept.shift();
    this.#kept.set(attempt.kind, kept);
  }

  /** Oldest first. */
  list(): readonly Attempt[] {
    return [...this.#kept.values()].flat().sort((a, b) => a.at - b.at);
  }
}
