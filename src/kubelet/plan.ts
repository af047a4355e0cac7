/**
 * A pod's whole life on a node, as one decision: what is the next thing to do?
 *
 * `planPod` is a pure function of what is desired, what is observed and the time. A plan holds only steps that are
 * possible now, in any order; "not yet" is a time (`wakeAt`), not a step. The worker (worker.ts) does the steps, looks
 * again and asks again, so a crash at any point is harmless: there is no script to resume and nothing to undo.
 *
 * Reading order: `Desired`, `Action`, then `planRun` for the way up and `planEnd` for the way down. Where a single
 * container stands is decided in container-step.ts, which the status reads as well.
 */
import type { Container, Pod } from '#api/generated/core-v1.ts';
import type { ContainerId, ObservedSandbox, SandboxId } from '#cri/runtime.ts';
import {
  type ContainerAction,
  containerStep,
  type ContainerStep,
  lastExit,
  mainHasBegun,
  restarts,
  retryAt,
  type StepContext,
} from '#kubelet/container-step.ts';
import {
  containersNamed,
  currentSandbox,
  isRunning,
  type Observed,
  type PodContainer,
  step,
  type StepKey,
} from '#kubelet/observed.ts';
import type { Role } from '#api/restart-policy.ts';
import { unreachable } from '#lib/unreachable.ts';

/** What should be true of a pod on this node. Only `run` may turn into another; the others never turn back into it. */
export type Desired =
  | { readonly kind: 'run'; readonly pod: Pod }
  /** Containers are to end by the deadline, which only ever comes nearer. */
  | { readonly kind: 'terminate'; readonly pod: Pod; readonly deadlineAt: number; readonly cause: TerminationCause }
  /** It has ended: give back sandbox, address, volumes and cgroup; keep dead containers and logs for those who ask why. */
  | { readonly kind: 'release'; readonly pod: Pod }
  /** The API knows nothing of it (any more): remove whatever is left. */
  | { readonly kind: 'forget'; readonly deadlineAt: number };

/** `completed`: those that decide how a pod ends have all ended, and only its sidecars (or who looks into it) are left. */
export type TerminationCause = 'deleted' | 'deadline-exceeded' | 'evicted' | 'completed';

export type Action = { readonly key: StepKey } & (
  | ContainerAction
  /** cgroup, volumes, folders. */
  | { readonly kind: 'prepare-files' }
  | { readonly kind: 'create-sandbox'; readonly attempt: number }
  /** Of a sidecar that must not be stopped yet: hooks of all containers run from the beginning of a pod's end. */
  | { readonly kind: 'run-pre-stop'; readonly id: ContainerId; readonly name: string; readonly deadlineAt: number }
  | { readonly kind: 'stop-sandbox'; readonly id: SandboxId }
  /** `lost`: it was the pod's current one and ended by itself; the pod goes on in another. */
  | { readonly kind: 'remove-sandbox'; readonly id: SandboxId; readonly lost?: true }
  | { readonly kind: 'remove-container'; readonly id: ContainerId }
  /** Volumes and cgroup always; the logs only when nobody can ask for them any more. */
  | { readonly kind: 'clean-up'; readonly logs: 'keep' | 'remove' }
  /** The last step of a deleted pod: its object goes from the API. */
  | { readonly kind: 'delete-object' }
);

export interface Plan {
  readonly actions: readonly Action[];
  /** Steps under way that no longer serve any purpose. */
  readonly cancel: readonly StepKey[];
  /** Look again then, even if nothing happens. Without it, and without actions, the pod is at rest. */
  readonly wakeAt: number | undefined;
}

export function planPod(desired: Desired, observed: Observed, now: number): Plan {
  switch (desired.kind) {
    case 'run':
      return planRun({ pod: desired.pod, observed, now });
    case 'terminate':
      return planEnd(desired, observed, now);
    case 'release':
      return planRelease(observed, now);
    case 'forget':
      return planEnd(desired, observed, now);
    default:
      return unreachable(desired);
  }
}

function planRun(context: StepContext): Plan {
  const { observed, now, pod } = context;
  const steps = runSteps(context);
  const all = [...steps, ...ephemeralSteps(context)];
  const waits = all.flatMap((one) => (one.kind === 'wait' && one.until !== undefined ? [one.until] : []));
  const around = sandboxSteps(context, steps);
  const wanted = [
    ...around,
    ...all.flatMap((one) => (one.kind === 'act' ? [keyed(one.action)] : [])),
    ...prune(pod, observed),
  ];
  return toPlan(wanted, observed, now, waits);
}

/** The steps of all containers whose turn it is: init containers one after the other, then the main ones side by side. */
export function runSteps(context: StepContext): readonly ContainerStep[] {
  const { pod } = context;
  const steps: ContainerStep[] = [];
  if (!mainHasBegun(context)) {
    for (const container of pod.spec.initContainers ?? []) {
      const next = containerStep(container, roleOf(container), context);
      steps.push(next);
      if (!letsOthersBegin(container, next)) return steps;
    }
  } else {
    for (const sidecar of (pod.spec.initContainers ?? []).filter(isSidecar)) {
      steps.push(containerStep(sidecar, 'sidecar', context));
    }
  }
  return [...steps, ...pod.spec.containers.map((container) => containerStep(container, 'main', context))];
}

/**
 * Nothing that decides how the pod ends runs or will run again, but something else does: sidecars, which live as long as
 * the others do, and ephemeral containers.
 */
export function isCompleted(context: StepContext): boolean {
  const { pod, observed } = context;
  if (!observed.containers.some(isRunning)) return false;
  const failed = (pod.spec.initContainers ?? []).some((container) => {
    const next = isSidecar(container) ? undefined : containerStep(container, 'init', context);
    return next?.kind === 'ended' && next.exit.exitCode !== 0;
  });
  if (failed && !mainHasBegun(context)) return true;
  return pod.spec.containers.every((container) => containerStep(container, 'main', context).kind === 'ended');
}

/** Added to look into a pod that runs already: each runs once, whatever the others do. */
const ephemeralSteps = (context: StepContext): readonly ContainerStep[] =>
  (context.pod.spec.ephemeralContainers ?? []).map((container) => containerStep(container, 'ephemeral', context));

const letsOthersBegin = (container: Container, { kind, ...next }: ContainerStep): boolean =>
  isSidecar(container)
    ? kind === 'running' && 'started' in next && next.started
    : kind === 'ended' && 'exit' in next && next.exit.exitCode === 0;

export const isSidecar = (container: Container): boolean => container.restartPolicy === 'Always';
export const roleOf = (container: Container): Role => (isSidecar(container) ? 'sidecar' : 'init');

/** What must be done about files and sandboxes before or beside the containers. */
function sandboxSteps(context: StepContext, steps: readonly ContainerStep[]): readonly Action[] {
  const { observed, now } = context;
  // A sandbox that is being made shows up half-made: hands off until its step has ended.
  if (observed.inFlight.has(step.createSandbox())) return [];
  const current = currentSandbox(observed);
  const stale = observed.sandboxes.filter((sandbox) => sandbox.id !== current?.id || sandbox.state !== 'ready');
  if (stale.length > 0)
    return stale.map((one) => ({ ...removeSandbox(one), ...(one.id === current?.id ? { lost: true } : {}) }));
  if (observed.files !== 'ready') return untilRetry(observed, now, { kind: 'prepare-files', key: step.prepare() });
  if (current || !needsSandbox(context, steps)) return [];
  return untilRetry(observed, now, { kind: 'create-sandbox', key: step.createSandbox(), attempt: 0 });
}

/** A `Never` pod whose containers have all run gets no new sandbox to run nothing in. */
const needsSandbox = ({ pod, observed, now }: StepContext, steps: readonly ContainerStep[]): boolean =>
  steps.length < pod.spec.containers.length ||
  pod.spec.containers.some((container) => {
    const exit = lastExit(container, { pod, observed, now });
    return exit === undefined || restarts('main', pod, exit, container);
  });

/**
 * Of the dead containers of a name the newest is kept: for its logs, and for `lastState`. As long as an end is not told yet all are: it may
 * be that the one before was not either.
 */
function prune(pod: Pod, observed: Observed): readonly Action[] {
  if (observed.containers.some(({ isClearing }) => isClearing)) return [];
  const names = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].map(({ name }) => name);
  return names.flatMap((name) =>
    containersNamed(observed, name)
      .filter((container) => container.state.kind === 'exited')
      .slice(1)
      .map(({ id }) => ({ kind: 'remove-container' as const, key: step.removeContainer(id), id })),
  );
}

type Ending = Extract<Desired, { readonly kind: 'terminate' | 'forget' }>;

/** Stops what runs; then, for a pod that is to vanish, removes what is left, and last its object. */
function planEnd(desired: Ending, observed: Observed, now: number): Plan {
  const hooks = observed.containers.filter(isRunning).map(({ id }) => step.start(id));
  const cancel = [...observed.inFlight.keys()].filter((key) => key.startsWith('pull ') || hooks.includes(key));
  const plan = (actions: readonly Action[], waits: readonly number[] = []): Plan => ({
    ...toPlan(actions, observed, now, waits),
    cancel,
  });

  // What is being made now must first be seen, or it would outlive its pod.
  if (observed.inFlight.has(step.createSandbox())) return plan([]);
  const stops = stopsInOrder(desired, observed, now);
  if (stops.length > 0) return plan(stops, [desired.deadlineAt]);
  if ([...observed.inFlight.keys()].some((key) => key.startsWith('create ') || key.startsWith('start ')))
    return plan([]);
  if (desired.kind === 'terminate' && desired.cause !== 'deleted') return plan([]);

  if (observed.sandboxes.length > 0) return plan(observed.sandboxes.map(removeSandbox));
  if (observed.files !== 'absent') return plan([{ kind: 'clean-up', key: step.cleanUp(), logs: 'remove' }]);
  // The object goes last, and only after everyone could see how the pod ended.
  if (desired.kind === 'forget' || !observed.terminalReported) return plan([]);
  return plan([{ kind: 'delete-object', key: step.deleteObject() }]);
}

/**
 * Main containers first, all together; then the sidecars, the last one started first (KEP-753). Their preStop hooks do not
 * wait for their turn, and once the deadline has passed nothing else does: what is left then is stopped all at once.
 */
function stopsInOrder(desired: Ending, { containers, hooked }: Observed, now: number): readonly Action[] {
  const running = containers.filter(isRunning);
  const sidecars = desired.kind === 'forget' ? [] : (desired.pod.spec.initContainers ?? []).filter(isSidecar);
  const isSide = ({ name }: PodContainer): boolean => sidecars.some((sidecar) => sidecar.name === name);
  const main = running.filter((container) => !isSide(container));
  const last = sidecars.findLast(({ name }) => running.some((container) => container.name === name));
  const inTurn = main.length > 0 ? main : running.filter(({ name }) => name === last?.name);
  const next = now >= desired.deadlineAt ? running : inTurn;
  const { deadlineAt } = desired;
  const hooks = running.filter(
    ({ id, name }) =>
      !next.some((one) => one.id === id) &&
      !hooked.has(id) &&
      sidecars.some((sidecar) => sidecar.name === name && sidecar.lifecycle?.preStop !== undefined),
  );
  return [
    ...next.map(({ id, name }): Action => {
      const why = `Stopping container ${name}`;
      return { kind: 'stop-container', key: step.stopBy(id, deadlineAt), id, name, deadlineAt, final: true, why };
    }),
    ...hooks.map(({ id, name }): Action => ({ kind: 'run-pre-stop', key: step.preStop(id), id, name, deadlineAt })),
  ];
}

/** Everything but the dead containers and their logs goes back. */
function planRelease(observed: Observed, now: number): Plan {
  if (observed.inFlight.has(step.createSandbox())) return toPlan([], observed, now, []);
  const stops = observed.sandboxes
    .filter((sandbox) => sandbox.state === 'ready' || !observed.stopped.has(sandbox.id))
    .map(({ id }): Action => ({ kind: 'stop-sandbox', key: step.stopSandbox(id), id }));
  if (stops.length > 0) return toPlan(stops, observed, now, []);
  const cleanUp: readonly Action[] =
    observed.files !== 'absent' && observed.files !== 'logs'
      ? [{ kind: 'clean-up', key: step.cleanUp(), logs: 'keep' }]
      : [];
  return toPlan(cleanUp, observed, now, []);
}

/** Gives each container's action the name by which it is known while it is under way. */
function keyed(action: ContainerAction): Action {
  switch (action.kind) {
    case 'pull-image':
      return { ...action, key: step.pull(action.container.image ?? '') };
    case 'create-container':
      return { ...action, key: step.create(action.container.name) };
    case 'start-container':
      return { ...action, key: step.start(action.id) };
    case 'stop-container':
      return { ...action, key: step.stop(action.id) };
    default:
      return unreachable(action);
  }
}

const removeSandbox = ({ id }: ObservedSandbox): Extract<Action, { kind: 'remove-sandbox' }> => ({
  kind: 'remove-sandbox',
  key: step.removeSandbox(id),
  id,
});

/** The action unless it failed a moment ago. `toPlan` turns the wait into a time to wake. */
const untilRetry = (observed: Observed, now: number, action: Action): readonly Action[] => {
  const failed = observed.failures.get(action.key);
  return failed && now < retryAt(failed) ? [] : [action];
};

/** Leaves out what is under way, names each step once, and wakes when the next failed step may be tried again. */
function toPlan(wanted: readonly Action[], observed: Observed, now: number, waits: readonly number[]): Plan {
  const byKey = new Map(wanted.map((action) => [action.key, action]));
  const ready = [...byKey.values()].filter(({ key }) => !observed.inFlight.has(key));
  const held = ready.filter(({ key }) => isHeld(observed, key, now));
  const times = [...waits, ...[...observed.failures.values()].map(retryAt)].filter((at) => at > now);
  return {
    actions: ready.filter((action) => !held.includes(action)),
    cancel: [],
    wakeAt: times.length > 0 ? Math.min(...times) : undefined,
  };
}

/** Pulls and creates keep their own pace (container-step.ts); every other step that fails is tried again after a while. */
function isHeld(observed: Observed, key: StepKey, now: number): boolean {
  const failed = observed.failures.get(key);
  return failed !== undefined && !key.startsWith('pull ') && now < retryAt(failed);
}
