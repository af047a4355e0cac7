import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestOutcome, parseOutcomes } from '#tools/testing/events.ts';

const root = join(import.meta.dirname, '../..');
/** Between asking a test process to end and making it: time for it to clean up. */
const patienceMs = 10_000;

/**
 * Runs test files in one process of their own. It gets `limitMs`, then is told to end; what it had to say until then
 * counts, and one failure more. The same when it ends badly without any test having failed. When `signal` aborts, it is
 * told to end.
 */
export async function runTestFiles(
  files: readonly string[],
  limitMs: number,
  signal: AbortSignal,
): Promise<readonly TestOutcome[]> {
  const folder = mkdtempSync(join(tmpdir(), 'peapod-test-'));
  try {
    const events = join(folder, 'events');
    const reporter = [
      `--test-reporter=${join(root, 'tools/testing/reporter.ts')}`,
      `--test-reporter-destination=${events}`,
    ];
    const trouble = await runToEnd(['--test', '--test-isolation=none', ...reporter, ...files], limitMs, signal);
    const outcomes = parseOutcomes(readIfThere(events));
    if (trouble === undefined || (trouble === endedBadly && outcomes.some((each) => each.kind === 'failed')))
      return outcomes;
    const name = files.length === 1 ? files[0]! : `${files.length} files`;
    return [...outcomes, { kind: 'failed', name, file: name, why: trouble }];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const endedBadly = 'its process ended badly';

/** Returns what went wrong, if anything. */
function runToEnd(args: readonly string[], limitMs: number, signal: AbortSignal): Promise<string | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<string | undefined>();
  // A group of its own, so that what a hanging test has started ends with it.
  // Set by a runner that runs us, it would make the child report to that one.
  const env = { ...process.env, NODE_TEST_CONTEXT: undefined };
  const child = spawn(process.execPath, args, {
    cwd: root,
    env,
    stdio: ['ignore', 'inherit', 'inherit'],
    detached: true,
  });
  let timedOut = false;
  const kill = (name: 'SIGTERM' | 'SIGKILL'): void => {
    try {
      process.kill(-child.pid!, name);
    } catch {
      // Gone already.
    }
  };
  const stop = (): void => {
    kill('SIGTERM');
    setTimeout(() => kill('SIGKILL'), patienceMs).unref();
  };
  const limit = setTimeout(() => {
    timedOut = true;
    stop();
  }, limitMs);
  signal.addEventListener('abort', stop, { once: true });
  const settle = (): void => {
    clearTimeout(limit);
    signal.removeEventListener('abort', stop);
  };
  child.on('error', (error) => {
    settle();
    reject(error);
  });
  child.on('close', (code) => {
    settle();
    resolve(timedOut ? `still running after ${limitMs / 1000} s` : code === 0 ? undefined : endedBadly);
  });
  return promise;
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
