import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { applyMergePatch } from '#api/merge-patch.ts';

/** The examples of RFC 7386, appendix A. */
const examples: readonly (readonly [original: unknown, patch: unknown, result: unknown])[] = [
  [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
  [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
  [{ a: 'b' }, { a: null }, {}],
  [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
  [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
  [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
  [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
  [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
  [
    ['a', 'b'],
    ['c', 'd'],
    ['c', 'd'],
  ],
  [{ a: 'b' }, ['c'], ['c']],
  [{ a: 'foo' }, null, null],
  [{ a: 'foo' }, 'bar', 'bar'],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [[1, 2], { a: 'b', c: null }, { a: 'b' }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
];
for (const [original, patch, result] of examples) {
  test(`merge patch: ${JSON.stringify(original)} with ${JSON.stringify(patch)}`, () => {
    assert.deepEqual(applyMergePatch(original, patch), result);
  });
}

test('merge patch: what is not touched is shared, and a patch that changes nothing gives the original back', () => {
  const original = { a: { b: 1, c: {} }, d: { e: 1 } };
  assert.equal(applyMergePatch(original, { a: { b: 1 }, x: null }), original);
  const changed = applyMergePatch(original, { a: { b: 2 } }) as typeof original;
  assert.equal(changed.d, original.d);
  assert.equal(changed.a.c, original.a.c);
  assert.deepEqual(original, { a: { b: 1, c: {} }, d: { e: 1 } });
});

test('merge patch: the same as the definition in the RFC', () => {
  const values = fc.jsonValue({ maxDepth: 3 });
  fc.assert(
    fc.property(values, values, (target, patch) => {
      const before = JSON.stringify(target);
      assert.deepEqual(applyMergePatch(target, patch), definition(target, patch));
      assert.equal(JSON.stringify(target), before);
    }),
    { numRuns: 200 },
  );
});

function definition(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const isObject = typeof target === 'object' && target !== null && !Array.isArray(target);
  const result = new Map(isObject ? Object.entries(target as object) : []);
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) result.delete(key);
    else result.set(key, definition(result.get(key), value));
  }
  return Object.fromEntries(result);
}
