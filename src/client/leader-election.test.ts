import assert from 'node:assert/strict';
import test from 'node:test';
import type { Lease, LeaseSpec } from '#api/generated/coordination-v1.ts';
import type { ResourceVersion, Uid } from '#api/meta.ts';
import { planLease } from '#client/leader-election.ts';

const NOW = Date.parse('2026-01-31T09:00:10Z');
const now = '2026-01-31T09:00:10.000000Z';
const then = '2026-01-31T09:00:00.000000Z';
const lease = (spec: LeaseSpec): Lease => ({
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: { name: 'l', uid: 'u' as Uid, resourceVersion: '1' as ResourceVersion, creationTimestamp: then },
  spec,
});
const held = (holderIdentity: string): LeaseSpec => ({
  holderIdentity,
  leaseDurationSeconds: 15,
  acquireTime: then,
  renewTime: then,
  leaseTransitions: 3,
});
const ours = (over: LeaseSpec): object => ({
  kind: 'write',
  spec: {
    holderIdentity: 'me',
    leaseDurationSeconds: 20,
    acquireTime: now,
    renewTime: now,
    leaseTransitions: 4,
    ...over,
  },
});

const cases: readonly { name: string; lease?: Lease; seenForMs?: number; want: object }[] = [
  { name: 'none: made', want: ours({ leaseTransitions: 0 }) },
  {
    name: 'ours: renewed, acquired when it was',
    lease: lease(held('me')),
    want: ours({ acquireTime: then, leaseTransitions: 3 }),
  },
  { name: 'given back: taken at once', lease: lease(held('')), want: ours({}) },
  { name: 'held by another and fresh: left', lease: lease(held('you')), seenForMs: 0, want: { kind: 'leave' } },
  {
    name: 'held by another, to the last moment: left',
    lease: lease(held('you')),
    seenForMs: 15_000,
    want: { kind: 'leave' },
  },
  {
    name: 'held by another and not renewed for as long as it lasts: taken',
    lease: lease(held('you')),
    seenForMs: 15_001,
    want: ours({}),
  },
  {
    name: 'an old renewTime alone says nothing: clocks differ',
    lease: lease({ ...held('you'), renewTime: '2020-01-01T00:00:00.000000Z' }),
    seenForMs: 1_000,
    want: { kind: 'leave' },
  },
];
for (const { name, lease: found, seenForMs = 0, want } of cases) {
  test(`planLease: ${name}`, () => {
    const candidate = { identity: 'me', leaseSeconds: 20, seenSince: NOW - seenForMs };
    assert.deepEqual(planLease(found, candidate, NOW), want);
  });
}
