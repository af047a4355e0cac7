import assert from 'node:assert/strict';
import test from 'node:test';
import type { ObjectKey, ResourceVersion } from '#api/meta.ts';
import { createClient } from '#client/api-client.ts';
import { FakeServer, thingResource } from '#client/fake-server.ts';
import type { Client } from '#client/client.ts';
import { GiveUp, settled, type Controller, type Outcome } from '#controllers/controller.ts';
import { runController, type Attempt } from '#controllers/run-controller.ts';
import { FakeClock, settle } from '#lib/fake-clock.ts';

const again: Outcome = { kind: 'again', afterMs: 100, why: 'not yet' };
const key = 'default/x' as ObjectKey;

interface Harness extends AsyncDisposable {
  readonly clock: FakeClock;
  readonly calls: number[];
  readonly attempts: Attempt[];
  readonly running: Promise<void>;
  readonly stop: AbortController;
  add(key?: ObjectKey): void;
}
function start(
  reconcile: (call: number, client: Client) => Promise<Outcome>,
  over: { reads?: Controller['reads']; client?: Client } = {},
): Harness {
  const clock = new FakeClock();
  const stop = new AbortController();
  const calls: number[] = [];
  const attempts: Attempt[] = [];
  let enqueue!: (key: ObjectKey) => void;
  const make = (client: Client): Controller => ({
    name: 'test',
    reads: over.reads ?? [],
    watch(fn) {
      enqueue = fn;
      return { [Symbol.dispose]: () => {} };
    },
    reconcile() {
      calls.push(clock.now());
      return reconcile(calls.length, client);
    },
  });
  const client = over.client ?? createClient(new FakeServer());
  const options = { client, clock, workers: 2, log: () => {}, observe: (a: Attempt) => void attempts.push(a) };
  const running = runController(make, options, stop.signal);
  const dispose = async (): Promise<void> => {
    stop.abort();
    await running;
    assert.equal(clock.sleeping, 0, 'something still sleeps after the controller has stopped');
  };
  return { clock, stop, calls, attempts, running, add: (k = key) => enqueue(k), [Symbol.asyncDispose]: dispose };
}

test('runController: failures back off 5, 10, 20 ms', async () => {
  await using h = start(async (n) => {
    if (n <= 3) throw new Error('no');
    return settled;
  });
  h.add();
  await h.clock.advance(1_000);
  assert.deepEqual(h.calls, [0, 5, 15, 35]);
  assert.deepEqual(
    h.attempts.map(({ result }) => result),
    ['failed', 'failed', 'failed', 'settled'],
  );
});

test('runController: back-off ends at 1,000 s', async () => {
  await using h = start(async () => {
    throw new Error('no');
  });
  h.add();
  await h.clock.advance(10_000_000);
  const last = h.calls.slice(-3);
  assert.deepEqual([last[1]! - last[0]!, last[2]! - last[1]!], [1_000_000, 1_000_000]);
});

test('runController: `again` waits as asked; GiveUp is not retried, until the object changes', async () => {
  await using h = start(async (n) => {
    if (n === 1) return again;
    throw new GiveUp('bad spec');
  });
  h.add();
  await h.clock.advance(10_000);
  assert.deepEqual(h.calls, [0, 100]);
  h.add();
  await settle();
  assert.deepEqual(h.calls, [0, 100, 10_000]);
  assert.equal(h.attempts.at(-1)?.result, 'gave-up');
});

test('runController: a success forgets earlier failures', async () => {
  await using h = start(async (n) => {
    if (n !== 3) throw new Error('no');
    return again;
  });
  h.add();
  await h.clock.advance(124);
  assert.deepEqual(h.calls, [0, 5, 15, 115, 120]);
});

test('runController: does not return while a reconcile is still running', async () => {
  const gate = Promise.withResolvers<void>();
  await using h = start(async () => {
    await gate.promise;
    return settled;
  });
  h.add();
  await settle();
  let returned = false;
  void h.running.then(() => (returned = true));
  h.stop.abort();
  await settle();
  assert.equal(returned, false);
  gate.resolve();
  await h.running;
});

test('runController: one key has one worker, two keys have two', async () => {
  let working = 0;
  let most = 0;
  const gate = Promise.withResolvers<void>();
  await using h = start(async () => {
    most = Math.max(most, ++working);
    await gate.promise;
    working--;
    return settled;
  });
  h.add();
  h.add();
  await settle();
  h.add();
  await settle();
  assert.equal(most, 1);
  h.add('default/y' as ObjectKey);
  await settle();
  assert.equal(most, 2);
  gate.resolve();
  await h.clock.advance(0);
  assert.equal(h.calls.length, 3, 'what was added while its key was busy is looked at once more');
});

test('runController: waits for its copies before it begins', async () => {
  const filled = Promise.withResolvers<void>();
  const copy = { resource: thingResource, synced: () => filled.promise, waitFor: async () => true };
  await using h = start(async () => settled, { reads: [copy] });
  h.add();
  await settle();
  assert.deepEqual(h.calls, []);
  filled.resolve();
  await settle();
  assert.equal(h.calls.length, 1);
});

test('runController: looks again only when the copy has passed what it has written, once for each write', async () => {
  const waits: ResourceVersion[] = [];
  const passed = Promise.withResolvers<boolean>();
  const copy = {
    resource: thingResource,
    synced: async () => {},
    waitFor(revision: ResourceVersion) {
      waits.push(revision);
      return passed.promise;
    },
  };
  const written = {
    ...new FakeServer().put('a'),
    metadata: { ...new FakeServer().put('a').metadata, resourceVersion: '77' as ResourceVersion },
  };
  const writing: Client = { ...createClient(new FakeServer()), update: async <T>() => written as T };
  const reconcile = async (n: number, client: Client): Promise<Outcome> => {
    if (n === 1) await client.update(thingResource, written, new AbortController().signal);
    return n < 3 ? again : settled;
  };
  await using h = start(reconcile, { reads: [copy], client: writing });
  h.add();
  await h.clock.advance(1_000);
  assert.deepEqual(h.calls, [0]);
  assert.deepEqual(waits, ['77']);
  passed.resolve(true);
  await h.clock.advance(1_000);
  assert.deepEqual(h.calls, [0, 1_000, 1_100]);
  assert.deepEqual(waits, ['77']);
});
