import type { ContainerStatus, Pod } from '#api/generated/core-v1.ts';
import { humanDuration } from '#cli/human-duration.ts';

const HEADER = ['NAME', 'READY', 'STATUS', 'RESTARTS', 'AGE', 'IP', 'NODE', 'NOMINATED NODE', 'READINESS GATES'];

/** The lines of `kubectl get pod -o wide`: the header, then a pod each, columns as wide as they need to be. */
export function podTable(pods: readonly Pod[], now: number): readonly string[] {
  const rows = [HEADER, ...pods.map((pod) => rowOf(pod, now))];
  const widths = HEADER.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('   ')
      .trimEnd(),
  );
}

function rowOf(pod: Pod, now: number): readonly string[] {
  const { metadata, spec, status = {} } = pod;
  const { ready, total, restarts } = countsOf(pod, now);
  return [
    metadata.name,
    `${ready}/${total}`,
    statusOf(pod),
    restarts,
    humanDuration(now - Date.parse(metadata.creationTimestamp)),
    status.podIPs?.[0]?.ip ?? status.podIP ?? '<none>',
    spec.nodeName || '<none>',
    status.nominatedNodeName || '<none>',
    gatesOf(pod),
  ];
}

interface Parts {
  /** Of those that start one after the other, as far as they have got. */
  readonly init: readonly ContainerStatus[];
  readonly sidecars: readonly ContainerStatus[];
  readonly main: readonly ContainerStatus[];
  readonly initReason: string | undefined;
}

/** Init containers are told of until the first that is not through; a sidecar is through when it has started. */
function partsOf({ spec, status = {} }: Pod): Parts {
  const names = (spec.initContainers ?? []).filter((each) => each.restartPolicy === 'Always').map(({ name }) => name);
  const isSidecar = ({ name }: ContainerStatus): boolean => names.includes(name);
  const all = status.initContainerStatuses ?? [];
  const blocking = all.findIndex(
    (each) => each.state?.terminated?.exitCode !== 0 && !(isSidecar(each) && each.started === true),
  );
  const init = blocking < 0 ? all : all.slice(0, blocking + 1);
  const initReason =
    blocking < 0 ? undefined : `Init:${whyNot(all[blocking]!) ?? `${blocking}/${spec.initContainers?.length}`}`;
  return { init, initReason, sidecars: init.filter(isSidecar), main: status.containerStatuses ?? [] };
}

function whyNot({ state }: ContainerStatus): string | undefined {
  if (state?.terminated) return endOf(state.terminated);
  const reason = state?.waiting?.reason;
  return reason === 'PodInitializing' ? undefined : reason;
}

const endOf = ({
  reason,
  signal,
  exitCode,
}: NonNullable<NonNullable<ContainerStatus['state']>['terminated']>): string =>
  reason || (signal ? `Signal:${signal}` : `ExitCode:${exitCode}`);

const hasCondition = ({ status }: Pod, type: string): boolean =>
  status?.conditions?.some((each) => each.type === type && each.status === 'True') === true;

const isInitializing = (pod: Pod, { initReason }: Parts): boolean =>
  initReason !== undefined && !hasCondition(pod, 'Initialized');

const runsReady = ({ ready, state }: ContainerStatus): boolean => ready && state?.running !== undefined;

function statusOf(pod: Pod): string {
  const { metadata, status = {} } = pod;
  const { phase = '', reason } = status;
  if (metadata.deletionTimestamp !== undefined) {
    if (reason === 'NodeLost') return 'Unknown';
    if (phase !== 'Succeeded' && phase !== 'Failed') return 'Terminating';
  }
  const parts = partsOf(pod);
  if (isInitializing(pod, parts)) return parts.initReason!;
  const gated = status.conditions?.some((each) => each.type === 'PodScheduled' && each.reason === 'SchedulingGated');
  const otherwise = parts.initReason ?? (gated ? 'SchedulingGated' : reason || phase);
  // The first container that has something to tell speaks for the pod.
  const telling = parts.main.find(({ state }) => state?.waiting?.reason || state?.terminated)?.state;
  const told = telling?.waiting?.reason || (telling?.terminated ? endOf(telling.terminated) : otherwise);
  if (told !== 'Completed' || !parts.main.some(runsReady)) return told;
  return hasCondition(pod, 'Ready') ? 'Running' : 'NotReady';
}

function countsOf(
  pod: Pod,
  now: number,
): { readonly ready: number; readonly total: number; readonly restarts: string } {
  const parts = partsOf(pod);
  const initializing = isInitializing(pod, parts);
  const counted = initializing ? parts.init : [...parts.sidecars, ...parts.main];
  const count = counted.reduce((sum, each) => sum + (each.restartCount ?? 0), 0);
  const ends = counted
    .flatMap(({ lastState }) => lastState?.terminated?.finishedAt ?? [])
    .map((end) => Date.parse(end));
  const ago = count > 0 && ends.length > 0 ? ` (${humanDuration(now - Math.max(...ends))} ago)` : '';
  const sidecarsReady = parts.sidecars.filter((each) => each.started === true && each.ready).length;
  const sidecars = (pod.spec.initContainers ?? []).filter((each) => each.restartPolicy === 'Always').length;
  return {
    ready: sidecarsReady + (initializing ? 0 : parts.main.filter(runsReady).length),
    total: pod.spec.containers.length + sidecars,
    restarts: `${count}${ago}`,
  };
}

function gatesOf({ spec, status }: Pod): string {
  const gates = spec.readinessGates ?? [];
  if (gates.length === 0) return '<none>';
  const isTrue = (type: string): boolean =>
    status?.conditions?.some((each) => each.type === type && each.status === 'True') === true;
  return `${gates.filter(({ conditionType }) => isTrue(conditionType)).length}/${gates.length}`;
}
