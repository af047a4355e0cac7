/** A test reporter for machines: one line of JSON a test that has ended, made and read here so that the two agree. */
import type { TestEvent } from 'node:test/reporters';
import { inspect } from 'node:util';

export interface TestOutcome {
  readonly kind: 'passed' | 'failed' | 'skipped';
  readonly name: string;
  readonly file: string;
  /** Of a failure: what was thrown. */
  readonly why: string;
}

/** The outcome an event of node:test tells of; `undefined` for all the others, suites and files that are fine included. */
export function outcomeOf(event: TestEvent): TestOutcome | undefined {
  if (event.type !== 'test:pass' && event.type !== 'test:fail') return undefined;
  const { name, file = '', skip, todo, details } = event.data;
  if (event.type === 'test:pass') {
    // With a process a file, the file counts as a test too: one that passes says nothing that its tests do not.
    if (details.type === 'suite' || name === file) return undefined;
    const isSkipped = (skip !== undefined && skip !== false) || (todo !== undefined && todo !== false);
    return { kind: isSkipped ? 'skipped' : 'passed', name, file, why: '' };
  }
  const { error } = event.data.details;
  // A parent fails because a test in it has failed, which is told and counted there.
  if ('failureType' in error && error.failureType === 'subtestsFailed') return undefined;
  return { kind: 'failed', name, file, why: inspect(error.cause ?? error) };
}

export function parseOutcomes(lines: string): readonly TestOutcome[] {
  return lines.split('\n').flatMap((line) => {
    // The last line may be cut off when a test process is killed.
    if (!line.startsWith('{') || !line.endsWith('}')) return [];
    const found: unknown = JSON.parse(line);
    return isOutcome(found) ? [found] : [];
  });
}

function isOutcome(found: unknown): found is TestOutcome {
  return (
    typeof found === 'object' &&
    found !== null &&
    'kind' in found &&
    'name' in found &&
    'file' in found &&
    'why' in found
  );
}
