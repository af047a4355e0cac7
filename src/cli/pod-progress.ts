import type { Container, ContainerStatus, Event, Pod } from '#api/generated/core-v1.ts';

/** How far a pod has come, as people care about it: a pure reading of its status and of the events about it. */
export interface PodProgress {
  readonly stage: Stage;
  readonly containers: readonly { readonly name: string; readonly stage: Stage }[];
  /** ready: Ready, and every restart lies back long enough to believe it; ended: Succeeded or Failed. */
  readonly outcome: 'pending' | 'ready' | 'ended';
}

export interface Stage {
  /** working: something goes on; trouble: it does not go on, or not by itself. */
  readonly kind: 'waiting' | 'working' | 'started' | 'ready' | 'completed' | 'trouble';
  /** `pulling nginx`, `ImagePullBackOff: Back-off pulling image "nginx"`; '' when there is nothing to tell yet. */
  readonly text: string;
  readonly crashed?: boolean;
}

/** The newest event about a part of a pod: a container by its name, the pod itself as ''. */
export type PodNews = ReadonlyMap<string, Event>;

/** A container that has been restarted is believed to be well after this long: crash loops are Ready in between. */
export const TRUSTED_AFTER_MS = 10_000;

export function progressOf(pod: Pod, news: PodNews, now: number): PodProgress {
  const { status = {} } = pod;
  const statuses = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])];
  const all = [...(pod.spec.initContainers ?? []), ...pod.spec.containers];
  const containers = all.map((container) => ({
    name: container.name,
    stage: containerStage(
      container,
      statuses.find(({ name }) => name === container.name),
      news.get(container.name),
    ),
  }));
  const ended = status.phase === 'Succeeded' || status.phase === 'Failed';
  const ready = isReady(pod) && pod.metadata.deletionTimestamp === undefined;
  const outcome = ended ? 'ended' : ready && statuses.every((each) => isTrusted(each, now)) ? 'ready' : 'pending';
  return { stage: podStage(pod, news.get(''), statuses), containers, outcome };
}

const isReady = ({ status }: Pod): boolean =>
  status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') === true;

function isTrusted({ restartCount, state }: ContainerStatus, now: number): boolean {
  if (!restartCount || state?.running?.startedAt === undefined) return true;
  return now - Date.parse(state.running.startedAt) >= TRUSTED_AFTER_MS;
}

function podStage(pod: Pod, event: Event | undefined, statuses: readonly ContainerStatus[]): Stage {
  const { phase, reason, message, conditions = [] } = pod.status ?? {};
  if (phase === 'Failed') return { kind: 'trouble', text: ['failed', reason, message].filter(Boolean).join(': ') };
  if (phase === 'Succeeded') return { kind: 'completed', text: 'completed' };
  if (pod.metadata.deletionTimestamp !== undefined) return { kind: 'waiting', text: 'being deleted' };
  if (isReady(pod)) return { kind: 'ready', text: 'ready' };
  const scheduled = conditions.find(({ type }) => type === 'PodScheduled');
  if (scheduled?.status === 'False') {
    const text = [scheduled.reason, scheduled.message].filter(Boolean).join(': ');
    return scheduled.reason === 'SchedulingGated' ? { kind: 'waiting', text } : { kind: 'trouble', text };
  }
  const begun = statuses.some(({ state, restartCount }) => !state?.waiting || restartCount > 0);
  // Volumes and sandboxes are told of by events alone; FailedScheduling is over once there is a node.
  if (!begun && event?.type === 'Warning' && event.reason !== 'FailedScheduling') {
    return { kind: 'trouble', text: `${event.reason ?? 'Warning'}: ${oneLine(event.message)}` };
  }
  return pod.spec.nodeName
    ? { kind: 'working', text: `scheduled on ${pod.spec.nodeName}` }
    : { kind: 'waiting', text: '' };
}

function containerStage(container: Container, status: ContainerStatus | undefined, event: Event | undefined): Stage {
  const { waiting, running, terminated } = status?.state ?? {};
  if (running) return status?.ready ? { kind: 'ready', text: 'ready' } : { kind: 'started', text: 'started' };
  if (terminated) {
    if (terminated.exitCode === 0) return { kind: 'completed', text: 'completed' };
    const reason = terminated.reason || 'Error';
    return {
      kind: 'trouble',
      text: withMessage(`${reason} (exit code ${terminated.exitCode})`, terminated.message),
      crashed: true,
    };
  }
  const reason = waiting?.reason ?? '';
  if (reason !== '' && reason !== 'ContainerCreating' && reason !== 'PodInitializing') {
    return { kind: 'trouble', text: withMessage(reason, waiting?.message), crashed: reason === 'CrashLoopBackOff' };
  }
  switch (event?.reason) {
    case 'Pulling':
      return { kind: 'working', text: `pulling ${container.image}` };
    case 'Pulled':
      return { kind: 'working', text: `${container.image} is there` };
    case 'Created':
    case 'Started':
      return { kind: 'working', text: 'created' };
    case undefined:
    default:
      return { kind: 'waiting', text: '' };
  }
}

const withMessage = (reason: string, message: string | undefined): string =>
  message ? `${reason}: ${oneLine(message)}` : reason;

const oneLine = (text: string | undefined): string => (text ?? '').trim().replaceAll(/\s*\n\s*/g, ' ');

// In the order in which they happen, for events of the same second.
const ORDER = ['Scheduled', 'Pulling', 'Pulled', 'Created', 'Started'];

/** Told in passing: a pod that it is told of goes on all the same. */
export const isAside = ({ reason = '' }: Event): boolean => ['MissingClusterDNS', 'DNSConfigForming'].includes(reason);

/** The container an event is about, or '' for the pod. */
export const partOf = ({ involvedObject }: Event): string =>
  /\{(.+)\}$/.exec(involvedObject.fieldPath ?? '')?.[1] ?? '';

export function isNewer(event: Event, than: Event | undefined): boolean {
  if (than === undefined) return true;
  const [a, b] = [timeOf(event), timeOf(than)];
  return a === b ? ORDER.indexOf(event.reason ?? '') >= ORDER.indexOf(than.reason ?? '') : a > b;
}

const timeOf = ({ series, lastTimestamp, eventTime, metadata }: Event): number =>
  Math.floor(Date.parse(series?.lastObservedTime ?? lastTimestamp ?? eventTime ?? metadata.creationTimestamp) / 1000);
