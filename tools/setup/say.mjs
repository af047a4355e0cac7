/** What the set-up tells the person in front of it: one plain line a step, the noise of the tools it calls in a log. */
import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
export const cache = join(root, '.cache');
const log = join(cache, 'setup.log');

/** A reason to stop that the user can do something about: printed as one line, exit code 1. */
export class Stop extends Error {}

/** @param {string} text one line */
export function say(text) {
  process.stdout.write(`set-up: ${text}\n`);
}

/**
 * @typedef {object} RunOptions
 * @property {string} [cwd] where to run it; default: the project
 * @property {NodeJS.ProcessEnv} [env] added to the environment
 */

/**
 * Runs a command to its end, output to the log.
 * @param {readonly string[]} command
 * @param {RunOptions} [options]
 * @returns {{ ok: boolean, why: string }} why: the last words of a command that failed
 */
export function attempt(command, options = {}) {
  const [program = '', ...args] = command;
  const result = spawnSync(program, args, {
    cwd: options.cwd ?? root,
    env: { ...process.env, ...options.env },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    // npm and apt are chatty; the default of 1 MiB would kill them.
    maxBuffer: 256 * 1024 * 1024,
  });
  const output = `${result.stdout ?? ''}${result.stderr ?? ''}${result.error ? `${result.error.message}\n` : ''}`;
  mkdirSync(cache, { recursive: true });
  appendFileSync(log, `$ ${command.join(' ')}\n${output}`);
  if (result.status === 0) return { ok: true, why: '' };
  const errors = output.split('\n').filter((line) => /^(E:|npm (ERR!|error)|error)/i.test(line));
  const last = errors.length > 0 ? errors : output.split('\n').filter((line) => line.trim() !== '');
  return { ok: false, why: last.slice(-3).join('; ') || `ended with ${result.signal ?? result.status}` };
}

/**
 * Like `attempt`, but a failure ends the set-up.
 * @param {string} what what the command is for, as in "WHAT failed: …"
 * @param {readonly string[]} command
 * @param {RunOptions} [options]
 */
export function run(what, command, options) {
  const { ok, why } = attempt(command, options);
  if (!ok) throw new Stop(`${what} failed: ${why} (everything it said: ${log})`);
}
