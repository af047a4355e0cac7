import assert from 'node:assert/strict';
import test from 'node:test';
import { FakeClock, settle } from '#lib/fake-clock.ts';
import { Inbox, SlowReaderError } from '#lib/inbox.ts';
import { LruMap } from '#lib/lru-map.ts';
import { orAborted } from '#lib/or-aborted.ts';
import { remembered } from '#lib/remembered.ts';
import { Scope } from '#lib/scope.ts';
import { WorkQueue } from '#lib/work-queue.ts';

test('Scope: the first failure stops the others and is what join throws', async () => {
  const scope = new Scope();
  let stopped = false;
  scope.spawn('patient', async (signal) => {
    await new FakeClock().sleep(1e9, signal).catch((e) => {
      stopped = true;
      throw e;
    });
  });
  scope.spawn('doomed', async () => {
    await settle();
    throw new Error('disk on fire');
  });
  await assert.rejects(
    scope.join(),
    (e: Error) => e.message === 'doomed failed' && (e.cause as Error).message === 'disk on fire',
  );
  assert.ok(stopped);
});
test('Scope: leaving it stops and awaits everything, quietly', async () => {
  let ended = false;
  {
    await using scope = new Scope();
    scope.spawn('loop', async (signal) => {
      try {
        await new FakeClock().sleep(1e9, signal);
      } finally {
        ended = true;
      }
    });
  }
  assert.ok(ended);
});
test('Scope: a parent abort reaches the tasks and is not a failure', async () => {
  const parent = new AbortController();
  const scope = new Scope(parent.signal);
  scope.spawn('loop', (signal) => new FakeClock().sleep(1e9, signal));
  parent.abort(new Error('shutting down'));
  await scope.join();
});
test('Scope: a failure is thrown once, not again on leaving', async () => {
  const body = async (): Promise<void> => {
    await using scope = new Scope();
    scope.spawn('doomed', async () => {
      throw new Error('disk on fire');
    });
    await scope.join();
  };
  await assert.rejects(body(), (e: Error) => e.constructor === Error && e.message === 'doomed failed');
});
test('WorkQueue: a key added while busy comes back once, after done', async () => {
  const never = new AbortController().signal;
  const queue = new WorkQueue<string>(new FakeClock());
  queue.add('a');
  queue.add('a');
  assert.equal(await queue.take(never), 'a');
  queue.add('a');
  queue.add('a');
  let second: string | undefined;
  void queue.take(never).then((k) => {
    second = k;
  });
  await settle();
  assert.equal(second, undefined);
  queue.done('a');
  await settle();
  assert.equal(second, 'a');
});
test('WorkQueue: addAfter keeps the earliest time', async () => {
  const never = new AbortController().signal;
  const clock = new FakeClock();
  const queue = new WorkQueue<string>(clock);
  queue.addAfter('a', 100, never);
  queue.addAfter('a', 10, never);
  queue.addAfter('a', 50, never);
  let at: number | undefined;
  void queue.take(never).then(() => {
    at = clock.now();
  });
  await clock.advance(9);
  assert.equal(at, undefined);
  await clock.advance(1);
  assert.equal(at, 10);
  queue.done('a');
});
test('Scope: a task that wraps the cancellation it met has not failed', async () => {
  const parent = new AbortController();
  const scope = new Scope(parent.signal);
  scope.spawn('loop', async (signal) => {
    try {
      await new FakeClock().sleep(1e9, signal);
    } catch (cause) {
      throw new Error('pulling failed', { cause });
    }
  });
  parent.abort(new Error('shutting down'));
  await scope.join();
});
test('FakeClock: the time of what is about to sleep begins now', async () => {
  const clock = new FakeClock();
  let at: number | undefined;
  void (async () => {
    await settle();
    await clock.sleep(10, new AbortController().signal);
    at = clock.now();
  })();
  await clock.advance(1_000);
  assert.equal(at, 10);
});
test('Inbox: after a loss the reader gets what came before it, then the error, nothing from beyond the gap', async () => {
  const inbox = new Inbox<number>(2);
  for (const item of [1, 2, 3]) inbox.push(item);
  const items = inbox.drain(new AbortController().signal);
  assert.equal((await items.next()).value, 1);
  inbox.push(4);
  assert.equal((await items.next()).value, 2);
  await assert.rejects(items.next(), SlowReaderError);
});
test('Inbox: an abort while the reader holds the last item ends the drain', async () => {
  const inbox = new Inbox<number>(2);
  inbox.push(1);
  const stop = new AbortController();
  const items = inbox.drain(stop.signal);
  await items.next();
  stop.abort(new Error('enough'));
  await assert.rejects(items.next(), /enough/);
});
test('LruMap: what was not used for the longest goes first', () => {
  const map = new LruMap<string, number>(2);
  map.set('a', 1);
  map.set('b', 2);
  assert.equal(map.get('a'), 1);
  map.set('c', 3);
  assert.deepEqual([map.get('a'), map.get('b'), map.get('c'), map.size], [1, undefined, 3, 2]);
});
test('orAborted: whichever comes first', async () => {
  const stop = new AbortController();
  const open = Promise.withResolvers<number>();
  const waiting = orAborted(open.promise, stop.signal);
  assert.equal(await orAborted(Promise.resolve(1), stop.signal), 1);
  stop.abort(new Error('enough'));
  await assert.rejects(waiting, /enough/);
  await assert.rejects(orAborted(Promise.resolve(1), stop.signal), /enough/);
});
test('Inbox: hands on in order, however pushing and taking alternate', async () => {
  const inbox = new Inbox<number>(100);
  const items = inbox.drain(new AbortController().signal);
  let pushed = 0;
  for (let taken = 0; taken < 1_000; taken++) {
    for (let n = 0; n <= taken % 3 && pushed - taken < 100; n++) inbox.push(pushed++);
    assert.equal((await items.next()).value, taken);
  }
});

test('remembered: read once, and again when it is too old', async () => {
  const clock = new FakeClock();
  let reads = 0;
  const count = remembered(() => ++reads, 1000, clock);
  assert.deepEqual([count(), count()], [1, 1]);
  await clock.advance(999);
  assert.equal(count(), 1);
  await clock.advance(1);
  assert.equal(count(), 2);
});
