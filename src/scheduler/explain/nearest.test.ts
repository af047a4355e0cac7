import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Obstacle } from '#api/peapod/obstacle.ts';
import { nearestNodes } from '#scheduler/explain/nearest.ts';

const short = (by: string, asked: string, resource = 'cpu'): Obstacle => ({
  kind: 'short',
  resource,
  asked,
  free: '0',
  by,
  allocatable: '8',
});
const cordoned: Obstacle = { kind: 'cordoned' };
const taint: Obstacle = { kind: 'taint', key: 'a', effect: 'NoSchedule' };

const cases: readonly {
  name: string;
  nodes: Readonly<Record<string, readonly Obstacle[]>>;
  want: readonly string[];
}[] = [
  { name: 'no nodes', nodes: {}, want: [] },
  { name: 'a node that fits is not in the way', nodes: { a: [], b: [taint] }, want: ['b'] },
  { name: 'the fewest obstacles come first', nodes: { a: [taint, cordoned], b: [cordoned] }, want: ['b', 'a'] },
  {
    name: 'of as many, the one that is least short',
    nodes: { a: [short('900m', '1')], b: [short('100m', '1')], c: [short('500m', '1')] },
    want: ['b', 'c', 'a'],
  },
  {
    name: 'what is missing is a share of what is asked for, whatever the unit',
    nodes: { a: [short('1Gi', '4Gi', 'memory')], b: [short('500m', '1')] },
    want: ['a', 'b'],
  },
  {
    name: 'shares of several resources add up',
    nodes: { a: [short('600m', '1'), short('1Gi', '2Gi', 'memory')], b: [short('1', '1'), cordoned] },
    want: ['b', 'a'],
  },
  {
    name: 'what is no matter of quantity counts before any that is',
    nodes: { a: [short('1m', '1')], b: [taint] },
    want: ['b', 'a'],
  },
  { name: 'then by name, as people count', nodes: { n10: [cordoned], n2: [taint] }, want: ['n2', 'n10'] },
  { name: 'nodes that nothing tells apart', nodes: { n3: [taint], n20: [taint], n2: [taint] }, want: ['n2 +2'] },
  {
    name: 'three kinds at most',
    nodes: { a: [cordoned], b: [taint], c: [short('1', '1')], d: [taint, cordoned] },
    want: ['a', 'b', 'c'],
  },
];

for (const { name, nodes, want } of cases) {
  test(`nearest nodes: ${name}`, () => {
    const found = nearestNodes(Object.entries(nodes).map(([node, obstacles]) => ({ node, obstacles })));
    assert.deepEqual(
      found.map(({ node, alike }) => (alike === 0 ? node : `${node} +${alike}`)),
      want,
    );
  });
}
