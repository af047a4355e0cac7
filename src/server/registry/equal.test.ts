import assert from 'node:assert/strict';
import test from 'node:test';
import { asDecoded, equalJson } from '#server/registry/equal.ts';

const cases: readonly { a: unknown; b: unknown; want: boolean }[] = [
  { a: { x: 1, y: [1, { z: 'a' }] }, b: { y: [1, { z: 'a' }], x: 1 }, want: true },
  { a: { x: 1, y: undefined }, b: { x: 1 }, want: true },
  { a: { x: 1 }, b: { x: 1, y: undefined }, want: true },
  { a: { x: 1 }, b: { x: 1, y: 2 }, want: false },
  { a: [1, 2], b: [2, 1], want: false },
  { a: [], b: {}, want: false },
  { a: { x: null }, b: { x: {} }, want: false },
  { a: '1', b: 1, want: false },
];
for (const { a, b, want } of cases) {
  test(`equal: ${JSON.stringify(a)} and ${JSON.stringify(b)}: ${want}`, () => {
    assert.deepEqual([equalJson(a, b), equalJson(b, a)], [want, want]);
  });
}

test('as decoded: what JSON would not show is gone, and what needs nothing is the very same', () => {
  const clean = { a: [{ b: 1 }], c: '' };
  assert.equal(asDecoded(clean), clean);
  const dirty = { a: [{ b: 1, c: undefined }], d: null, keep: clean };
  assert.deepEqual(asDecoded(dirty), { a: [{ b: 1 }], keep: clean });
  assert.equal(asDecoded(dirty).keep, clean);
  assert.deepEqual(dirty.a, [{ b: 1, c: undefined }]);
});
