import assert from 'node:assert/strict';
import test from 'node:test';
import {
  absent,
  bare,
  duplicate,
  forbidden,
  invalid,
  invalidValue,
  required,
  tooLongValue,
  tooMany,
  unsupported,
} from '#api/field-error.ts';
import { at, child, keyed, pathText, rootPath } from '#api/field-path.ts';

const pod = { group: '', kind: 'Pod' };

test('field path: children, indexes and keys', () => {
  const path = child(at(child(rootPath('spec'), 'containers'), 0), 'image');
  assert.equal(pathText(path), 'spec.containers[0].image');
  assert.equal(pathText(keyed(child(rootPath('metadata'), 'labels'), 'a/b')), 'metadata.labels[a/b]');
  assert.equal(pathText(at(at(rootPath('a'), 1), 2)), 'a[1][2]');
  assert.equal(pathText(undefined), '<nil>');
});

test('invalid: one fault stands alone', () => {
  const error = invalid(pod, 'web', [required(child(rootPath('spec'), 'containers'))]);
  assert.equal(error.message, 'Pod "web" is invalid: spec.containers: Required value');
  assert.equal(error.code, 422);
  assert.deepEqual(error.details, {
    name: 'web',
    kind: 'Pod',
    causes: [{ reason: 'FieldValueRequired', message: 'Required value', field: 'spec.containers' }],
  });
});

test('invalid: many faults stand in brackets, each told once', () => {
  const a = rootPath('a');
  const error = invalid({ group: 'apps', kind: 'Deployment' }, 'x', [
    required(a, 'why'),
    required(a, 'why'),
    duplicate(a, 'b'),
  ]);
  assert.equal(error.message, 'Deployment.apps "x" is invalid: [a: Required value: why, a: Duplicate value: "b"]');
  assert.equal(error.details?.group, 'apps');
});

test('field errors: upstream words for every type', () => {
  const path = rootPath('f');
  const table = [
    [invalidValue(path, 'x', 'bad'), 'FieldValueInvalid', 'Invalid value: "x": bad'],
    [invalidValue(path, 3, 'bad'), 'FieldValueInvalid', 'Invalid value: 3: bad'],
    [invalidValue(path, bare('1500m'), 'bad'), 'FieldValueInvalid', 'Invalid value: 1500m: bad'],
    [invalidValue(path, undefined, 'bad'), 'FieldValueInvalid', 'Invalid value: null: bad'],
    [invalidValue(path, ['a'], 'bad'), 'FieldValueInvalid', 'Invalid value: ["a"]: bad'],
    [
      unsupported(path, 'x', ['A', 'B']),
      'FieldValueNotSupported',
      'Unsupported value: "x": supported values: "A", "B"',
    ],
    [absent(path, 'x'), 'FieldValueNotFound', 'Not found: "x"'],
    [forbidden(path, 'no'), 'FieldValueForbidden', 'Forbidden: no'],
    [tooLongValue(path, 10), 'FieldValueTooLong', 'Too long: may not be more than 10 bytes'],
    [tooMany(path, 5, 3), 'FieldValueTooMany', 'Too many: 5: must have at most 3 items'],
  ] as const;
  for (const [error, type, body] of table) assert.deepEqual([error.type, error.body], [type, body]);
});
