import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { factPackageIds } from '#api/fact-table.ts';
import { moduleNameOf, typesOf } from '#tools/facts/typescript-types.ts';

const folder = join(import.meta.dirname, '../../src/api/generated');

test('generated types: every committed module is what the table of facts gives', () => {
  for (const id of factPackageIds) {
    const committed = readFileSync(join(folder, moduleNameOf(id)), 'utf8');
    assert.ok(
      committed === typesOf(id),
      `${moduleNameOf(id)} is out of date: run bin/node tools/facts/generate-types.ts`,
    );
  }
});

test('generated types: no module is left over from a package that went away', () => {
  assert.deepEqual(readdirSync(folder).toSorted(), factPackageIds.map(moduleNameOf).toSorted());
});
