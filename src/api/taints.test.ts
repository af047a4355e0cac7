import assert from 'node:assert/strict';
import test from 'node:test';
import { isHardTaint, stayOf, tolerates, untoleratedTaint, type Taint, type Toleration } from '#api/taints.ts';

const taint: Taint = { key: 'dedicated', value: 'db', effect: 'NoSchedule' };
const table: readonly (readonly [Toleration, boolean])[] = [
  [{ key: 'dedicated', value: 'db', effect: 'NoSchedule' }, true],
  [{ key: 'dedicated', operator: 'Equal', value: 'db' }, true],
  [{ key: 'dedicated', operator: 'Equal', value: 'web' }, false],
  [{ key: 'dedicated', operator: 'Exists' }, true],
  [{ operator: 'Exists' }, true],
  [{ operator: 'Exists', effect: 'NoExecute' }, false],
  [{ key: 'other', operator: 'Exists' }, false],
  [{ key: 'dedicated' }, false],
  [{ key: 'dedicated', operator: 'Like', value: 'db' }, false],
];
for (const [toleration, want] of table) {
  test(`taints: ${JSON.stringify(toleration)} ${want ? 'tolerates' : 'does not tolerate'}`, () => {
    assert.equal(tolerates(toleration, taint), want);
  });
}

test('taints: the first that counts and nothing tolerates', () => {
  const soft: Taint = { key: 'soft', effect: 'PreferNoSchedule' };
  const hard: Taint = { key: 'hard', effect: 'NoExecute' };
  assert.equal(untoleratedTaint([soft, taint, hard], [{ key: 'dedicated', operator: 'Exists' }], isHardTaint), hard);
  assert.equal(untoleratedTaint([soft], undefined, isHardTaint), undefined);
  assert.equal(untoleratedTaint(undefined, undefined, isHardTaint), undefined);
});

test('taints: how long a pod stays', () => {
  const bad: Taint[] = [{ key: 'a', effect: 'NoExecute' }, { key: 'b', effect: 'NoExecute' }, taint];
  const every = (tolerationSeconds?: number): Toleration => ({
    operator: 'Exists',
    ...(tolerationSeconds === undefined ? {} : { tolerationSeconds }),
  });
  assert.deepEqual(stayOf(bad, [{ key: 'a', operator: 'Exists' }]), { kind: 'evict' });
  assert.deepEqual(stayOf(bad, [every()]), { kind: 'stay', forMs: undefined });
  assert.deepEqual(stayOf(bad, [every(300), every(10)]), { kind: 'stay', forMs: 10_000 });
  assert.deepEqual(stayOf(bad, [every(-5)]), { kind: 'stay', forMs: 0 });
  assert.deepEqual(stayOf([taint], []), { kind: 'stay', forMs: undefined });
});
