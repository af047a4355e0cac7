import type { ContainerStatus, Pod } from '#api/generated/core-v1.ts';
import type { Column } from '#server/columns/column.ts';
import { ageColumn, column, humanDuration, nameColumn, part, wide } from '#server/columns/common.ts';
import type { KubeObject } from '#api/meta.ts';

/** What `kubectl get pods` shows, computed as upstream's server does: STATUS is the most telling state of the pod's containers. */
export const podColumns: readonly Column[] = [
  nameColumn,
  podColumn('Ready', 'How many of the containers that count are ready.', (view) => `${view.ready}/${view.total}`),
  podColumn('Status', 'The most telling state of the containers of this pod.', (view) => view.reason),
  podColumn('Restarts', 'How often containers of this pod have been restarted, and when last.', (view, now) =>
    view.restarts !== 0 && view.lastRestart !== undefined
      ? `${view.restarts} (${humanDuration(now - view.lastRestart)} ago)`
      : String(view.restarts),
  ),
  ageColumn,
  column(
    'IP',
    'The address of the pod.',
    (object) => status(object)?.podIPs?.[0]?.ip ?? status(object)?.podIP ?? '<none>',
    wide,
  ),
  column('Node', 'The node the pod is bound to.', (object) => spec(object)?.nodeName || '<none>', wide),
  column(
    'Nominated Node',
    'The node that is being made free for the pod by preemption.',
    (object) => status(object)?.nominatedNodeName || '<none>',
    wide,
  ),
  column('Readiness Gates', 'How many of the readiness gates have passed.', readinessGates, wide),
];

const spec = (object: KubeObject): Pod['spec'] | undefined => part<Pod['spec']>(object, 'spec');
const status = (object: KubeObject): Pod['status'] => part<NonNullable<Pod['status']>>(object, 'status');

function podColumn(name: string, description: string, show: (view: PodView, now: number) => string): Column {
  return column(name, description, (object, now) => show(viewOf(object), now));
}

interface PodView {
  readonly ready: number;
  readonly total: number;
  readonly reason: string;
  readonly restarts: number;
  readonly lastRestart: number | undefined;
}

const views = new WeakMap<KubeObject, PodView>();

function viewOf(object: KubeObject): PodView {
  const known = views.get(object);
  if (known) return known;
  const view = computeView(object);
  views.set(object, view);
  return view;
}

function computeView(object: KubeObject): PodView {
  const { spec: podSpec, status: podStatus = {} } = object as Pod;
  const sidecars = new Set(
    (podSpec.initContainers ?? []).filter((c) => c.restartPolicy === 'Always').map((c) => c.name),
  );
  const gated = podStatus.conditions?.find((c) => c.type === 'PodScheduled' && c.reason === 'SchedulingGated');
  const init = initView(podStatus.initContainerStatuses ?? [], sidecars, podSpec.initContainers?.length ?? 0);
  const tally = new Restarts();
  const started = (podStatus.initContainerStatuses ?? []).slice(0, init.seen);
  tally.addAll(started);
  let reason = init.reason ?? (gated ? 'SchedulingGated' : podStatus.reason || (podStatus.phase ?? ''));
  let ready = init.readySidecars;
  const initialized = podStatus.conditions?.some((c) => c.type === 'Initialized' && c.status === 'True') === true;
  if (init.reason === undefined || initialized) {
    const main = podStatus.containerStatuses ?? [];
    // Only restarts that still matter are told: those of sidecars, once the others have done their work.
    const sidecarStatuses = started.filter((c) => sidecars.has(c.name));
    tally.reset(sidecarStatuses);
    tally.addAll(main);
    reason = mainReason(main, reason);
    ready += main.filter((c) => c.ready && c.state?.running).length;
    const running = main.some((c) => c.ready && c.state?.running);
    const isReady = podStatus.conditions?.some((c) => c.type === 'Ready' && c.status === 'True') === true;
    // One container has ended well while another still runs.
    if (reason === 'Completed' && running) reason = isReady ? 'Running' : 'NotReady';
  }
  if (object.metadata.deletionTimestamp !== undefined && podStatus.reason === 'NodeLost') reason = 'Unknown';
  else if (object.metadata.deletionTimestamp !== undefined && !isTerminal(podStatus.phase)) reason = 'Terminating';
  const total = podSpec.containers.length + sidecars.size;
  return { ready, total, reason, restarts: tally.count, lastRestart: tally.last };
}

const isTerminal = (phase: string | undefined): boolean => phase === 'Succeeded' || phase === 'Failed';

/** The first init container that is not through yet says what the pod waits for. */
function initView(
  statuses: readonly ContainerStatus[],
  sidecars: ReadonlySet<string>,
  total: number,
): { reason: string | undefined; seen: number; readySidecars: number } {
  let readySidecars = 0;
  for (const [index, container] of statuses.entries()) {
    const { state, started, ready } = container;
    const isSidecar = sidecars.has(container.name);
    if (state?.terminated?.exitCode === 0) continue;
    if (isSidecar && started === true) {
      if (ready) readySidecars++;
      continue;
    }
    const seen = index + 1;
    if (state?.terminated) {
      const { reason, signal = 0, exitCode } = state.terminated;
      const why = reason || (signal !== 0 ? `Signal:${signal}` : `ExitCode:${exitCode}`);
      return { reason: `Init:${why}`, seen, readySidecars };
    }
    const waiting = state?.waiting?.reason;
    if (waiting && waiting !== 'PodInitializing') return { reason: `Init:${waiting}`, seen, readySidecars };
    return { reason: `Init:${index}/${total}`, seen, readySidecars };
  }
  return { reason: undefined, seen: statuses.length, readySidecars };
}

/** The last container that waits or has ended is the one to tell of, as upstream goes through them backwards. */
function mainReason(statuses: readonly ContainerStatus[], otherwise: string): string {
  let reason = otherwise;
  for (const { state } of statuses.toReversed()) {
    if (state?.waiting?.reason) reason = state.waiting.reason;
    else if (state?.terminated) {
      const { reason: why, signal = 0, exitCode } = state.terminated;
      reason = why || (signal !== 0 ? `Signal:${signal}` : `ExitCode:${exitCode}`);
    }
  }
  return reason;
}

class Restarts {
  count = 0;
  last: number | undefined;

  reset(statuses: readonly ContainerStatus[]): void {
    this.count = 0;
    this.last = undefined;
    this.addAll(statuses);
  }

  addAll(statuses: readonly ContainerStatus[]): void {
    for (const { restartCount, lastState } of statuses) {
      this.count += restartCount ?? 0;
      const finished = lastState?.terminated?.finishedAt;
      if (finished === undefined) continue;
      const at = Date.parse(finished);
      if (this.last === undefined || at > this.last) this.last = at;
    }
  }
}

function readinessGates(object: KubeObject): string {
  const gates = spec(object)?.readinessGates ?? [];
  if (gates.length === 0) return '<none>';
  const conditions = status(object)?.conditions ?? [];
  const passed = gates.filter(({ conditionType }) =>
    conditions.some((each) => each.type === conditionType && each.status === 'True'),
  );
  return `${passed.length}/${gates.length}`;
}
