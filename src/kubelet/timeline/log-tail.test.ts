import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { logTail } from '#kubelet/timeline/log-tail.ts';

const line = (text: string, tag = 'F', stream = 'stderr', ms = '000'): string =>
  `2026-01-01T00:00:00.${ms}123Z ${stream} ${tag} ${text}\n`;
const cases: readonly { name: string; file: string; want: readonly string[] }[] = [
  { name: 'nothing was written', file: '', want: [] },
  { name: 'both streams, in their order', file: line('out', 'F', 'stdout') + line('err'), want: ['out', 'err'] },
  {
    name: 'errors last among what came in one moment, but not before it',
    file: line('early') + line('error', 'F', 'stderr', '100') + line('out', 'F', 'stdout', '102'),
    want: ['early', 'out', 'error'],
  },
  {
    name: 'what came later stays later',
    file: line('error', 'F', 'stderr', '100') + line('out', 'F', 'stdout', '110'),
    want: ['error', 'out'],
  },
  { name: 'pieces of one line are joined', file: line('one ', 'P') + line('two'), want: ['one two'] },
  {
    name: 'the last ten lines',
    file: Array.from({ length: 30 }, (_, n) => line(`line ${n}`)).join(''),
    want: Array.from({ length: 10 }, (_, n) => `line ${n + 20}`),
  },
  {
    name: 'colours, bells and empty lines are left out',
    file: line('\u001b[31mred\u001b[0m\u0007  ') + line(''),
    want: ['red'],
  },
  {
    name: 'a kilobyte at most: the end of what is too long',
    file: line('a'.repeat(5000)),
    want: [`…${'a'.repeat(1023)}`],
  },
  {
    name: 'later lines before earlier ones',
    file: line('first'.repeat(100)) + line('x'.repeat(1000)),
    want: [`…${'first'.repeat(100).slice(-23)}`, 'x'.repeat(1000)],
  },
];

for (const { name, file, want } of cases) {
  test(`log tail: ${name}`, () => {
    const directory = mkdtempSync(join(tmpdir(), 'peapod-tail-'));
    try {
      const logPath = join(directory, '0.log');
      writeFileSync(logPath, file);
      assert.deepEqual(logTail({ logPath }), want);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
}

test('log tail: a log that is not there has none', () => {
  assert.deepEqual(logTail({ logPath: '/nowhere/0.log' }), []);
  assert.deepEqual(logTail({ logPath: '' }), []);
});
