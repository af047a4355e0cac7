import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { openSqliteStore, type SqliteStore } from '#store/sqlite/sqlite-store.ts';
import type { Revision, StoreKey } from '#store/store.ts';
import { median, quantile, type Result } from '#test/bench/result.ts';

const VALUE = new Uint8Array(1500).fill(120); // a pod's status, encoded
const ROUNDS = 5;
const LONE_WRITES = 300;
const WRITES = 3000;
const OBJECTS = 10_000;

/** The durable store against bare SQLite on this thread and against fdatasync alone, in rounds that take turns. */
export async function benchStore(): Promise<readonly Result[]> {
  const dir = mkdtempSync(join(tmpdir(), 'peapod-bench-store-'));
  try {
    return [...(await benchWrites(dir)), ...(await benchReads(dir))];
  } finally {
    rmSync(dir, { recursive: true });
  }
}

async function benchWrites(dir: string): Promise<readonly Result[]> {
  const samples = { sync: [], bare: [], lone: [], c32: [], c64: [], relaxed: [] } as Record<string, number[]>;
  using bare = bareSqlite(join(dir, 'bare.db'));
  await using store = await openSqliteStore(join(dir, 'store.db'));
  const counter = { next: 0 };
  for (let round = 0; round < ROUNDS; round++) {
    samples['sync']?.push(...fdatasyncMs(join(dir, 'sync')));
    samples['bare']?.push(...bare.run(LONE_WRITES));
    samples['lone']?.push(...(await loneMs(store, counter, 'synced')));
    samples['relaxed']?.push(...(await loneMs(store, counter, 'relaxed')));
    samples['c32']?.push(await concurrentPerSecond(store, counter, 32));
    samples['c64']?.push(await concurrentPerSecond(store, counter, 64));
  }
  const of = (name: string): number => median(samples[name] ?? []);
  const perSecond = 1000 / of('bare');
  return [
    { name: 'append 4 KB and fdatasync', unit: 'ms', value: of('sync') },
    {
      name: 'bare SQLite, one fsync per write',
      unit: 'ms',
      value: of('bare'),
      floor: of('sync'),
      ratio: of('bare') / of('sync'),
    },
    {
      name: 'store: one durable write',
      unit: 'ms',
      value: of('lone'),
      floor: of('bare'),
      ratio: of('lone') / of('bare'),
    },
    {
      name: 'store: one durable write, p99',
      unit: 'ms',
      value: quantile(samples['lone'] ?? [], 0.99),
      floor: quantile(samples['bare'] ?? [], 0.99),
    },
    { name: 'store: one relaxed write', unit: 'ms', value: of('relaxed') },
    {
      name: 'store: durable writes, 32 at once',
      unit: '/s',
      value: of('c32'),
      floor: perSecond,
      ratio: of('c32') / perSecond,
    },
    {
      name: 'store: durable writes, 64 at once',
      unit: '/s',
      value: of('c64'),
      floor: perSecond,
      ratio: of('c64') / perSecond,
    },
  ];
}

async function benchReads(dir: string): Promise<readonly Result[]> {
  const path = join(dir, 'objects.db');
  {
    await using store = await openSqliteStore(path);
    await fill(store);
  }
  const samples: Record<'open' | 'list' | 'pages' | 'get' | 'replay', number[]> = {
    open: [],
    list: [],
    pages: [],
    get: [],
    replay: [],
  };
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    await using store = await openSqliteStore(path);
    samples.open.push(performance.now() - start);
    samples.list.push(await timed(() => store.list('/pods/', {})));
    samples.pages.push(await timed(() => allPages(store)));
    samples.replay.push(await timed(() => replay(store)));
    samples.get.push(await timed(() => store.get(keyOf(round * 7))));
  }
  return [
    { name: 'store: open with 10k objects', unit: 'ms', value: median(samples.open) },
    { name: 'store: list 10k objects', unit: 'ms', value: median(samples.list) },
    { name: 'store: list 10k objects in pages of 500', unit: 'ms', value: median(samples.pages) },
    { name: 'store: replay 10k changes', unit: 'ms', value: median(samples.replay) },
    { name: 'store: get', unit: 'ms', value: median(samples.get) },
  ];
}

const keyOf = (i: number): StoreKey => `/pods/namespace-${i % 50}/pod-${(i * 7919) % 1_000_003}` as StoreKey;

async function fill(store: SqliteStore): Promise<void> {
  for (let from = 0; from < OBJECTS; from += 500) {
    const writes = Array.from(
      { length: 500 },
      (_, i) => ({ key: keyOf(from + i), expect: 'absent', value: VALUE }) as const,
    );
    await store.commit(writes, 'synced');
  }
}

async function allPages(store: SqliteStore): Promise<void> {
  let page = await store.list('/pods/', { limit: 500 });
  while (page.next !== undefined)
    page = await store.list('/pods/', { limit: 500, at: page.revision, after: page.next });
}

async function replay(store: SqliteStore): Promise<void> {
  let seen = 0;
  for await (const batch of store.watch('', 1 as Revision, new AbortController().signal)) {
    seen += batch.length;
    if (seen === OBJECTS) return;
  }
}

function fdatasyncMs(path: string): readonly number[] {
  const file = openSync(path, 'a');
  const page = new Uint8Array(4096);
  const times = Array.from({ length: LONE_WRITES }, () => {
    const start = performance.now();
    writeSync(file, page);
    fdatasyncSync(file);
    return performance.now() - start;
  });
  closeSync(file);
  return times;
}

interface Bare extends Disposable {
  run(writes: number): readonly number[];
}

/** The same tables and pragmas without thread, messages and checks. */
function bareSqlite(path: string): Bare {
  const db = new DatabaseSync(path);
  db.exec(`PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
    CREATE TABLE log (id INTEGER PRIMARY KEY, key TEXT, created INTEGER, value BLOB);
    CREATE INDEX by_key ON log (key, id, created)`);
  const insert = db.prepare('INSERT INTO log (key, created, value) VALUES (?, ?, ?)');
  let next = 0;
  return {
    run: (writes) =>
      Array.from({ length: writes }, () => {
        const start = performance.now();
        insert.run(keyOf(next++), 1, VALUE);
        return performance.now() - start;
      }),
    [Symbol.dispose]: () => db.close(),
  };
}

async function loneMs(
  store: SqliteStore,
  counter: { next: number },
  durability: 'synced' | 'relaxed',
): Promise<readonly number[]> {
  const times: number[] = [];
  for (let i = 0; i < LONE_WRITES; i++) {
    const key = keyOf(counter.next++);
    times.push(await timed(() => store.commit([{ key, expect: 'absent', value: VALUE }], durability)));
  }
  return times;
}

async function concurrentPerSecond(store: SqliteStore, counter: { next: number }, writers: number): Promise<number> {
  const end = counter.next + WRITES;
  const ms = await timed(() =>
    Promise.all(
      Array.from({ length: writers }, async () => {
        while (counter.next < end) {
          const key = keyOf(counter.next++);
          await store.commit([{ key, expect: 'absent', value: VALUE }], 'synced');
        }
      }),
    ),
  );
  return (WRITES / ms) * 1000;
}

async function timed(body: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await body();
  return performance.now() - start;
}

if (import.meta.main) {
  for (const { name, unit, value, floor, ratio } of await benchStore()) {
    const compared =
      floor === undefined
        ? ''
        : `  floor ${floor.toPrecision(3)}${ratio === undefined ? '' : `, ratio ${ratio.toFixed(2)}`}`;
    process.stdout.write(`${name}: ${value.toPrecision(3)} ${unit}${compared}\n`);
  }
}
