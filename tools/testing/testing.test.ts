import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { runTestFiles } from '#tools/testing/run-files.ts';

const head = `import test, { describe } from 'node:test';\n`;

async function run(source: string, limitMs = 60_000): Promise<readonly string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'peapod-testing-'));
  try {
    const file = join(folder, 'sample.test.mjs');
    writeFileSync(file, head + source);
    const outcomes = await runTestFiles([file], limitMs, new AbortController().signal);
    return outcomes.map(
      ({ kind, name, why }) =>
        `${kind} ${name === file ? 'FILE' : name}${kind === 'failed' ? `: ${why.split('\n')[0]}` : ''}`,
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const cases = [
  { name: 'passed', source: `test('fine', () => {});`, want: ['passed fine'] },
  {
    name: 'failed, with its reason',
    source: `test('bad', () => { throw new Error('why'); });`,
    want: ['failed bad: Error: why'],
  },
  {
    name: 'skipped or to be done',
    source: `test.skip('no', () => {}); test.todo('later');`,
    want: ['skipped no', 'skipped later'],
  },
  {
    name: 'in a suite or a test: the inner ones count',
    source: `describe('suite', () => { test('a', () => {}); });
      test('outer', async (t) => { await t.test('b', () => { throw new Error('inner'); }); });`,
    want: ['passed a', 'failed b: Error: inner'],
  },
  {
    name: 'a file that cannot be loaded',
    source: `import 'no-such-package';`,
    want: ['failed FILE: its process ended badly'],
  },
  {
    name: 'a process that ends itself',
    source: `test('a', () => process.exit(3));`,
    want: ['failed FILE: its process ended badly'],
  },
];

for (const { name, source, want } of cases)
  test(`test runner: ${name}`, async () => {
    const got = await run(source);
    // A file that cannot be loaded is reported by Node too, in words of its own.
    if (want[0]?.startsWith('failed FILE'))
      assert.ok(got.length > 0 && got.every((each) => each.startsWith('failed')), String(got));
    else assert.deepEqual(got, want);
  });

test('test runner: a file that hangs is ended and counts as failed, what passed before counts as passed', async () => {
  const got = await run(
    `test('first', () => {}); test('hangs', () => new Promise((r) => setTimeout(r, 60_000)));`,
    1500,
  );
  assert.ok(got.includes('passed first'), String(got));
  assert.ok(got.includes('failed FILE: still running after 1.5 s'), String(got));
});
