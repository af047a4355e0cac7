import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { ContainerStatus, Probe } from '#api/generated/core-v1.ts';
import { aContainer } from '#kubelet/fixtures.ts';
import {
  type Belief,
  failedProbe,
  fold,
  gate,
  hasStarted,
  initialState,
  isReady,
  type Outcome,
  type ProbeKind,
  probeKinds,
  type ProbeState,
  type ProbeSubject,
} from '#kubelet/probe.ts';

const probe: Probe = { initialDelaySeconds: 5, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 };
const status = (over: Partial<ContainerStatus>): ContainerStatus => ({
  name: 'main',
  image: '',
  imageID: '',
  restartCount: 0,
  ready: false,
  ...over,
});

for (const [kind, previous, want] of [
  ['startup', undefined, 'unknown'],
  ['liveness', undefined, 'success'],
  ['readiness', undefined, 'failure'],
  ['startup', status({ started: true }), 'success'],
  ['startup', status({ started: false }), 'unknown'],
  ['readiness', status({ ready: true }), 'success'],
  ['readiness', status({ ready: false }), 'failure'],
  ['liveness', status({ ready: false }), 'success'],
] as const) {
  test(`initialState: ${kind} after ${previous ? JSON.stringify([previous.started, previous.ready]) : 'nothing'} is ${want}`, () => {
    assert.deepEqual(initialState(kind, previous), { reported: want, last: 'unknown', run: 0 });
  });
}

interface GateCase {
  readonly name: string;
  readonly kind: ProbeKind;
  readonly reported?: Belief;
  readonly subject?: Partial<ProbeSubject>;
  readonly now?: number;
  readonly want: string;
}
const gates: readonly GateCase[] = [
  { name: 'waits out the initial delay', kind: 'liveness', now: 4999, want: 'wait 5000' },
  { name: 'asks once it is over', kind: 'liveness', now: 5000, want: 'probe' },
  { name: 'startup holds liveness back', kind: 'liveness', subject: { started: false }, now: 9000, want: 'wait ever' },
  {
    name: 'startup holds readiness back',
    kind: 'readiness',
    subject: { started: false },
    now: 9000,
    want: 'wait ever',
  },
  { name: 'startup itself is asked', kind: 'startup', subject: { started: false }, now: 9000, want: 'probe' },
  { name: 'startup is over once started', kind: 'startup', now: 9000, want: 'finished' },
  { name: 'a failed liveness is asked no more', kind: 'liveness', reported: 'failure', now: 9000, want: 'finished' },
  {
    name: 'a failed startup is asked no more',
    kind: 'startup',
    reported: 'failure',
    subject: { started: false },
    now: 9000,
    want: 'finished',
  },
  { name: 'a failed readiness goes on', kind: 'readiness', reported: 'failure', now: 9000, want: 'probe' },
  { name: 'a pod that ends: no liveness', kind: 'liveness', subject: { podEnding: true }, now: 9000, want: 'finished' },
  {
    name: 'a pod that ends: no startup',
    kind: 'startup',
    subject: { podEnding: true, started: false },
    now: 9000,
    want: 'finished',
  },
  { name: 'a pod that ends: readiness', kind: 'readiness', subject: { podEnding: true }, now: 9000, want: 'probe' },
];
for (const c of gates) {
  test(`gate: ${c.name}`, () => {
    const state: ProbeState = { reported: c.reported ?? 'success', last: 'unknown', run: 0 };
    const subject = { startedAt: 0, started: true, podEnding: false, ...c.subject };
    const got = gate({ kind: c.kind, probe }, state, subject, c.now ?? 0);
    assert.equal(got.kind === 'wait' ? `wait ${got.until ?? 'ever'}` : got.kind, c.want);
  });
}

const folded = (spec: Probe, from: Belief, outcomes: readonly Outcome[]): string =>
  outcomes
    .reduce<readonly ProbeState[]>(
      (all, outcome) => [...all, fold(spec, all.at(-1)!, outcome)],
      [{ reported: from, last: 'unknown', run: 0 }],
    )
    .slice(1)
    .map(({ reported }) => reported[0])
    .join('');
const [s, f, w, u] = ['success', 'failure', 'warning', 'unknown'] as const;
for (const [name, spec, from, outcomes, want] of [
  ['three failures in a row', probe, s, [f, f, f], 'ssf'],
  ['a success between them starts over', probe, s, [f, f, s, f, f, f], 'sssssf'],
  ['one success is enough', probe, f, [s], 's'],
  ['two successes where two are asked', { ...probe, successThreshold: 2 }, f, [s, s], 'fs'],
  ['a warning is a success', probe, f, [w], 's'],
  ['unknown neither counts nor interrupts', probe, s, [f, u, f, u, f], 'ssssf'],
  ['the defaults are 3 failures and 1 success', {}, s, [f, f, f, s], 'ssfs'],
] as const) {
  test(`fold: ${name}`, () => assert.equal(folded(spec, from, outcomes), want));
}

test('fold: what is reported moves only after that many equal answers, and never to unknown', () => {
  const outcome = fc.constantFrom<Outcome>(s, f, w, u);
  fc.assert(
    fc.property(fc.array(outcome), fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 }), (all, up, down) => {
      let state: ProbeState = initialState('readiness', undefined);
      const told: ('success' | 'failure')[] = [];
      for (const one of all) {
        const before = state.reported;
        state = fold({ successThreshold: up, failureThreshold: down }, state, one);
        if (one !== 'unknown') told.push(one === 'failure' ? 'failure' : 'success');
        if (state.reported === before) continue;
        const need = state.reported === 'success' ? up : down;
        assert.deepEqual(told.slice(-need), Array(need).fill(state.reported));
      }
    }),
  );
});

test('beliefs: what they mean for a container', () => {
  const plain = aContainer('main');
  const all = aContainer('main', { startupProbe: probe, livenessProbe: probe, readinessProbe: probe });
  assert.ok(hasStarted(plain, {}) && isReady(plain, {}));
  assert.ok(!hasStarted(all, { startup: 'unknown' }));
  assert.ok(!isReady(all, { startup: 'unknown', readiness: 'success' }));
  assert.ok(!isReady(all, { startup: 'success', readiness: 'failure' }));
  assert.ok(isReady(all, { startup: 'success', readiness: 'success' }));
  assert.equal(failedProbe(all, { startup: 'failure', liveness: 'failure' }), 'startup');
  assert.equal(failedProbe(all, { startup: 'success', liveness: 'failure', readiness: 'failure' }), 'liveness');
  assert.equal(failedProbe(all, { startup: 'success', liveness: 'success', readiness: 'failure' }), undefined);
  assert.deepEqual(probeKinds, ['startup', 'liveness', 'readiness']);
});
