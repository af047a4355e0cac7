import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, rmdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { openSqliteStore, type SqliteStore } from '#store/sqlite/sqlite-store.ts';
import { StoreFullError, type Revision, type StoreKey } from '#store/store.ts';

const VALUE = new Uint8Array(20_000).fill(1);
const notRoot = process.getuid?.() === 0 ? false : 'mounting a small file system needs root';

test(
  'SQLite store: a full disk refuses commits whole, and space makes it go on',
  { skip: notRoot, timeout: 60_000 },
  async () => {
    const dir = mkdtempSync(join(tmpdir(), 'peapod-store-full-'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'peapod-store-test', dir]);
    try {
      await fillAndGoOn(dir);
    } finally {
      execFileSync('umount', [dir]);
      rmdirSync(dir);
    }
  },
);

async function fillAndGoOn(dir: string): Promise<void> {
  const path = join(dir, 'db');
  const filler = join(dir, 'filler');
  writeFileSync(filler, new Uint8Array(1_500_000));
  const written = new Map<string, Revision>();
  {
    await using store = await openSqliteStore(path);
    await fill(store, written);
    await fill(store, written); // the first time the WAL may have been copied back meanwhile, and start over
    assert.equal(await store.revision(), Math.max(...written.values()));
    await agree(store, written);
    rmSync(filler);
    for (let i = 0; i < 10; i++) written.set(`again${i}`, await pair(store, `again${i}`));
    await agree(store, written);
    await fill(store, written);
  }
  await using reopened = await openSqliteStore(path);
  await agree(reopened, written);
}

/** Eight writers at once, until each has met the full disk. */
async function fill(store: SqliteStore, written: Map<string, Revision>): Promise<void> {
  const writers = Array.from({ length: 8 }, async () => {
    for (;;) {
      const name = `n${written.size}-${Math.random()}`;
      written.set(name, await pair(store, name));
    }
  });
  for (const ended of await Promise.allSettled(writers)) {
    assert.ok(ended.status === 'rejected' && ended.reason instanceof StoreFullError, ended.status);
  }
}

async function pair(store: SqliteStore, name: string): Promise<Revision> {
  const keys = [`left/${name}`, `right/${name}`] as StoreKey[];
  const outcome = await store.commit(
    keys.map((key) => ({ key, expect: 'absent', value: VALUE })),
    'synced',
  );
  assert.ok(outcome.kind === 'written');
  return outcome.revision;
}

async function agree(store: SqliteStore, written: ReadonlyMap<string, Revision>): Promise<void> {
  const want = [...written].sort(([, a], [, b]) => a - b);
  for (const side of ['left', 'right']) {
    const { entries } = await store.list(`${side}/`, {});
    const have = entries.map(({ key, modified }): [string, Revision] => [key.slice(side.length + 1), modified]);
    assert.deepEqual(
      have.sort(([, a], [, b]) => a - b),
      want,
    );
  }
}
