/**
 * The arithmetic of probes: what is believed of a container, when it is asked again, and what an answer changes. Pure:
 * no clock, no network and no container in sight. The loop around it is probes/container-prober.ts.
 */
import type { Container, ContainerStatus, Probe } from '#api/generated/core-v1.ts';
import { unreachable } from '#lib/unreachable.ts';

export type ProbeKind = 'startup' | 'liveness' | 'readiness';
export const probeKinds: readonly ProbeKind[] = ['startup', 'liveness', 'readiness'];

/** `unknown`: not asked often enough yet to say. */
export type Belief = 'unknown' | 'success' | 'failure';
/** One answer. `warning` is a success that people should hear of; `unknown` says nothing about the container. */
export type Outcome = 'success' | 'failure' | 'warning' | 'unknown';

/** What is believed of one container, for each probe that it has. */
export type ProbeResults = { readonly [Kind in ProbeKind]?: Belief };

export interface ProbeState {
  /** What the rest of the kubelet goes by. */
  readonly reported: Belief;
  readonly last: Belief;
  /** How often in a row it was `last`. */
  readonly run: number;
}

/** What of a container decides whether it is to be asked. */
export interface ProbeSubject {
  readonly startedAt: number;
  /** Its startup probe, if it has one, has succeeded. */
  readonly started: boolean;
  readonly podEnding: boolean;
}

/** One of a container's probes. */
export interface Asking {
  readonly kind: ProbeKind;
  readonly probe: Probe;
}

export type Gate =
  | { readonly kind: 'probe' }
  /** Not before `until`; undefined when not before something else has changed. */
  | { readonly kind: 'wait'; readonly until: number | undefined }
  /** Never again for this container. */
  | { readonly kind: 'finished' };

export const probeOf = (container: Container, kind: ProbeKind): Probe | undefined => container[`${kind}Probe`];

/**
 * Before a probe has spoken a container is presumed alive, not ready, and not known to have started. `previous` is the
 * last status of this very container: a kubelet that comes back believes what was last said, so that nothing flaps.
 */
export function initialState(kind: ProbeKind, previous: ContainerStatus | undefined): ProbeState {
  return { reported: initialBelief(kind, previous), last: 'unknown', run: 0 };
}

function initialBelief(kind: ProbeKind, previous: ContainerStatus | undefined): Belief {
  switch (kind) {
    case 'startup':
      return previous?.started === true ? 'success' : 'unknown';
    case 'liveness':
      return 'success';
    case 'readiness':
      return previous?.ready === true ? 'success' : 'failure';
    default:
      return unreachable(kind);
  }
}

/** Is it time to ask? */
export function gate({ kind, probe }: Asking, state: ProbeState, subject: ProbeSubject, now: number): Gate {
  // A pod on its way out must not be restarted, but must still be able to become unready.
  if (subject.podEnding && kind !== 'readiness') return { kind: 'finished' };
  // Who failed these is restarted; asking on would only disturb the stop.
  if (kind !== 'readiness' && state.reported === 'failure') return { kind: 'finished' };
  if (kind === 'startup' && subject.started) return { kind: 'finished' };
  if (kind !== 'startup' && !subject.started) return { kind: 'wait', until: undefined };
  const first = subject.startedAt + (probe.initialDelaySeconds ?? 0) * 1000;
  return now < first ? { kind: 'wait', until: first } : { kind: 'probe' };
}

/** What is reported moves only after enough equal answers in a row. */
export function fold(probe: Probe, state: ProbeState, outcome: Outcome): ProbeState {
  if (outcome === 'unknown') return state;
  const last = outcome === 'failure' ? 'failure' : 'success';
  const run = state.last === last ? state.run + 1 : 1;
  const enough = last === 'success' ? (probe.successThreshold ?? 1) : (probe.failureThreshold ?? 3);
  return { last, run, reported: run >= enough ? last : state.reported };
}

/** A container that runs and has no startup probe has started. */
export const hasStarted = (container: Container, results: ProbeResults): boolean =>
  container.startupProbe === undefined || results.startup === 'success';

export const isReady = (container: Container, results: ProbeResults): boolean =>
  hasStarted(container, results) && (container.readinessProbe === undefined || results.readiness === 'success');

/** The probe for whose sake the container must be restarted. */
export function failedProbe(container: Container, results: ProbeResults): 'startup' | 'liveness' | undefined {
  if (container.startupProbe !== undefined && results.startup === 'failure') return 'startup';
  return container.livenessProbe !== undefined && results.liveness === 'failure' ? 'liveness' : undefined;
}

export function initialResults(container: Container, previous: ContainerStatus | undefined): ProbeResults {
  const kinds = probeKinds.filter((kind) => probeOf(container, kind) !== undefined);
  return Object.fromEntries(kinds.map((kind) => [kind, initialState(kind, previous).reported]));
}
