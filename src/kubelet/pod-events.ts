import type { ContainerStatus, Pod } from '#api/generated/core-v1.ts';
import type { EventText } from '#client/events.ts';
import type { OwnStatus } from '#kubelet/status.ts';

/** Waiting reasons that are worth telling, with the reason of the event that tells them. */
const told: Readonly<Record<string, string>> = {
  CrashLoopBackOff: 'BackOff',
  ImagePullBackOff: 'BackOff',
  ErrImageNeverPull: 'ErrImageNeverPull',
  InvalidImageName: 'InspectFailed',
};

/** The events that follow from a status alone: a container has begun to wait for something people should know of. */
export function eventsOf(pod: Pod, before: OwnStatus | undefined, after: OwnStatus): readonly EventText[] {
  const all = statusesOf(after);
  return all.flatMap((status) => {
    const waiting = status.state?.waiting;
    const reason = told[waiting?.reason ?? ''];
    if (waiting === undefined || reason === undefined) return [];
    const known = reasonBefore(before, status.name);
    // Back-offs are told each time one begins; what merely persists is not told again.
    if (known?.reason === waiting.reason && known?.restartCount === status.restartCount) return [];
    return [
      {
        type: waiting.reason === 'ImagePullBackOff' ? 'Normal' : 'Warning',
        reason,
        message: messageOf(pod, status),
        fieldPath: fieldPathOf(pod, status.name),
      } as const,
    ];
  });
}

/** How upstream spells "this container" in an event: `spec.containers{web}`. */
export function fieldPathOf(pod: Pod, container: string): string {
  const isIn = (list: 'initContainers' | 'ephemeralContainers'): boolean =>
    pod.spec[list]?.some(({ name }) => name === container) ?? false;
  const list = isIn('initContainers')
    ? 'initContainers'
    : isIn('ephemeralContainers')
      ? 'ephemeralContainers'
      : 'containers';
  return `spec.${list}{${container}}`;
}

const statusesOf = (status: OwnStatus | undefined): readonly ContainerStatus[] => [
  ...(status?.initContainerStatuses ?? []),
  ...(status?.containerStatuses ?? []),
  ...(status?.ephemeralContainerStatuses ?? []),
];

function reasonBefore(
  before: OwnStatus | undefined,
  name: string,
): { reason?: string; restartCount: number } | undefined {
  const known = statusesOf(before).find((status) => status.name === name);
  const reason = known?.state?.waiting?.reason;
  return known && { ...(reason === undefined ? {} : { reason }), restartCount: known.restartCount };
}

function messageOf(pod: Pod, { name, state }: ContainerStatus): string {
  const waiting = state!.waiting!;
  const { name: podName, namespace, uid } = pod.metadata;
  switch (waiting.reason) {
    case 'CrashLoopBackOff':
      return `Back-off restarting failed container ${name} in pod ${podName}_${namespace}(${uid})`;
    case 'ImagePullBackOff':
      return `Back-off pulling image "${imageOf(pod, name)}"`;
    default:
      return waiting.message ?? waiting.reason ?? '';
  }
}

const imageOf = (pod: Pod, container: string): string =>
  [...pod.spec.containers, ...(pod.spec.initContainers ?? []), ...(pod.spec.ephemeralContainers ?? [])].find(
    ({ name }) => name === container,
  )?.image ?? '';
