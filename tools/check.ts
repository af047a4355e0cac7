/**
 * `npm run check`: types, lint, format, unit tests (the layers and the other house rules are among them). Under a minute.
 * With `--static` without the tests: `tools/test.ts` runs and counts those itself.
 */
import { spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const bin = (name: string): string => join(root, 'node_modules/.bin', name);
const sources = ['src', 'tools', 'test', 'images'];
const unitTests = globSync(['src/**/*.test.ts', 'tools/**/*.test.ts', 'images/**/*.test.ts'], { cwd: root });

const steps: readonly (readonly [name: string, command: string, ...args: string[]])[] = [
  ['types', bin('tsc')],
  ['lint', bin('oxlint'), '--type-aware', '--quiet', ...sources],
  ['format', bin('oxfmt'), '--check', ...sources],
  ['dead files and packages', bin('knip'), '--no-progress', '--include', 'files,dependencies'],
  ['unit tests', join(root, 'bin/node'), '--test', '--test-isolation=none', '--test-reporter=dot', ...unitTests],
];
const chosen = process.argv.includes('--static') ? steps.filter(([name]) => name !== 'unit tests') : steps;

const run = (command: string, args: readonly string[]): Promise<number> =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: 'inherit' });
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 1));
  });

let failed = 0;
for (const [name, command, ...args] of chosen) {
  const before = performance.now();
  const code = await run(command, args);
  if (code !== 0) failed++;
  console.log(`${code === 0 ? 'ok    ' : 'FAILED'} ${name} (${((performance.now() - before) / 1000).toFixed(1)} s)`);
}
process.exitCode = failed === 0 ? 0 : 1;
