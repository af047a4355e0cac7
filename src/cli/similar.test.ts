import assert from 'node:assert/strict';
import { test } from 'node:test';
import { similarTo } from '#cli/similar.ts';

const known = [
  { namespace: 'shop', name: 'web' },
  { namespace: 'default', name: 'webster' },
  { namespace: 'default', name: 'api-7f9c' },
  { namespace: 'default', name: 'database' },
];
const names = (name: string, namespace: string | undefined = 'default'): readonly string[] =>
  similarTo({ namespace, name }, known).map((each) => `${each.namespace}/${each.name}`);

const table: readonly { asked: string; want: readonly string[] }[] = [
  { asked: 'web', want: ['shop/web', 'default/webster'] },
  { asked: 'wbe', want: ['shop/web'] },
  { asked: 'api', want: ['default/api-7f9c'] },
  { asked: 'databse', want: ['default/database'] },
  { asked: 'base', want: ['default/database'] },
  { asked: 'zzz', want: [] },
  { asked: 'x', want: [] },
];
for (const { asked, want } of table) {
  test(`similar: ${asked}`, () => assert.deepEqual(names(asked), want));
}
