import assert from 'node:assert/strict';
import { configMap, names, NS, pod, rv, type Case } from '#test/integration/server-table.ts';

/** Lists and watches, whichever way the server is reached: a part of the table of `server-table.ts`. */
export const watchCases: readonly Case[] = [
  {
    name: 'lists come in pages that agree on a revision',
    async run({ admin }) {
      for (const name of ['a', 'b', 'c', 'd', 'e'])
        await admin.post(`${NS}/configmaps`, configMap(name, {}, { labels: { odd: String('ace'.includes(name)) } }));
      const one = await admin.get(`${NS}/configmaps?limit=2`);
      assert.deepEqual([names(one), one.metadata['remainingItemCount' as never]], [['a', 'b'], 3]);
      await admin.delete(`${NS}/configmaps/c`);
      await admin.post(`${NS}/configmaps`, configMap('bb'));
      const token = encodeURIComponent(String(one.metadata['continue' as never]));
      const two = await admin.get(`${NS}/configmaps?limit=2&continue=${token}`);
      assert.deepEqual(names(two), ['c', 'd']);
      assert.equal(two.metadata.resourceVersion, one.metadata.resourceVersion);
      const three = await admin.get(
        `${NS}/configmaps?limit=2&continue=${encodeURIComponent(String(two.metadata['continue' as never]))}`,
      );
      assert.deepEqual([names(three), three.metadata['continue' as never]], [['e'], undefined]);
      const exact = await admin.get(
        `${NS}/configmaps?resourceVersion=${one.metadata.resourceVersion}&resourceVersionMatch=Exact`,
      );
      assert.deepEqual(names(exact), ['a', 'b', 'c', 'd', 'e']);
      const selected = await admin.get(`${NS}/configmaps?labelSelector=odd%3Dtrue&limit=1`);
      assert.deepEqual([names(selected), selected.metadata['remainingItemCount' as never]], [['a'], undefined]);
      assert.equal((await admin.failure(admin.get(`${NS}/configmaps?continue=rubbish`))).reason, 'BadRequest');
    },
  },
  {
    name: 'selectors: by label, by field, and what is no selector',
    async run({ admin }) {
      await admin.post(`${NS}/pods`, pod('a', { metadata: { labels: { app: 'x' } } }));
      await admin.post(`${NS}/pods`, pod('b', { spec: { nodeName: 'n1' } }));
      assert.deepEqual(names(await admin.get(`${NS}/pods?labelSelector=app%20in%20(x,y)`)), ['a']);
      assert.deepEqual(names(await admin.get('/api/v1/pods?fieldSelector=spec.nodeName%3Dn1')), ['b']);
      assert.deepEqual(names(await admin.get(`${NS}/pods?fieldSelector=metadata.name%3Da`)), ['a']);
      assert.equal(
        (await admin.failure(admin.get(`${NS}/pods?fieldSelector=spec.foo%3D1`))).message,
        'field label not supported: spec.foo',
      );
      assert.equal((await admin.failure(admin.get(`${NS}/pods?labelSelector=a%3D%3D%3Db`))).reason, 'BadRequest');
    },
  },
  {
    name: 'a watch without a revision begins with what there is, one with a revision goes on after it',
    async run({ admin }) {
      const a = await admin.post(`${NS}/configmaps`, configMap('a'));
      const b = await admin.post(`${NS}/configmaps`, configMap('b'));
      await using fresh = admin.watch(`${NS}/configmaps`);
      await using resumed = admin.watch(`/api/v1/configmaps?resourceVersion=${a.metadata.resourceVersion}`);
      assert.deepEqual(await fresh.take(2), ['ADDED a', 'ADDED b']);
      assert.deepEqual(await resumed.take(1), ['ADDED b']);
      await admin.patch(`${NS}/configmaps/b`, { data: { x: '1' } });
      await admin.delete(`${NS}/configmaps/a`);
      assert.deepEqual(await fresh.take(2), ['MODIFIED b', 'DELETED a']);
      await resumed.take(1);
      const gone = await resumed.next();
      assert.ok(gone?.type === 'DELETED' && rv(gone.object) > rv(b));
    },
  },
  {
    name: 'leaving a selector is told as DELETED with what was before, entering as ADDED',
    async run({ admin }) {
      const made = await admin.post(`${NS}/configmaps`, configMap('a', {}, { labels: { app: 'x' } }));
      await using watching = admin.watch(
        `${NS}/configmaps?labelSelector=app%3Dx&resourceVersion=${made.metadata.resourceVersion}`,
      );
      const left = await admin.patch(`${NS}/configmaps/a`, { metadata: { labels: { app: 'y' } } });
      const event = await watching.next();
      assert.ok(event?.type === 'DELETED');
      assert.deepEqual([event.object.metadata.labels, rv(event.object)], [{ app: 'x' }, rv(left)]);
      await admin.patch(`${NS}/configmaps/a`, { metadata: { labels: { app: 'x' } } });
      await admin.patch(`${NS}/configmaps/a`, { data: { k: 'v' } });
      await admin.delete(`${NS}/configmaps/a`);
      assert.deepEqual(await watching.take(3), ['ADDED a', 'MODIFIED a', 'DELETED a']);
    },
  },
  {
    name: 'sendInitialEvents: everything, then a bookmark that says so, then what follows',
    async run({ admin }) {
      await admin.post(`${NS}/configmaps`, configMap('a'));
      const query = 'sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan';
      await using watching = admin.watch(`${NS}/configmaps?${query}`);
      assert.deepEqual(await watching.take(2), ['ADDED a', 'BOOKMARK end']);
      await admin.post(`${NS}/configmaps`, configMap('b'));
      assert.deepEqual(await watching.take(1), ['ADDED b']);
      await using wrong = admin.watch(`${NS}/configmaps?sendInitialEvents=true&allowWatchBookmarks=true`);
      assert.match(
        (await admin.failure(wrong.next())).message,
        /sendInitialEvents requires setting resourceVersionMatch to NotOlderThan/,
      );
    },
  },
];
