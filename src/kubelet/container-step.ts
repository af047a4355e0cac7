import type { Container, ContainerStateTerminated, ContainerStatus, Pod } from '#api/generated/core-v1.ts';
import type { ContainerId, SandboxId } from '#cri/runtime.ts';
import {
  annotations,
  containersNamed,
  currentSandbox,
  type Failure,
  type Observed,
  type PodContainer,
  statusOfContainer,
  step,
} from '#kubelet/observed.ts';
import { failedProbe, hasStarted, initialResults, probeOf, type ProbeResults } from '#kubelet/probe.ts';
import { restartsAfter, type Role } from '#api/restart-policy.ts';
import { backoffDelay, type BackoffPolicy } from '#lib/backoff.ts';
import { unreachable } from '#lib/unreachable.ts';

/**
 * Where one container of a pod stands and what comes next for it. The plan takes its actions from here and the status
 * takes its waiting reasons from here, so the two cannot tell different stories.
 */
export type ContainerStep =
  /** Something to do now. `waiting` is what the container's status says meanwhile. */
  | { readonly kind: 'act'; readonly action: ContainerAction; readonly waiting: Waiting }
  /** Nothing to do before `until`; undefined when only a change of the world can help. */
  | { readonly kind: 'wait'; readonly until: number | undefined; readonly waiting: Waiting }
  /** `started`: its startup probe, if it has one, has succeeded. */
  | { readonly kind: 'running'; readonly container: PodContainer; readonly started: boolean }
  /** Has run and will not run again under its restart policy. */
  | { readonly kind: 'ended'; readonly exit: Exit };

/** What is said of a container that ran, or was to run, and of which nothing is known any more. */
export const lostContainer: ContainerStateTerminated = {
  exitCode: 137,
  reason: 'ContainerStatusUnknown',
  message: 'The container could not be located when the pod was terminated',
};

export interface Waiting {
  readonly reason: string;
  readonly message?: string;
}

export type ContainerAction =
  | { readonly kind: 'pull-image'; readonly container: Container }
  | {
      readonly kind: 'create-container';
      readonly container: Container;
      readonly sandbox: SandboxId;
      readonly attempt: number;
      /** The delay to remember on it: how long its successor must wait. */
      readonly restartDelayMs: number;
    }
  | { readonly kind: 'start-container'; readonly id: ContainerId; readonly name: string }
  | {
      readonly kind: 'stop-container';
      readonly id: ContainerId;
      readonly name: string;
      readonly deadlineAt: number;
      /** The pod is ending: a nearer deadline, should one come, must reach a stop that is already under way. */
      readonly final: boolean;
      readonly why: string;
    };

/** How a container ended, from the runtime or, when that has forgotten it, from the last status. */
export interface Exit {
  readonly attempt: number;
  readonly exitCode: number;
  readonly reason: string;
  readonly message: string;
  readonly startedAt: number | undefined;
  /** undefined when nobody saw it end. */
  readonly finishedAt: number | undefined;
  readonly containerId: string | undefined;
  readonly image: string | undefined;
  readonly restartDelayMs: number;
}

export interface StepContext {
  readonly pod: Pod;
  readonly observed: Observed;
  readonly now: number;
}

/** After this long without a crash a container's back-off starts over; its restart count does not. */
const GOOD_RUN_MS = 600_000;
export const imagePull: BackoffPolicy = { baseMs: 10_000, factor: 2, maxMs: 300_000 };
/** Creating fails for reasons that often pass by themselves (a name still reserved, a missing key): soon, then less often. */
const stepRetry: BackoffPolicy = { baseMs: 1000, factor: 2, maxMs: 60_000 };
/** A failed pull shows as ErrImagePull this long, then as ImagePullBackOff until it is tried again. */
const PULL_ERROR_SHOWN_MS = 3000;

export function containerStep(container: Container, role: Role, context: StepContext): ContainerStep {
  const { observed } = context;
  const sandbox = currentSandbox(observed);
  const newest = containersNamed(observed, container.name).find((found) => found.sandbox === sandbox?.id);
  switch (newest?.state.kind) {
    case undefined:
    case 'exited':
      return afterExit(container, role, context);
    case 'created':
      return startStep(container, newest!, context);
    case 'running':
      return runningStep(container, role, newest!, context);
    case 'unknown':
      return stopNow(newest!, context, `Container ${container.name} is in an unknown state`);
    default:
      return unreachable(newest!.state as never);
  }
}

function runningStep(container: Container, role: Role, found: PodContainer, context: StepContext): ContainerStep {
  // It counts as running once its hook is done.
  if (isBeingHooked(container, found, context.observed)) {
    return { kind: 'wait', until: undefined, waiting: notYet(context.pod) };
  }
  if (isStale(container, found)) {
    return stopNow(found, context, `Container ${container.name} definition changed, will be restarted`);
  }
  const results = probeResults(container, found, context.observed);
  const failed = failedProbe(container, results);
  if (failed === undefined) return { kind: 'running', container: found, started: hasStarted(container, results) };
  // What it was killed with; that it is restarted is said of whoever fails.
  const again = restartsAfter(role, context.pod, container, 137) ? ', will be restarted' : '';
  const why = `Container ${container.name} failed ${failed} probe${again}`;
  return stopNow(found, context, why, probeOf(container, failed)?.terminationGracePeriodSeconds);
}

/** It runs, and its postStart hook is under way. */
export const isBeingHooked = (container: Container, found: PodContainer, observed: Observed): boolean =>
  container.lifecycle?.postStart !== undefined && observed.inFlight.has(step.start(found.id));

/** A container that nobody has begun to ask yet is believed to be as it was last said to be. */
export const probeResults = (container: Container, found: PodContainer, observed: Observed): ProbeResults =>
  observed.probes.get(found.id) ?? initialResults(container, statusOfContainer(observed.previous, found));

/** How the newest attempt that has ended did so; undefined when none has. */
export function lastExit(container: Container, { observed }: StepContext): Exit | undefined {
  const [newest, ...older] = containersNamed(observed, container.name);
  const known = statusNamed(observed, container.name);
  // The last status knows of a later attempt when the runtime has lost that one: a removed sandbox, a reboot.
  if (newest === undefined || (known !== undefined && newest.attempt < known.restartCount)) {
    return known === undefined ? undefined : exitFromStatus(known);
  }
  const exited = [newest, ...older].find((one) => one.state.kind === 'exited');
  if (exited) return exitOf(exited, observed);
  const ended =
    known && known.restartCount < newest.attempt
      ? (known.state?.terminated ?? known.lastState?.terminated)
      : known?.lastState?.terminated;
  return ended && exitFromTerminated(ended, newest.attempt - 1);
}

export function statusNamed(observed: Observed, name: string): ContainerStatus | undefined {
  const {
    containerStatuses = [],
    initContainerStatuses = [],
    ephemeralContainerStatuses = [],
  } = observed.previous ?? {};
  const all = [...containerStatuses, ...initContainerStatuses, ...ephemeralContainerStatuses];
  return all.find((status) => status.name === name);
}

export function restarts(role: Role, pod: Pod, exit: Exit, container: Container): boolean {
  // A pod's image may be changed while it lives; the new one is to run whatever the policy says.
  if (role !== 'init' && role !== 'ephemeral' && exit.image !== undefined && exit.image !== container.image)
    return true;
  return restartsAfter(role, pod, container, exit.exitCode);
}

function afterExit(container: Container, role: Role, context: StepContext): ContainerStep {
  const exit = lastExit(container, context);
  if (exit === undefined) return makeStep(container, context, undefined);
  if (isUndone(container, role, context)) return makeStep(container, context, exit);
  if (!restarts(role, context.pod, exit, container)) return { kind: 'ended', exit };
  // Written down by a kubelet that may have been told otherwise.
  const delay = ranWell(exit) ? 0 : Math.min(exit.restartDelayMs, context.observed.crashLoop.maxMs);
  const due = (exit.finishedAt ?? 0) + delay;
  return context.now < due ? crashLoopBackOff(container, context, due, delay) : makeStep(container, context, exit);
}

/** In a new sandbox everything begins anew: init containers run again, however well they did in the one before. */
function isUndone(container: Container, role: Role, context: StepContext): boolean {
  const { observed } = context;
  const sandbox = currentSandbox(observed);
  if (role !== 'init' || sandbox?.state !== 'ready' || mainHasBegun(context)) return false;
  return (
    lastExit(container, context)?.exitCode === 0 &&
    !containersNamed(observed, container.name).some((found) => found.sandbox === sandbox.id)
  );
}

/** Init is over once any main container exists in this sandbox, even if the dead init containers are gone by now. */
export function mainHasBegun({ pod, observed }: StepContext): boolean {
  const sandbox = currentSandbox(observed);
  return pod.spec.containers.some((container) =>
    containersNamed(observed, container.name).some((found) => found.sandbox === sandbox?.id),
  );
}

const ranWell = (exit: Exit): boolean =>
  exit.startedAt !== undefined && exit.finishedAt !== undefined && exit.finishedAt - exit.startedAt >= GOOD_RUN_MS;

/** Upstream restarts once at once, then after 10 s, 20 s, …; ten good minutes and it restarts at once again. */
function delayAfter(exit: Exit | undefined, crashLoop: BackoffPolicy): number {
  if (exit === undefined) return 0;
  return ranWell(exit)
    ? crashLoop.baseMs
    : Math.min(crashLoop.maxMs, Math.max(crashLoop.baseMs, exit.restartDelayMs * crashLoop.factor));
}

function crashLoopBackOff(container: Container, { pod }: StepContext, until: number, delayMs: number): ContainerStep {
  const { name, namespace, uid } = pod.metadata;
  const message = `back-off ${goDuration(delayMs)} restarting failed container=${container.name} pod=${name}_${namespace}(${uid})`;
  return { kind: 'wait', until, waiting: { reason: 'CrashLoopBackOff', message } };
}

/** Creates the container if all it needs is here; else says what is missing. */
function makeStep(container: Container, context: StepContext, exit: Exit | undefined): ContainerStep {
  const image = imageStep(container, context, exit);
  if (image) return image;
  const { observed, pod } = context;
  const creating = notYet(pod);
  const sandbox = currentSandbox(observed);
  if (sandbox?.state !== 'ready' || observed.files !== 'ready') {
    return { kind: 'wait', until: undefined, waiting: creating };
  }
  const failed = observed.failures.get(step.create(container.name));
  if (failed && context.now < retryAt(failed)) return waitAfter(failed);
  return {
    kind: 'act',
    waiting: failed ? { reason: failed.reason, message: failed.message } : creating,
    action: {
      kind: 'create-container',
      container,
      sandbox: sandbox.id,
      attempt: nextAttempt(container, context, exit),
      restartDelayMs: delayAfter(exit, observed.crashLoop),
    },
  };
}

/** A number no container of this name has had, so that neither names nor log files meet. */
function nextAttempt(container: Container, { observed }: StepContext, exit: Exit | undefined): number {
  const newest = containersNamed(observed, container.name)[0];
  return Math.max(exit?.attempt ?? -1, newest?.attempt ?? -1) + 1;
}

/** undefined when the image is here. */
function imageStep(container: Container, context: StepContext, exit: Exit | undefined): ContainerStep | undefined {
  const { observed, now, pod } = context;
  const image = container.image ?? '';
  const state = observed.images.get(image) ?? { kind: 'absent' };
  const wanted = container.imagePullPolicy ?? 'IfNotPresent';
  if (state.kind === 'present') {
    // "Always" asks the registry anew for every container that is made, not for every look at the pod.
    const fresh = state.pulledAt !== undefined && state.pulledAt >= (exit?.finishedAt ?? -Infinity);
    if (wanted !== 'Always' || fresh) return undefined;
  } else if (wanted === 'Never') {
    const message = `Container image "${image}" is not present with pull policy of Never`;
    return { kind: 'wait', until: undefined, waiting: { reason: 'ErrImageNeverPull', message } };
  }
  const failed = observed.failures.get(step.pull(image));
  if (failed === undefined) return pull(container, notYet(pod));
  return now < pullAgainAt(failed) ? pullBackOff(image, failed, now) : pull(container, pullError(failed));
}

const pull = (container: Container, waiting: Waiting): ContainerStep => ({
  kind: 'act',
  waiting,
  action: { kind: 'pull-image', container },
});

export const pullAgainAt = (failed: Failure): number => failed.at + backoffDelay(imagePull, failed.count);
const pullError = ({ reason, message }: Failure): Waiting => ({ reason, message });

function pullBackOff(image: string, failed: Failure, now: number): ContainerStep {
  const shownUntil = failed.at + PULL_ERROR_SHOWN_MS;
  if (now < shownUntil || failed.reason === 'InvalidImageName') {
    const until = now < shownUntil ? shownUntil : pullAgainAt(failed);
    return { kind: 'wait', until, waiting: pullError(failed) };
  }
  const message = `Back-off pulling image "${image}": ${failed.reason}: ${failed.message}`;
  return { kind: 'wait', until: pullAgainAt(failed), waiting: { reason: 'ImagePullBackOff', message } };
}

function startStep(container: Container, created: PodContainer, context: StepContext): ContainerStep {
  const failed = context.observed.failures.get(step.start(created.id));
  if (failed && context.now < retryAt(failed)) return waitAfter(failed);
  const action = { kind: 'start-container', id: created.id, name: container.name } as const;
  return { kind: 'act', action, waiting: failed ? pullError(failed) : notYet(context.pod) };
}

export const retryAt = (failed: Failure): number => failed.at + backoffDelay(stepRetry, failed.count);
const waitAfter = (failed: Failure): ContainerStep => ({
  kind: 'wait',
  until: retryAt(failed),
  waiting: { reason: failed.reason, message: failed.message },
});

function stopNow(
  container: PodContainer,
  { pod, now }: StepContext,
  why: string,
  graceSeconds = pod.spec.terminationGracePeriodSeconds ?? 30,
): ContainerStep {
  const graceMs = graceSeconds * 1000;
  return {
    kind: 'act',
    action: {
      kind: 'stop-container',
      id: container.id,
      name: container.name,
      deadlineAt: now + graceMs,
      final: false,
      why,
    },
    waiting: notYet(pod),
  };
}

function isStale(container: Container, found: PodContainer): boolean {
  const made = found.annotations[annotations.image];
  return made !== undefined && made !== container.image;
}

export const notYet = (pod: Pod): Waiting => ({
  reason: (pod.spec.initContainers?.length ?? 0) > 0 ? 'PodInitializing' : 'ContainerCreating',
});

/** How the attempt before this one ended, while the runtime has it still. */
export function exitBefore({ name, attempt }: PodContainer, observed: Observed): Exit | undefined {
  const older = containersNamed(observed, name).find((one) => one.attempt < attempt);
  return older && exitOf(older, observed);
}

function exitOf(container: PodContainer, { previous }: Observed): Exit | undefined {
  if (container.state.kind !== 'exited') return undefined;
  const { exitCode, reason, message, startedAt, finishedAt } = container.state;
  // The files of an ended pod are gone, and with them its last words: who read them has told.
  const told = statusOfContainer(previous, container)?.state?.terminated?.message;
  return {
    attempt: container.attempt,
    exitCode,
    reason,
    message: message === '' ? (told ?? '') : message,
    startedAt,
    finishedAt,
    containerId: container.id,
    image: container.annotations[annotations.image],
    restartDelayMs: Number(container.annotations[annotations.restartDelayMs] ?? 0),
  };
}

/** The runtime knows nothing of a container that the last status shows: it went with its sandbox, or in a reboot. */
function exitFromStatus(status: ContainerStatus): Exit | undefined {
  const { state, lastState, restartCount } = status;
  if (state?.running) return exitFromTerminated({ ...lostContainer, ...containerIdOf(status) }, restartCount);
  const ended = state?.terminated ?? lastState?.terminated;
  return ended && exitFromTerminated(ended, restartCount);
}

const containerIdOf = ({ containerID }: ContainerStatus): { containerID?: string } =>
  containerID === undefined ? {} : { containerID };

function exitFromTerminated(ended: ContainerStateTerminated, attempt: number): Exit {
  return {
    attempt,
    exitCode: ended.exitCode,
    reason: ended.reason ?? '',
    message: ended.message ?? '',
    startedAt: millis(ended.startedAt),
    finishedAt: millis(ended.finishedAt),
    containerId: ended.containerID,
    image: undefined,
    restartDelayMs: 0,
  };
}

const millis = (time: string | undefined): number | undefined => (time === undefined ? undefined : Date.parse(time));

/** As Go prints durations of whole seconds: 10s, 1m20s, 5m0s. */
function goDuration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
}
