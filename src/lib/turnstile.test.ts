import assert from 'node:assert/strict';
import test from 'node:test';
import { FakeClock, settle } from '#lib/fake-clock.ts';
import { Turnstile } from '#lib/turnstile.ts';

const never = new AbortController().signal;

/** Works that begin and end when told to. */
function stage(atOnce: number) {
  const clock = new FakeClock();
  const turnstile = new Turnstile({ clock, atOnce, patienceMs: 5000 });
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const pass = (name: string, signal = never): Promise<string> =>
    turnstile.pass(async () => {
      begun.push(name);
      const { promise, resolve } = Promise.withResolvers<void>();
      ends.set(name, resolve);
      await promise;
      return name;
    }, signal);
  return { clock, begun, pass, end: (name: string) => ends.get(name)!() };
}

test('turnstile: so many at once, the others in their order, whatever becomes of those inside', async () => {
  const { begun, pass, end } = stage(2);
  const all = ['a', 'b', 'c', 'd'].map((name) => pass(name));
  await settle();
  assert.deepEqual(begun, ['a', 'b']);
  end('b');
  await settle();
  assert.deepEqual(begun, ['a', 'b', 'c']);
  end('a');
  await settle();
  end('c');
  end('d');
  assert.deepEqual(await Promise.all(all), ['a', 'b', 'c', 'd']);
});

test('turnstile: who fails leaves too, and who hangs counts no more after a while', async () => {
  const { clock, begun, pass, end } = stage(1);
  const turnstile = new Turnstile({ clock, atOnce: 1, patienceMs: 5000 });
  await assert.rejects(
    turnstile.pass(() => Promise.reject(new Error('no')), never),
    /no/,
  );
  assert.equal(await turnstile.pass(async () => 'yes', never), 'yes');
  const hanging = pass('hangs');
  const next = pass('next');
  await clock.advance(4999);
  assert.deepEqual(begun, ['hangs']);
  await clock.advance(1);
  assert.deepEqual(begun, ['hangs', 'next']);
  const third = pass('third');
  end('hangs');
  await hanging;
  await settle();
  assert.deepEqual(begun, ['hangs', 'next'], 'its place was given away once');
  end('next');
  await settle();
  end('third');
  assert.deepEqual([await next, await third], ['next', 'third']);
  assert.equal(clock.sleeping, 0);
});

test('turnstile: who is called off while it waits takes nobody’s place', async () => {
  const { begun, pass, end } = stage(1);
  const over = new AbortController();
  const first = pass('first');
  const waits = assert.rejects(pass('called off', over.signal), /enough/);
  const last = pass('last');
  await settle();
  over.abort(new Error('enough'));
  await waits;
  end('first');
  await first;
  await settle();
  assert.deepEqual(begun, ['first', 'last']);
  end('last');
  await last;
});
