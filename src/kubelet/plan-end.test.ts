import { aContainer, aPod, aSandbox, exited, found, running } from '#kubelet/fixtures.ts';
import { type Observed, step } from '#kubelet/observed.ts';
import { type Action, type Desired } from '#kubelet/plan.ts';
import { checkPlans } from '#kubelet/plan-cases.ts';
import type { PodSpec } from '#api/generated/core-v1.ts';
import type { ContainerId } from '#cri/runtime.ts';

const terminate = (deadlineAt = 30_000, spec: Partial<PodSpec> = {}): Desired => ({
  kind: 'terminate',
  pod: aPod(spec),
  deadlineAt,
  cause: 'deleted',
});
const release: Desired = { kind: 'release', pod: aPod({ restartPolicy: 'Never' }) };
const forget: Desired = { kind: 'forget', deadlineAt: 2000 };
const up = { sandboxes: [aSandbox()] };
const sandboxDown = aSandbox(0, { state: 'not-ready', addresses: [] });
const sidecar = { initContainers: [aContainer('side', { restartPolicy: 'Always' })] };
const hook = { preStop: { sleep: { seconds: 1 } } };
const sidecars = {
  initContainers: ['one', 'two'].map((name) => aContainer(name, { restartPolicy: 'Always', lifecycle: hook })),
};
const inFlight = (...keys: readonly Action['key'][]): Partial<Observed> => ({
  inFlight: new Map(keys.map((key) => [key, 0])),
});
checkPlans([
  {
    name: 'ending: stops what runs',
    desired: terminate(),
    observed: { ...up, containers: [found('main', running())] },
    want: ['stop-container by 30000'],
  },
  {
    name: 'ending: a pull is called off',
    desired: terminate(),
    observed: { ...up, ...inFlight(step.pull('busybox')) },
    want: ['remove-sandbox'],
    cancel: ['pull busybox'],
  },
  {
    name: 'ending: a nearer deadline is a new step',
    desired: terminate(0),
    observed: {
      ...up,
      containers: [found('main', running())],
      ...inFlight(step.stopBy('main-0' as ContainerId, 30_000)),
    },
    want: ['stop-container by 0'],
  },
  {
    name: 'ending: a container in the making is awaited',
    desired: terminate(),
    observed: { ...up, ...inFlight(step.create('main')) },
    want: [],
  },
  {
    name: 'ending: main before sidecars',
    desired: terminate(30_000, sidecar),
    observed: { ...up, containers: [found('side', running()), found('main', running())] },
    want: ['stop-container by 30000'],
  },
  {
    name: 'ending: hooks of sidecars do not wait for their turn',
    desired: terminate(30_000, sidecars),
    observed: {
      ...up,
      containers: [found('one', running()), found('two', running()), found('main', running())],
      hooked: new Set(['two-0' as ContainerId]),
    },
    want: ['stop-container by 30000', 'run-pre-stop one-0'],
  },
  {
    name: 'ending: sidecars go one by one, the last first',
    desired: terminate(30_000, sidecars),
    observed: {
      ...up,
      containers: [found('one', running()), found('two', running()), found('main', exited(0))],
      hooked: new Set(['one-0' as ContainerId]),
      ...inFlight(step.stopBy('two-0' as ContainerId, 30_000)),
    },
    want: [],
    wakeAt: 30_000,
  },
  {
    name: 'ending: past the deadline all that is left is stopped at once',
    desired: terminate(30_000, sidecars),
    observed: { ...up, containers: [found('one', running()), found('two', running()), found('main', running())] },
    now: 30_000,
    want: ['stop-container by 30000', 'stop-container by 30000', 'stop-container by 30000'],
  },
  {
    name: 'completed: sidecars are stopped, all else is kept for release',
    desired: { kind: 'terminate', pod: aPod(sidecars), deadlineAt: 5, cause: 'completed' },
    observed: { ...up, containers: [found('one', exited(0)), found('two', exited(0)), found('main', exited(0))] },
    want: [],
  },
  {
    name: 'ending: nothing runs: sandbox',
    desired: terminate(),
    observed: { ...up, containers: [found('main', exited(0))] },
    want: ['remove-sandbox'],
  },
  { name: 'ending: then files', desired: terminate(), observed: {}, want: ['clean-up remove'] },
  {
    name: 'ending: of a pod that had ended, the logs',
    desired: terminate(),
    observed: { files: 'logs', terminalReported: true },
    want: ['clean-up remove'],
  },
  {
    name: 'ending: the object waits until its end was seen',
    desired: terminate(),
    observed: { files: 'absent' },
    want: [],
  },
  {
    name: 'ending: the object goes last',
    desired: terminate(),
    observed: { files: 'absent', terminalReported: true },
    want: ['delete-object'],
  },
  {
    name: 'ending: at rest',
    desired: terminate(),
    observed: { files: 'absent', terminalReported: true, ...inFlight(step.deleteObject()) },
    want: [],
  },
  {
    name: 'past its deadline: stops, keeps the rest for release',
    desired: { kind: 'terminate', pod: aPod(), deadlineAt: 5, cause: 'deadline-exceeded' },
    observed: { ...up, containers: [found('main', exited(0))] },
    want: [],
  },
  {
    name: 'ended: the sandbox is stopped, not removed',
    desired: release,
    observed: { ...up, containers: [found('main', exited(0))] },
    want: ['stop-sandbox'],
  },
  {
    name: 'ended: a dead sandbox may still hold an address',
    desired: release,
    observed: { sandboxes: [sandboxDown] },
    want: ['stop-sandbox'],
  },
  {
    name: 'ended: logs are kept',
    desired: release,
    observed: { sandboxes: [sandboxDown], stopped: new Set([sandboxDown.id]) },
    want: ['clean-up keep'],
  },
  {
    name: 'ended: at rest with its logs',
    desired: release,
    observed: { sandboxes: [sandboxDown], stopped: new Set([sandboxDown.id]), files: 'logs' },
    want: [],
  },
  { name: 'orphan: logs alone', desired: forget, observed: { files: 'logs' }, want: ['clean-up remove'] },
  {
    name: 'orphan: stopped soon',
    desired: forget,
    observed: { ...up, containers: [found('main', running())] },
    want: ['stop-container by 2000'],
  },
  { name: 'orphan: removed', desired: forget, observed: up, want: ['remove-sandbox'] },
  { name: 'orphan: no object to delete', desired: forget, observed: { files: 'absent' }, want: [] },
]);
