import assert from 'node:assert/strict';
import test from 'node:test';
import type { Pod } from '#api/generated/core-v1.ts';
import { planStale } from '#controllers/stale-disruption/plan.ts';

const now = Date.parse('2026-01-31T09:00:00Z');
const at = (seconds: number): string => `${new Date(now + seconds * 1000).toISOString().slice(0, 19)}Z`;

const condition = { type: 'DisruptionTarget', status: 'True', reason: 'EvictionByEvictionAPI', message: 'm' };

const cases: readonly { readonly name: string; readonly pod: object | undefined; readonly want: object }[] = [
  { name: 'no pod', pod: undefined, want: { kind: 'nothing' } },
  { name: 'no condition', pod: {}, want: { kind: 'nothing' } },
  { name: 'fresh', pod: { ...condition, lastTransitionTime: at(-50) }, want: { kind: 'wait', afterMs: 70_000 } },
  { name: 'stale', pod: { ...condition, lastTransitionTime: at(-120) }, want: { kind: 'clear' } },
  { name: 'cleared', pod: { ...condition, status: 'False', lastTransitionTime: at(-500) }, want: { kind: 'nothing' } },
  { name: 'of the kubelet', pod: { ...condition, reason: 'TerminationByKubelet' }, want: { kind: 'nothing' } },
  { name: 'being deleted', pod: { ...condition, deletionTimestamp: at(0) }, want: { kind: 'nothing' } },
  { name: 'has ended', pod: { ...condition, phase: 'Failed' }, want: { kind: 'nothing' } },
];

for (const { name, pod, want } of cases) {
  test(`stale disruption: ${name}`, () => {
    const { phase = 'Running', deletionTimestamp, ...said } = (pod ?? {}) as Record<string, string>;
    const metadata = { name: 'p', ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }) };
    const conditions = [{ type: 'Ready', status: 'True' }, ...('type' in said ? [said] : [])];
    const plan = planStale(pod && ({ metadata, status: { phase, conditions } } as unknown as Pod), now);
    const { kind, ...rest } = plan;
    assert.deepEqual(plan.kind === 'clear' ? { kind } : { kind, ...rest }, want);
    if (plan.kind !== 'clear') return;
    assert.deepEqual(plan.pod.status?.conditions, [
      { type: 'Ready', status: 'True' },
      { type: 'DisruptionTarget', status: 'False', lastTransitionTime: at(0) },
    ]);
    assert.deepEqual(planStale(plan.pod, now), { kind: 'nothing' });
  });
}
