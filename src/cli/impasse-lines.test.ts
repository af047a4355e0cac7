import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Eviction, Hindrance } from '#api/peapod/node-verdict.ts';
import { impasseLines } from '#cli/impasse-lines.ts';

const near: readonly Hindrance[] = [
  { node: 'a', alike: 0, obstacles: [{ kind: 'cordoned' }] },
  { node: 'b', alike: 7, obstacles: [{ kind: 'full', pods: 1 }, { kind: 'cordoned' }] },
];
const victims = [{ namespace: 'shop', name: 'low', priority: -1 }];

const cases: readonly { eviction: Eviction; want: string }[] = [
  { eviction: { kind: 'does-not-help' }, want: 'evicting pods of lower priority would not help' },
  { eviction: { kind: 'under-way', node: 'a' }, want: 'room is being made on a: who must go is on the way' },
  {
    eviction: { kind: 'not-eligible', why: 'not eligible due to preemptionPolicy=Never.' },
    want: 'it may have nobody evicted: not eligible due to preemptionPolicy=Never',
  },
  {
    eviction: { kind: 'helps', node: 'a', victims, violations: 0 },
    want: 'room would be made on a: the scheduler would evict shop/low (priority -1)',
  },
  {
    eviction: { kind: 'helps', node: 'a', victims, violations: 1 },
    want: 'room would be made on a: the scheduler would evict shop/low (priority -1), against a disruption budget',
  },
  { eviction: { kind: 'helps', node: 'a', victims: [], violations: 0 }, want: 'room is kept on a' },
];

test('impasse lines: the nearest nodes, and those like them', () => {
  assert.deepEqual(impasseLines({ nearest: near }), [
    'nearest: a: closed to new pods (cordoned)',
    '         b and 7 like it: full: it takes 1 pod; closed to new pods (cordoned)',
  ]);
});

for (const { eviction, want } of cases) {
  test(`impasse lines: ${want}`, () => assert.deepEqual(impasseLines({ nearest: [], eviction }), [want]));
}
