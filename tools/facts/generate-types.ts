/** Writes src/api/generated/*.ts from the table of facts: `bin/node tools/facts/generate-types.ts`. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { factPackageIds } from '#api/fact-table.ts';
import { moduleNameOf, typesOf } from '#tools/facts/typescript-types.ts';

const target = join(import.meta.dirname, '../../src/api/generated');
mkdirSync(target, { recursive: true });
for (const id of factPackageIds) writeFileSync(join(target, moduleNameOf(id)), typesOf(id));
console.log(`${factPackageIds.length} modules in ${target}`);
