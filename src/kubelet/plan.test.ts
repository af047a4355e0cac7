import {
  aContainer,
  aPod,
  aSandbox,
  created,
  exited,
  failed,
  found,
  observed,
  present,
  running,
} from '#kubelet/fixtures.ts';
import { type Observed, step } from '#kubelet/observed.ts';
import { type Action, type Desired, planPod } from '#kubelet/plan.ts';
import { checkPlans } from '#kubelet/plan-cases.ts';
import { crashLoopUpTo, usualSettings } from '#kubelet/settings.ts';
import type { PodSpec, PodStatus } from '#api/generated/core-v1.ts';
import type { ImageRef, SandboxId } from '#cri/runtime.ts';
import type { PodContainer } from '#kubelet/observed.ts';
import assert from 'node:assert/strict';
import test from 'node:test';

const run = (spec: Partial<PodSpec> = {}): Desired => ({ kind: 'run', pod: aPod(spec) });

const up = { sandboxes: [aSandbox()] };
const sandboxDown = aSandbox(0, { state: 'not-ready', addresses: [] });
const init = { initContainers: [aContainer('init')] };
const sidecar = { initContainers: [aContainer('side', { restartPolicy: 'Always' })] };
const always = { containers: [aContainer('main', { imagePullPolicy: 'Always' })] };
const inFlight = (...keys: readonly Action['key'][]): Partial<Observed> => ({
  inFlight: new Map(keys.map((key) => [key, 0])),
});
const status = { ready: true, restartCount: 0, image: '', imageID: '' };
const initialized: PodStatus = {
  initContainerStatuses: [{ ...status, name: 'init', state: { terminated: { exitCode: 0 } } }],
  containerStatuses: [{ ...status, name: 'main', state: { running: {} } }],
};

checkPlans([
  { name: 'nothing there: files first', desired: run(), observed: { files: 'absent' }, want: ['prepare-files'] },
  { name: 'files ready: sandbox', desired: run(), observed: {}, want: ['create-sandbox'] },
  {
    name: 'image absent: is pulled while the sandbox is made',
    desired: run(),
    observed: { images: new Map() },
    want: ['create-sandbox', 'pull-image'],
  },
  {
    name: 'sandbox being made: hands off',
    desired: run(),
    observed: { ...inFlight(step.createSandbox()), sandboxes: [sandboxDown] },
    want: [],
  },
  {
    name: 'sandbox could not be made: later',
    desired: run(),
    observed: { failures: failed(step.createSandbox()) },
    now: 500,
    want: [],
    wakeAt: 1000,
  },
  {
    name: 'sandbox could not be made: again',
    desired: run(),
    observed: { failures: failed(step.createSandbox()) },
    now: 1000,
    want: ['create-sandbox'],
  },
  {
    name: 'sandbox there: containers, all at once',
    desired: run({ containers: [aContainer('a'), aContainer('b')] }),
    observed: up,
    want: ['create-container a#0', 'create-container b#0'],
  },
  {
    name: 'created: starts',
    desired: run(),
    observed: { ...up, containers: [found('main', created)] },
    want: ['start-container'],
  },
  { name: 'running: at rest', desired: run(), observed: { ...up, containers: [found('main', running())] }, want: [] },
  {
    name: 'a step under way is not begun again',
    desired: run(),
    observed: { ...up, ...inFlight(step.create('main')) },
    want: [],
  },
  { name: 'Always pulls although present', desired: run(always), observed: up, want: ['pull-image'] },
  {
    name: 'Always: pulled for this container, goes on',
    desired: run(always),
    observed: { ...up, images: new Map([['busybox', { kind: 'present', ref: 'x' as ImageRef, pulledAt: 5 }]]) },
    want: ['create-container main#0'],
  },
  {
    name: 'Always: a restart asks again',
    desired: run(always),
    observed: {
      ...up,
      containers: [found('main', exited(1))],
      images: new Map([['busybox', { kind: 'present', ref: 'x' as ImageRef, pulledAt: 5 }]]),
    },
    now: 2000,
    want: ['pull-image'],
  },
  {
    name: 'Never and absent: waits for somebody',
    desired: run({ containers: [aContainer('main', { imagePullPolicy: 'Never' })] }),
    observed: { ...up, images: new Map() },
    want: [],
  },
  {
    name: 'pull failed: backs off',
    desired: run(),
    observed: { ...up, images: new Map(), failures: failed(step.pull('busybox'), { count: 2 }) },
    now: 19_000,
    want: [],
    wakeAt: 20_000,
  },
  {
    name: 'pull failed: again',
    desired: run(),
    observed: { ...up, images: new Map(), failures: failed(step.pull('busybox'), { count: 2 }) },
    now: 20_000,
    want: ['pull-image'],
  },
  {
    name: 'create failed: backs off',
    desired: run(),
    observed: { ...up, failures: failed(step.create('main'), { count: 2 }) },
    now: 1500,
    want: [],
    wakeAt: 2000,
  },

  {
    name: 'first exit: restarts at once',
    desired: run(),
    observed: { ...up, containers: [found('main', exited(0))] },
    now: 1000,
    want: ['create-container main#1'],
  },
  {
    name: 'second exit: waits ten seconds',
    desired: run(),
    observed: { ...up, containers: [found('main', exited(1), { attempt: 1, restartDelayMs: 10_000 })] },
    now: 1500,
    want: [],
    wakeAt: 11_000,
  },
  {
    name: 'then goes on, and counts on',
    desired: run(),
    observed: { ...up, containers: [found('main', exited(1), { attempt: 1, restartDelayMs: 10_000 })] },
    now: 11_000,
    want: ['create-container main#2'],
  },
  {
    name: 'a longest wait that was chosen since holds for those who wait',
    desired: run(),
    observed: {
      ...up,
      crashLoop: crashLoopUpTo(2000),
      containers: [found('main', exited(1), { attempt: 1, restartDelayMs: 10_000 })],
    },
    now: 3000,
    want: ['create-container main#2'],
  },
  {
    name: 'ten good minutes forget the back-off',
    desired: run(),
    observed: { ...up, containers: [found('main', exited(1, 600_000), { attempt: 7, restartDelayMs: 300_000 })] },
    now: 600_000,
    want: ['create-container main#8'],
  },
  {
    name: 'OnFailure: success ends it',
    desired: run({ restartPolicy: 'OnFailure' }),
    observed: { ...up, containers: [found('main', exited(0))] },
    want: [],
  },
  {
    name: 'OnFailure: failure is retried',
    desired: run({ restartPolicy: 'OnFailure' }),
    observed: { ...up, containers: [found('main', exited(3))] },
    now: 1000,
    want: ['create-container main#1'],
  },
  {
    name: 'Never: failure stands',
    desired: run({ restartPolicy: 'Never' }),
    observed: { ...up, containers: [found('main', exited(3))] },
    want: [],
  },
  {
    name: 'image changed: the container is stopped',
    desired: run({ containers: [aContainer('main', { image: 'nginx' })] }),
    observed: { ...up, containers: [found('main', running())] },
    want: ['stop-container'],
  },
  {
    name: 'image changed: and made anew even under Never',
    desired: run({ restartPolicy: 'Never', containers: [aContainer('main', { image: 'nginx' })] }),
    observed: { ...up, images: new Map([['nginx', present]]), containers: [found('main', exited(0))] },
    now: 1000,
    want: ['create-container main#1'],
  },
  {
    name: 'of the dead, the newest is kept',
    desired: run(),
    observed: {
      ...up,
      containers: [
        found('main', running(), { attempt: 3 }),
        found('main', exited(1), { attempt: 2 }),
        found('main', exited(1), { attempt: 1 }),
      ],
    },
    want: ['remove-container main-1'],
  },
  {
    name: 'of the dead, all are kept until the newest end is told',
    desired: run({ restartPolicy: 'OnFailure' }),
    observed: {
      ...up,
      containers: [
        { ...found('main', exited(0), { attempt: 2 }), isClearing: true },
        found('main', exited(1), { attempt: 1 }),
      ],
    },
    want: [],
  },

  { name: 'init first', desired: run(init), observed: up, want: ['create-container init#0'] },
  {
    name: 'init running: waits',
    desired: run(init),
    observed: { ...up, containers: [found('init', running())] },
    want: [],
  },
  {
    name: 'init done: main',
    desired: run(init),
    observed: { ...up, containers: [found('init', exited(0))] },
    want: ['create-container main#0'],
  },
  {
    name: 'init failed under Never: nothing more',
    desired: run({ ...init, restartPolicy: 'Never' }),
    observed: { ...up, containers: [found('init', exited(1))] },
    want: [],
  },
  {
    name: 'init failed under Always: again',
    desired: run(init),
    observed: { ...up, containers: [found('init', exited(1))] },
    now: 1000,
    want: ['create-container init#1'],
  },
  {
    name: 'init long gone, main exists: not run again',
    desired: run(init),
    observed: { ...up, containers: [found('main', running())] },
    want: [],
  },
  { name: 'sidecar before main', desired: run(sidecar), observed: up, want: ['create-container side#0'] },
  {
    name: 'sidecar running: main',
    desired: run(sidecar),
    observed: { ...up, containers: [found('side', running())] },
    want: ['create-container main#0'],
  },
  {
    name: 'sidecar died while main runs: again',
    desired: run(sidecar),
    observed: { ...up, containers: [found('side', exited(0)), found('main', running())] },
    now: 1000,
    want: ['create-container side#1'],
  },

  {
    name: 'sandbox died: is cleared away first',
    desired: run(),
    observed: { sandboxes: [sandboxDown], containers: [found('main', exited(137))] },
    want: ['remove-sandbox'],
  },
  {
    name: 'an older sandbox is removed beside the living',
    desired: run(),
    observed: {
      sandboxes: [aSandbox(0, { state: 'not-ready' }), aSandbox(1)],
      containers: [found('main', running(), { sandbox: 'sandbox-1' as SandboxId })],
    },
    want: ['remove-sandbox'],
  },
  {
    name: 'gone with its sandbox, Never and ended: no new sandbox',
    desired: run({ restartPolicy: 'Never' }),
    observed: {
      previous: {
        containerStatuses: [
          {
            name: 'main',
            ready: false,
            restartCount: 0,
            image: '',
            imageID: '',
            state: { terminated: { exitCode: 0 } },
          },
        ],
      },
    },
    want: [],
  },
  {
    name: 'after a reboot: the next attempt',
    desired: run(),
    observed: {
      ...up,
      previous: {
        containerStatuses: [
          { name: 'main', ready: true, restartCount: 4, image: '', imageID: '', state: { running: {} } },
        ],
      },
    },
    want: ['create-container main#5'],
  },
  {
    name: 'after a reboot: init again, before all others',
    desired: run(init),
    observed: { ...up, previous: initialized },
    want: ['create-container init#1'],
  },
  {
    name: 'after a reboot: once init is over, the others',
    desired: run(init),
    observed: { ...up, containers: [found('init', exited(0), { attempt: 1 })], previous: initialized },
    want: ['create-container main#1'],
  },
]);

for (const { name, pace, want } of [
  { name: '0, 10, 20, … 300 s', pace: usualSettings.crashLoop, want: [0, 10, 20, 40, 80, 160, 300, 300] },
  { name: 'or as it was chosen', pace: crashLoopUpTo(25_000), want: [0, 10, 20, 25, 25, 25, 25, 25] },
  { name: 'even when that is less than the first', pace: crashLoopUpTo(1000), want: [0, 1, 1, 1, 1, 1, 1, 1] },
]) {
  test(`planPod: the delay a container is made with is what its successor waits: ${name}`, () => {
    const delays: number[] = [];
    let last: PodContainer | undefined;
    for (let n = 0; n < 8; n++) {
      const world = observed({ ...up, crashLoop: pace, containers: last ? [last] : [] });
      const action = planPod(run(), world, 1e9).actions[0];
      assert.ok(action?.kind === 'create-container');
      delays.push(action.restartDelayMs / 1000);
      last = found('main', exited(1), { attempt: action.attempt, restartDelayMs: action.restartDelayMs });
    }
    assert.deepEqual(delays, want);
  });
}
