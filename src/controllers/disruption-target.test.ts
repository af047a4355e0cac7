import assert from 'node:assert/strict';
import test from 'node:test';
import type { Pod } from '#api/generated/core-v1.ts';
import { type Disruption, endingPatch } from '#controllers/disruption-target.ts';
import { pod } from '#controllers/fixtures.ts';

const now = Date.parse('2026-01-01T01:00:00.500Z');
const disruption: Disruption = { reason: 'DeletionByPodGC', message: 'm' };
const condition = { type: 'DisruptionTarget', status: 'True', ...disruption } as const;
const told = (message: string): Pod => {
  const given = pod();
  return { ...given, status: { ...given.status, conditions: [{ ...condition, message }] } };
};
const metadata = { uid: 'web' };
const added = { ...condition, lastTransitionTime: '2026-01-01T01:00:00Z' };

const cases: readonly {
  name: string;
  pod: Pod;
  want: object | undefined;
  disruption?: Disruption;
  phase?: 'Failed';
}[] = [
  { name: 'for whose sake', pod: pod(), disruption, want: { metadata, status: { conditions: [added] } } },
  {
    name: 'for whose sake, and how it ended',
    pod: pod(),
    disruption,
    phase: 'Failed',
    want: { metadata, status: { phase: 'Failed', conditions: [added] } },
  },
  { name: 'how it ended alone', pod: pod(), phase: 'Failed', want: { metadata, status: { phase: 'Failed' } } },
  { name: 'it is said already', pod: told('m'), disruption, want: undefined },
  { name: 'something else is said', pod: told('n'), disruption, want: { metadata, status: { conditions: [added] } } },
  { name: 'nothing to say', pod: pod(), want: undefined },
];
for (const { name, pod: given, want, ...ending } of cases)
  test(`endingPatch: ${name}`, () => assert.deepEqual(endingPatch(given, { ...ending, now }), want));
