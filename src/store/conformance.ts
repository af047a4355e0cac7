import assert from 'node:assert/strict';
import test from 'node:test';
import { SlowReaderError } from '#lib/inbox.ts';
import { checkAgainstModel } from '#store/conformance-model.ts';
import {
  bytes,
  described,
  key,
  names,
  put,
  remove,
  take,
  takeBatches,
  text,
  until,
  valueOf,
  written,
} from '#store/conformance-steps.ts';
import {
  CompactedError,
  FutureRevisionError,
  MAX_WRITES,
  StoreClosedError,
  WATCH_BUFFER,
  type Committed,
  type Revision,
  type Store,
  type Write,
} from '#store/store.ts';

const never = new AbortController().signal;

export interface ConformanceOptions {
  /** How many random histories to compare with the model. */
  readonly runs?: number;
}

/** What it means to be a Store. Call it once per implementation; `open` gives an empty store of its own each time. */
export function storeConformance(name: string, open: () => Promise<Store>, options: ConformanceOptions = {}): void {
  const check = (what: string, body: (store: Store) => Promise<void>): void =>
    void test(`${name} store: ${what}`, { timeout: 60_000 }, async () => {
      await using store = await open();
      await body(store);
    });
  commits(check);
  reads(check);
  watches(check);
  compaction(check);
  closing(check);
  test(`${name} store: a random history agrees with a naive model`, { timeout: 120_000 }, () =>
    checkAgainstModel(open, options.runs ?? 50),
  );
}

type Check = (what: string, body: (store: Store) => Promise<void>) => void;

function commits(check: Check): void {
  check('an empty store has revision 1 at least, so no list is ever at 0', async (store) => {
    const page = await store.list('', {});
    assert.ok((await store.revision()) >= 1);
    assert.deepEqual(page, { entries: [], revision: await store.revision(), remaining: 0, next: undefined });
  });
  check('a write needs the revision it was based on', async (store) => {
    const first = await written(store, [put('a', '1')]);
    const again = await store.commit([put('a', '2')], 'synced');
    assert.ok(again.kind === 'conflict' && again.key === 'a' && again.actual?.modified === first);
    const second = await written(store, [put('a', '2', first)]);
    const stale = await store.commit([put('a', '3', first)], 'synced');
    assert.ok(stale.kind === 'conflict' && stale.actual?.modified === second && stale.actual.created === first);
    assert.equal(text.decode(stale.actual.value), '2');
    const gone = await store.commit([put('b', '1', first)], 'synced');
    assert.deepEqual(gone, { kind: 'conflict', key: 'b', actual: undefined });
    assert.ok(second > first);
    assert.equal(await store.revision(), second);
  });
  check('a deleted key may be made anew, and is a new one', async (store) => {
    const first = await written(store, [put('a', '1')]);
    const deleted = await written(store, [remove('a', first)]);
    assert.deepEqual(await store.get(key('a')), { revision: deleted, entry: undefined });
    assert.equal((await store.commit([remove('a', first)], 'synced')).kind, 'conflict');
    assert.equal((await store.commit([put('a', '2', first)], 'synced')).kind, 'conflict');
    const second = await written(store, [put('a', '2')]);
    assert.equal((await store.get(key('a'))).entry?.created, second);
  });
  check('a commit of several writes is one revision, or nothing', async (store) => {
    const first = await written(store, [put('a', '1'), put('b', '1'), put('c', '1')]);
    assert.deepEqual(await names(store, ''), ['a', 'b', 'c']);
    const failed = await store.commit([put('a', '2', first), remove('b', first), put('c', '2')], 'synced');
    assert.ok(failed.kind === 'conflict' && failed.key === 'c' && failed.actual?.modified === first);
    assert.equal(await store.revision(), first);
    assert.equal(await valueOf(store, 'a'), '1');
    const second = await written(store, [put('a', '2', first), remove('b', first), put('d', '1')]);
    assert.deepEqual(await names(store, ''), ['a', 'c', 'd']);
    assert.equal((await store.get(key('a'))).entry?.modified, second);
  });
  const refused: readonly { name: string; writes: readonly Write[] }[] = [
    { name: 'nothing', writes: [] },
    { name: 'a key twice', writes: [put('a', '1'), put('b', '1'), put('a', '2')] },
    { name: 'an empty key', writes: [put('', '1')] },
    { name: 'a key with NUL', writes: [put('a\0b', '1')] },
    { name: 'a key with half a surrogate pair', writes: [put('a\ud83d', '1')] },
    { name: 'deleting what must be absent', writes: [{ key: key('a'), expect: 'absent', value: undefined }] },
    { name: 'too much', writes: Array.from({ length: MAX_WRITES + 1 }, (_, i) => put(`k${i}`, '')) },
  ];
  for (const { name, writes } of refused) {
    check(`a commit of ${name} is refused`, async (store) => {
      const before = await store.revision();
      await assert.rejects(store.commit(writes, 'synced'), RangeError);
      assert.deepEqual(await store.list('', {}), { entries: [], revision: before, remaining: 0, next: undefined });
    });
  }
  check('values are bytes, empty ones included', async (store) => {
    const value = Uint8Array.from({ length: 256 }, (_, i) => i);
    const big = new Uint8Array(1_500_000).fill(7);
    await written(store, [
      { key: key('bytes'), expect: 'absent', value },
      { key: key('none'), expect: 'absent', value: new Uint8Array() },
      { key: key('big'), expect: 'absent', value: big },
    ]);
    assert.deepEqual(bytes((await store.get(key('bytes'))).entry?.value), bytes(value));
    assert.equal((await store.get(key('none'))).entry?.value.length, 0);
    assert.ok(Buffer.from((await store.get(key('big'))).entry?.value ?? []).equals(big));
  });
  check('of many racing for one key one wins each round, and none is lost', async (store) => {
    let based: Revision | 'absent' = 'absent';
    for (let round = 0; round < 5; round++) {
      const expect: Revision | 'absent' = based;
      const racers: readonly Promise<Committed>[] = Array.from({ length: 20 }, (_, i) =>
        store.commit([put('a', `${round}/${i}`, expect)], 'synced'),
      );
      const outcomes: readonly Committed[] = await Promise.all(racers);
      const won = outcomes.filter((outcome) => outcome.kind === 'written');
      assert.equal(won.length, 1);
      based = won[0]?.revision ?? 'absent';
    }
  });
  check('concurrent commits each get a revision of their own, synced or relaxed', async (store) => {
    const outcomes = await Promise.all(
      Array.from({ length: 200 }, (_, i) => store.commit([put(`k${i}`, '1')], i % 3 === 0 ? 'relaxed' : 'synced')),
    );
    const revisions = outcomes.map((outcome) => (outcome.kind === 'written' ? outcome.revision : 0));
    assert.equal(new Set(revisions).size, 200);
    assert.deepEqual(
      revisions,
      revisions.toSorted((a, b) => a - b),
    );
    assert.equal((await store.list('', {})).entries.length, 200);
  });
}

function reads(check: Check): void {
  check('reads at an old revision do not change', async (store) => {
    const r1 = await written(store, [put('a', '1')]);
    const r2 = await written(store, [put('a', '2', r1), put('b', '1')]);
    const r3 = await written(store, [remove('a', r2)]);
    assert.equal(await valueOf(store, 'a', r1), '1');
    assert.equal(await valueOf(store, 'a', r2), '2');
    assert.equal(await valueOf(store, 'a', r3), undefined);
    assert.deepEqual(await names(store, '', r1), ['a']);
    assert.deepEqual(await names(store, '', r2), ['a', 'b']);
    assert.deepEqual(await names(store, '', r3), ['b']);
    assert.equal((await store.get(key('a'), r1)).revision, r1);
    assert.equal((await store.list('', { at: r1 })).revision, r1);
  });
  check('a prefix ends where it ends, and order is that of UTF-8 bytes', async (store) => {
    // In UTF-16 the surrogates of U+1F600 come before U+FF5E and U+E000; in UTF-8 they come last.
    const sorted = [
      'a',
      'a/',
      'a/1',
      'a/é',
      'a/\u{d7ff}',
      'a/\u{e000}',
      'a/～',
      'a/😀',
      'a/\u{10ffff}',
      'a/\u{10ffff}x',
      'a0',
      'a～',
      'b',
    ];
    for (const name of sorted.toSorted()) await written(store, [put(name, name)]);
    assert.deepEqual(await names(store, ''), sorted);
    assert.deepEqual(await names(store, 'a/'), sorted.slice(1, 10));
    assert.deepEqual(await names(store, 'a/\u{10ffff}'), sorted.slice(8, 10));
    assert.deepEqual(await names(store, 'a/\u{d7ff}'), ['a/\u{d7ff}']);
    assert.deepEqual(await names(store, 'a/😀'), ['a/😀']);
    assert.deepEqual(await names(store, 'c'), []);
    const after = await store.list('a/', { after: key('a/～'), limit: 1 });
    assert.deepEqual([after.entries[0]?.key, after.remaining, after.next], ['a/😀', 2, 'a/😀']);
    assert.deepEqual((await store.list('a/', { after: key('A') })).entries.length, 9);
    assert.deepEqual((await store.list('a/', { after: key('a0') })).entries, []);
  });
  check('pages of one listing agree on a revision and count what remains', async (store) => {
    const r1 = await written(
      store,
      ['p/1', 'p/2', 'p/3', 'p/4', 'p/5', 'q/1'].map((name) => put(name, name)),
    );
    await written(store, [remove('p/3', r1)]);
    const one = await store.list('p/', { limit: 2 });
    await written(store, [put('p/22', ''), remove('p/4', r1)]);
    const two = await store.list('p/', { limit: 1, at: one.revision, after: one.next });
    const three = await store.list('p/', { limit: 1, at: one.revision, after: two.next });
    assert.deepEqual(
      [one, two, three].map((page) => page.entries.map((entry) => entry.key)),
      [['p/1', 'p/2'], ['p/4'], ['p/5']],
    );
    assert.deepEqual(
      [one, two, three].map((page) => page.remaining),
      [2, 1, 0],
    );
    assert.equal(three.next, undefined);
    const exact = await store.list('p/', { limit: 4, at: one.revision });
    assert.deepEqual([exact.entries.length, exact.remaining, exact.next], [4, 0, undefined]);
    for (const limit of [0, -1, 1.5, NaN]) await assert.rejects(store.list('p/', { limit }), RangeError);
  });
  check('a revision not reached yet is refused, by reads and watches alike', async (store) => {
    const future = (await written(store, [put('a', '1')])) + 1;
    await assert.rejects(store.get(key('a'), future as Revision), FutureRevisionError);
    await assert.rejects(store.list('', { at: future as Revision }), FutureRevisionError);
    await assert.rejects(take(store.watch('', future as Revision, never), 1), FutureRevisionError);
    await assert.rejects(store.compact(future as Revision), FutureRevisionError);
  });
}

function watches(check: Check): void {
  check('a watch replays, then follows, with no gap and no repeat', async (store) => {
    const start = await store.revision();
    const r1 = await written(store, [put('p/a', '1')]);
    const watching = take(store.watch('p/', start, never), 3);
    await written(store, [put('q/x', '')]);
    const r3 = await written(store, [put('p/a', '2', r1)]);
    const r4 = await written(store, [remove('p/a', r3)]);
    const seen = await watching;
    assert.deepEqual(seen.map(described), [`put p/a @${r1}`, `put p/a @${r3}`, `delete p/a @${r4}`]);
    assert.deepEqual({ ...seen[1]?.entry, value: '' }, { key: 'p/a', created: r1, modified: r3, value: '' });
    assert.equal(text.decode(seen[1]?.entry?.value), '2');
    const resumed = await take(store.watch('p/', r1, never), 2);
    assert.deepEqual(resumed.map(described), [`put p/a @${r3}`, `delete p/a @${r4}`]);
    assert.deepEqual({ ...resumed[0]?.entry, value: '' }, { key: 'p/a', created: r1, modified: r3, value: '' });
  });
  check('changes that share a revision arrive in one batch, live and replayed', async (store) => {
    const start = await store.revision();
    const live = takeBatches(store.watch('p/', start, never), 900);
    for (let round = 0; round < 3; round++) {
      const writes = Array.from({ length: 300 }, (_, i) => put(`p/${round}/${i}`, ''));
      await written(store, [...writes, put(`q/${round}`, '')]);
    }
    for (const batches of [await live, await takeBatches(store.watch('p/', start, never), 900)]) {
      assert.ok(batches.every((batch) => batch.length % 300 === 0 && batch.length > 0));
      const revisions = batches.map((batch) => [...new Set(batch.map((change) => change.revision))]);
      assert.equal(new Set(revisions.flat()).size, revisions.flat().length);
    }
  });
  check('a watch of everything tells how far the store is', async (store) => {
    const start = await store.revision();
    let progress = start;
    const stop = new AbortController();
    const watching = (async () => {
      for await (const batch of store.watch('', start, stop.signal)) progress = batch.at(-1)?.revision ?? progress;
    })();
    for (let i = 0; i < 20; i++) await written(store, [put(`${i % 2}/${i}`, '')]);
    const newest = await store.revision();
    await until(() => progress === newest);
    stop.abort(new Error('seen enough'));
    await assert.rejects(watching, /seen enough/);
  });
  check('a watch ends with the reason it was aborted for, waiting, replaying or before it began', async (store) => {
    const start = await store.revision();
    const stop = new AbortController();
    const waiting = take(store.watch('', start, stop.signal), 1);
    await new Promise(setImmediate);
    stop.abort(new Error('enough'));
    await assert.rejects(waiting, /enough/);
    await written(store, [put('a', '1')]);
    await assert.rejects(take(store.watch('', start, stop.signal), 1), /enough/);
    const later = new AbortController();
    const iterator = store.watch('', start, later.signal)[Symbol.asyncIterator]();
    assert.equal((await iterator.next()).done, false);
    later.abort(new Error('stop here'));
    await assert.rejects(iterator.next(), /stop here/);
  });
  check('a reader too slow for its buffer is told, after what was buffered; others are not', async (store) => {
    const start = await store.revision();
    const slow = store.watch('', start, never)[Symbol.asyncIterator]();
    const first = slow.next();
    const fast = take(store.watch('', start, never), WATCH_BUFFER + MAX_WRITES + 1);
    await written(store, [put('first', '')]);
    await first;
    for (let round = 0; round * MAX_WRITES <= WATCH_BUFFER; round++) {
      await written(
        store,
        Array.from({ length: MAX_WRITES }, (_, i) => put(`${round}/${i}`, '')),
      );
    }
    let got = 0;
    await assert.rejects(async () => {
      for (let next = await slow.next(); ; next = await slow.next()) got += next.value.length;
    }, SlowReaderError);
    assert.ok(got > 0 && got <= WATCH_BUFFER, `${got} changes were buffered`);
    assert.equal((await fast).length, WATCH_BUFFER + MAX_WRITES + 1);
  });
}

function compaction(check: Check): void {
  check('what was compacted is refused, and what was kept is as it was', async (store) => {
    const start = await store.revision();
    const r1 = await written(store, [put('a', '1'), put('gone', '1'), put('still', '1')]);
    const r2 = await written(store, [put('a', '2', r1), remove('gone', r1)]);
    const r3 = await written(store, [put('a', '3', r2)]);
    await store.compact(r2);
    await store.compact(r1); // below the floor: nothing to do
    const oldest = (error: unknown): boolean => error instanceof CompactedError && error.oldest === r2;
    await assert.rejects(store.get(key('a'), r1), oldest);
    await assert.rejects(store.list('', { at: start }), oldest);
    await assert.rejects(take(store.watch('', r1, never), 1), oldest);
    assert.equal(await valueOf(store, 'a', r2), '2');
    assert.deepEqual(await names(store, '', r2), ['a', 'still']);
    assert.deepEqual((await take(store.watch('', r2, never), 1)).map(described), [`put a @${r3}`]);
    await store.compact(r3);
    assert.equal((await store.get(key('still'))).entry?.modified, r1);
    const recreated = await written(store, [put('gone', '2')]);
    assert.equal((await store.get(key('gone'))).entry?.created, recreated);
  });
  check('compacting everything keeps the newest state and the number line', async (store) => {
    const r1 = await written(store, [put('a', '1')]);
    const r2 = await written(store, [remove('a', r1)]);
    await store.compact(r2);
    assert.equal(await store.revision(), r2);
    assert.deepEqual(await names(store, ''), []);
    assert.ok((await written(store, [put('a', '2')])) > r2);
  });
  check('a watch that follows is not disturbed by compaction', async (store) => {
    const watching = take(store.watch('', await store.revision(), never), 2);
    const r1 = await written(store, [put('a', '1')]);
    await store.compact(r1);
    const r2 = await written(store, [put('a', '2', r1)]);
    assert.deepEqual((await watching).map(described), [`put a @${r1}`, `put a @${r2}`]);
  });
  check('a watch still in the past is told when the past goes away', async (store) => {
    const start = await store.revision();
    for (let round = 0; round < 5; round++) {
      await written(
        store,
        Array.from({ length: MAX_WRITES }, (_, i) => put(`${round}/${i}`, '')),
      );
    }
    const reader = store.watch('', start, never)[Symbol.asyncIterator]();
    assert.equal((await reader.next()).done, false);
    await store.compact(await store.revision());
    await assert.rejects(async () => {
      for (;;) await reader.next();
    }, CompactedError);
  });
}

function closing(check: Check): void {
  check('closing finishes what was asked, ends watches and refuses the rest', async (store) => {
    const watching = assert.rejects(take(store.watch('', await store.revision(), never), 2), StoreClosedError);
    const pending = store.commit([put('a', '1')], 'synced');
    await store[Symbol.asyncDispose]();
    assert.equal((await pending).kind, 'written');
    await watching;
    await store[Symbol.asyncDispose]();
    await assert.rejects(store.revision(), StoreClosedError);
    await assert.rejects(store.get(key('a')), StoreClosedError);
    await assert.rejects(store.list('', {}), StoreClosedError);
    await assert.rejects(store.compact(1 as Revision), StoreClosedError);
    await assert.rejects(store.commit([put('b', '1')], 'synced'), StoreClosedError);
    await assert.rejects(take(store.watch('', 1 as Revision, never), 1), StoreClosedError);
  });
}
