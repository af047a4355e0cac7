import assert from 'node:assert/strict';
import test from 'node:test';
import { humanDuration } from '#server/columns/common.ts';

const [S, M, H, D] = [1000, 60_000, 3_600_000, 86_400_000];
const cases: readonly (readonly [number, string])[] = [
  [-5 * S, '<invalid>'],
  [0, '0s'],
  [119 * S, '119s'],
  [2 * M, '2m'],
  [9 * M + 59 * S, '9m59s'],
  [10 * M + 5 * S, '10m'],
  [179 * M, '179m'],
  [3 * H, '3h'],
  [7 * H + 59 * M, '7h59m'],
  [8 * H + 1 * M, '8h'],
  [47 * H, '47h'],
  [2 * D, '2d'],
  [7 * D + 23 * H, '7d23h'],
  [8 * D, '8d'],
  [729 * D, '729d'],
  [730 * D, '2y'],
  [731 * D, '2y1d'],
  [8 * 365 * D + D, '8y'],
];
for (const [ms, want] of cases) {
  test(`human duration: ${want}`, () => {
    assert.equal(humanDuration(ms), want);
  });
}
