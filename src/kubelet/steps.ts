import type { Pod } from '#api/generated/core-v1.ts';
import { hasReason } from '#api/errors.ts';
import type { EntryBody } from '#api/peapod/pod-timeline.ts';
import { isStaticPod } from '#api/pod-source.ts';
import type { Client } from '#client/client.ts';
import type { EventRecorder, EventText } from '#client/events.ts';
import type { Timeline } from '#client/timeline-recorder.ts';
import { podResource } from '#client/resources.ts';
import type { ContainerId, ContainerRuntime } from '#cri/runtime.ts';
import { RuntimeFault } from '#cri/fault.ts';
import type { ContainerConfigs } from '#kubelet/container-configs.ts';
import type { Hooks } from '#kubelet/hooks.ts';
import { containerNamed, currentSandbox, type ImageState, type Observed, step } from '#kubelet/observed.ts';
import type { Action } from '#kubelet/plan.ts';
import { fieldPathOf } from '#kubelet/pod-events.ts';
import type { PodFiles } from '#kubelet/pod-files.ts';
import type { ProbeTarget } from '#kubelet/probes/probe-call.ts';
import { type ImagePuller, pulledMessage } from '#kubelet/image-puller.ts';
import { StepFailure } from '#kubelet/step-failure.ts';
import { attemptOf } from '#kubelet/timeline/status-entries.ts';
import { FilesReleased } from '#kubelet/volumes/live-files.ts';
import type { PodVolumes } from '#kubelet/volumes/pod-volumes.ts';
import type { Clock } from '#lib/clock.ts';
import type { Turnstile } from '#lib/turnstile.ts';

/** Does the steps of a plan. Each may be repeated: after a crash the next plan may ask for what was already done. */
export interface Steps {
  /** Rejects with StepFailure for what users should see, with the signal's reason when called off. */
  take(action: Action, subject: Subject, signal: AbortSignal): Promise<StepResult | undefined>;
}

export interface Subject {
  readonly uid: string;
  /** undefined for what was found in the runtime and has no object any more. */
  readonly pod: Pod | undefined;
  readonly observed: Observed;
}

export interface StepResult {
  readonly image: ImageState;
}

export interface StepDeps {
  readonly runtime: ContainerRuntime;
  readonly clock: Clock;
  readonly client: Client;
  readonly events: EventRecorder;
  readonly timeline: Timeline;
  readonly files: PodFiles;
  readonly volumes: PodVolumes;
  readonly puller: ImagePuller;
  readonly configs: ContainerConfigs;
  readonly hooks: Hooks;
  /** How many sandboxes are made at once. */
  readonly sandboxTurns: Turnstile;
  /** A static pod that was to end has ended. */
  readonly staticEnded: (uid: string) => void;
  /** The node's own, which pods in its network have. */
  readonly hostAddresses: () => readonly string[];
  /** A pod wanted the cluster's DNS, and there is none. */
  readonly missingClusterDns: () => void;
}

type Executor<Kind extends Action['kind']> = (
  action: Extract<Action, { readonly kind: Kind }>,
  subject: Subject,
  signal: AbortSignal,
) => Promise<StepResult | undefined | void>;

/** One executor for each kind of action: an action without one does not compile. */
type Executors = { readonly [Kind in Action['kind']]: Executor<Kind> };

export function createSteps(deps: StepDeps): Steps {
  const executors = executorsOf(deps);
  return {
    async take(action, subject, signal) {
      const execute = executors[action.kind] as Executor<Action['kind']>;
      return (await execute(action as never, subject, signal)) ?? undefined;
    },
  };
}

function executorsOf(deps: StepDeps): Executors {
  const { runtime, files } = deps;
  return {
    'prepare-files': (_action, subject, signal) => prepareFiles(deps, subject, signal),
    'create-sandbox': (action, { pod }, signal) => createSandbox(deps, pod!, action.attempt, signal),
    'pull-image': (action, { pod }, signal) => pullImage(deps, pod!, action.container.name, signal),
    'create-container': (action, subject, signal) => createContainer(deps, action, subject, signal),
    'start-container': (action, subject, signal) => startContainer(deps, action, subject, signal),
    'stop-container': (action, subject, signal) => {
      tell(deps, subject.pod, { type: 'Normal', reason: 'Killing', message: action.why }, action.name);
      note(deps, subject.pod, killing(action.name, action.why, action.deadlineAt));
      return stopContainer(deps, action, subject, signal);
    },
    'run-pre-stop': async (action, subject, signal) => {
      await beforeStop(deps, action, subject, signal);
    },
    'remove-container': ({ id }, _subject, signal) => runtime.containers.remove(id, signal),
    'stop-sandbox': ({ id }, subject, signal) => endSandbox(deps, subject, () => runtime.sandboxes.stop(id, signal)),
    'remove-sandbox': ({ id, lost }, subject, signal) => {
      const { pod } = subject;
      const message = 'Pod sandbox changed, it will be killed and re-created.';
      if (lost) tell(deps, pod, { type: 'Normal', reason: 'SandboxChanged', message });
      if (lost) note(deps, pod, { type: 'SandboxLost' });
      return endSandbox(deps, subject, () => runtime.sandboxes.remove(id, signal));
    },
    'clean-up': async ({ logs }, { uid, pod }, signal) => {
      await deps.volumes.release(uid);
      await files.remove({ uid, pod, logs }, signal);
    },
    'delete-object': async (_action, { uid, pod }, signal) => {
      // A mirror is not the pod: it goes when the pod is no more.
      if (isStaticPod(pod!)) deps.staticEnded(uid);
      else await deleteObject(deps, pod!, signal);
    },
  };
}

async function prepareFiles(deps: StepDeps, { pod, observed }: Subject, signal: AbortSignal): Promise<void> {
  try {
    await deps.volumes.prepare(pod!, signal);
  } catch (error) {
    signal.throwIfAborted();
    // The pod has ended meanwhile: the next look shows it.
    if (error instanceof FilesReleased) return;
    const message = textOf(error);
    tell(deps, pod, { type: 'Warning', reason: 'FailedMount', message });
    const known = observed.failures.get(step.prepare())?.message === message;
    if (!known) note(deps, pod, { type: 'MountFailed', message });
    throw new StepFailure('FailedMount', message, { cause: error });
  }
}

async function createSandbox(deps: StepDeps, pod: Pod, attempt: number, signal: AbortSignal): Promise<void> {
  const { clock } = deps;
  let begun = clock.now();
  try {
    const { config, warnings, missingClusterDns } = await deps.configs.sandbox(pod, attempt);
    for (const warning of warnings) tell(deps, pod, warning);
    if (missingClusterDns) deps.missingClusterDns();
    await deps.sandboxTurns.pass(() => {
      begun = clock.now();
      return deps.runtime.sandboxes.run(config, signal);
    }, signal);
    note(deps, pod, { type: 'SandboxCreated', attempt, durationMs: clock.now() - begun });
  } catch (error) {
    signal.throwIfAborted();
    // Left over from before a crash: the next look shows it.
    if (error instanceof RuntimeFault && error.kind === 'already-exists') return;
    const message = `Failed to create pod sandbox: ${textOf(error)}`;
    tell(deps, pod, { type: 'Warning', reason: 'FailedCreatePodSandBox', message });
    note(deps, pod, { type: 'SandboxFailed', message: textOf(error), durationMs: clock.now() - begun });
    throw new StepFailure('FailedCreatePodSandBox', message, { cause: error });
  }
}

/** One that cannot be ended holds up the next one, or the end of its pod: people have to hear of it. In upstream's words. */
async function endSandbox(deps: StepDeps, { pod, uid }: Subject, end: () => Promise<void>): Promise<void> {
  const begun = deps.clock.now();
  try {
    await end();
  } catch (error) {
    // A runtime that is away says nothing about this sandbox.
    if (!(error instanceof RuntimeFault) || error.kind === 'unavailable') throw error;
    const text = textOf(error);
    const message = `error killing pod: failed to "KillPodSandbox" for "${uid}" with KillPodSandboxError: ${JSON.stringify(text)}`;
    tell(deps, pod, { type: 'Warning', reason: 'FailedKillPod', message });
    if (pod?.metadata.deletionTimestamp === undefined) {
      const durationMs = deps.clock.now() - begun;
      note(deps, pod, { type: 'SandboxFailed', message: `the one before it cannot be ended: ${text}`, durationMs });
    }
    throw new StepFailure('FailedKillPod', text, { cause: error });
  }
}

async function pullImage(deps: StepDeps, pod: Pod, containerName: string, signal: AbortSignal): Promise<StepResult> {
  const { puller, clock } = deps;
  const image = imageOf(pod, containerName);
  const which = { container: containerName, image };
  const begun = clock.now();
  note(deps, pod, { type: 'PullStarted', ...which });
  tell(deps, pod, { type: 'Normal', reason: 'Pulling', message: `Pulling image "${image}"` }, containerName);
  try {
    const pulled = await puller.pull(pod, image, signal);
    tell(deps, pod, { type: 'Normal', reason: 'Pulled', message: pulledMessage(image, pulled) }, containerName);
    const { tookMs: durationMs, sizeBytes } = pulled;
    note(deps, pod, { type: 'Pulled', ...which, durationMs, ...(sizeBytes === undefined ? {} : { sizeBytes }) });
    return { image: { kind: 'present', ref: pulled.ref, pulledAt: clock.now() } };
  } catch (error) {
    signal.throwIfAborted();
    const reason = reasonOfPull(error);
    const badName = reason === 'InvalidImageName';
    const durationMs = clock.now() - begun;
    note(deps, pod, { type: 'PullFailed', ...which, reason, message: textOf(error), durationMs });
    const message = `Failed to pull image "${image}": ${textOf(error)}`;
    // A bad name is told of by its own event, which follows from the status.
    if (!badName) tell(deps, pod, { type: 'Warning', reason: 'Failed', message }, containerName);
    tell(deps, pod, { type: 'Warning', reason: 'Failed', message: `Error: ${reason}` }, containerName);
    throw new StepFailure(reason, badName ? badNameMessage(image, error) : textOf(error), { cause: error });
  }
}

async function createContainer(
  deps: StepDeps,
  action: Extract<Action, { readonly kind: 'create-container' }>,
  { pod, observed }: Subject,
  signal: AbortSignal,
): Promise<void> {
  const { container, attempt, sandbox, restartDelayMs } = action;
  const state = observed.images.get(container.image ?? '');
  if (state?.kind === 'present' && state.pulledAt === undefined && attempt === 0) {
    const message = `Container image "${container.image}" already present on machine`;
    tell(deps, pod, { type: 'Normal', reason: 'Pulled', message }, container.name);
    note(deps, pod, { type: 'ImagePresent', container: container.name, image: container.image ?? '' });
  }
  const begun = deps.clock.now();
  try {
    const imageRef = state?.kind === 'present' ? state.ref : (container.image ?? '');
    const configs = await deps.configs.container(
      { pod: pod!, container, attempt, restartDelayMs, imageRef, observed },
      signal,
    );
    await deps.runtime.containers.create(sandbox, configs, signal);
    // What the one before has said is what people ask for next; of those before that one nobody knows any more.
    if (attempt > 1) await deps.files.forgetLogs(pod!, { container: container.name, attempt: attempt - 1 });
    tell(deps, pod, { type: 'Normal', reason: 'Created', message: `Container created` }, container.name);
    const durationMs = deps.clock.now() - begun;
    note(deps, pod, { type: 'ContainerCreated', container: container.name, attempt, durationMs });
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof RuntimeFault && error.kind === 'already-exists') return;
    const reason = error instanceof StepFailure ? error.reason : 'CreateContainerError';
    tell(deps, pod, { type: 'Warning', reason: 'Failed', message: `Error: ${textOf(error)}` }, container.name);
    const why = { reason, message: textOf(error) };
    note(deps, pod, { type: 'ContainerCreateFailed', container: container.name, attempt, ...why });
    const imageGone = error instanceof RuntimeFault && error.kind === 'not-found';
    throw new StepFailure(reason, textOf(error), { cause: error, imageGone });
  }
}

async function startContainer(
  deps: StepDeps,
  action: Extract<Action, { readonly kind: 'start-container' }>,
  subject: Subject,
  signal: AbortSignal,
): Promise<void> {
  const { pod } = subject;
  const attempt = attemptOf(subject.observed, action.id);
  const begun = deps.clock.now();
  try {
    await deps.runtime.containers.start(action.id, signal);
    tell(deps, pod, { type: 'Normal', reason: 'Started', message: `Container started` }, action.name);
    // It may have ended since: its start comes before its end.
    note(deps, pod, { type: 'ContainerStarted', container: action.name, attempt }, begun);
  } catch (error) {
    signal.throwIfAborted();
    tell(deps, pod, { type: 'Warning', reason: 'Failed', message: `Error: ${textOf(error)}` }, action.name);
    const why = { reason: 'RunContainerError', message: textOf(error) };
    note(deps, pod, { type: 'ContainerStartFailed', container: action.name, attempt, ...why });
    throw new StepFailure('RunContainerError', textOf(error), { cause: error });
  }
  await afterStart(deps, action, subject, signal);
}

/** A container whose postStart hook fails is killed. */
async function afterStart(
  deps: StepDeps,
  { id, name }: Extract<Action, { readonly kind: 'start-container' }>,
  subject: Subject,
  signal: AbortSignal,
): Promise<void> {
  const { clock, hooks } = deps;
  const { pod } = subject;
  const target = targetOf(deps, { id, name }, subject);
  if (pod === undefined || target === undefined) return;
  try {
    await hooks.postStart(target, signal);
  } catch (error) {
    signal.throwIfAborted();
    tell(deps, pod, { type: 'Warning', reason: 'FailedPostStartHook', message: 'PostStartHook failed' }, name);
    tell(deps, pod, { type: 'Normal', reason: 'Killing', message: 'FailedPostStartHook' }, name);
    const deadlineAt = clock.now() + (pod.spec.terminationGracePeriodSeconds ?? 30) * 1000;
    note(deps, pod, { type: 'HookFailed', container: name, hook: 'postStart', message: textOf(error) });
    note(deps, pod, killing(name, 'FailedPostStartHook', deadlineAt));
    await stopContainer(deps, { id, name, deadlineAt }, subject, signal);
    throw new StepFailure('PostStartHookError', textOf(error), { cause: error });
  }
}

/** What a container that is told to end gets at least, ms, even when hooks or those before it have used up the grace period; upstream's. */
const LEAST_GRACE_MS = 2000;

async function stopContainer(
  deps: StepDeps,
  { id, name, deadlineAt }: { readonly id: ContainerId; readonly name: string; readonly deadlineAt: number },
  subject: Subject,
  signal: AbortSignal,
): Promise<void> {
  const { runtime, clock } = deps;
  // One whose deadline has come nearer has been told already.
  const told = [...subject.observed.inFlight.keys()].some((key) => key.startsWith(`stop ${id} by `));
  const hooked = await beforeStop(deps, { id, name, deadlineAt }, subject, signal);
  await runtime.containers.stop(id, Math.max(hooked || !told ? LEAST_GRACE_MS : 0, deadlineAt - clock.now()), signal);
  deps.hooks.forget(id);
}

async function beforeStop(
  deps: StepDeps,
  { id, name, deadlineAt }: { readonly id: ContainerId; readonly name: string; readonly deadlineAt: number },
  subject: Subject,
  signal: AbortSignal,
): Promise<boolean> {
  const target = targetOf(deps, { id, name }, subject);
  if (target === undefined) return false;
  try {
    return await deps.hooks.preStop(target, deadlineAt, signal);
  } catch (error) {
    signal.throwIfAborted();
    tell(deps, subject.pod, { type: 'Warning', reason: 'FailedPreStopHook', message: 'PreStopHook failed' }, name);
    note(deps, subject.pod, { type: 'HookFailed', container: name, hook: 'preStop', message: textOf(error) });
    return true;
  }
}

/** undefined for what has no object any more: nobody knows its hooks. */
function targetOf(
  { hostAddresses }: StepDeps,
  { id, name }: { readonly id: ContainerId; readonly name: string },
  { pod, observed }: Subject,
): ProbeTarget | undefined {
  const container = pod && containerNamed(pod, name);
  if (!pod || !container) return undefined;
  const addresses = pod.spec.hostNetwork === true ? hostAddresses() : currentSandbox(observed)?.addresses;
  return { id, container, podIP: addresses?.[0] };
}

async function deleteObject({ client }: StepDeps, pod: Pod, signal: AbortSignal): Promise<void> {
  const { namespace, name, uid } = pod.metadata;
  try {
    await client.delete(
      podResource,
      { ...(namespace === undefined ? {} : { namespace }), name },
      { gracePeriodSeconds: 0, uid },
      signal,
    );
  } catch (error) {
    // Gone already, or a namesake has taken its place: either way this pod is no more.
    if (!hasReason(error, 'NotFound') && !hasReason(error, 'Conflict')) throw error;
  }
}

function tell({ events }: StepDeps, pod: Pod | undefined, event: EventText, containerName?: string): void {
  if (pod === undefined) return;
  events.record(pod, containerName === undefined ? event : { ...event, fieldPath: fieldPathOf(pod, containerName) });
}

function note({ timeline }: StepDeps, pod: Pod | undefined, entry: EntryBody, at?: number): void {
  if (pod !== undefined) timeline.record(pod, entry, at);
}

const killing = (container: string, message: string, deadlineAt: number): EntryBody => ({
  type: 'Killing',
  container,
  message,
  deadline: new Date(deadlineAt).toISOString(),
});

const imageOf = (pod: Pod, name: string): string =>
  [...(pod.spec.initContainers ?? []), ...pod.spec.containers, ...(pod.spec.ephemeralContainers ?? [])].find(
    (container) => container.name === name,
  )?.image ?? '';

/** In upstream's words, which parses names itself; what is wrong with this one is the runtime's to say. */
function badNameMessage(image: string, error: unknown): string {
  const said = error instanceof RuntimeFault ? error.description : textOf(error);
  const why = said.replace(/^failed to parse image reference "[^"]*": /, '');
  return `Failed to apply default image tag "${image}": couldn't parse image name "${image}": ${why}`;
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** A registry that is down is, for a pod's status, a pull that failed: that is what people look for. */
function reasonOfPull(error: unknown): string {
  const reason = error instanceof RuntimeFault ? error.pullReason : undefined;
  return reason === undefined || reason === 'RegistryUnavailable' ? 'ErrImagePull' : reason;
}
