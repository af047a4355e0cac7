import assert from 'node:assert/strict';
import test from 'node:test';
import type { PodSpec } from '#api/generated/core-v1.ts';
import { aContainer, aPod, aSandbox, created, exited, failed, found, observed, running } from '#kubelet/fixtures.ts';
import { type Observed, step } from '#kubelet/observed.ts';
import { type OwnStatus, statusOf } from '#kubelet/status.ts';
import type { Course } from '#kubelet/status-context.ts';

const node = { addresses: ['192.168.0.7'], runtimeName: 'containerd' };
const of = (spec: Partial<PodSpec>, seen: Partial<Observed>, over: { now?: number; course?: Course } = {}): OwnStatus =>
  statusOf({ pod: aPod(spec), course: over.course ?? { kind: 'running' }, node }, observed(seen), over.now ?? 0);
const up = { sandboxes: [aSandbox()] };
const two = { containers: [aContainer('a'), aContainer('b')] };
const ending: { course: Course } = { course: { kind: 'ending' } };

/** `a: running, b: waiting X` and the like: what a person reads in a status. */
function told(status: OwnStatus): string {
  const all = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])];
  return all
    .map(({ name, state = {}, restartCount }) => {
      const count = restartCount === 0 ? '' : ` (${restartCount})`;
      if (state.running) return `${name} running${count}`;
      if (state.waiting) return `${name} waiting ${state.waiting.reason}${count}`;
      return `${name} ended ${state.terminated?.exitCode} ${state.terminated?.reason}${count}`;
    })
    .join(', ');
}

interface Case {
  readonly name: string;
  readonly spec?: Partial<PodSpec>;
  readonly observed: Partial<Observed>;
  readonly now?: number;
  readonly course?: Course;
  readonly phase: string;
  readonly ready?: string;
  readonly told: string;
}
const cases: readonly Case[] = [
  { name: 'nothing yet', observed: {}, phase: 'Pending', ready: 'False', told: 'main waiting ContainerCreating' },
  {
    name: 'created, not started',
    observed: { ...up, containers: [found('main', created)] },
    phase: 'Pending',
    told: 'main waiting ContainerCreating',
  },
  {
    name: 'running',
    observed: { ...up, containers: [found('main', running())] },
    phase: 'Running',
    ready: 'True',
    told: 'main running',
  },
  {
    name: 'one of two runs',
    spec: two,
    observed: { ...up, containers: [found('a', running())] },
    phase: 'Pending',
    ready: 'False',
    told: 'a running, b waiting ContainerCreating',
  },
  {
    name: 'crashed once, is made anew at once',
    observed: { ...up, containers: [found('main', exited(1))] },
    now: 1000,
    phase: 'Running',
    ready: 'False',
    told: 'main ended 1 Error',
  },
  {
    name: 'crashed again, waits',
    observed: { ...up, containers: [found('main', exited(1), { attempt: 1, restartDelayMs: 10_000 })] },
    now: 1500,
    phase: 'Running',
    ready: 'False',
    told: 'main waiting CrashLoopBackOff (1)',
  },
  {
    name: 'OnFailure succeeded',
    spec: { restartPolicy: 'OnFailure' },
    observed: { ...up, containers: [found('main', exited(0))] },
    phase: 'Succeeded',
    ready: 'False',
    told: 'main ended 0 Completed',
  },
  {
    name: 'Never failed',
    spec: { restartPolicy: 'Never' },
    observed: { ...up, containers: [found('main', exited(3))] },
    phase: 'Failed',
    told: 'main ended 3 Error',
  },
  {
    name: 'Never, one of two failed, the other runs',
    spec: { ...two, restartPolicy: 'Never' },
    observed: { ...up, containers: [found('a', exited(3)), found('b', running())] },
    phase: 'Running',
    ready: 'False',
    told: 'a ended 3 Error, b running',
  },
  {
    name: 'pull has just failed',
    observed: { ...up, images: new Map(), failures: failed(step.pull('busybox'), { reason: 'ErrImagePull' }) },
    now: 10,
    phase: 'Pending',
    told: 'main waiting ErrImagePull',
  },
  {
    name: 'pull failed a while ago',
    observed: { ...up, images: new Map(), failures: failed(step.pull('busybox'), { reason: 'ErrImagePull' }) },
    now: 5000,
    phase: 'Pending',
    told: 'main waiting ImagePullBackOff',
  },
  {
    name: 'Never pulled and absent',
    spec: { containers: [aContainer('main', { imagePullPolicy: 'Never' })] },
    observed: { ...up, images: new Map() },
    phase: 'Pending',
    told: 'main waiting ErrImageNeverPull',
  },
  {
    name: 'could not be created',
    observed: { ...up, failures: failed(step.create('main'), { reason: 'CreateContainerConfigError' }) },
    now: 10,
    phase: 'Pending',
    told: 'main waiting CreateContainerConfigError',
  },
  {
    name: 'init runs',
    spec: { initContainers: [aContainer('init')] },
    observed: { ...up, containers: [found('init', running())] },
    phase: 'Pending',
    told: 'init running, main waiting PodInitializing',
  },
  {
    name: 'init failed under Never',
    spec: { restartPolicy: 'Never', initContainers: [aContainer('init')] },
    observed: { ...up, containers: [found('init', exited(1))] },
    phase: 'Failed',
    told: 'init ended 1 Error, main waiting PodInitializing',
  },
  {
    name: 'ending, still runs',
    observed: { ...up, containers: [found('main', running())] },
    ...ending,
    phase: 'Running',
    ready: 'True',
    told: 'main running',
  },
  {
    name: 'ended by a signal',
    observed: { ...up, containers: [found('main', exited(137))] },
    ...ending,
    phase: 'Failed',
    told: 'main ended 137 Error',
  },
  {
    name: 'ended well',
    observed: { ...up, containers: [found('main', exited(0))] },
    ...ending,
    phase: 'Succeeded',
    told: 'main ended 0 Completed',
  },
  {
    name: 'ended before it ever ran',
    observed: {},
    ...ending,
    phase: 'Failed',
    told: 'main ended 137 ContainerStatusUnknown',
  },
  {
    name: 'refused by the node',
    observed: {},
    course: { kind: 'rejected', reason: 'OutOfcpu', message: 'no' },
    phase: 'Failed',
    told: '',
  },
];
for (const c of cases) {
  test(`statusOf: ${c.name}`, () => {
    const status = of(c.spec ?? {}, c.observed, { now: c.now ?? 0, ...(c.course ? { course: c.course } : {}) });
    assert.equal(told(status), c.told);
    assert.equal(status.phase, c.phase);
    if (c.ready !== undefined) assert.equal(status.conditions.find(({ type }) => type === 'Ready')?.status, c.ready);
  });
}

test('statusOf: of two ends of which neither was told, the first is the last state', () => {
  const ends = [found('main', exited(0), { attempt: 1 }), found('main', exited(5), { attempt: 0 })];
  const status = of({ restartPolicy: 'OnFailure' }, { ...up, containers: ends });
  const [main] = status.containerStatuses ?? [];
  assert.deepEqual(
    [main?.restartCount, main?.state?.terminated?.exitCode, main?.lastState?.terminated?.exitCode],
    [1, 0, 5],
  );
});

test('statusOf: what the runtime has forgotten is carried over', () => {
  const before = of(
    {},
    { ...up, containers: [found('main', running(), { attempt: 3 }), found('main', exited(9), { attempt: 2 })] },
  );
  assert.equal(before.containerStatuses?.[0]?.lastState?.terminated?.exitCode, 9);
  const pruned = of({}, { ...up, containers: [found('main', running(), { attempt: 3 })], previous: before });
  assert.equal(pruned.containerStatuses?.[0]?.lastState?.terminated?.exitCode, 9);
  assert.equal(pruned.containerStatuses?.[0]?.restartCount, 3);
  const rebooted = of({}, { sandboxes: [], previous: before });
  assert.equal(told(rebooted), 'main ended 137 ContainerStatusUnknown (3)');
});

test('statusOf: a condition keeps the time of its last change', () => {
  const first = of({}, { ...up, containers: [found('main', running())] }, { now: 1000 });
  const later = of({}, { ...up, containers: [found('main', running())], previous: first }, { now: 50_000 });
  assert.deepEqual(later, first);
});

test('statusOf: addresses, the primary first; an ended pod keeps showing them, one between sandboxes has none', () => {
  const first = of({ restartPolicy: 'Never' }, { ...up, containers: [found('main', exited(0))] });
  assert.deepEqual(
    [first.podIP, first.podIPs?.[1]?.ip, first.hostIP],
    ['10.244.1.3', 'fd00:10:244:1::3', '192.168.0.7'],
  );
  const off = [aSandbox(0, { state: 'not-ready', addresses: [] })];
  assert.equal(
    of({ restartPolicy: 'Never' }, { sandboxes: off, previous: first, containers: [found('main', exited(0))] }).podIP,
    '10.244.1.3',
  );
  assert.equal(of({}, { sandboxes: off, containers: [found('main', exited(0))] }).podIP, undefined);
});

test('statusOf: a readiness gate holds the pod back and says which', () => {
  const status = of(
    { readinessGates: [{ conditionType: 'x.io/ok' }] },
    { ...up, containers: [found('main', running())] },
  );
  const ready = status.conditions.find(({ type }) => type === 'Ready');
  assert.equal(ready?.reason, 'ReadinessGatesNotReady');
  assert.match(ready?.message ?? '', /"x\.io\/ok" does not exist/);
  assert.equal(status.conditions.find(({ type }) => type === 'ContainersReady')?.status, 'True');
});

test('statusOf: why the node ended a pod is said when it has ended, and stands, whoever says it again', () => {
  const evicted: Course = { kind: 'ending', reason: 'Evicted', message: 'too big' };
  const still = of({}, { ...up, containers: [found('main', running())] }, { course: evicted });
  assert.deepEqual([still.phase, still.reason], ['Running', undefined]);
  const dead = { ...up, containers: [found('main', exited(137))] };
  const ended = of({}, dead, { course: evicted });
  assert.deepEqual([ended.phase, ended.reason, ended.message], ['Failed', 'Evicted', 'too big']);
  const again = of({}, { ...dead, previous: ended });
  assert.deepEqual([again.phase, again.reason, again.message], ['Failed', 'Evicted', 'too big']);
});

test('statusOf: the last words of many containers are cut, so that all of them have room', () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f'];
  const words = (name: string): ReturnType<typeof found> => {
    const state = exited(1);
    assert.ok(state.kind === 'exited');
    return found(name, { ...state, message: 'ü'.repeat(2000) });
  };
  const status = of(
    { restartPolicy: 'Never', containers: names.map((name) => aContainer(name)) },
    { ...up, containers: names.map(words) },
  );
  const messages = status.containerStatuses!.map(({ state }) => state?.terminated?.message ?? '');
  assert.deepEqual(
    messages.map((message) => Buffer.byteLength(message)),
    names.map(() => 2048),
  );
});

test('statusOf: a Never pod whose only container is replaced by another image has not ended', () => {
  const other = { restartPolicy: 'Never', containers: [aContainer('main', { image: 'other' })] } as const;
  const seen = { ...up, containers: [found('main', exited(143))], previous: { phase: 'Running' } } as const;
  assert.equal(of(other, seen).phase, 'Running');
});

test('statusOf: with policies of their own, what still may run again decides', () => {
  const containers = [aContainer('a', { restartPolicy: 'Never' }), aContainer('b', { restartPolicy: 'OnFailure' })];
  const phaseWith = (a: number, b: number): string =>
    of({ containers }, { ...up, containers: [found('a', exited(a)), found('b', exited(b))] }).phase;
  assert.deepEqual(
    [phaseWith(0, 0), phaseWith(3, 0), phaseWith(0, 1), phaseWith(3, 1)],
    ['Succeeded', 'Failed', 'Running', 'Running'],
  );
});

test('statusOf: why it ended or was refused outlives the kubelet that knew', () => {
  const refused = of({}, {}, { course: { kind: 'rejected', reason: 'OutOfcpu', message: 'no' } });
  assert.equal(refused.message, 'Pod was rejected: no');
  assert.deepEqual(of({}, { previous: refused }), refused);
  const ended = {
    ...of({}, { containers: [found('main', exited(137))] }),
    phase: 'Failed',
    reason: 'DeadlineExceeded',
  } as const;
  const later = of({}, { containers: [found('main', exited(137))], previous: ended });
  assert.deepEqual([later.phase, later.reason], ['Failed', 'DeadlineExceeded']);
  const goesOn = of({}, { ...up, containers: [found('main', running())], previous: { ...ended, phase: 'Running' } });
  assert.equal(goesOn.reason, undefined);
});
