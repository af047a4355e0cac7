import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { FakeClock } from '#lib/fake-clock.ts';
import { DEFAULT_BOUNDS, type Journal, type JournalBounds, type Subject } from '#store/journal/journal.ts';
import { MemoryJournal } from '#store/journal/memory-journal.ts';
import { type JournalHost, SqliteJournal } from '#store/journal/sqlite-journal.ts';
import { openSqliteStore } from '#store/sqlite/sqlite-store.ts';

const web: Subject = { uid: 'u1', key: 'default/web', born: 1000 };
const entry = (at: number, text = `entry ${at}`): { at: number; text: string } => ({ at, text });
const small: JournalBounds = {
  entriesPerSubject: 16,
  bytesPerSubject: 10_000,
  headEntries: 4,
  subjects: 8,
  bytes: 40_000,
  keepEndedMs: 60_000,
};

interface Kind {
  readonly name: string;
  open(clock: FakeClock, bounds: JournalBounds): Journal;
}

const directory = mkdtempSync(join(tmpdir(), 'peapod-journal-'));
process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
let files = 0;
const newPath = (): string => join(directory, `journal-${++files}.db`);

const lender = openSqliteStore(newPath());
after(async () => (await lender)[Symbol.asyncDispose]());
const lent: JournalHost = (data, port) => void lender.then((store) => store.lend(data, port));

const kinds: readonly Kind[] = [
  { name: 'memory', open: (clock, bounds) => new MemoryJournal({ clock, bounds }) },
  { name: 'sqlite', open: (clock, bounds) => new SqliteJournal(newPath(), { clock, bounds }) },
  {
    name: "sqlite in the store's thread",
    open: (clock, bounds) => new SqliteJournal(newPath(), { clock, bounds, host: lent }),
  },
];

for (const { name, open } of kinds) {
  test(`${name} journal: what was appended is read in the order it came`, async () => {
    await using journal = open(new FakeClock(5000), DEFAULT_BOUNDS);
    journal.append(web, [entry(1), entry(3)]);
    journal.append(web, [entry(2, 'später ⏰')]);
    const told = await journal.read('u1');
    assert.deepEqual(told?.entries, [entry(1), entry(3), entry(2, 'später ⏰')]);
    assert.deepEqual(told.subject, { ...web, ended: undefined, entries: 3, last: 3 });
    assert.equal(told.dropped, undefined);
    assert.equal(await journal.read('u2'), undefined);
  });

  test(`${name} journal: subjects are found by key, namesakes in the order they came`, async () => {
    await using journal = open(new FakeClock(5000), DEFAULT_BOUNDS);
    journal.append({ ...web, uid: 'late' }, [entry(1)]);
    journal.append({ uid: 'other', key: 'kube-system/dns', born: 1 }, [entry(1)]);
    journal.append(web, [entry(1)]);
    journal.end('late', 7);
    journal.end('late', 9);
    journal.end('nobody', 9);
    const found = await journal.find('default/');
    assert.deepEqual(
      found.map(({ uid, ended }) => [uid, ended]),
      [
        ['late', 7],
        ['u1', undefined],
      ],
    );
    assert.equal((await journal.find('')).length, 3);
  });

  test(`${name} journal: of too many entries the middle goes, and it says how many`, async () => {
    await using journal = open(new FakeClock(5000), small);
    for (let at = 1; at <= 100; at++) journal.append(web, [entry(at)]);
    const told = await journal.read('u1');
    const times = told?.entries.map(({ at }) => at) ?? [];
    assert.ok(times.length <= 16 && times.length >= 12, `${times.length} entries`);
    assert.deepEqual(times.slice(0, 4), [1, 2, 3, 4]);
    assert.equal(times.at(-1), 100);
    const gone = told?.dropped;
    assert.ok(gone);
    assert.equal(gone.count + times.length, 100);
    assert.deepEqual([gone.from, gone.until, gone.after], [5, times[4]! - 1, 4]);
    assert.equal(told?.subject.last, 100);
  });

  test(`${name} journal: a subject is bounded in bytes, its newest entry stays`, async () => {
    await using journal = open(new FakeClock(5000), small);
    for (let at = 1; at <= 12; at++) journal.append(web, [entry(at, 'x'.repeat(1500))]);
    const told = await journal.read('u1');
    const bytes = told?.entries.reduce((sum, { text }) => sum + text.length, 0) ?? 0;
    assert.ok(bytes <= small.bytesPerSubject, `${bytes} bytes`);
    assert.equal(told?.entries.at(-1)?.at, 12);
    assert.ok((told?.dropped?.count ?? 0) >= 5);
  });

  test(`${name} journal: who ended is kept for a while, then forgotten`, async () => {
    const clock = new FakeClock(5000);
    await using journal = open(clock, small);
    journal.append(web, [entry(1)]);
    journal.append({ ...web, uid: 'u2' }, [entry(1)]);
    journal.end('u1', 5000);
    await clock.advance(59_000);
    journal.tidy();
    assert.ok(await journal.read('u1'));
    await clock.advance(1_000);
    journal.tidy();
    assert.equal(await journal.read('u1'), undefined);
    assert.ok(await journal.read('u2'));
  });

  test(`${name} journal: of too many subjects the ended ones go first, then the quietest`, async () => {
    const clock = new FakeClock(5000);
    await using journal = open(clock, small);
    for (let n = 1; n <= 8; n++) {
      journal.append({ uid: `u${n}`, key: `ns/${n}`, born: n }, [entry(n)]);
      await clock.advance(1000);
    }
    journal.end('u5', clock.now());
    journal.append({ uid: 'u1', key: 'ns/1', born: 1 }, [entry(9)]);
    await clock.advance(1000);
    journal.append({ uid: 'u9', key: 'ns/9', born: 9 }, [entry(9)]);
    const left = (await journal.find('')).map(({ uid }) => uid);
    assert.deepEqual(left, ['u1', 'u3', 'u4', 'u6', 'u7', 'u8', 'u9']);
  });

  test(`${name} journal: all subjects together are bounded in bytes`, async () => {
    await using journal = open(new FakeClock(5000), small);
    for (let n = 1; n <= 7; n++) {
      for (let at = 1; at <= 6; at++)
        journal.append({ uid: `u${n}`, key: `ns/${n}`, born: n }, [entry(at, 'x'.repeat(1400))]);
    }
    const left = await journal.find('');
    assert.ok(left.length <= 4, `${left.length} subjects`);
    assert.ok(left.some(({ uid }) => uid === 'u7'));
  });
}

test('sqlite journal: it outlives its process, drops and ends included', async () => {
  const path = newPath();
  const before = new SqliteJournal(path, { bounds: small });
  for (let at = 1; at <= 40; at++) before.append(web, [entry(at)]);
  before.end('u1', Date.now());
  const told = await before.read('u1');
  await before[Symbol.asyncDispose]();
  assert.equal(statSync(path).mode & 0o777, 0o600);
  await using after = new SqliteJournal(path, { bounds: small });
  assert.deepEqual(await after.read('u1'), told);
  after.append({ ...web, uid: 'u2' }, [entry(1)]);
  assert.deepEqual((await after.find('default/web')).at(-1)?.uid, 'u2');
});

test('sqlite journal: closing writes what has not been written yet', async () => {
  const path = newPath();
  const before = new SqliteJournal(path);
  before.append(web, [entry(1)]);
  await before[Symbol.asyncDispose]();
  before.append(web, [entry(2)]);
  await assert.rejects(before.read('u1'), { name: 'JournalFailedError' });
  await using after = new SqliteJournal(path);
  assert.deepEqual((await after.read('u1'))?.entries, [entry(1)]);
});

test('sqlite journal: a file that is no good is put aside and said', async () => {
  for (const content of ['this is no database at all, and longer than a header '.repeat(30), 'SQLite format 3\0']) {
    const path = newPath();
    writeFileSync(path, content);
    const troubles: string[] = [];
    await using journal = new SqliteJournal(path, { onTrouble: (error) => troubles.push(error.message) });
    journal.append(web, [entry(1)]);
    assert.deepEqual((await journal.read('u1'))?.entries, [entry(1)]);
    assert.match(troubles.join(), /put aside/);
    assert.ok(existsSync(`${path}.bad`));
  }
});

test('sqlite journal: a file that is ruined while it is open is put aside as well', async () => {
  const path = newPath();
  const troubles: string[] = [];
  const before = new SqliteJournal(path);
  for (let n = 0; n < 200; n++) before.append({ ...web, uid: `u${n}` }, [entry(n, 'x'.repeat(500))]);
  await before[Symbol.asyncDispose]();
  const bytes = readFileSync(path);
  // What is known of the subjects is whole, the entries are not.
  const { length } = bytes;
  bytes.fill(0xff, length / 2);
  writeFileSync(path, bytes);
  await using journal = new SqliteJournal(path, { onTrouble: (error) => troubles.push(error.message) });
  for (let n = 0; n < 200 && troubles.length === 0; n++) {
    journal.append({ ...web, uid: `u${n}` }, [entry(n)]);
    await journal.read(`u${n}`).catch(() => {});
  }
  assert.match(troubles.join(), /put aside/);
  journal.append(web, [entry(1)]);
  assert.deepEqual((await journal.read('u1'))?.entries.at(-1), entry(1));
});

test('sqlite journal: when the store whose thread it has is closed, it fails and says so', async () => {
  const store = await openSqliteStore(newPath());
  const troubles: string[] = [];
  const onTrouble = (error: Error): void => void troubles.push(error.message);
  const host: JournalHost = (data, port) => store.lend(data, port);
  await using journal = new SqliteJournal(newPath(), { host, onTrouble });
  journal.append(web, [entry(1)]);
  assert.ok(await journal.read('u1'));
  await store[Symbol.asyncDispose]();
  await assert.rejects(journal.read('u1'), { name: 'JournalFailedError' });
  assert.equal(troubles.length, 1);
  await using late = new SqliteJournal(newPath(), { host });
  await assert.rejects(late.read('u1'), { name: 'JournalFailedError' });
});

test('sqlite journal: a folder that is not there fails reads, and appends harm nobody', async () => {
  const troubles: string[] = [];
  const journal = new SqliteJournal(join(directory, 'nowhere', 'j.db'), { onTrouble: (e) => troubles.push(e.message) });
  journal.append(web, [entry(1)]);
  await assert.rejects(journal.read('u1'), { name: 'JournalFailedError' });
  journal.append(web, [entry(2)]);
  await journal[Symbol.asyncDispose]();
  assert.equal(troubles.length, 1);
});

test('sqlite journal: a writer killed at any moment leaves whole what it had shown', async () => {
  const path = newPath();
  let floor = 0;
  for (let round = 0; round < 4; round++) {
    const child = spawn(process.execPath, [import.meta.resolve('#store/journal/crash-writer.ts').slice(7), path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let shown = 0;
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      shown = Number(text.trim().split('\n').at(-1));
    });
    while (shown < 200) await once(child.stdout, 'data');
    await new Promise((done) => setTimeout(done, round * 37));
    child.kill('SIGKILL');
    await once(child, 'close');
    await using journal = new SqliteJournal(path);
    const subjects = await journal.find('');
    assert.equal(subjects.length, 7);
    const total = subjects.reduce((sum, { last }) => sum + last, 0);
    assert.ok(total >= floor + shown, `${total} were kept, ${floor + shown} had been shown`);
    floor = total;
    for (const { uid, entries } of subjects) {
      const told = await journal.read(uid);
      assert.equal(told?.entries.length, entries);
      for (const { text, at } of told?.entries ?? []) assert.ok(text.startsWith(`${at} `));
    }
  }
});
