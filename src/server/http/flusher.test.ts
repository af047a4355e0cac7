import assert from 'node:assert/strict';
import test from 'node:test';
import { FakeClock, settle } from '#lib/fake-clock.ts';
import { Flusher, GATHER_MS } from '#server/http/flusher.ts';

test('flusher: the first at once, what follows together after the gathering time, nothing when nothing came', async () => {
  const clock = new FakeClock(1000);
  const flusher = new Flusher(clock, new AbortController().signal);
  const flushed: number[] = [];
  const item = { flush: () => void flushed.push(clock.now()) };
  flusher.mark(item);
  flusher.mark(item);
  await settle();
  assert.deepEqual(flushed, [1000]);
  await clock.advance(5);
  flusher.mark(item);
  await clock.advance(5);
  flusher.mark(item);
  await clock.advance(GATHER_MS);
  assert.deepEqual(flushed, [1000, 1000 + GATHER_MS]);
  await clock.advance(1000);
  assert.equal(flushed.length, 2);
  flusher.mark(item);
  flusher.forget(item);
  await settle();
  assert.equal(flushed.length, 2);
});
