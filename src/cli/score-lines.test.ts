import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RankedNode } from '#api/peapod/pod-timeline.ts';
import { scoreLines } from '#cli/score-lines.ts';

const weights = { TaintToleration: 3, NodeResourcesFit: 1, ImageLocality: 1 };
const ranked = (node: string, fit: number): RankedNode => ({
  node,
  score: 300 + fit,
  byPlugin: { TaintToleration: 100, NodeResourcesFit: fit, ImageLocality: 0 },
});

const cases: readonly { name: string; best: readonly RankedNode[] | undefined; want: readonly string[] }[] = [
  { name: 'nothing is known', best: undefined, want: [] },
  { name: 'no choice', best: [{ node: 'a' }], want: [] },
  {
    name: 'of an entry from before scores were told by plugin',
    best: [
      { node: 'a', score: 2 },
      { node: 'b', score: 1 },
    ],
    want: ['a 2', 'b 1'],
  },
  {
    name: 'each with what it is made of, weights shown, nothing left out that counts',
    best: [ranked('a', 80), ranked('b', 70)],
    want: ['a 380: TaintToleration 3×100, NodeResourcesFit 80', 'b 370: TaintToleration 3×100, NodeResourcesFit 70'],
  },
  {
    name: 'nodes that came out alike share a line',
    best: [ranked('a', 80), ranked('b', 80), ranked('c', 1)],
    want: ['a, b 380: TaintToleration 3×100, NodeResourcesFit 80', 'c 301: TaintToleration 3×100, NodeResourcesFit 1'],
  },
];

for (const { name, best, want } of cases) {
  test(`score lines: ${name}`, () => assert.deepEqual(scoreLines({ ...(best && { best }), weights }), want));
}
