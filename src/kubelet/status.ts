/**
 * What a kubelet says of a pod: a pure function of the pod, what is observed and what was said before.
 *
 * A pod's status has several writers. Only what the kubelet owns is made here: phase, its own conditions, container
 * statuses, addresses, start time. Other conditions are not touched (the publisher merges by type).
 * What the runtime has forgotten (removed containers) is carried over from the last status: restart counts and last
 * states survive pruning, reboots and lost sandboxes.
 */
import type {
  Container,
  ContainerState,
  ContainerStatus,
  Pod,
  PodCondition,
  PodPhase,
  PodStatus,
} from '#api/generated/core-v1.ts';
import { containerStatus } from '#kubelet/container-status.ts';
import { limitMessages, mostOfContainer } from '#kubelet/message-limit.ts';
import { isSidecar, roleOf } from '#kubelet/plan.ts';
import { restartsAfter, type Role } from '#api/restart-policy.ts';
import { currentSandbox, type Observed } from '#kubelet/observed.ts';
import { type Course, type NodeFacts, type StatusContext, timeOf } from '#kubelet/status-context.ts';

/** The part of a pod's status that is the kubelet's. */
export type OwnStatus = PodStatus & { readonly phase: PodPhase; readonly conditions: readonly PodCondition[] };

export function statusOf(context: StatusContext, observed: Observed, now: number): OwnStatus {
  const { pod, course, node } = context;
  const rejection = rejectionIn(context, observed);
  if (rejection !== undefined) return rejectedStatus(pod, rejection, observed, now);
  const { initContainers = [], containers, ephemeralContainers = [] } = pod.spec;
  const most = mostOfContainer(initContainers.length + containers.length + ephemeralContainers.length);
  const told = (one: Container, role: Role): ContainerStatus =>
    limitMessages(containerStatus(one, role, context, { observed, now }), most);
  const init = initContainers.map((one) => told(one, roleOf(one)));
  const main = containers.map((one) => told(one, 'main'));
  const ephemeral = ephemeralContainers.map((one) => told(one, 'ephemeral'));
  const phase = phaseOf(context, { init, main, ephemeral, before: observed.previous?.phase ?? pod.status?.phase });
  const addresses = podAddresses(pod, observed, node);
  return {
    ...generationOf(pod),
    phase,
    conditions: conditionsOf({ pod, phase, init, main, observed }, now),
    ...why(course, phase, observed),
    ...(node.addresses[0] === undefined
      ? {}
      : { hostIP: node.addresses[0], hostIPs: node.addresses.map((ip) => ({ ip })) }),
    ...(addresses[0] === undefined ? {} : { podIP: addresses[0], podIPs: addresses.map((ip) => ({ ip })) }),
    startTime: observed.previous?.startTime ?? timeOf(now),
    ...(init.length === 0 ? {} : { initContainerStatuses: init }),
    containerStatuses: main,
    ...(ephemeral.length === 0 ? {} : { ephemeralContainerStatuses: ephemeral }),
    ...(pod.status?.qosClass === undefined ? {} : { qosClass: pod.status.qosClass }),
  };
}

export const isTerminal = (phase: PodPhase | undefined): boolean => phase === 'Succeeded' || phase === 'Failed';

type Why = Pick<PodStatus, 'reason' | 'message'>;

const whyIn = ({ reason, message }: Why): Why => ({
  ...(reason === undefined ? {} : { reason }),
  ...(message === undefined ? {} : { message }),
});

/** An end that an earlier kubelet told of keeps its reason: only that one knew it. */
function why(course: Course, phase: PodPhase, { previous }: Observed): Why {
  if (!isTerminal(phase)) return {};
  if (previous !== undefined && isTerminal(previous.phase)) return whyIn(previous);
  return course.kind === 'ending' ? whyIn(course) : {};
}

/** Why the node has turned it away, now or before this kubelet began: such a pod has never had a container. */
function rejectionIn({ course }: StatusContext, { previous }: Observed): Why | undefined {
  if (course.kind === 'rejected') {
    return { reason: course.reason, message: `Pod was rejected: ${course.message}` };
  }
  const before = previous?.phase === 'Failed' && previous.containerStatuses === undefined;
  return before && previous.reason !== undefined ? whyIn(previous) : undefined;
}

/** Upstream's kubelet says no more of it than this: nothing was made, and nothing will be. */
const rejectedStatus = (pod: Pod, rejection: Why, observed: Observed, now: number): OwnStatus => ({
  ...generationOf(pod),
  phase: 'Failed',
  conditions: [withTransition({ type: 'PodScheduled', status: 'True' }, { pod, observed }, now)],
  ...rejection,
  startTime: observed.previous?.startTime ?? timeOf(now),
  ...(pod.status?.qosClass === undefined ? {} : { qosClass: pod.status.qosClass }),
});

const generationOf = ({ metadata: { generation } }: Pod): { readonly observedGeneration?: number } =>
  generation === undefined ? {} : { observedGeneration: generation };

function podAddresses(pod: Pod, observed: Observed, node: NodeFacts): readonly string[] {
  const sandbox = currentSandbox(observed);
  if (pod.spec.hostNetwork === true) return sandbox ? node.addresses : [];
  if (sandbox?.state === 'ready' && sandbox.addresses.length > 0) return sandbox.addresses;
  // An ended pod keeps showing the address it had; a sandbox that is to be replaced has none.
  return isTerminal(observed.previous?.phase) || pod.metadata.deletionTimestamp !== undefined
    ? (observed.previous?.podIPs ?? []).map(({ ip }) => ip)
    : [];
}

/** Pod lifecycle, "Pod phase"; the order of the questions is upstream's. */
interface Statuses {
  readonly init: readonly ContainerStatus[];
  readonly main: readonly ContainerStatus[];
  readonly ephemeral: readonly ContainerStatus[];
  readonly before: PodPhase | undefined;
}

function phaseOf({ pod, course }: StatusContext, { init, main, ephemeral, before }: Statuses): PodPhase {
  if (isTerminal(before)) return before!;
  const counts = countStates(main);
  const ending = course.kind === 'ending';
  // A pod has not ended while anything of it runs: its sidecars, and those who look into it, are stopped first.
  const othersRun = [...init, ...ephemeral].some(({ state }) => state?.running);
  const initialized = initIsOver(pod, init, main);
  if (!initialized) {
    if (!othersRun && (initFailed(pod, init) || (ending && counts.running === 0 && initEnded(init)))) return 'Failed';
    if (!ending) return 'Pending';
  }
  if (ending) {
    // "Will not be restarted": as soon as nothing runs, how it ended is all there is to say.
    if (counts.running > 0 || othersRun) return before === 'Pending' && !initialized ? 'Pending' : 'Running';
    // What was ended for a reason (its deadline) has failed, however well its containers took it.
    return course.reason === undefined && counts.succeeded === main.length ? 'Succeeded' : 'Failed';
  }
  if (counts.waiting > 0) return 'Pending';
  if (counts.running > 0 || othersRun || main.some((status, n) => runsAgain(pod, n, status))) return 'Running';
  return counts.succeeded === main.length ? 'Succeeded' : 'Failed';
}

const runsAgain = (pod: Pod, index: number, { state }: ContainerStatus): boolean =>
  state?.terminated === undefined || restartsAfter('main', pod, pod.spec.containers[index]!, state.terminated.exitCode);

interface Counts {
  readonly running: number;
  /** Never ran. One that ran and waits to run again counts as ended. */
  readonly waiting: number;
  readonly succeeded: number;
}

function countStates(statuses: readonly ContainerStatus[]): Counts {
  const count = (test: (state: ContainerState, last: ContainerState) => boolean): number =>
    statuses.filter((status) => test(status.state ?? {}, status.lastState ?? {})).length;
  return {
    running: count(({ running }) => running !== undefined),
    waiting: count(({ waiting }, last) => waiting !== undefined && last.terminated === undefined),
    succeeded: count(({ terminated }) => terminated?.exitCode === 0),
  };
}

function initIsOver(pod: Pod, init: readonly ContainerStatus[], main: readonly ContainerStatus[]): boolean {
  if (main.some(({ state, lastState }) => state?.running || state?.terminated || lastState?.terminated)) return true;
  return (pod.spec.initContainers ?? []).every((container, n) =>
    isSidecar(container) ? init[n]?.started === true : init[n]?.state?.terminated?.exitCode === 0,
  );
}

/** For good: what it would be started again for is a matter of time. */
const initFailed = (pod: Pod, init: readonly ContainerStatus[]): boolean =>
  (pod.spec.initContainers ?? []).some((container, n) => {
    const exitCode = init[n]?.state?.terminated?.exitCode ?? 0;
    return exitCode !== 0 && !restartsAfter(roleOf(container), pod, container, exitCode);
  });

const initEnded = (init: readonly ContainerStatus[]): boolean =>
  init.some(({ state, lastState }) => (state?.terminated?.exitCode ?? lastState?.terminated?.exitCode ?? 0) !== 0);

interface ConditionFacts {
  readonly pod: Pod;
  readonly phase: PodPhase;
  readonly init: readonly ContainerStatus[];
  readonly main: readonly ContainerStatus[];
  readonly observed: Observed;
}

type Claim = Omit<PodCondition, 'lastTransitionTime'>;

/** The types of the conditions a kubelet writes; all others belong to someone else. */
export const ownConditions: readonly string[] = [
  'PodReadyToStartContainers',
  'Initialized',
  'Ready',
  'ContainersReady',
  'PodScheduled',
];

function conditionsOf(facts: ConditionFacts, now: number): readonly PodCondition[] {
  const { observed, pod } = facts;
  const sandbox = currentSandbox(observed);
  const networked = sandbox?.state === 'ready' && (pod.spec.hostNetwork === true || sandbox.addresses.length > 0);
  const containersReady = containersReadyClaim(facts);
  const claims: readonly Claim[] = [
    { type: 'PodReadyToStartContainers', status: networked ? 'True' : 'False' },
    initializedClaim(facts),
    readyClaim(facts, containersReady),
    { ...containersReady, type: 'ContainersReady' },
    { type: 'PodScheduled', status: 'True' },
  ];
  return claims.map((claim) => withTransition(claim, facts, now));
}

function initializedClaim({ pod, phase, init, main }: ConditionFacts): Claim {
  const type = 'Initialized';
  if (initIsOver(pod, init, main)) {
    return { type, status: 'True', ...(phase === 'Succeeded' ? { reason: 'PodCompleted' } : {}) };
  }
  const names = (pod.spec.initContainers ?? [])
    .filter((one, n) => (isSidecar(one) ? init[n]?.started !== true : init[n]?.state?.terminated?.exitCode !== 0))
    .map(({ name }) => name);
  const message = `containers with incomplete status: [${names.join(' ')}]`;
  return { type, status: 'False', reason: 'ContainersNotInitialized', message };
}

function containersReadyClaim({ pod, phase, init, main }: ConditionFacts): Claim {
  const type = 'ContainersReady';
  if (phase === 'Succeeded') return { type, status: 'False', reason: 'PodCompleted' };
  if (phase === 'Failed') return { type, status: 'False', reason: 'PodFailed' };
  const sidecars = init.filter(({ name }) =>
    pod.spec.initContainers?.some((one: Container) => one.name === name && isSidecar(one)),
  );
  const unready = [...sidecars, ...main].filter(({ ready }) => !ready).map(({ name }) => name);
  if (unready.length === 0) return { type, status: 'True' };
  return {
    type,
    status: 'False',
    reason: 'ContainersNotReady',
    message: `containers with unready status: [${unready.join(' ')}]`,
  };
}

/** Ready is ContainersReady and every readiness gate (KEP-580). */
function readyClaim({ pod }: ConditionFacts, containersReady: Claim): Claim {
  const type = 'Ready';
  if (containersReady.status !== 'True') return { ...containersReady, type };
  const unmet = (pod.spec.readinessGates ?? []).flatMap(({ conditionType }) => {
    const found = pod.status?.conditions?.find((condition) => condition.type === conditionType);
    if (found?.status === 'True') return [];
    return [
      found === undefined
        ? `corresponding condition of pod readiness gate "${conditionType}" does not exist.`
        : `the status of pod readiness gate "${conditionType}" is not "True", but ${found.status}`,
    ];
  });
  if (unmet.length === 0) return { type, status: 'True' };
  return { type, status: 'False', reason: 'ReadinessGatesNotReady', message: unmet.join(', ') };
}

/** The time of a condition is when its status last changed, not when it was last written. */
function withTransition(
  claim: Claim,
  { pod, observed }: Pick<ConditionFacts, 'pod' | 'observed'>,
  now: number,
): PodCondition {
  const known = (observed.previous?.conditions ?? pod.status?.conditions ?? []).find(({ type }) => type === claim.type);
  const since = known?.status === claim.status ? known.lastTransitionTime : undefined;
  return {
    ...claim,
    ...generationOf(pod),
    lastTransitionTime: since ?? timeOf(now),
  };
}
