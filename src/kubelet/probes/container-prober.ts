import { createHash } from 'node:crypto';
import type { ContainerStatus, Probe } from '#api/generated/core-v1.ts';
import type { ProbeTransition } from '#api/peapod/pod-timeline.ts';
import type { EventText } from '#client/events.ts';
import {
  fold,
  gate,
  hasStarted,
  initialState,
  probeKinds,
  type ProbeKind,
  probeOf,
  type ProbeResults,
  type ProbeState,
} from '#kubelet/probe.ts';
import type { ProbeAsker } from '#kubelet/probes/ask.ts';
import { ProbeHistory } from '#kubelet/probes/history.ts';
import type { Answer, ProbeTarget } from '#kubelet/probes/probe-call.ts';
import { ProbeTransitions } from '#kubelet/probes/transitions.ts';
import type { Clock } from '#lib/clock.ts';
import { Scope } from '#lib/scope.ts';
import { Signal } from '#lib/signal.ts';

export interface ProberDeps {
  readonly clock: Clock;
  readonly asker: ProbeAsker;
  readonly tell: (container: string, event: EventText) => void;
  /** What its timeline should say. */
  readonly note: (entry: ProbeTransition) => void;
  /** What is believed of the container has changed. */
  readonly changed: () => void;
  /** When this kubelet began, epoch ms. */
  readonly since: number;
  readonly log: (message: string, error: unknown) => void;
}

export interface Probed extends ProbeTarget {
  readonly startedAt: number;
  readonly podEnding: boolean;
}

/**
 * Asks one container, known by its id, as its probes say; a container that takes its place starts afresh with a prober of
 * its own. Each probe keeps its own pace: a slow one does not hold up the others, and a late one does not shift its ticks.
 */
export class ContainerProber {
  readonly history = new ProbeHistory();
  readonly #deps: ProberDeps;
  readonly #transitions = new ProbeTransitions();
  readonly #states: Map<ProbeKind, ProbeState>;
  readonly #woken = new Map<ProbeKind, Signal>(probeKinds.map((kind) => [kind, new Signal()]));
  #probed: Probed;
  #results: ProbeResults;

  /** `previous` is the last status of this very container, if there is one. */
  constructor(probed: Probed, previous: ContainerStatus | undefined, deps: ProberDeps) {
    this.#probed = probed;
    this.#deps = deps;
    const kinds = probeKinds.filter((kind) => probeOf(probed.container, kind) !== undefined);
    this.#states = new Map(kinds.map((kind) => [kind, initialState(kind, previous)]));
    this.#results = resultsOf(this.#states);
  }

  get results(): ProbeResults {
    return this.#results;
  }

  /** What has become of the container and its pod. Its probes never change: a pod's cannot. */
  update(probed: Probed): void {
    const before = this.#probed;
    this.#probed = probed;
    if (before.podEnding !== probed.podEnding) this.#wakeAll();
  }

  /** Until no probe has anything left to ask, or `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await using scope = new Scope(signal);
    for (const kind of this.#states.keys()) {
      const probe = probeOf(this.#probed.container, kind)!;
      scope.spawn(`${kind} probe`, (inner) => this.#keepAsking(kind, probe, inner));
    }
    await scope.join();
  }

  async #keepAsking(kind: ProbeKind, probe: Probe, signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    const periodMs = (probe.periodSeconds ?? 10) * 1000;
    const spreadMs = this.#spread(kind, periodMs);
    if (spreadMs > 0) await clock.sleep(spreadMs, signal);
    for (let due = clock.now(); ;) {
      const now = clock.now();
      const next = gate({ kind, probe }, this.#states.get(kind)!, this.#subject(), now);
      if (next.kind === 'finished') return;
      if (next.kind === 'wait') {
        await this.#woken.get(kind)!.wait(clock, next.until, signal);
        due = clock.now();
      } else if (now < due) {
        await this.#woken.get(kind)!.wait(clock, due, signal);
      } else {
        await this.#attempt(kind, probe, signal);
        // Ticks that passed meanwhile are dropped, as a Go ticker drops them.
        due = onBeat(due + periodMs * Math.max(1, Math.ceil((clock.now() - due) / periodMs)));
      }
    }
  }

  /**
   * A kubelet that comes back finds all containers at once: each of their probes begins somewhere in its period, and
   * always at the same place, so that a story told twice is the same. New containers are asked at once.
   */
  #spread(kind: ProbeKind, periodMs: number): number {
    const { id, startedAt } = this.#probed;
    if (startedAt >= this.#deps.since) return 0;
    const part = createHash('sha256').update(`${id}/${kind}`).digest().readUInt32BE() / 2 ** 32;
    return Math.floor(part * periodMs);
  }

  #subject(): { readonly startedAt: number; readonly started: boolean; readonly podEnding: boolean } {
    const { container, startedAt, podEnding } = this.#probed;
    return { startedAt, podEnding, started: hasStarted(container, this.results) };
  }

  async #attempt(kind: ProbeKind, probe: Probe, signal: AbortSignal): Promise<void> {
    const { asker, clock, changed, tell, note } = this.#deps;
    const { container } = this.#probed;
    const at = clock.now();
    const answer = await asker.ask(probe, this.#probed, signal);
    const attempt = { ...answer, kind, at, latencyMs: clock.now() - at };
    this.history.add(attempt);
    const event = eventOf(kind, answer);
    if (event) tell(container.name, event);
    const before = this.#states.get(kind)!;
    const after = fold(probe, before, answer.outcome);
    this.#states.set(kind, after);
    const transition = this.#transitions.heard({ kind, probe }, attempt, { before, after });
    if (transition) note({ type: 'Probe', container: container.name, ...transition });
    if (after.reported === before.reported) return;
    this.#results = resultsOf(this.#states);
    this.#wakeAll();
    changed();
  }

  #wakeAll(): void {
    for (const woken of this.#woken.values()) woken.raise();
  }
}

/**
 * Hundreds of probes a second that come a few together cost a sixth less than as many that each wake the process. The first time a
 * container is asked at once; from the second on its probes keep to this beat, which whole seconds do not leave.
 */
const BEAT_MS = 40;
const onBeat = (at: number): number => Math.ceil(at / BEAT_MS) * BEAT_MS;

const resultsOf = (states: ReadonlyMap<ProbeKind, ProbeState>): ProbeResults =>
  Object.fromEntries([...states].map(([kind, { reported }]) => [kind, reported]));

const titles = { startup: 'Startup', liveness: 'Liveness', readiness: 'Readiness' } as const;

function eventOf(kind: ProbeKind, { outcome, output }: Answer): EventText | undefined {
  const title = titles[kind];
  switch (outcome) {
    case 'success':
      return undefined;
    case 'warning':
      return { type: 'Warning', reason: 'ProbeWarning', message: `${title} probe warning: ${output}` };
    case 'failure':
      return { type: 'Warning', reason: 'Unhealthy', message: `${title} probe failed: ${output}` };
    case 'unknown': {
      const message = `${title} probe errored and resulted in unknown state: ${output}`;
      return { type: 'Warning', reason: 'Unhealthy', message };
    }
  }
}
