import assert from 'node:assert/strict';
import test from 'node:test';
import type { PodSpec } from '#api/generated/core-v1.ts';
import { aContainer, aPod, aSandbox, exited, found, observed, running } from '#kubelet/fixtures.ts';
import { type Observed, step } from '#kubelet/observed.ts';
import { type Desired, planPod } from '#kubelet/plan.ts';
import { checkPlans } from '#kubelet/plan-cases.ts';
import type { ProbeResults } from '#kubelet/probe.ts';
import { statusOf } from '#kubelet/status.ts';

const run = (spec: Partial<PodSpec> = {}): Desired => ({ kind: 'run', pod: aPod(spec) });
const up = { sandboxes: [aSandbox()] };
const main = found('main', running());
const told = (results: ProbeResults, one = main): Partial<Observed> => ({ probes: new Map([[one.id, results]]) });
const alive = { containers: [aContainer('main', { livenessProbe: {} })] };
const slow = { containers: [aContainer('main', { startupProbe: { terminationGracePeriodSeconds: 3 } })] };
const ready = { containers: [aContainer('main', { readinessProbe: {} })] };
const hooked = { containers: [aContainer('main', { lifecycle: { postStart: { sleep: { seconds: 5 } } } })] };
const side = found('side', running());
const sidecar = { initContainers: [aContainer('side', { restartPolicy: 'Always', startupProbe: {} })] };
const hooking = { inFlight: new Map([[step.start(main.id), 0]]) };

checkPlans([
  {
    name: 'alive: at rest',
    desired: run(alive),
    observed: { ...up, containers: [main], ...told({ liveness: 'success' }) },
    want: [],
  },
  { name: 'not asked yet: at rest', desired: run(alive), observed: { ...up, containers: [main] }, want: [] },
  {
    name: 'not alive: stopped',
    desired: run(alive),
    observed: { ...up, containers: [main], ...told({ liveness: 'failure' }) },
    want: ['stop-container'],
  },
  {
    name: 'not started: stopped',
    desired: run(slow),
    observed: { ...up, containers: [main], ...told({ startup: 'failure' }) },
    want: ['stop-container'],
  },
  {
    name: 'not ready: left alone',
    desired: run(ready),
    observed: { ...up, containers: [main], ...told({ readiness: 'failure' }) },
    want: [],
  },
  {
    name: 'what was told of a container before it does not matter',
    desired: run(alive),
    observed: { ...up, containers: [main], ...told({ liveness: 'failure' }, found('main', exited(1), { attempt: 4 })) },
    want: [],
  },
  {
    name: 'a sidecar that has not started holds the others back',
    desired: run(sidecar),
    observed: { ...up, containers: [side], ...told({ startup: 'unknown' }, side) },
    want: [],
  },
  {
    name: 'a sidecar that has started lets them begin',
    desired: run(sidecar),
    observed: { ...up, containers: [side], ...told({ startup: 'success' }, side) },
    want: ['create-container main#0'],
  },
  {
    name: 'ending: a postStart hook is called off',
    desired: { kind: 'terminate', pod: aPod(hooked), deadlineAt: 9000, cause: 'deleted' },
    observed: { ...up, containers: [main], ...hooking },
    want: ['stop-container by 9000'],
    cancel: [step.start(main.id)],
  },
]);

for (const [name, spec, results, deadlineAt, why] of [
  ['liveness', alive, { liveness: 'failure' }, 31_000, 'Container main failed liveness probe, will be restarted'],
  [
    'startup, with a grace of its own',
    slow,
    { startup: 'failure' },
    4000,
    'Container main failed startup probe, will be restarted',
  ],
  [
    'no restart',
    { ...alive, restartPolicy: 'Never' },
    { liveness: 'failure' },
    31_000,
    'Container main failed liveness probe',
  ],
] as const) {
  test(`planPod: why and until when: ${name}`, () => {
    const seen = observed({ ...up, containers: [main], ...told(results) });
    const [action] = planPod(run(spec), seen, 1000).actions;
    assert.ok(action?.kind === 'stop-container');
    assert.deepEqual([action.deadlineAt, action.why], [deadlineAt, why]);
  });
}

const node = { addresses: ['192.168.0.7'], runtimeName: 'containerd' };
const shown = (spec: Partial<PodSpec>, seen: Partial<Observed>): string => {
  const status = statusOf(
    { pod: aPod(spec), course: { kind: 'running' }, node },
    observed({ ...up, containers: [main], ...seen }),
    0,
  );
  const [one] = status.containerStatuses ?? [];
  return [one?.state?.waiting?.reason ?? 'running', one?.started && 'started', one?.ready && 'ready']
    .filter(Boolean)
    .join(' ');
};
const before = (over: object): Partial<Observed> => ({
  previous: {
    containerStatuses: [
      {
        name: 'main',
        image: '',
        imageID: '',
        restartCount: 0,
        ready: true,
        started: true,
        containerID: `containerd://${main.id}`,
        ...over,
      },
    ],
  },
});
for (const [name, spec, seen, want] of [
  ['without probes', {}, {}, 'running started ready'],
  ['readiness not known', ready, {}, 'running started'],
  ['readiness not known, but it was ready', ready, before({}), 'running started ready'],
  ['another container of the name was ready', ready, before({ containerID: 'containerd://other' }), 'running started'],
  ['ready', ready, told({ readiness: 'success' }), 'running started ready'],
  ['startup not over', slow, told({ startup: 'unknown' }), 'running'],
  ['startup over', slow, told({ startup: 'success' }), 'running started ready'],
  ['its postStart hook is under way', hooked, hooking, 'ContainerCreating'],
] as const) {
  test(`statusOf: probes: ${name}`, () => assert.equal(shown(spec, seen), want));
}

test('statusOf: last words outlive the file they were written to', () => {
  const ended = found('main', exited(1));
  const terminated = { exitCode: 1, message: 'bye' };
  const seen = observed({ ...up, containers: [ended], ...before({ state: { terminated } }) });
  const status = statusOf({ pod: aPod({ restartPolicy: 'Never' }), course: { kind: 'running' }, node }, seen, 0);
  assert.equal(status.containerStatuses?.[0]?.state?.terminated?.message, 'bye');
});
