import type { Container, ContainerStateTerminated, ContainerStatus, Pod, PodStatus } from '#api/generated/core-v1.ts';
import type { ContainerExit, EntryBody } from '#api/peapod/pod-timeline.ts';
import type { Role } from '#api/restart-policy.ts';
import { containerStep, lostContainer } from '#kubelet/container-step.ts';
import { type Observed, type PodContainer } from '#kubelet/observed.ts';
import { roleOf, type TerminationCause } from '#kubelet/plan.ts';
import type { OwnStatus } from '#kubelet/status.ts';
import type { Course } from '#kubelet/status-context.ts';

/** An entry, and when it happened where that is known better than by when it was seen. */
export interface Noted {
  readonly entry: EntryBody;
  /** Epoch ms. */
  readonly at?: number;
}

/** What was looked at, and what it came to. */
export interface Look {
  readonly pod: Pod;
  readonly observed: Observed;
  readonly course: Course;
  readonly status: OwnStatus;
  readonly now: number;
  /** The last lines of an ended container's log. */
  readonly logTail: (container: PodContainer) => readonly string[];
}

/**
 * What a look at a pod adds to its timeline: what its status says now and did not say before (`observed.previous`). A
 * kubelet that comes back goes on from the status in the API, so it tells nothing twice.
 */
export function statusEntries(look: Look): readonly Noted[] {
  const { observed, status } = look;
  const before = observed.previous;
  return [
    ...arrival(look),
    ...exits(look),
    ...(status.podIPs && !sameAddresses(before, status) ? [addresses(status)] : []),
    ...backOffs(look),
    ...phase(before, status),
    ...readiness(before, status),
  ];
}

function arrival({ course, observed }: Look): readonly Noted[] {
  if (course.kind === 'rejected') {
    if (observed.previous?.phase === 'Failed') return [];
    return [{ entry: { type: 'Rejected', reason: course.reason, message: course.message } }];
  }
  return observed.previous?.startTime === undefined ? [{ entry: { type: 'Admitted' } }] : [];
}

function phase(before: PodStatus | undefined, { phase: now, reason, message }: OwnStatus): readonly Noted[] {
  if (now === undefined || now === (before?.phase ?? 'Pending')) return [];
  const why = { ...(reason === undefined ? {} : { reason }), ...(message === undefined ? {} : { message }) };
  return [{ entry: { type: 'PhaseChanged', phase: now, ...why } }];
}

function readiness(before: PodStatus | undefined, after: PodStatus): readonly Noted[] {
  const ready = isReady(after);
  return ready === isReady(before) ? [] : [{ entry: { type: 'ReadyChanged', ready } }];
}

const isReady = (status: PodStatus | undefined): boolean =>
  status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True') ?? false;

const addressesOf = (status: PodStatus | undefined): readonly string[] => (status?.podIPs ?? []).map(({ ip }) => ip);
const sameAddresses = (before: PodStatus | undefined, after: PodStatus): boolean =>
  addressesOf(before).join() === addressesOf(after).join();
const addresses = (status: PodStatus): Noted => ({
  entry: { type: 'AddressAssigned', addresses: addressesOf(status) },
});

function exits(look: Look): readonly Noted[] {
  const { observed, status } = look;
  const told = new Set(statusesOf(observed.previous).flatMap((one) => endsOf(one).map(({ ended }) => keyOf(ended))));
  return statusesOf(status).flatMap((one) =>
    endsOf(one)
      .filter(({ ended }) => !told.has(keyOf(ended)) && !neverWas(ended))
      .map((end) => exitEntry(one.name, end, look)),
  );
}

interface End {
  readonly ended: ContainerStateTerminated;
  readonly attempt: number;
}

/** The earlier one first. */
const endsOf = ({ state, lastState, restartCount }: ContainerStatus): readonly End[] => [
  ...(lastState?.terminated ? [{ ended: lastState.terminated, attempt: Math.max(0, restartCount - 1) }] : []),
  ...(state?.terminated ? [{ ended: state.terminated, attempt: restartCount }] : []),
];

/** Without the runtime's name: a kubelet that has just begun may not know it yet. */
const keyOf = ({ containerID, finishedAt, exitCode }: ContainerStateTerminated): string =>
  containerID?.replace(/^.*:\/\//, '') ?? `${finishedAt} ${exitCode}`;

function exitEntry(name: string, { ended, attempt }: End, { observed, logTail }: Look): Noted {
  const found = observed.containers.find(({ id }) => ended.containerID?.endsWith(`://${id}`) === true);
  const seen = found?.state.kind === 'exited' ? found.state : undefined;
  const startedAt = seen?.startedAt ?? millis(ended.startedAt);
  const finishedAt = seen?.finishedAt ?? millis(ended.finishedAt);
  const signal = signalOf(ended.exitCode);
  const entry: ContainerExit = {
    type: 'ContainerExited',
    container: name,
    // Its successor may be there already.
    attempt: found?.attempt ?? attempt,
    exitCode: ended.exitCode,
    ...(signal === undefined ? {} : { signal }),
    reason: ended.reason ?? '',
    ...(ended.message === undefined ? {} : { message: ended.message }),
    ...(startedAt === undefined || finishedAt === undefined
      ? {}
      : { ranMs: Math.max(0, Math.round(finishedAt - startedAt)) }),
    logTail: found === undefined ? [] : logTail(found),
  };
  return finishedAt === undefined ? { entry } : { entry, at: finishedAt };
}

/** What is said of a container that was never made when its pod ends. */
const neverWas = ({ reason, containerID }: ContainerStateTerminated): boolean =>
  reason === lostContainer.reason && containerID === undefined;

/** Runtimes say 128 + n of a process that signal n has ended. */
const signalOf = (exitCode: number): number | undefined =>
  exitCode > 128 && exitCode <= 128 + 64 ? exitCode - 128 : undefined;

const millis = (time: string | undefined): number | undefined => (time === undefined ? undefined : Date.parse(time));

function backOffs(look: Look): readonly Noted[] {
  const { pod, observed, status, now } = look;
  const before = statusesOf(observed.previous);
  return statusesOf(status).flatMap((one): readonly Noted[] => {
    const { reason, message } = one.state?.waiting ?? {};
    if (reason !== 'CrashLoopBackOff' && reason !== 'ImagePullBackOff') return [];
    const known = before.find(({ name }) => name === one.name);
    if (known?.state?.waiting?.reason === reason && known.restartCount === one.restartCount) return [];
    const found = containerOf(pod, one.name);
    const step = found && containerStep(found.container, found.role, { pod, observed, now });
    if (step?.kind !== 'wait' || step.until === undefined) return [];
    const until = new Date(step.until).toISOString();
    const why = message === undefined ? {} : { message };
    return [{ entry: { type: 'BackOff', container: one.name, reason, until, ...why } }];
  });
}

function containerOf({ spec }: Pod, name: string): { readonly container: Container; readonly role: Role } | undefined {
  const all = [
    ...(spec.initContainers ?? []).map((container) => ({ container, role: roleOf(container) })),
    ...spec.containers.map((container) => ({ container, role: 'main' as const })),
    ...(spec.ephemeralContainers ?? []).map((container) => ({ container, role: 'ephemeral' as const })),
  ];
  return all.find(({ container }) => container.name === name);
}

const statusesOf = (status: PodStatus | undefined): readonly ContainerStatus[] => [
  ...(status?.initContainerStatuses ?? []),
  ...(status?.containerStatuses ?? []),
  ...(status?.ephemeralContainerStatuses ?? []),
];

const endReasons: Readonly<Record<TerminationCause, string>> = {
  deleted: 'Deleted',
  'deadline-exceeded': 'DeadlineExceeded',
  evicted: 'Evicted',
  completed: 'Completed',
};

/** What is said once a pod begins to end; undefined when a kubelet before this one (which began at `since`) has said it. */
export function endEntry(
  pod: Pod,
  { cause, deadlineAt }: { readonly cause: TerminationCause; readonly deadlineAt: number },
  since: number,
): EntryBody | undefined {
  const { deletionTimestamp, deletionGracePeriodSeconds = 0 } = pod.metadata;
  if (cause === 'deleted' && deletionTimestamp !== undefined) {
    if (Date.parse(deletionTimestamp) - deletionGracePeriodSeconds * 1000 + 999 < since) return undefined;
  } else if (pod.status?.reason === endReasons[cause]) return undefined;
  return { type: 'Terminating', reason: endReasons[cause], deadline: new Date(deadlineAt).toISOString() };
}

/** Of the container with this id; 0 when it was not seen. */
export const attemptOf = ({ containers }: Pick<Observed, 'containers'>, id: string): number =>
  containers.find((one) => one.id === id)?.attempt ?? 0;
