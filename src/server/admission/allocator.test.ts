import assert from 'node:assert/strict';
import test from 'node:test';
import { FakeClock } from '#lib/fake-clock.ts';
import { Allocator } from '#server/admission/allocator.ts';
import { addressRange } from '#server/admission/service-addresses.ts';

test('allocator: nobody gets what another has, is about to have, or has taken by name', async () => {
  const clock = new FakeClock();
  let used: number[] = [3];
  const allocator = new Allocator(clock, { first: 2, size: 6 }, () => used);
  assert.deepEqual(
    [allocator.any(), allocator.any(), allocator.take(5), allocator.take(5), allocator.take(3)],
    [2, 4, true, false, false],
  );
  assert.throws(() => allocator.any(), /range is full/);
  used = [2, 3, 4];
  await clock.advance(10_001);
  // The write that was to have 5 never came.
  assert.equal(allocator.any(), 5);
});

test('address range: the first two and the last are nobody’s', () => {
  const range = addressRange('10.96.0.0/30');
  assert.deepEqual(range.pool, { first: 2, size: 3 });
  assert.deepEqual(
    [range.addressAt(1), range.indexOf('10.96.0.3'), range.indexOf('10.96.0.4'), range.indexOf('None')],
    ['10.96.0.1', [3], [], []],
  );
  assert.deepEqual([addressRange('10.255.0.0/16').addressAt(65_535)], ['10.255.255.255']);
  assert.throws(() => addressRange('fd00::/108'), /no IPv4 range/);
});
