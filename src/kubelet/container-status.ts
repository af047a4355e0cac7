import type {
  Container,
  ContainerState,
  ContainerStateTerminated,
  ContainerStatus,
  Pod,
  Signal,
} from '#api/generated/core-v1.ts';
import {
  containerStep,
  exitBefore,
  type ContainerStep,
  type Exit,
  isBeingHooked,
  lastExit,
  lostContainer,
  notYet,
  probeResults,
  statusNamed,
  type Waiting,
} from '#kubelet/container-step.ts';
import { containersNamed, currentSandbox, type Observed, type PodContainer } from '#kubelet/observed.ts';
import { hasStarted, isReady } from '#kubelet/probe.ts';
import { restartsAfter, type Role } from '#api/restart-policy.ts';
import { type StatusContext, timeOf } from '#kubelet/status-context.ts';

/** What a pod's status says of one container. */
export function containerStatus(
  container: Container,
  role: Role,
  context: StatusContext,
  { observed, now }: { readonly observed: Observed; readonly now: number },
): ContainerStatus {
  const { pod, node } = context;
  const before = statusNamed(observed, container.name);
  const found = newestIn(observed, container.name);
  const exit = lastExit(container, { pod, observed, now });
  const state = stateOf(container, role, context, { observed, now, exit, found });
  const lastState = lastStateOf(state, found, exit, { before, observed, node });
  const newest = containersNamed(observed, container.name)[0];
  // The runtime may have lost attempts that the last status tells of.
  const shown = newest && newest.attempt >= (before?.restartCount ?? 0) ? newest : undefined;
  const id = shown === undefined ? exit?.containerId : `${node.runtimeName}://${shown.id}`;
  const running = state.running !== undefined;
  const probes = found ? probeResults(container, found, observed) : {};
  return {
    name: container.name,
    state,
    lastState,
    // A completed init container is ready for good; without a readiness probe any other is ready once it has started.
    // Nobody waits for an ephemeral one.
    ready:
      role === 'init'
        ? state.terminated?.exitCode === 0
        : role !== 'ephemeral' && running && isReady(container, probes),
    restartCount: shown?.attempt ?? exit?.attempt ?? before?.restartCount ?? 0,
    image: shown?.image ?? before?.image ?? container.image ?? '',
    imageID: shown?.imageRef ?? before?.imageID ?? '',
    ...(id === undefined ? {} : { containerID: id }),
    started: running && hasStarted(container, probes),
    // The API's names are the runtime's.
    ...(shown?.stopSignal === undefined ? {} : { stopSignal: shown.stopSignal as Signal }),
  };
}

interface Facts {
  readonly observed: Observed;
  readonly now: number;
  readonly exit: Exit | undefined;
  readonly found: PodContainer | undefined;
}

function stateOf(container: Container, role: Role, context: StatusContext, facts: Facts): ContainerState {
  const { pod, course, node } = context;
  const { found, exit, observed, now } = facts;
  const hooked = found !== undefined && course.kind === 'running' && isBeingHooked(container, found, observed);
  if (found?.state.kind === 'running' && !hooked) return { running: { startedAt: timeOf(found.state.startedAt) } };
  if (course.kind === 'rejected') return { waiting: { reason: 'ContainerCreating' } };
  if (course.kind === 'ending') {
    if (exit) return { terminated: terminatedOf(exit, node.runtimeName) };
    return role === 'main' && wasInitialized(pod, observed) ? { terminated: lostContainer } : { waiting: notYet(pod) };
  }
  const step = containerStep(container, role, { pod, observed, now });
  const waiting = waitingOf(step);
  // It ended and is about to be made anew: how it ended says more than that. But the API takes the word "terminated" for
  // final where the policy does: one that is replaced in spite of it (its image was changed) may only be said to wait.
  // And one whose successor is there already has become its `lastState`.
  const between =
    exit !== undefined &&
    found?.state.kind !== 'created' &&
    waiting.reason === notYet(pod).reason &&
    restartsAfter(role, pod, container, exit.exitCode);
  if (step.kind === 'ended' || between) {
    return exit ? { terminated: terminatedOf(exit, node.runtimeName) } : { waiting };
  }
  return { waiting };
}

/** Only then is a container that nobody knows anything of one that should have run. */
const wasInitialized = (pod: Pod, { previous }: Observed): boolean =>
  (pod.spec.initContainers?.length ?? 0) === 0 ||
  previous?.conditions?.some(({ type, status }) => type === 'Initialized' && status === 'True') === true;

function waitingOf(step: ContainerStep): Waiting {
  switch (step.kind) {
    case 'act':
    case 'wait':
      return step.waiting;
    case 'running':
    case 'ended':
      return { reason: 'ContainerCreating' };
  }
}

interface Past {
  readonly before: ContainerStatus | undefined;
  readonly observed: Observed;
  readonly node: { readonly runtimeName: string };
}

/** How the attempt before the one that `state` speaks of ended. */
function lastStateOf(
  state: ContainerState,
  found: PodContainer | undefined,
  exit: Exit | undefined,
  past: Past,
): ContainerState {
  const { before, observed, node } = past;
  if (exit === undefined) return {};
  if (state.terminated === undefined) return { terminated: terminatedOf(exit, node.runtimeName) };
  const earlier = found && before && before.restartCount < found.attempt ? before.state?.terminated : undefined;
  const kept = earlier ?? before?.lastState?.terminated;
  if (kept !== undefined) return { terminated: kept };
  // Both ended before the first end could be told.
  const older = found && exitBefore(found, observed);
  return older === undefined ? {} : { terminated: terminatedOf(older, node.runtimeName) };
}

function terminatedOf(exit: Exit, runtimeName: string): ContainerStateTerminated {
  const id = exit.containerId;
  return {
    exitCode: exit.exitCode,
    ...(exit.reason === '' ? {} : { reason: exit.reason }),
    ...(exit.message === '' ? {} : { message: exit.message }),
    ...(exit.startedAt === undefined ? {} : { startedAt: timeOf(exit.startedAt) }),
    ...(exit.finishedAt === undefined ? {} : { finishedAt: timeOf(exit.finishedAt) }),
    ...(id === undefined ? {} : { containerID: id.includes('://') ? id : `${runtimeName}://${id}` }),
  };
}

function newestIn(observed: Observed, name: string): PodContainer | undefined {
  const sandbox = currentSandbox(observed);
  return containersNamed(observed, name).find((container) => container.sandbox === sandbox?.id);
}
