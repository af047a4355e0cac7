import assert from 'node:assert/strict';
import test from 'node:test';
import type { Container, ContainerRestartRule, Pod } from '#api/generated/core-v1.ts';
import { restartsAfter, type Role } from '#api/restart-policy.ts';

type Policy = 'Always' | 'OnFailure' | 'Never';
/** Whether it runs again after exit code 0, and after 1. */
const table: readonly (readonly [
  role: Role,
  pod: Policy,
  own: Policy | undefined,
  after0: boolean,
  after1: boolean,
])[] = [
  ['main', 'Always', undefined, true, true],
  ['main', 'OnFailure', undefined, false, true],
  ['main', 'Never', undefined, false, false],
  ['main', 'Always', 'OnFailure', false, true],
  ['main', 'Always', 'Never', false, false],
  ['main', 'OnFailure', 'Always', true, true],
  ['main', 'OnFailure', 'Never', false, false],
  ['main', 'Never', 'Always', true, true],
  ['main', 'Never', 'OnFailure', false, true],
  ['init', 'Always', undefined, false, true],
  ['init', 'OnFailure', undefined, false, true],
  ['init', 'Never', undefined, false, false],
  ['init', 'Always', 'Never', false, false],
  ['init', 'Never', 'OnFailure', false, true],
  ['sidecar', 'Always', 'Always', true, true],
  ['sidecar', 'OnFailure', 'Always', true, true],
  ['sidecar', 'Never', 'Always', true, true],
  ['ephemeral', 'Always', undefined, false, false],
  ['ephemeral', 'OnFailure', undefined, false, false],
];
const podOf = (restartPolicy: Policy): Pod => ({ spec: { restartPolicy, containers: [] } }) as unknown as Pod;
const containerOf = (own: Policy | undefined, restartPolicyRules: readonly ContainerRestartRule[] = []): Container => ({
  name: 'c',
  ...(own === undefined ? {} : { restartPolicy: own }),
  restartPolicyRules,
});

for (const [role, pod, own, after0, after1] of table) {
  test(`restartsAfter: ${role}, pod ${pod}${own === undefined ? '' : `, its own ${own}`}`, () => {
    const restarts = (code: number): boolean => restartsAfter(role, podOf(pod), containerOf(own), code);
    assert.deepEqual([restarts(0), restarts(1)], [after0, after1]);
  });
}

test('restartsAfter: the first rule that speaks of the code goes before the policy', () => {
  const rule = (operator: 'In' | 'NotIn', ...values: number[]): ContainerRestartRule => ({
    action: 'Restart',
    exitCodes: { operator, values },
  });
  const codes = [0, 1, 42, 137];
  const after = (...rules: readonly ContainerRestartRule[]): readonly boolean[] =>
    codes.map((code) => restartsAfter('main', podOf('Always'), containerOf('Never', rules), code));
  assert.deepEqual(after(rule('In', 42)), [false, false, true, false]);
  assert.deepEqual(after(rule('NotIn', 0, 137)), [false, true, true, false]);
  assert.deepEqual(after(rule('In', 1), rule('In', 137)), [false, true, false, true]);
  assert.deepEqual(after(), [false, false, false, false]);
});
