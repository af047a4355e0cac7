import assert from 'node:assert/strict';
import test from 'node:test';
import { ApiError } from '#api/errors.ts';
import type { ResourceVersion } from '#api/meta.ts';
import { createClient } from '#client/api-client.ts';
import { createInformer } from '#client/create-informer.ts';
import { inShort, names, start, verbs } from '#client/fake-informer-world.ts';
import { FakeServer, thingResource } from '#client/fake-server.ts';
import { FakeClock, settle } from '#lib/fake-clock.ts';

test('informer: streams the list, then follows', async () => {
  const server = new FakeServer();
  server.put('a');
  server.put('b', 'n2');
  await using world = start(server);
  assert.equal(world.informer.hasSynced, false);
  await world.informer.synced(world.never);
  assert.deepEqual(verbs(server), ['watch']);
  const { timeoutSeconds, ...query } = server.requests[0]!.query;
  assert.equal(timeoutSeconds, '300');
  assert.deepEqual(query, {
    watch: 'true',
    allowWatchBookmarks: 'true',
    sendInitialEvents: 'true',
    resourceVersionMatch: 'NotOlderThan',
  });
  server.put('b', 'n1');
  server.delete('a');
  await settle();
  assert.deepEqual(world.told, ['+a', '+b', '~b', '-a']);
  assert.deepEqual(names(world.informer.by('byNode', 'n1')), ['b']);
  assert.deepEqual(world.informer.by('byNode', 'n2'), []);
  assert.equal(world.informer.seen, server.revision);
  assert.equal(world.informer.size, 1);
});

test('informer: a server that refuses streaming lists is listed, in pages, and not asked again', async () => {
  const server = new FakeServer();
  server.streaming = 'refused';
  for (let n = 0; n < 1_200; n++) server.put(`t${n}`);
  await using world = start(server);
  await settle();
  await world.clock.advance(1_000);
  assert.equal(world.informer.size, 1_200);
  assert.deepEqual(verbs(server), ['watch', 'list', 'list', 'list', 'watch']);
  server.compact();
  server.drop(new ApiError('Expired', 'too old'));
  await world.clock.advance(1_000);
  assert.deepEqual(verbs(server).slice(5), ['list', 'list', 'list', 'watch']);
});

test('informer: a server that ignores sendInitialEvents is listed once it has fallen silent', async () => {
  const server = new FakeServer();
  server.streaming = 'ignored';
  server.put('a');
  await using world = start(server);
  await world.clock.advance(15_000);
  assert.equal(world.informer.hasSynced, false);
  await world.clock.advance(10_000);
  assert.equal(world.informer.hasSynced, true);
  assert.deepEqual(world.told, ['+a']);
});

test('informer: changes during the initial events belong to the list', async () => {
  const server = new FakeServer();
  server.streaming = 'ignored'; // The list stays open until the test ends it.
  server.put('a');
  server.put('b');
  await using world = start(server);
  await settle();
  server.delete('a');
  server.put('c');
  await settle();
  assert.deepEqual(world.told, []);
  await world.clock.advance(30_000);
  assert.deepEqual(world.told, ['+b', '+c']);
});

interface Mishap {
  readonly name: string;
  readonly happen: (server: FakeServer) => void;
  readonly want: readonly string[];
  /** Requests after the mishap. */
  readonly verbs: readonly string[];
}
const mishaps: readonly Mishap[] = [
  {
    name: 'a watch that ends is resumed and misses nothing',
    happen: (s) => {
      s.end();
      s.put('b');
      s.delete('a');
    },
    want: ['+b', '-a'],
    verbs: ['list', 'watch'],
  },
  {
    name: 'a dropped connection is resumed and misses nothing',
    happen: (s) => {
      s.drop();
      s.put('b');
      s.put('a', 'n9');
    },
    want: ['+b', '~a'],
    verbs: ['list', 'watch'],
  },
  {
    name: '410 as an ERROR event: lists anew and tells only of what differs',
    happen: (s) => {
      s.sendError(new ApiError('Expired', 'too old resource version'));
      s.put('b');
      s.compact();
    },
    want: ['+b'],
    verbs: ['watch'],
  },
  {
    name: '410 as an answer: lists anew',
    happen: (s) => {
      s.drop();
      s.put('b');
      s.compact();
      s.put('c');
    },
    want: ['+b', '+c'],
    verbs: ['list', 'watch', 'watch'],
  },
  {
    name: 'an ERROR event of another kind is resumed',
    happen: (s) => {
      s.sendError(new ApiError('InternalError', 'etcd'));
      s.put('b');
    },
    want: ['+b'],
    verbs: ['list', 'watch'],
  },
  {
    name: 'delete and create of one name, unseen: told as deletion, then addition',
    happen: (s) => {
      s.drop(new ApiError('Gone', 'gone'));
      s.delete('a');
      s.put('a');
      s.compact();
    },
    want: ['-a', '+a'],
    verbs: ['watch'],
  },
  {
    name: 'delete and create of one name, seen: the same',
    happen: (s) => {
      s.delete('a');
      s.put('a');
    },
    want: ['-a', '+a'],
    verbs: [],
  },
  {
    name: 'a server that has begun anew at a lower revision is listed anew',
    happen: (s) => {
      s.reset();
      s.put('z');
    },
    want: ['-a', '+z'],
    verbs: ['list', 'watch'],
  },
  {
    name: 'a revision that the server has not reached is listed anew',
    happen: (s) => {
      s.drop(
        new ApiError('Timeout', 'Too large resource version', {
          details: { causes: [{ reason: 'ResourceVersionTooLarge', message: '' }] },
        }),
      );
      s.put('b');
    },
    want: ['+b'],
    verbs: ['watch'],
  },
];
for (const { name, happen, want, verbs: wanted } of mishaps) {
  test(`informer: ${name}`, async () => {
    const server = new FakeServer();
    for (let n = 0; n < 5; n++) server.put('a');
    await using world = start(server);
    await world.informer.synced(world.never);
    await settle();
    world.told.length = 0;
    server.requests.length = 0;
    happen(server);
    await world.clock.advance(2_000);
    assert.deepEqual(world.told, want);
    assert.deepEqual(verbs(server), wanted);
    assert.deepEqual(names(world.informer.list()), names(server.objects));
  });
}

test('informer: backs off from 100 ms to 30 s while the server is away, and begins anew after it was back', async () => {
  await using world = start();
  await world.informer.synced(world.never);
  const { server, clock } = world;
  server.unreachable = new ApiError('ServiceUnavailable', 'connection refused');
  server.drop();
  await clock.advance(100 + 200 + 400);
  assert.equal(world.errors.length, 4);
  await clock.advance(3_600_000);
  const hour = world.errors.length;
  assert.ok(hour > 120 && hour < 135, `${hour} tries in an hour`);
  server.unreachable = undefined;
  await clock.advance(30_000);
  server.put('a');
  await settle();
  assert.deepEqual(world.told, ['+a']);
  server.drop();
  server.put('b');
  await clock.advance(100);
  assert.deepEqual(world.told, ['+a', '+b']);
});

test('informer: who knows that the server is back ends the pause, and those after it are short again', async () => {
  await using world = start();
  const { server, clock, informer } = world;
  informer.hurry();
  await informer.synced(world.never);
  server.unreachable = new ApiError('ServiceUnavailable', 'connection refused');
  server.drop();
  await clock.advance(600_000);
  const tries = world.errors.length;
  informer.hurry();
  await settle();
  assert.equal(world.errors.length, tries + 1);
  await clock.advance(100);
  assert.equal(world.errors.length, tries + 2);
  server.unreachable = undefined;
  server.put('a');
  informer.hurry();
  await settle();
  assert.deepEqual(world.told, ['+a']);
});

test('informer: a watch that only ever ends at once is not a hot loop', async () => {
  await using world = start();
  await world.informer.synced(world.never);
  for (let n = 0; n < 600; n++) {
    world.server.end();
    await world.clock.advance(100);
  }
  assert.ok(world.server.requests.length < 40, `${world.server.requests.length} requests in a minute`);
});

test('informer: a watch that outlives its time is taken for dead', async () => {
  await using world = start();
  await world.informer.synced(world.never);
  const before = world.server.requests.length;
  await world.clock.advance(330_000 - 1);
  assert.equal(world.server.requests.length, before);
  await world.clock.advance(1_000);
  assert.deepEqual(verbs(world.server).slice(before), ['list', 'watch']);
});

test('informer: a listener added late is told of everything at once; one disposed of is told no more', async () => {
  await using world = start();
  world.server.put('a');
  await world.informer.synced(world.never);
  const told: string[] = [];
  const listening = world.informer.onChange((change) => void told.push(inShort(change)));
  assert.deepEqual(told, ['+a']);
  listening[Symbol.dispose]();
  world.server.put('b');
  await settle();
  assert.deepEqual(told, ['+a']);
  assert.deepEqual(world.told, ['+a', '+b']);
});

test('informer: a listener that throws is reported and keeps the news from nobody', async () => {
  await using world = start();
  await world.informer.synced(world.never);
  world.informer.onChange(() => {
    throw new Error('oops');
  });
  const told: string[] = [];
  world.informer.onChange((change) => void told.push(inShort(change)));
  world.server.put('a');
  world.server.put('b');
  await settle();
  assert.deepEqual(told, ['+a', '+b']);
  assert.equal(world.errors.length, 2);
  assert.equal(((world.errors[0] as Error).cause as Error).message, 'oops');
  assert.equal(world.server.requests.length, 1);
});

test('informer: waitFor ends with the revision, with a bookmark of it, or with its deadline', async () => {
  await using world = start();
  await world.informer.synced(world.never);
  const { server, clock, informer, never } = world;
  const next = (): ResourceVersion => String(Number(server.revision) + 1) as ResourceVersion;
  assert.equal(await informer.waitFor(server.revision, never), true);
  let wait = informer.waitFor(next(), never);
  server.put('a');
  assert.equal(await wait, true);
  wait = informer.waitFor(next(), never);
  server.bookmark();
  assert.equal(await wait, true);
  wait = informer.waitFor(next(), never);
  await clock.advance(1_000);
  assert.equal(await wait, false);
  const stop = new AbortController();
  wait = informer.waitFor(next(), stop.signal);
  stop.abort(new Error('enough'));
  await assert.rejects(wait, /enough/);
});

test('informer: a second run is refused; after a stop it goes on where it was', async () => {
  const server = new FakeServer();
  const informer = createInformer({ client: createClient(server), clock: new FakeClock(), resource: thingResource });
  const told: string[] = [];
  informer.onChange((change) => void told.push(inShort(change)));
  const never = new AbortController().signal;
  for (const name of ['a', 'b']) {
    const stop = new AbortController();
    const running = informer.run(stop.signal);
    await informer.synced(never);
    server.put(name);
    await settle();
    await assert.rejects(informer.run(never), /running already/);
    stop.abort();
    await running;
  }
  assert.deepEqual(told, ['+a', '+b']);
});

test('informer: synced rejects with the reason of its signal', async () => {
  const server = new FakeServer();
  const informer = createInformer({ client: createClient(server), clock: new FakeClock(), resource: thingResource });
  await assert.rejects(informer.synced(AbortSignal.abort(new Error('stopped'))), /stopped/);
});
