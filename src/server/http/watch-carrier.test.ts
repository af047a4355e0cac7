import assert from 'node:assert/strict';
import test from 'node:test';
import { FakeClock, settle } from '#lib/fake-clock.ts';
import type { KubeObject } from '#api/meta.ts';
import { MemoryStore } from '#store/memory-store.ts';
import type { Revision, StoreKey } from '#store/store.ts';
import type { ResponseStream } from '#wire/exchange.ts';
import { encodeForStore, headOf, type Stored } from '#server/cache/stored.ts';
import { WatchCache } from '#server/cache/watch-cache.ts';
import { GATHER_MS } from '#server/http/flusher.ts';
import { WatchCarrier } from '#server/http/watch-carrier.ts';
import { parseListQuery } from '#server/registry/list-options.ts';
import { Watch, Watches } from '#server/registry/watch.ts';
import { builtIns } from '#server/resources/resources.ts';

const configMaps = builtIns.find(({ plural }) => plural === 'configmaps')!;
const prefix = 'configmaps/';
const head = headOf('ConfigMap', 'v1');

/** A client that keeps what it is sent, one entry a write. */
class Client implements ResponseStream {
  readonly writes: string[] = [];
  readonly bufferedBytes = 0;
  closed = false;
  write(chunk: Uint8Array): boolean {
    this.writes.push(Buffer.from(chunk).toString());
    return true;
  }
  drained(): Promise<void> {
    return Promise.resolve();
  }
  end(): void {
    this.closed = true;
  }
  /** `ADDED 3`: type and revision of all events so far. */
  get events(): string[] {
    const lines = this.writes.join('').trim().split('\n');
    return lines
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as { type: string; object: KubeObject })
      .map(({ type, object }) => `${type} ${object.metadata.resourceVersion}`);
  }
}

async function world() {
  const clock = new FakeClock(1_000_000);
  const store = new MemoryStore({ clock });
  const cache = new WatchCache(store, clock, [{ prefix, head }]);
  const stop = new AbortController();
  await cache.load(stop.signal);
  void cache.follow(stop.signal, () => {});
  const watches = new Watches(clock, cache, () => 0);
  const carrier = new WatchCarrier(watches, clock, stop.signal);
  let modified: Revision | undefined;
  const put = async (): Promise<void> => {
    const object = { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'a', namespace: 'x' } } as KubeObject;
    const value = encodeForStore(object);
    const done = await store.commit(
      [{ key: `${prefix}x/a` as StoreKey, expect: modified ?? 'absent', value }],
      'relaxed',
    );
    assert.equal(done.kind, 'written');
    if (done.kind === 'written') modified = done.revision;
    await settle();
  };
  const watch = (query: Record<string, string> = {}, gone = new AbortController()): Client => {
    const client = new Client();
    const scope = { prefix, under: prefix, head, view: (stored: Stored) => stored };
    carrier.carry(
      new Watch(configMaps, scope, parseListQuery(configMaps, query, true), cache),
      () => client,
      undefined,
      gone.signal,
    );
    return client;
  };
  return { clock, put, watch, watches, [Symbol.dispose]: () => stop.abort() };
}

test('watch carrier: who comes while events are gathered gets them once, as part of what there is', async () => {
  using it = await world();
  const early = it.watch();
  await it.put();
  await it.put();
  const late = it.watch();
  const after = it.watch({ resourceVersion: '2' });
  await it.clock.advance(GATHER_MS);
  assert.deepEqual(early.events, ['ADDED 2', 'MODIFIED 3']);
  assert.deepEqual(late.events, ['ADDED 3']);
  assert.deepEqual(after.events, ['MODIFIED 3']);
});

test('watch carrier: what comes together is written together, and selectors see the same order', async () => {
  using it = await world();
  const all = it.watch();
  const selected = it.watch({ fieldSelector: 'metadata.name=a' });
  for (let n = 0; n < 4; n++) await it.put();
  await it.clock.advance(GATHER_MS);
  assert.deepEqual(all.events, ['ADDED 2', 'MODIFIED 3', 'MODIFIED 4', 'MODIFIED 5']);
  assert.deepEqual(selected.events, all.events);
  // The first at once, the other three in one piece.
  assert.deepEqual([all.writes.length, selected.writes.length], [2, 2]);
});

test('watch carrier: a revision that has not come yet is waited for', async () => {
  using it = await world();
  const ahead = it.watch({ resourceVersion: '3' });
  for (let n = 0; n < 3; n++) await it.put();
  await it.clock.advance(GATHER_MS);
  assert.deepEqual(ahead.events, ['MODIFIED 4']);
});

test('watch carrier: who goes leaves nothing behind, and its time ends a watch', async () => {
  using it = await world();
  const gone = new AbortController();
  const one = it.watch({}, gone);
  const two = it.watch({ timeoutSeconds: '10' });
  assert.equal(it.watches.size, 2);
  gone.abort();
  assert.deepEqual([one.closed, two.closed, it.watches.size], [true, false, 1]);
  await it.put();
  await it.clock.advance(10_000);
  assert.deepEqual([two.closed, two.events, it.watches.size], [true, ['ADDED 2'], 0]);
  assert.deepEqual(one.events, []);
});
