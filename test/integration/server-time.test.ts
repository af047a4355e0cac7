import assert from 'node:assert/strict';
import test from 'node:test';
import { FakeClock, settle } from '#lib/fake-clock.ts';
import { ApiServer } from '#server/server.ts';
import { ServiceAccountTokens } from '#server/tokens/service-account-tokens.ts';
import { MemoryStore } from '#store/memory-store.ts';
import { StoreFullError, type Revision, type Store, type StoreKey } from '#store/store.ts';
import { configMap, names, NS, pod } from '#test/integration/server-table.ts';
import { inProcess, Talk } from '#test/integration/support/server-subject.ts';
import { WATCH_BUFFER } from '#server/in-process.ts';

// What depends on time, on a clock that only moves when told to; nothing here waits.
const never = new AbortController().signal;

async function serverOver(store: Store, clock: FakeClock): Promise<{ server: ApiServer; admin: Talk }> {
  const tokens = new ServiceAccountTokens({ keyPem: await ServiceAccountTokens.newKey(), clock });
  const noNode = (): Promise<never> => Promise.reject(new Error('no node'));
  const server = new ApiServer({
    store,
    clock,
    tokens,
    nodes: { stream: noNode, splice: noNode },
    disabledAdmission: ['ServiceAccount', 'TaintNodesByCondition'],
  });
  await server.start(never);
  return { server, admin: new Talk(server.transport({ name: 'admin', groups: ['system:masters'] })) };
}

test('server: a list at a future revision waits three seconds, then says so', async () => {
  await using subject = await inProcess();
  const { admin, clock } = subject;
  const waiting = admin.failure(admin.get(`${NS}/configmaps?resourceVersion=1000`));
  await clock.advance(2999);
  const { revision } = { revision: Number((await admin.get(`${NS}/pods`)).metadata.resourceVersion) };
  await clock.advance(1);
  const error = await waiting;
  assert.deepEqual(
    [error.code, error.reason, error.details?.causes?.[0]?.reason, error.details?.retryAfterSeconds],
    [504, 'Timeout', 'ResourceVersionTooLarge', 1],
  );
  const soon = admin.get(`${NS}/configmaps?resourceVersion=${revision + 1}`);
  await admin.post(`${NS}/configmaps`, configMap('a'));
  assert.deepEqual(names(await soon), ['a']);
});

test('server: a continue token expires after five minutes, with one that goes on', async () => {
  await using subject = await inProcess();
  const { admin, clock } = subject;
  for (const name of ['a', 'b', 'c']) await admin.post(`${NS}/configmaps`, configMap(name));
  const page = await admin.get(`${NS}/configmaps?limit=1`);
  const token = (list: { metadata: object }): string =>
    encodeURIComponent((list.metadata as { continue: string }).continue);
  await clock.advance(299_000);
  assert.deepEqual(names(await admin.get(`${NS}/configmaps?limit=1&continue=${token(page)}`)), ['b']);
  await clock.advance(1_000);
  await admin.post(`${NS}/configmaps`, configMap('aa'));
  const error = await admin.failure(admin.get(`${NS}/configmaps?limit=1&continue=${token(page)}`));
  assert.deepEqual([error.code, error.reason], [410, 'Expired']);
  const fresh = await admin.get(`${NS}/configmaps?continue=${encodeURIComponent(error.continueToken!)}`);
  assert.deepEqual(names(fresh), ['aa', 'b', 'c']);
});

test('server: an idle watch gets a bookmark each minute there is something to tell, and one before it ends', async () => {
  await using subject = await inProcess();
  const { admin, clock } = subject;
  const first = await admin.post(`${NS}/configmaps`, configMap('a'));
  const query = `allowWatchBookmarks=true&timeoutSeconds=150&resourceVersion=${first.metadata.resourceVersion}`;
  await using watching = admin.watch(`${NS}/secrets?${query}`);
  const taken = watching.take(3);
  await settle();
  await clock.advance(60_000);
  const second = await admin.patch(`${NS}/configmaps/a`, { data: { x: '1' } });
  await clock.advance(60_000);
  await admin.patch(`${NS}/configmaps/a`, { data: { x: '2' } });
  await clock.advance(30_000);
  assert.deepEqual(await taken, ['BOOKMARK', 'BOOKMARK', 'END']);
  assert.ok(Number(second.metadata.resourceVersion) > Number(first.metadata.resourceVersion));
});

test('server: events go an hour after they happened last', async () => {
  await using subject = await inProcess();
  const { admin, clock } = subject;
  const event = (name: string): object => ({
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name },
    involvedObject: { kind: 'Pod', name: 'a', namespace: 'default' },
    reason: 'Pulled',
    lastTimestamp: new Date(clock.now()).toISOString().replace(/\.\d+/, ''),
  });
  await admin.post(`${NS}/events`, event('old'));
  await admin.post(`${NS}/events`, event('again'));
  await clock.advance(30 * 60_000);
  await admin.patch(`${NS}/events/again`, {
    count: 2,
    lastTimestamp: new Date(clock.now()).toISOString().replace(/\.\d+/, ''),
  });
  await clock.advance(31 * 60_000);
  assert.deepEqual(names(await admin.get(`${NS}/events`)), ['again']);
});

test('server: a watch from before what is remembered is refused with 410', async () => {
  const clock = new FakeClock(Date.parse('2026-01-31T09:00:00Z'));
  await using store = new MemoryStore({ clock });
  const before = await serverOver(store, clock);
  const made = await before.admin.post(`${NS}/configmaps`, configMap('a', { x: 'é' }));
  await before.server[Symbol.asyncDispose]();
  const { server, admin } = await serverOver(store, clock);
  await using _ = server;
  // What was there before is there again, under its own revision.
  assert.deepEqual(await admin.get(`${NS}/configmaps/a`), made);
  await using watching = admin.watch(`${NS}/configmaps?resourceVersion=2`);
  const error = await admin.failure(watching.next());
  assert.deepEqual([error.code, error.reason], [410, 'Expired']);
});

test('server: a watcher that lags too far behind is closed and told', async () => {
  await using subject = await inProcess();
  const { admin } = subject;
  await admin.post(`${NS}/configmaps`, configMap('a'));
  await using watching = admin.watch(`${NS}/configmaps`);
  assert.deepEqual(await watching.take(1), ['ADDED a']);
  for (let n = 0; n <= WATCH_BUFFER; n++) await admin.patch(`${NS}/configmaps/a`, { data: { n: String(n) } });
  const error = await admin.failure(watching.take(WATCH_BUFFER + 1));
  assert.deepEqual([error.reason, error.code], ['Expired', 410]);
});

test('server: what another writer of the store does is seen, and what a broken watch of the store missed is made up for', async () => {
  const clock = new FakeClock(Date.parse('2026-01-31T09:00:00Z'));
  await using memory = new MemoryStore({ clock });
  const broken = breakable(memory);
  const { server, admin } = await serverOver(broken.store, clock);
  await using _ = server;
  await admin.post(`${NS}/configmaps`, configMap('gone'));
  await admin.post(`${NS}/configmaps`, configMap('kept'));
  await using watching = admin.watch(`${NS}/configmaps`);
  assert.deepEqual(await watching.take(2), ['ADDED gone', 'ADDED kept']);
  broken.cut();
  const key = 'configmaps/default/gone' as StoreKey;
  const { entry } = await memory.get(key);
  await memory.commit([{ key, expect: entry!.modified as Revision, value: undefined }], 'synced');
  const other = {
    ...configMap('new'),
    metadata: { name: 'new', namespace: 'default', uid: 'u', creationTimestamp: '2026-01-31T09:00:00Z' },
  };
  const { apiVersion, ...rest } = other as { apiVersion: string; kind: string; metadata: object };
  const value = Buffer.from(JSON.stringify({ kind: rest.kind, apiVersion, metadata: rest.metadata }));
  await memory.commit([{ key: 'configmaps/default/new' as StoreKey, expect: 'absent', value }], 'synced');
  await clock.advance(1000);
  assert.deepEqual(await watching.take(2), ['DELETED gone', 'ADDED new']);
  assert.deepEqual(names(await admin.get(`${NS}/configmaps`)), ['kept', 'new']);
});

/** A store whose watches can be made to fail, as when they fall behind. */
function breakable(inner: MemoryStore): { store: Store; cut: () => void } {
  let stop = new AbortController();
  const store: Store = {
    revision: () => inner.revision(),
    get: (key, at) => inner.get(key, at),
    list: (prefix, options) => inner.list(prefix, options),
    commit: (writes, durability) => inner.commit(writes, durability),
    watch: (prefix, from, signal) => inner.watch(prefix, from, AbortSignal.any([signal, stop.signal])),
    compact: (upTo) => inner.compact(upTo),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const cut = (): void => {
    const old = stop;
    stop = new AbortController();
    old.abort(new Error('fell behind'));
  };
  return { store, cut };
}

test('server: tokens of service accounts live as long as their account and their pod', async () => {
  await using subject = await inProcess();
  const { admin, server, clock } = subject;
  await admin.post(`${NS}/serviceaccounts`, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'bob' } });
  await admin.post(`${NS}/pods`, pod('a', { spec: { serviceAccountName: 'bob' } }));
  const spec = { audiences: [], boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'a' }, expirationSeconds: 600 };
  const made = await admin.post(`${NS}/serviceaccounts/bob/token`, {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec,
  });
  const review = async (): Promise<unknown> => {
    const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token: made['status'].token } };
    return (await admin.post('/apis/authentication.k8s.io/v1/tokenreviews', body))['status'];
  };
  const { authenticated, user } = (await review()) as {
    authenticated: boolean;
    user: { username: string; groups: string[] };
  };
  assert.deepEqual(
    [authenticated, user.username, user.groups],
    [true, 'system:serviceaccount:default:bob', ['system:serviceaccounts', 'system:serviceaccounts:default']],
  );
  await clock.advance(601_000);
  assert.equal(((await review()) as { authenticated: boolean }).authenticated, false);
  const again = await admin.post(`${NS}/serviceaccounts/bob/token`, {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec,
  });
  await admin.delete(`${NS}/pods/a`);
  const after = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token: again['status'].token } };
  assert.equal((await admin.post('/apis/authentication.k8s.io/v1/tokenreviews', after))['status'].authenticated, false);
  const short = admin.post(`${NS}/serviceaccounts/bob/token`, {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: { expirationSeconds: 5 },
  });
  assert.match((await admin.failure(short)).message, /may not specify a duration less than 10 minutes/);
  assert.ok(server);
});

test('server: what the store cannot do is told as such, in process too, and reported', async () => {
  const clock = new FakeClock(Date.parse('2026-01-31T09:00:00Z'));
  await using memory = new MemoryStore({ clock });
  let full = false;
  const { store } = breakable(memory);
  const commit: Store['commit'] = (writes, durability) => {
    if (full) return Promise.reject(new StoreFullError('no space left on device'));
    return memory.commit(writes, durability);
  };
  const { server, admin } = await serverOver({ ...store, commit }, clock);
  await using _ = server;
  full = true;
  const error = await admin.failure(admin.post(`${NS}/configmaps`, configMap('a')));
  assert.deepEqual(
    [error.code, error.message],
    [500, 'Internal error occurred: nothing was written, the disk is full: no space left on device'],
  );
  full = false;
  await admin.post(`${NS}/configmaps`, configMap('a'));
  await memory[Symbol.asyncDispose]();
  assert.equal((await admin.failure(admin.post(`${NS}/configmaps`, configMap('b')))).reason, 'ServiceUnavailable');
});

test('server: a write is answered only once every later read shows it', async () => {
  const clock = new FakeClock(Date.parse('2026-01-31T09:00:00Z'));
  await using memory = new MemoryStore({ clock });
  let gate = Promise.withResolvers<void>();
  gate.resolve();
  const watch: Store['watch'] = async function* (prefix, from, signal) {
    for await (const batch of memory.watch(prefix, from, signal)) {
      await gate.promise;
      yield batch;
    }
  };
  const { server, admin } = await serverOver({ ...breakable(memory).store, watch }, clock);
  await using _ = server;
  gate = Promise.withResolvers<void>();
  let answered = false;
  const made = admin.post(`${NS}/configmaps`, configMap('a')).then(() => (answered = true));
  await settle();
  assert.deepEqual([answered, names(await admin.get(`${NS}/configmaps`))], [false, []]);
  gate.resolve();
  await made;
  assert.deepEqual(names(await admin.get(`${NS}/configmaps`)), ['a']);
});
