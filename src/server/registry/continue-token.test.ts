import assert from 'node:assert/strict';
import test from 'node:test';
import { hasReason } from '#api/errors.ts';
import { decodeContinue, encodeContinue } from '#server/registry/continue-token.ts';

test('continue token: what is encoded is decoded', () => {
  for (const revision of [7, undefined]) {
    const token = { revision, after: 'default/ä', begunAt: 5 };
    assert.deepEqual(decodeContinue(encodeContinue(token)), token);
  }
});

const of = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
for (const text of [
  'rubbish',
  of('text'),
  of({ v: 'v0', rv: 1, start: 'a', t: 1 }),
  of({ v: 'meta.k8s.io/v1', rv: 'x', start: 'a', t: 1 }),
  of({ v: 'meta.k8s.io/v1', rv: 1, start: '', t: 1 }),
]) {
  test(`continue token: ${text.slice(0, 20)} is refused`, () => {
    assert.throws(
      () => decodeContinue(text),
      (error) => hasReason(error, 'BadRequest'),
    );
  });
}
