import assert from 'node:assert/strict';
import { test } from 'node:test';
import { abortable } from '#lib/abortable.ts';

test('abortable: the value, the error, or the reason to stop, whichever is first', async () => {
  const control = new AbortController();
  assert.equal(await abortable(Promise.resolve(1), control.signal), 1);
  await assert.rejects(abortable(Promise.reject(new Error('no')), control.signal), /no/);
  const waiting = abortable(new Promise(() => {}), control.signal);
  control.abort(new Error('stop'));
  await assert.rejects(waiting, /stop/);
  await assert.rejects(abortable(Promise.resolve(1), control.signal), /stop/);
});
