import assert from 'node:assert/strict';
import test from 'node:test';
import { ApiError } from '#api/errors.ts';
import type { Pod } from '#api/generated/core-v1.ts';
import type { PodDisruptionBudget, PodDisruptionBudgetStatus } from '#api/generated/policy-v1.ts';
import { maySpare, spent } from '#server/subresources/eviction-budget.ts';

const now = Date.parse('2026-01-31T09:00:00Z');

const budgetOf = (status: PodDisruptionBudgetStatus, spec: object = {}): PodDisruptionBudget =>
  ({
    metadata: { name: 'b', generation: 2 },
    spec,
    status: { observedGeneration: 2, ...status },
  }) as unknown as PodDisruptionBudget;

const says = (reason: string, message: string): NonNullable<PodDisruptionBudgetStatus['conditions']> => [
  { type: 'DisruptionAllowed', status: 'False', reason, message, lastTransitionTime: '2026-01-01T00:00:00Z' },
];
const numbers = (disruptionsAllowed: number, currentHealthy: number, desiredHealthy: number) => ({
  disruptionsAllowed,
  currentHealthy,
  desiredHealthy,
});

const refusals: readonly {
  readonly name: string;
  readonly status: PodDisruptionBudgetStatus;
  readonly code: number;
  readonly want: string;
}[] = [
  {
    name: 'what the controller has not seen yet',
    status: { ...numbers(5, 9, 4), observedGeneration: 1 },
    code: 429,
    want: 'The disruption budget b is still being processed by the server.',
  },
  {
    name: 'none left',
    status: numbers(0, 2, 2),
    code: 429,
    want: 'The disruption budget b needs 2 healthy pods and has 2 currently',
  },
  {
    name: 'numbers that are not to be trusted',
    status: { ...numbers(0, 2, 2), conditions: says('SyncFailed', 'found no controllers') },
    code: 429,
    want: 'The disruption budget b does not allow evicting pods currently because it failed sync: found no controllers',
  },
  {
    name: 'numbers that do not say why',
    status: { ...numbers(0, 4, 3), conditions: says('Odd', 'it is') },
    code: 429,
    want: 'The disruption budget b does not allow evicting pods currently (Odd): it is',
  },
  {
    name: 'nobody says why',
    status: numbers(0, 4, 3),
    code: 429,
    want: 'The disruption budget b does not allow evicting pods currently',
  },
  { name: 'less than none', status: numbers(-1, 1, 2), code: 403, want: 'pdb disruptions allowed is negative' },
  {
    name: 'nobody looks after it',
    status: {
      ...numbers(1, 2, 1),
      disruptedPods: Object.fromEntries(Array.from({ length: 2001 }, (_, n) => [`p${n}`, ''])),
    },
    code: 403,
    want: 'DisruptedPods map too big - too many evictions not confirmed by PDB controller',
  },
];

for (const { name, status, code, want } of refusals) {
  test(`eviction: ${name} is refused with ${code}`, () => {
    assert.throws(
      () => spent(budgetOf(status), 'p', now),
      (error) => {
        assert.ok(error instanceof ApiError);
        assert.equal(error.code, code);
        if (code === 403) {
          assert.equal(error.message, `poddisruptionbudget.policy "b" is forbidden: ${want}`);
        } else {
          assert.equal(error.message, "Cannot evict pod as it would violate the pod's disruption budget.");
          assert.deepEqual(error.details?.causes, [{ reason: 'DisruptionBudget', message: want }]);
          assert.equal(error.details?.retryAfterSeconds, name.includes('not seen') ? 10 : undefined);
        }
        return true;
      },
    );
  });
}

test('eviction: a disruption is spent, and the last one is said to be', () => {
  const first = spent(budgetOf(numbers(2, 3, 1)), 'a', now);
  assert.deepEqual(first.status, {
    observedGeneration: 2,
    ...numbers(1, 3, 1),
    disruptedPods: { a: '2026-01-31T09:00:00Z' },
  });
  const { disruptionsAllowed, disruptedPods, conditions } = spent(first, 'b', now).status ?? {};
  assert.deepEqual([disruptionsAllowed, Object.keys(disruptedPods ?? {})], [0, ['a', 'b']]);
  assert.deepEqual([conditions?.[0]?.status, conditions?.[0]?.reason], ['False', 'InsufficientPods']);
});

test('eviction: who is not ready may go when the others suffice, or always if its budget says so', () => {
  const pod = (ready: string): Pod =>
    ({ status: { conditions: [{ type: 'Ready', status: ready }] } }) as unknown as Pod;
  const policies = [undefined, 'IfHealthyBudget', 'AlwaysAllow'].map((policy) => ({
    unhealthyPodEvictionPolicy: policy,
  }));
  const spared = (ready: string, healthy: number, desired: number): readonly boolean[] =>
    policies.map((spec) => maySpare(pod(ready), budgetOf(numbers(0, healthy, desired), spec)));
  assert.deepEqual(spared('False', 2, 2), [true, true, true]);
  assert.deepEqual(spared('False', 1, 2), [false, false, true]);
  // Nobody is wanted: it is not known whether the controller has been here.
  assert.deepEqual(spared('False', 0, 0), [false, false, true]);
  assert.deepEqual(spared('True', 2, 2), [false, false, false]);
});
