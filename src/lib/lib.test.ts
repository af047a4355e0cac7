import assert from 'node:assert/strict';
import test from 'node:test';
import { FakeClock, settle } from '#lib/fake-clock.ts';
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
