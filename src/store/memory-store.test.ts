import assert from 'node:assert/strict';
import test from 'node:test';
import { FakeClock } from '#lib/fake-clock.ts';
import { storeConformance } from '#store/conformance.ts';
import { MemoryStore } from '#store/memory-store.ts';
import { CompactedError, FIRST_REVISION, type Revision, type StoreKey } from '#store/store.ts';

storeConformance('memory', async () => new MemoryStore(), { runs: 200 });

const never = new AbortController().signal;

async function write(store: MemoryStore, name: string, bytes = 1): Promise<Revision> {
  const { entry } = await store.get(name as StoreKey);
  const value = new Uint8Array(bytes);
  const outcome = await store.commit([{ key: name as StoreKey, expect: entry?.modified ?? 'absent', value }], 'synced');
  assert.ok(outcome.kind === 'written');
  return outcome.revision;
}

test('memory store: history older than its bound goes at a later write, younger history stays', async () => {
  const clock = new FakeClock();
  const store = new MemoryStore({ clock, retention: { maxAgeMs: 60_000, maxBytes: 1e9 } });
  const old = await write(store, 'a');
  await clock.advance(50_000);
  const young = await write(store, 'a');
  await clock.advance(50_000);
  await write(store, 'b');
  await assert.rejects(store.get('a' as StoreKey, FIRST_REVISION), CompactedError);
  assert.equal((await store.get('a' as StoreKey, old)).entry?.modified, old);
  assert.equal((await store.get('a' as StoreKey, young)).entry?.modified, young);
  await clock.advance(50_000);
  await write(store, 'b');
  await assert.rejects(store.get('a' as StoreKey, old), CompactedError);
  assert.equal((await store.get('a' as StoreKey, young)).entry?.modified, young);
});

test('memory store: history larger than its bound goes', async () => {
  const store = new MemoryStore({ clock: new FakeClock(), retention: { maxAgeMs: 1e9, maxBytes: 100_000 } });
  for (let i = 0; i < 90; i++) await write(store, 'a', 1000);
  assert.ok((await store.get('a' as StoreKey, FIRST_REVISION)).revision === FIRST_REVISION);
  for (let i = 0; i < 200; i++) await write(store, 'a', 1000);
  const newest = await store.revision();
  await assert.rejects(store.get('a' as StoreKey, (newest - 110) as Revision), CompactedError);
  assert.ok((await store.get('a' as StoreKey, (newest - 80) as Revision)).entry);
});

test('memory store: everything settles in microtasks', async () => {
  const store = new MemoryStore();
  const seen: number[] = [];
  const watching = (async () => {
    for await (const batch of store.watch('', FIRST_REVISION, never)) {
      seen.push(batch.length);
      if (seen.length === 2) return;
    }
  })();
  let macrotask = false;
  setImmediate(() => (macrotask = true));
  await write(store, 'a');
  await store.list('', {});
  for (let i = 0; i < 20; i++) await Promise.resolve(); // the reader takes the first batch
  await write(store, 'b');
  await watching;
  assert.equal(macrotask, false);
});

test('memory store: a hundred thousand versions of a key make reading none slower', async () => {
  const store = new MemoryStore();
  for (let i = 0; i < 100_000; i++) await write(store, 'hot');
  const newest = await store.revision();
  const before = process.cpuUsage();
  for (let i = 0; i < 10_000; i++) await store.get('hot' as StoreKey, (newest - i * 7) as Revision);
  // Of the processor, not of the clock: a busy machine is not a slow store.
  assert.ok(process.cpuUsage(before).user < 2_000_000, 'ten thousand reads took over 2 s');
});
