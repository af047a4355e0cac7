/**
 * bin/node tools/test.ts [unit|integration|e2e|all]
 *
 * Runs the checks of tools/check.ts (with `all`, the default) and the tests, shows what fails, and ends with the line
 * `N passed, N failed` (and `, N skipped`) over everything. Exit code 1 when anything failed, or when nothing ran.
 */
import { spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { TestOutcome } from '#tools/testing/events.ts';
import { runTestFiles } from '#tools/testing/run-files.ts';

interface Group {
  readonly name: string;
  readonly patterns: readonly string[];
  /** How its files are put into processes. */
  readonly processes: 'one' | 'one a file';
  readonly concurrency: number;
  /** Of a process. */
  readonly limitMs: number;
}

const root = join(import.meta.dirname, '..');
const minuteMs = 60_000;
const REPORT_LIMIT_MS = 4 * minuteMs;

const groups: readonly Group[] = [
  {
    name: 'unit',
    patterns: ['src/**/*.test.ts', 'tools/**/*.test.ts', 'images/**/*.test.ts'],
    // Pure or nearly so: starting a process for each would take longer than they do.
    processes: 'one',
    concurrency: 1,
    limitMs: 5 * minuteMs,
  },
  {
    name: 'integration',
    patterns: ['test/integration/**/*.test.ts'],
    processes: 'one a file',
    concurrency: 2,
    limitMs: 5 * minuteMs,
  },
  // One after the other: they measure and share the machine's containers and network.
  { name: 'e2e', patterns: ['test/e2e/**/*.test.ts'], processes: 'one a file', concurrency: 1, limitMs: 15 * minuteMs },
];

const usage = 'usage: bin/node tools/test.ts [unit|integration|e2e|all]';

async function main(wish: string, signal: AbortSignal): Promise<number> {
  const wanted = wish === 'all' ? groups : groups.filter((group) => group.name === wish);
  if (wanted.length === 0) {
    console.error(usage);
    return 2;
  }
  const outcomes: TestOutcome[] = wish === 'all' ? [...(await checks(signal))] : [];
  for (const group of wanted) outcomes.push(...(await runGroup(group, signal)));
  if (wish === 'all' && !signal.aborted) await reportScheduling(signal);
  const count = (kind: TestOutcome['kind']): number => outcomes.filter((each) => each.kind === kind).length;
  const failures = outcomes.filter((each) => each.kind === 'failed');
  if (failures.length > 0) console.log('\nFailed:');
  for (const { name, file } of failures) console.log(`  ${name}${file === name ? '' : ` (${shown(file)})`}`);
  if (signal.aborted) console.log('stopped before the end');
  console.log(
    `${count('passed')} passed, ${count('failed')} failed${count('skipped') > 0 ? `, ${count('skipped')} skipped` : ''}`,
  );
  return failures.length > 0 || count('passed') === 0 || signal.aborted ? 1 : 0;
}

/** How fast pods get their nodes among 500. Told, not judged: no run on a machine that others use can be. */
async function reportScheduling(signal: AbortSignal): Promise<void> {
  const begun = performance.now();
  const bench = ['test/bench/main.ts', 'scheduler', '--nodes', '500', '--quick'];
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  const child = spawn(process.execPath, bench, { cwd: root, stdio: ['ignore', 'inherit', 'ignore'] });
  const stop = (): boolean => child.kill('SIGTERM');
  const limit = setTimeout(stop, REPORT_LIMIT_MS);
  signal.addEventListener('abort', stop, { once: true });
  child.on('error', reject);
  child.on('close', resolve);
  const code = await promise;
  clearTimeout(limit);
  signal.removeEventListener('abort', stop);
  const how = code === 0 ? '' : ', which did not come to its end';
  console.log(`scheduling benchmark on 500 nodes${how} (${((performance.now() - begun) / 1000).toFixed(1)} s)`);
}

async function runGroup(group: Group, signal: AbortSignal): Promise<readonly TestOutcome[]> {
  const files = globSync([...group.patterns], { cwd: root }).toSorted();
  const waiting = group.processes === 'one' ? (files.length > 0 ? [files] : []) : files.map((file) => [file]);
  console.log(files.length === 0 ? `${group.name}: no tests` : `${group.name}: ${files.length} files`);
  const outcomes: TestOutcome[] = [];
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next && !signal.aborted; next = waiting.shift()) {
      const before = performance.now();
      const ended = await runTestFiles(next, group.limitMs, signal);
      outcomes.push(...ended);
      report(next.length === 1 ? next[0]! : `${group.name} tests`, ended, performance.now() - before);
    }
  };
  await Promise.all(Array.from({ length: group.concurrency }, work));
  return outcomes;
}

function report(title: string, ended: readonly TestOutcome[], tookMs: number): void {
  const failures = ended.filter((each) => each.kind === 'failed');
  console.log(
    `${failures.length === 0 ? 'ok    ' : 'FAILED'} ${title}: ${ended.length} tests (${(tookMs / 1000).toFixed(1)} s)`,
  );
  for (const { name, file, why } of failures)
    console.log(`\n  ${name} (${shown(file)})\n${why.replace(/^/gm, '    ')}\n`);
}

const shown = (file: string): string => (file.startsWith(root) ? relative(root, file) : file);

/** The checks that are not tests: types, lint, format. */
async function checks(signal: AbortSignal): Promise<readonly TestOutcome[]> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const child = spawn(process.execPath, [join(root, 'tools/check.ts'), '--static'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  const stop = (): boolean => child.kill('SIGTERM');
  signal.addEventListener('abort', stop, { once: true });
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk;
    process.stdout.write(chunk);
  });
  child.on('error', reject);
  child.on('close', () => resolve(output));
  const said = await promise;
  signal.removeEventListener('abort', stop);
  const lines = [...said.matchAll(/^(ok|FAILED) +(\w[\w ]*) \(/gm)];
  if (lines.length === 0) return [{ kind: 'failed', name: 'checks', file: 'tools/check.ts', why: 'they did not run' }];
  return lines.map(([, word, name]) => ({
    kind: word === 'ok' ? 'passed' : 'failed',
    name: name!,
    file: 'tools/check.ts',
    why: '',
  }));
}

const interrupted = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const)
  process.once(name, () => interrupted.abort(new Error(`stopped by ${name}`)));
process.exitCode = await main(process.argv[2] ?? 'all', interrupted.signal);
