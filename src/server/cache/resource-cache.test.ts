import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { Revision, StoreKey } from '#store/store.ts';
import { EVENT_BYTES_KEPT, EVENTS_KEPT, ResourceCache, type CacheEvent } from '#server/cache/resource-cache.ts';
import { encodeForStore, headOf, Stored } from '#server/cache/stored.ts';
import type { KubeObject } from '#api/meta.ts';

const head = headOf('ConfigMap', 'v1');
const stored = (name: string, revision: number, labels?: Readonly<Record<string, string>>): Stored => {
  const object = { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name, ...(labels && { labels }) } } as KubeObject;
  return new Stored(`configmaps/${name}` as StoreKey, revision as Revision, { head, value: encodeForStore(object) });
};
const keys = (all: readonly Stored[]): string[] => all.map(({ key }) => key.slice('configmaps/'.length));

test('resource cache: keeps the order of keys, whatever is put and deleted', () => {
  const name = fc.constantFrom('a/1', 'a/2', 'a-b/1', 'ab/1', 'b/1', 'b/2', 'b/x');
  fc.assert(
    fc.property(fc.array(fc.tuple(name, fc.boolean())), (steps) => {
      const cache = new ResourceCache('configmaps/', 1 as Revision);
      const oracle = new Set<string>();
      steps.forEach(([each, put], index) => {
        const revision = index + 2;
        if (put) {
          cache.put(stored(each, revision));
          oracle.add(each);
        } else {
          cache.delete(`configmaps/${each}` as StoreKey, revision as Revision);
          oracle.delete(each);
        }
      });
      const sorted = [...oracle].sort();
      assert.deepEqual(keys(cache.under('configmaps/')), sorted);
      assert.deepEqual(
        keys(cache.under('configmaps/a/')),
        sorted.filter((each) => each.startsWith('a/')),
      );
      assert.equal(cache.size, sorted.length);
    }),
  );
});

test('resource cache: tells what happened since a revision, or that it no longer knows', () => {
  const cache = new ResourceCache('configmaps/', 10 as Revision);
  const heard: CacheEvent[] = [];
  const stop = cache.listen((event) => void heard.push(event));
  cache.put(stored('a', 11));
  cache.put(stored('a', 12));
  cache.delete('configmaps/a' as StoreKey, 13 as Revision);
  stop();
  assert.deepEqual(
    heard.map(({ type, stored: { revision }, previous }) => [type, revision, previous?.revision]),
    [
      ['ADDED', 11, undefined],
      ['MODIFIED', 12, 11],
      ['DELETED', 13, 12],
    ],
  );
  assert.deepEqual(cache.since(11 as Revision), heard.slice(1));
  assert.deepEqual(cache.since(13 as Revision), []);
  assert.equal(cache.since(9 as Revision), undefined);
  for (let n = 0; n < 2 * EVENTS_KEPT; n++) cache.put(stored('b', 14 + n));
  assert.equal(cache.since(13 as Revision), undefined);
  assert.equal(cache.since(cache.eventsAfter)?.length, 2 * EVENTS_KEPT + 3 - (cache.eventsAfter - 10));
  assert.equal(heard.length, 3);
});

test('resource cache: large objects are remembered for fewer events', () => {
  const cache = new ResourceCache('configmaps/', 1 as Revision);
  const name = 'x'.repeat(100_000);
  for (let n = 2; n < 300; n++) cache.put(stored(name, n));
  const kept = cache.since(cache.eventsAfter)!.length;
  assert.ok(kept >= EVENT_BYTES_KEPT / 100_100 && kept <= (2 * EVENT_BYTES_KEPT) / 100_000, String(kept));
  assert.equal(cache.since(cache.eventsAfter)!.at(0)!.stored.revision, cache.eventsAfter + 1);
});

test('resource cache: who listens to one value of a field hears what it would have picked of everything', () => {
  const values = ['a', 'b', ''];
  const step = fc.record({ name: fc.constantFrom('x', 'y', 'z'), value: fc.option(fc.constantFrom(...values)) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), fc.constantFrom(...values), (steps, value) => {
      const cache = new ResourceCache('configmaps/', 1 as Revision);
      const read = ({ object }: Stored): string => object.metadata.labels?.['v'] ?? '';
      const [all, some]: [CacheEvent[], CacheEvent[]] = [[], []];
      cache.listen((event) => void all.push(event));
      const stop = cache.listen((event) => void some.push(event), { field: 'v', read, value });
      for (const [index, one] of steps.entries()) {
        const revision = index + 2;
        if (one.value === null) cache.delete(`configmaps/${one.name}` as StoreKey, revision as Revision);
        else cache.put(stored(one.name, revision, { v: one.value }));
      }
      stop();
      cache.put(stored('x', 100, { v: value }));
      const concerned = all
        .slice(0, -1)
        .filter((event) => [event.stored, event.previous].some((each) => each !== undefined && read(each) === value));
      assert.deepEqual(some, concerned);
    }),
  );
});
