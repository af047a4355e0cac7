import assert from 'node:assert/strict';
import test from 'node:test';
import type { Taint } from '#api/generated/core-v1.ts';
import { node, pod } from '#controllers/fixtures.ts';
import { planPodGc, type PodGcFacts, surplus } from '#controllers/pod-gc/plan.ts';

const now = 1_000_000;
const outOfService: readonly Taint[] = [
  { key: 'node.kubernetes.io/out-of-service', value: 'nodeshutdown', effect: 'NoExecute' },
];

const cases: readonly ({ name: string; want: string; missing?: number } & Partial<Pick<PodGcFacts, 'pod' | 'node'>>)[] =
  [
    { name: 'runs on its node', want: 'nothing' },
    { name: 'ends on its node', pod: pod({ ending: true }), want: 'nothing' },
    { name: 'waits for a node', pod: pod({ nodeName: undefined }), want: 'nothing' },
    { name: 'was to go before it had a node', pod: pod({ nodeName: undefined, ending: true }), want: 'remove' },
    { name: 'its node is missing', node: undefined, want: 'wait 40' },
    { name: 'its node is missing for a while', node: undefined, missing: 39.999, want: 'wait 0.001' },
    { name: 'its node is missing for long', node: undefined, missing: 40, want: 'remove-orphan' },
    {
      name: 'so too when it has ended',
      node: undefined,
      missing: 40,
      pod: pod({ phase: 'Succeeded' }),
      want: 'remove-orphan',
    },
    {
      name: 'ends on a node out of service',
      node: node({ ready: 'Unknown', taints: outOfService }),
      pod: pod({ ending: true }),
      want: 'remove',
    },
    {
      name: 'does not end, on a node out of service: its eviction comes first',
      node: node({ ready: 'Unknown', taints: outOfService }),
      want: 'nothing',
    },
    {
      name: 'the taint is a mistake: its node is ready',
      node: node({ taints: outOfService }),
      pod: pod({ ending: true }),
      want: 'nothing',
    },
    {
      name: 'ends on a node out of reach',
      node: node({ ready: 'Unknown' }),
      pod: pod({ ending: true }),
      want: 'nothing',
    },
  ];
for (const { name, want, missing = 0, ...facts } of cases)
  test(`planPodGc: ${name}`, () => {
    const plan = planPodGc({ pod: pod(), node: node(), missingSince: now - missing * 1000, now, ...facts });
    assert.equal(plan.kind === 'wait' ? `wait ${(plan.untilMs - now) / 1000}` : plan.kind, want);
  });

test('surplus: who was evicted first, then the oldest, then by name', () => {
  const ended = [
    pod({ name: 'c', phase: 'Succeeded', created: '2026-01-02T00:00:00Z' }),
    pod({ name: 'b', phase: 'Failed', created: '2026-01-02T00:00:00Z' }),
    pod({ name: 'old', phase: 'Succeeded', created: '2026-01-01T00:00:00Z' }),
    pod({ name: 'evicted', phase: 'Failed', reason: 'Evicted', created: '2026-01-03T00:00:00Z' }),
  ];
  const names = (kept: number): readonly string[] => surplus(ended, kept).map(({ metadata }) => metadata.name);
  assert.deepEqual(names(0), ['evicted', 'old', 'b', 'c']);
  assert.deepEqual(names(2), ['evicted', 'old']);
  assert.deepEqual(names(4), []);
  assert.deepEqual(names(9), []);
});
