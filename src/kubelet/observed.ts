import type { Container, ContainerStatus, Pod, PodStatus } from '#api/generated/core-v1.ts';
import type { ContainerId, ImageRef, ObservedContainer, ObservedSandbox, SandboxId } from '#cri/runtime.ts';
import type { ProbeResults } from '#kubelet/probe.ts';
import type { BackoffPolicy } from '#lib/backoff.ts';
import type { Brand } from '#lib/brand.ts';

/**
 * Everything a decision about a pod may depend on. If it is not here, the plan cannot see it: that is what makes the
 * plan a table one can test, and what lets a new kubelet go on where a killed one stopped.
 */
export interface Observed {
  readonly sandboxes: readonly ObservedSandbox[];
  readonly containers: readonly PodContainer[];
  /** By the image's name as the pod gives it. A name that is not here has not been looked up, and counts as absent. */
  readonly images: ReadonlyMap<string, ImageState>;
  readonly files: FilesState;
  /** What its probes have shown of each container that runs and has some. */
  readonly probes: ReadonlyMap<ContainerId, ProbeResults>;
  /** The pace at which containers that keep ending are started again. */
  readonly crashLoop: BackoffPolicy;
  /** Containers that still run and whose preStop hook was run before it was their turn to be stopped. */
  readonly hooked: ReadonlySet<ContainerId>;
  /** Sandboxes whose stop has succeeded since this kubelet began; a stop is repeatable, so forgetting one costs a call. */
  readonly stopped: ReadonlySet<SandboxId>;
  /** Steps under way, with when they began. */
  readonly inFlight: ReadonlyMap<StepKey, number>;
  /** The last failure of a step that has not succeeded since. */
  readonly failures: ReadonlyMap<StepKey, Failure>;
  /** The kubelet's own last status, not what a watch shows: that may be late. From the API only when the kubelet has just begun. */
  readonly previous: PodStatus | undefined;
  /** True once the API has acknowledged a terminal phase. */
  readonly terminalReported: boolean;
}

/**
 * The pod's cgroup, volumes and folders. `logs`: all gone but the logs, as of a pod that has ended. `left`: of an earlier
 * kubelet; whether all of it is there nobody knows.
 */
export type FilesState = 'absent' | 'logs' | 'left' | 'ready';

/** Names one step of one pod: the same step has the same key in every plan, so that it is not begun twice. */
export type StepKey = Brand<string, 'StepKey'>;

export interface PodContainer extends ObservedContainer {
  readonly sandbox: SandboxId;
  /**
   * It has ended, and the runtime still clears up after it: its log and its last words may be incomplete, the reason of its end may
   * turn out to be another. Enough to begin with what follows, too little to be told.
   */
  readonly isClearing?: true;
}

export type ImageState =
  /** `pulledAt` is undefined when it was there before this pod asked for it. */
  | { readonly kind: 'present'; readonly ref: ImageRef; readonly pulledAt: number | undefined }
  | { readonly kind: 'absent' };

export interface Failure {
  /** Upstream's name for it, shown to users: `ErrImagePull`, `CreateContainerError`. */
  readonly reason: string;
  readonly message: string;
  /** Failures in a row. */
  readonly count: number;
  readonly at: number;
}

/** What the kubelet writes on the containers and sandboxes it makes, so that the runtime remembers it. */
export const annotations = {
  /** The image as the pod named it then; another name now means the container is to be replaced. */
  image: 'peapod.dev/image',
  /** How long to wait before the container that follows this one, if this one ends. */
  restartDelayMs: 'peapod.dev/restart-delay-ms',
  terminationMessagePath: 'io.kubernetes.container.terminationMessagePath',
  terminationMessagePolicy: 'io.kubernetes.container.terminationMessagePolicy',
} as const;

/** The labels other tools for the same runtime look for (`crictl pods`), as upstream's kubelet sets them. */
export const labels = {
  podName: 'io.kubernetes.pod.name',
  podNamespace: 'io.kubernetes.pod.namespace',
  podUid: 'io.kubernetes.pod.uid',
  containerName: 'io.kubernetes.container.name',
  /** Whose it is: a runtime may serve other kubelets too, and theirs are not ours to clear away. */
  owner: 'peapod.dev/node',
} as const;

/** The newest sandbox; older ones only wait to be removed. */
export const currentSandbox = (observed: Pick<Observed, 'sandboxes'>): ObservedSandbox | undefined =>
  observed.sandboxes.reduce<ObservedSandbox | undefined>(
    (newest, sandbox) => (newest && newest.metadata.attempt >= sandbox.metadata.attempt ? newest : sandbox),
    undefined,
  );

/** All of one name, newest attempt first. */
export const containersNamed = (observed: Observed, name: string): readonly PodContainer[] =>
  observed.containers.filter((container) => container.name === name).sort((a, b) => b.attempt - a.attempt);

/** Of a pod's own containers, init containers and sidecars included. */
export const containerNamed = ({ spec }: Pod, name: string): Container | undefined =>
  [...(spec.initContainers ?? []), ...spec.containers].find((container) => container.name === name);

/** What a status says of this very container: not of one before it. */
export const statusOfContainer = (
  status: PodStatus | undefined,
  { id, name }: Pick<PodContainer, 'id' | 'name'>,
): ContainerStatus | undefined =>
  [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])].find(
    (one) => one.name === name && one.containerID?.endsWith(`://${id}`) === true,
  );

export const isRunning = (container: PodContainer): boolean =>
  container.state.kind === 'running' || container.state.kind === 'unknown';

export const step = {
  prepare: (): StepKey => 'prepare' as StepKey,
  createSandbox: (): StepKey => 'create-sandbox' as StepKey,
  pull: (image: string): StepKey => `pull ${image}` as StepKey,
  create: (container: string): StepKey => `create ${container}` as StepKey,
  start: (id: ContainerId): StepKey => `start ${id}` as StepKey,
  stop: (id: ContainerId): StepKey => `stop ${id}` as StepKey,
  /** The deadline is part of the name: a stop with a nearer one is another step, begun beside the first. */
  stopBy: (id: ContainerId, deadlineAt: number): StepKey => `stop ${id} by ${deadlineAt}` as StepKey,
  preStop: (id: ContainerId): StepKey => `pre-stop ${id}` as StepKey,
  removeContainer: (id: ContainerId): StepKey => `remove container ${id}` as StepKey,
  stopSandbox: (id: SandboxId): StepKey => `stop sandbox ${id}` as StepKey,
  removeSandbox: (id: SandboxId): StepKey => `remove sandbox ${id}` as StepKey,
  cleanUp: (): StepKey => 'clean up' as StepKey,
  deleteObject: (): StepKey => 'delete object' as StepKey,
} as const;
