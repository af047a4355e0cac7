/** Pods and observations for the tests of the pure parts. */
import type { Container, Pod, PodSpec, PodStatus } from '#api/generated/core-v1.ts';
import type { ResourceVersion, Uid } from '#api/meta.ts';
import type { ContainerId, ContainerState, ImageRef, ObservedSandbox, SandboxId } from '#cri/runtime.ts';
import {
  annotations,
  type Failure,
  type ImageState,
  type Observed,
  type PodContainer,
  type StepKey,
} from '#kubelet/observed.ts';
import { usualSettings } from '#kubelet/settings.ts';

export const aContainer = (name: string, over: Partial<Container> = {}): Container => ({
  name,
  image: 'busybox',
  imagePullPolicy: 'IfNotPresent',
  ...over,
});

export const aPod = (
  spec: Partial<PodSpec> = {},
  status: PodStatus = { phase: 'Pending', qosClass: 'BestEffort' },
): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: 'web',
    namespace: 'default',
    uid: 'uid-1' as Uid,
    resourceVersion: '1' as ResourceVersion,
    creationTimestamp: '2026-01-01T00:00:00Z',
    generation: 1,
  },
  spec: {
    restartPolicy: 'Always',
    terminationGracePeriodSeconds: 30,
    containers: [aContainer('main')],
    ...spec,
  },
  status,
});

export const aSandbox = (attempt = 0, over: Partial<ObservedSandbox> = {}): ObservedSandbox => ({
  id: `sandbox-${attempt}` as SandboxId,
  metadata: { name: 'web', namespace: 'default', uid: 'uid-1', attempt },
  state: 'ready',
  createdAt: 0,
  labels: {},
  annotations: {},
  runtimeHandler: '',
  addresses: ['10.244.1.3', 'fd00:10:244:1::3'],
  network: 'pod',
  ...over,
});

export const found = (
  name: string,
  state: ContainerState,
  over: Partial<PodContainer> & { restartDelayMs?: number } = {},
): PodContainer => {
  const { restartDelayMs = 0, ...rest } = over;
  const attempt = over.attempt ?? 0;
  return {
    id: `${name}-${attempt}` as ContainerId,
    sandbox: 'sandbox-0' as SandboxId,
    name,
    attempt,
    state,
    createdAt: 0,
    image: 'docker.io/library/busybox:latest',
    imageRef: 'sha256:b' as ImageRef,
    labels: {},
    annotations: { [annotations.image]: 'busybox', [annotations.restartDelayMs]: String(restartDelayMs) },
    mounts: [],
    logPath: '',
    resources: undefined,
    user: undefined,
    stopSignal: undefined,
    ...rest,
  };
};

export const created: ContainerState = { kind: 'created' };
export const running = (startedAt = 0): ContainerState => ({ kind: 'running', startedAt });
export const exited = (exitCode: number, finishedAt = 1000, startedAt = 0): ContainerState => ({
  kind: 'exited',
  startedAt,
  finishedAt,
  exitCode,
  reason: exitCode === 0 ? 'Completed' : 'Error',
  message: '',
});

export const present: ImageState = { kind: 'present', ref: 'sha256:b' as ImageRef, pulledAt: undefined };

export const observed = (over: Partial<Observed> = {}): Observed => ({
  sandboxes: [],
  containers: [],
  images: new Map([['busybox', present]]),
  files: 'ready',
  probes: new Map(),
  crashLoop: usualSettings.crashLoop,
  hooked: new Set(),
  stopped: new Set(),
  inFlight: new Map(),
  failures: new Map(),
  previous: undefined,
  terminalReported: false,
  ...over,
});

export const failed = (key: StepKey, failure: Partial<Failure> = {}): ReadonlyMap<StepKey, Failure> =>
  new Map([[key, { reason: 'Failed', message: 'no', count: 1, at: 0, ...failure }]]);
