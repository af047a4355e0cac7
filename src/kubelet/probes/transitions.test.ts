import assert from 'node:assert/strict';
import test from 'node:test';
import { fold, initialState, type Outcome, type ProbeKind } from '#kubelet/probe.ts';
import { ProbeTransitions } from '#kubelet/probes/transitions.ts';

const probe = { failureThreshold: 3, successThreshold: 2 };
const answers = { s: 'success', f: 'failure', w: 'warning', u: 'unknown' } as const satisfies Record<string, Outcome>;

/** What is told of answers that come every ten seconds, and of which answer. */
function told(kind: ProbeKind, script: string, startsReady = false): readonly string[] {
  const transitions = new ProbeTransitions();
  let before = initialState(kind, startsReady ? ({ ready: true, started: true } as never) : undefined);
  return script.split('').flatMap((letter, n) => {
    const outcome = answers[letter as keyof typeof answers];
    const after = fold(probe, before, outcome);
    const attempt = { kind, at: n * 10_000, latencyMs: 5, outcome, output: letter };
    const entry = transitions.heard({ kind, probe }, attempt, { before, after });
    before = after;
    return entry ? [`${n} ${entry.transition} ${entry.run}/${entry.threshold}`] : [];
  });
}

const cases: readonly { name: string; kind: ProbeKind; script: string; ready?: boolean; want: readonly string[] }[] = [
  { name: 'all is well', kind: 'liveness', script: 'sswss', want: [] },
  { name: 'it becomes ready', kind: 'readiness', script: 'fssss', want: ['0 FirstFailure 1/3', '2 Ready 2/2'] },
  { name: 'it has started', kind: 'startup', script: 'ffss', want: ['0 FirstFailure 1/3', '3 Started 2/2'] },
  {
    name: 'it fails for good',
    kind: 'liveness',
    script: 'sfffff',
    want: ['1 FirstFailure 1/3', '3 ThresholdReached 3/3'],
  },
  {
    name: 'a failure that passes',
    kind: 'liveness',
    script: 'sffsss',
    want: ['1 FirstFailure 1/3', '3 Recovered 1/2'],
  },
  {
    name: 'ready, unready, ready',
    kind: 'readiness',
    ready: true,
    script: 'sfffsss',
    want: ['1 FirstFailure 1/3', '3 ThresholdReached 3/3', '5 Ready 2/2'],
  },
  {
    name: 'one that flaps is told of once a minute',
    kind: 'liveness',
    script: 'sfsfsfsfsfs',
    want: ['1 FirstFailure 1/3', '2 Recovered 1/2', '7 FirstFailure 1/3', '8 Recovered 1/2'],
  },
  {
    name: 'what cannot be asked is told once',
    kind: 'liveness',
    script: 'uusuu',
    want: ['0 Unknown 1/1', '3 Unknown 1/1'],
  },
];

for (const { name, kind, script, ready, want } of cases) {
  test(`probe transitions: ${name}`, () => assert.deepEqual(told(kind, script, ready), want));
}
