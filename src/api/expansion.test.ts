import assert from 'node:assert/strict';
import test from 'node:test';
import { expand, expandEnv } from '#api/expansion.ts';

const variables = new Map([
  ['A', 'a'],
  ['B', '$(A)'],
  ['EMPTY', ''],
  ['with space', 's'],
]);
const table: readonly (readonly [string, string])[] = [
  ['', ''],
  ['plain', 'plain'],
  ['$(A)', 'a'],
  ['x$(A)y$(A)', 'xaya'],
  ['$(B)', '$(A)'],
  ['$(EMPTY)', ''],
  ['$(MISSING)', '$(MISSING)'],
  ['$$(A)', '$(A)'],
  ['$$$(A)', '$a'],
  ['$$', '$'],
  ['$', '$'],
  ['a$', 'a$'],
  ['$A', '$A'],
  ['$(A', '$(A'],
  ['$()', '$()'],
  ['$(with space)', 's'],
  ['$x$(A)', '$xa'],
  ['$(A)$', 'a$'],
  ['$(A$(B))', '$(A$(B))'],
];
for (const [text, want] of table) {
  test(`expansion: ${JSON.stringify(text)}`, () => assert.equal(expand(text, variables), want));
}

test('expansion: env sees what stands before it, and what is known', () => {
  const env = [
    { name: 'X', value: '$(HOST)-$(LATER)' },
    { name: 'LATER', value: '1' },
    { name: 'Y', value: '$(X)/$(LATER)' },
    { name: 'NONE', value: '' },
    { name: 'REF', valueFrom: {} },
    { name: 'GONE', valueFrom: {}, value: '' },
    { name: 'HOST', value: 'own' },
    { name: 'Z', value: '$(HOST)$(REF)' },
  ];
  const expanded = expandEnv(env, new Map([['HOST', 'h']]), ({ name }) => (name === 'REF' ? '$(X)' : undefined));
  assert.deepEqual(Object.fromEntries(expanded), {
    X: 'h-$(LATER)',
    LATER: '1',
    Y: 'h-$(LATER)/1',
    NONE: '',
    REF: '$(X)',
    HOST: 'own',
    Z: 'own$(X)',
  });
});
