import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { containerLogs, type LogOptions } from '#kubelet/server/container-logs.ts';
import { logOptionsOf } from '#kubelet/server/log-options.ts';
import { realClock } from '#lib/clock.ts';

const all: LogOptions = {
  follow: false,
  timestamps: false,
  tailLines: undefined,
  since: undefined,
  limitBytes: undefined,
  stream: 'All',
};
const line = (second: number, text: string, { stream = 'stdout', tag = 'F' } = {}): string =>
  `2026-01-01T00:00:0${second}.123456789Z ${stream} ${tag} ${text}\n`;
const sample = [
  line(1, 'one'),
  line(2, 'two', { stream: 'stderr' }),
  line(3, 'thr', { tag: 'P' }),
  line(3, 'ee'),
  'torn',
  ' line\n',
  line(4, 'four'),
].join('');

async function read(content: string, options: Partial<LogOptions>): Promise<string> {
  using folder = temporary();
  writeFileSync(folder.file, content);
  return await collect(folder.file, options, async () => false);
}

async function collect(
  file: string,
  options: Partial<LogOptions>,
  alive: () => Promise<boolean>,
  signal = new AbortController().signal,
): Promise<string> {
  let text = '';
  for await (const chunk of containerLogs(file, { ...all, ...options }, { clock: realClock, alive }, signal))
    text += Buffer.from(chunk).toString();
  return text;
}

function temporary(): Disposable & { readonly file: string } {
  const folder = mkdtempSync(join(tmpdir(), 'peapod-logs-'));
  return { file: join(folder, '0.log'), [Symbol.dispose]: () => rmSync(folder, { recursive: true }) };
}

const cases: readonly { readonly name: string; readonly options: Partial<LogOptions>; readonly want: string }[] = [
  { name: 'everything, pieces joined, torn lines left out', options: {}, want: 'one\ntwo\nthree\nfour\n' },
  { name: 'timestamps', options: { timestamps: true, tailLines: 1 }, want: '2026-01-01T00:00:04.123456789Z four\n' },
  {
    name: 'timestamps: one a line, of its first piece',
    options: { timestamps: true, tailLines: 5, stream: 'Stdout', since: Date.parse('2026-01-01T00:00:03Z') },
    want: '2026-01-01T00:00:03.123456789Z three\n2026-01-01T00:00:04.123456789Z four\n',
  },
  { name: 'tail', options: { tailLines: 1 }, want: 'four\n' },
  { name: 'tail 0', options: { tailLines: 0 }, want: '' },
  { name: 'tail longer than the log', options: { tailLines: 100 }, want: 'one\ntwo\nthree\nfour\n' },
  { name: 'since', options: { since: Date.parse('2026-01-01T00:00:03Z') }, want: 'three\nfour\n' },
  { name: 'limit cuts within a line', options: { limitBytes: 6 }, want: 'one\ntw' },
  { name: 'one stream', options: { stream: 'Stderr' }, want: 'two\n' },
];
for (const c of cases) {
  test(`containerLogs: ${c.name}`, async () => assert.equal(await read(sample, c.options), c.want));
}

test('containerLogs: a log longer than a block is read whole, and its tail by its end', async () => {
  const lines = Array.from({ length: 20_000 }, (_, n) => `2026-01-01T00:00:01.000000000Z stdout F line ${n}\n`).join(
    '',
  );
  assert.equal((await read(lines, {})).split('\n').length, 20_001);
  assert.equal(await read(lines, { tailLines: 2 }), 'line 19998\nline 19999\n');
});

test('containerLogs: no file is an empty log', async () => {
  assert.equal(await collect('/nonexistent/0.log', {}, async () => true), '');
});

test('containerLogs: following, what is written comes at once; it ends with the container, having read everything', async () => {
  using folder = temporary();
  writeFileSync(folder.file, line(1, 'one'));
  let alive = true;
  let seen = '';
  const following = (async () => {
    for await (const chunk of containerLogs(
      folder.file,
      { ...all, follow: true },
      { clock: realClock, alive: async () => alive },
      new AbortController().signal,
    )) {
      seen += Buffer.from(chunk).toString();
      if (seen === 'one\n') setTimeout(() => appendFileSync(folder.file, line(2, 'two')), 5);
      if (seen === 'one\ntwo\n') {
        alive = false;
        appendFileSync(folder.file, line(3, 'last words'));
      }
    }
  })();
  await following;
  assert.equal(seen, 'one\ntwo\nlast words\n');
});

test('containerLogs: a reader that goes ends it quietly', async () => {
  using folder = temporary();
  writeFileSync(folder.file, line(1, 'one'));
  const gone = new AbortController();
  setTimeout(() => gone.abort(new Error('gone')), 20);
  assert.equal(await collect(folder.file, { follow: true }, async () => true, gone.signal), 'one\n');
});

for (const [query, want] of [
  ['limitBytes=0', 'limitBytes must be greater than 0'],
  ['tailLines=x', 'tailLines must be a whole number'],
  ['sinceSeconds=0', 'sinceSeconds must be greater than 0'],
  ['sinceTime=yesterday', 'sinceTime "yesterday" is not a time as RFC 3339 writes it'],
  ['stream=Both', 'stream must be one of All, Stdout, Stderr'],
] as const) {
  test(`logOptionsOf: ${query} is refused`, () =>
    assert.deepEqual(logOptionsOf(new URLSearchParams(query), 0), { kind: 'invalid', message: want }));
}

test('logOptionsOf: seconds count back from now', () => {
  const parsed = logOptionsOf(new URLSearchParams('sinceSeconds=5&follow=true&tailLines=3'), 100_000);
  assert.deepEqual(parsed, { kind: 'valid', value: { ...all, since: 95_000, follow: true, tailLines: 3 } });
});

test('containerLogs: following goes over to the next file when the log is put aside', async () => {
  using folder = temporary();
  const say = (text: string): void => appendFileSync(folder.file, line(1, text));
  say('one');
  let living = true;
  const whole = collect(folder.file, { follow: true }, async () => living);
  await sleep(50);
  renameSync(folder.file, `${folder.file}.20260101-000000`);
  appendFileSync(`${folder.file}.20260101-000000`, line(1, 'two'));
  await sleep(50);
  say('three');
  await sleep(50);
  say('four');
  await sleep(1100);
  living = false;
  assert.equal(await whole, 'one\ntwo\nthree\nfour\n');
});
