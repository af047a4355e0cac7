import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import test, { after } from 'node:test';
import { Worker } from 'node:worker_threads';
import { realClock } from '#lib/clock.ts';
import { FakeClock } from '#lib/fake-clock.ts';
import { storeConformance } from '#store/conformance.ts';
import { DEFAULT_RETENTION } from '#store/retention.ts';
import { SqliteStore, openSqliteStore } from '#store/sqlite/sqlite-store.ts';
import {
  CompactedError,
  CorruptStoreError,
  StoreFailedError,
  StoreInUseError,
  type Change,
  type Revision,
  type Store,
  type StoreKey,
  type Write,
} from '#store/store.ts';

const dir = mkdtempSync(join(tmpdir(), 'peapod-store-'));
after(() => rmSync(dir, { recursive: true }));
let files = 0;
const freshPath = (): string => join(dir, `${files++}.db`);

storeConformance('SQLite', () => openSqliteStore(freshPath()), { runs: 40 });

const never = new AbortController().signal;
const a = 'a' as StoreKey;

async function write(
  store: Store,
  name: string,
  options: { bytes?: number; relaxed?: boolean } = {},
): Promise<Revision> {
  const { entry } = await store.get(name as StoreKey);
  const value = new Uint8Array(options.bytes ?? 1).fill(65);
  const writes: Write[] = [{ key: name as StoreKey, expect: entry?.modified ?? 'absent', value }];
  const outcome = await store.commit(writes, options.relaxed ? 'relaxed' : 'synced');
  assert.ok(outcome.kind === 'written');
  return outcome.revision;
}

async function firstBatch(store: Store, from: Revision): Promise<readonly Change[]> {
  for await (const batch of store.watch('', from, never)) return batch;
  return [];
}

test('SQLite store: after a restart revisions go on, watches resume and the floor is where it was', async () => {
  const path = freshPath();
  const before = await openSqliteStore(path);
  const r1 = await write(before, 'a');
  const r2 = await write(before, 'a', { relaxed: true });
  const r3 = await write(before, 'b');
  await before.compact(r2);
  await before[Symbol.asyncDispose]();
  await using after = await openSqliteStore(path);
  assert.equal(await after.revision(), r3);
  assert.deepEqual(
    (await firstBatch(after, r2)).map((change) => change.revision),
    [r3],
  );
  await assert.rejects(firstBatch(after, r1), CompactedError);
  assert.deepEqual((await after.get(a, r2)).entry, { key: 'a', value: Uint8Array.of(65), created: r1, modified: r2 });
  assert.ok((await write(after, 'a')) > r3);
});

test('SQLite store: the number line goes on when all rows are gone', async () => {
  const path = freshPath();
  const before = await openSqliteStore(path);
  const r1 = await write(before, 'a');
  await before.commit([{ key: a, expect: r1, value: undefined }], 'synced');
  const newest = await before.revision();
  await before.compact(newest);
  await swept(before, path);
  await before[Symbol.asyncDispose]();
  assert.equal(rowsIn(path), 0);
  await using after = await openSqliteStore(path);
  assert.equal(await after.revision(), newest);
});

test('SQLite store: raising the revision leaves the state and makes the past unreadable', async () => {
  const path = freshPath();
  const store = await openSqliteStore(path);
  const r1 = await write(store, 'a');
  const watching = assert.rejects(async () => {
    for await (const _ of store.watch('', r1, never));
  }, CompactedError);
  await new Promise(setImmediate);
  const raised = (r1 + 1_000_000) as Revision;
  await store.raiseRevision(raised);
  await watching;
  assert.equal(await store.revision(), raised);
  await assert.rejects(store.get(a, r1), CompactedError);
  assert.equal((await store.get(a)).entry?.modified, r1);
  await store[Symbol.asyncDispose]();
  await using after = await openSqliteStore(path);
  assert.equal(await after.revision(), raised);
  assert.ok((await write(after, 'a')) > raised);
});

test('SQLite store: a file is open once', async () => {
  const path = freshPath();
  await using first = await openSqliteStore(path);
  await assert.rejects(
    openSqliteStore(path),
    (error) => error instanceof StoreInUseError && error.message.includes(path),
  );
  const script = `import { openSqliteStore } from '#store/sqlite/sqlite-store.ts';
    await openSqliteStore(process.argv[1]).then(() => console.log('opened'), (error) => console.log(error.name));`;
  const other = execFileSync(process.execPath, ['--input-type=module', '-e', script, path], {
    encoding: 'utf8',
    timeout: 20_000,
  });
  assert.equal(other.trim(), 'StoreInUseError');
  await write(first, 'a');
  assert.equal(existsSync(`${path}-shm`), false);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.equal(statSync(`${path}-wal`).mode & 0o777, 0o600);
});

const strangers: readonly { name: string; make: (path: string) => void }[] = [
  { name: 'text', make: (path) => writeFileSync(path, 'not a database, but long enough to be looked at '.repeat(100)) },
  { name: "somebody else's database", make: (path) => new DatabaseSync(path).exec('CREATE TABLE t (x)') },
  {
    name: 'a newer format',
    make: (path) =>
      new DatabaseSync(path).exec('CREATE TABLE log (x); PRAGMA application_id = 0x70656131; PRAGMA user_version = 99'),
  },
];
for (const { name, make } of strangers) {
  test(`SQLite store: a file that is ${name} is refused and left as it is`, async () => {
    const path = freshPath();
    make(path);
    await assert.rejects(
      openSqliteStore(path),
      (error) => error instanceof CorruptStoreError && error.message.includes(path),
    );
  });
}

test('SQLite store: a path that cannot be opened says so', async () => {
  const path = join(dir, 'no such directory', 'db');
  await assert.rejects(
    openSqliteStore(path),
    (error) => error instanceof StoreFailedError && error.message.includes(path),
  );
});

test('SQLite store: when its thread dies, what is pending and what comes later fails', async () => {
  const workerData = { path: freshPath(), retention: DEFAULT_RETENTION };
  const worker = new Worker(new URL(import.meta.resolve('#store/sqlite/worker.ts')), { workerData });
  const store = new SqliteStore(worker, realClock);
  await store.opened();
  await write(store, 'a');
  const watching = assert.rejects(firstBatch(store, await store.revision()), StoreFailedError);
  const pending = Array.from({ length: 10 }, (_, i) => assert.rejects(write(store, `k${i}`), StoreFailedError));
  await worker.terminate();
  await Promise.all([...pending, watching]);
  await assert.rejects(store.revision(), StoreFailedError);
  await assert.rejects(write(store, 'late'), StoreFailedError);
  await assert.rejects(firstBatch(store, 1 as Revision), StoreFailedError);
  await store[Symbol.asyncDispose]();
});

test('SQLite store: commits made together share a transaction', async () => {
  await using store = await openSqliteStore(freshPath());
  const start = await store.revision();
  let batches = 0;
  const watching = (async () => {
    for (let seen = 0; ;) {
      for await (const batch of store.watch('', start, never)) {
        batches++;
        seen += batch.length;
        if (seen === 200) return;
      }
    }
  })();
  await new Promise(setImmediate);
  const commits = Array.from({ length: 200 }, (_, i) =>
    store.commit([{ key: `k${i}` as StoreKey, expect: 'absent', value: new Uint8Array(1) }], 'synced'),
  );
  await Promise.all(commits);
  await watching;
  assert.ok(batches <= 20, `${batches} batches`);
});

test(
  'SQLite store: neither the file nor the WAL grows for ever, and history keeps to its bounds over a restart',
  { timeout: 60_000 },
  async () => {
    const path = freshPath();
    const clock = new FakeClock(1_000_000);
    const retention = { maxAgeMs: 60_000, maxBytes: 500_000 };
    const sizes: number[] = [];
    for (let life = 0; life < 3; life++) {
      await using store = await openSqliteStore(path, { clock, retention });
      for (let i = 0; i < 1200; i++) await write(store, `k${i % 10}`, { bytes: 1500, relaxed: true });
      const newest = await store.revision();
      await assert.rejects(store.get(a, (newest - 400) as Revision), CompactedError);
      assert.equal((await store.list('', { at: (newest - 250) as Revision })).entries.length, 10);
      await swept(store, path);
      sizes.push(statSync(path).size);
      assert.ok(statSync(`${path}-wal`).size < 10_000_000, `the WAL has ${statSync(`${path}-wal`).size} bytes`);
    }
    assert.ok(Math.max(...sizes) < 4_000_000, `the file had ${sizes.join(', ')} bytes`);
    assert.ok(rowsIn(path) < 400, `${rowsIn(path)} rows`);
    await using store = await openSqliteStore(path, { clock, retention });
    const floor = (await store.revision()) - 300;
    assert.equal((await store.get(a, (floor + 50) as Revision)).entry, undefined);
    await clock.advance(120_000); // age counts across the restart: the marks were saved
    await write(store, 'a');
    await assert.rejects(store.get(a, (floor + 50) as Revision), CompactedError);
  },
);

/** Upkeep takes its slices when the thread is idle: by the time it has been asked this often, it has had its turn. */
async function swept(store: Store, path: string): Promise<void> {
  assert.ok(existsSync(path));
  for (let i = 0; i < 200; i++) {
    await store.list('nothing', {});
    await new Promise(setImmediate);
  }
}

function rowsIn(path: string): number {
  const db = new DatabaseSync(path);
  try {
    return Number(db.prepare('SELECT count(*) AS rows FROM log').get()?.['rows']);
  } finally {
    db.close();
  }
}
