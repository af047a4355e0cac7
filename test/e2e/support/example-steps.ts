import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type E2eCluster, examples, peapod } from '#test/e2e/support/cluster.ts';

/** The commands that the comment at the head of an example tells its reader to type. */
export interface ExampleSteps {
  /** What makes it happen. */
  readonly doing: readonly string[];
  /** What shows it. */
  readonly looking: readonly string[];
  /** What takes it all back. */
  readonly afterwards: readonly string[];
}

export function stepsOf(file: string): ExampleSteps {
  const lines = readFileSync(join(examples, file), 'utf8').split('\n');
  const comment = lines.slice(
    0,
    lines.findIndex((line) => !line.startsWith('#')),
  );
  const end = comment.indexOf('# Afterwards:');
  assert.ok(end > 0, `${file} does not say how to be rid of it`);
  const commands = (from: number, to?: number): readonly string[] =>
    comment.slice(from, to).flatMap((line) => /^# {3}((?:kubectl|peapod) .*)$/.exec(line)?.[1] ?? []);
  const isLook = (command: string): boolean => /^(kubectl get|peapod why) /.test(command);
  const before = commands(0, end);
  return {
    doing: before.filter((command) => !isLook(command)),
    looking: before.filter(isLook),
    afterwards: commands(end),
  };
}

/** Types the command as it stands, but for the nodes, which have the name of the cluster; gives what it printed. */
export async function type(cluster: E2eCluster, command: string): Promise<string> {
  const words = wordsOf(command.replaceAll('peapod-node', `${cluster.name}-node`)).map((word) =>
    word.startsWith('examples/') ? join(examples, word.slice('examples/'.length)) : word,
  );
  const [program, ...args] = words;
  if (program === 'kubectl') return cluster.ok(...args);
  const ran = await peapod([...args, ...cluster.global]);
  assert.equal(ran.code, 0, `${command}: ${ran.stderr}`);
  return ran.stdout;
}

/** As a shell takes them apart, as far as these need it: blanks, and quotes that keep everything. */
const wordsOf = (command: string): readonly string[] =>
  [...command.matchAll(/'([^']*)'|[^' ]+/g)].map(([whole, quoted]) => quoted ?? whole);
