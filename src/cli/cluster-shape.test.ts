import assert from 'node:assert/strict';
import test from 'node:test';
import {
  clusterShape,
  simulatedCount,
  type ClusterFile,
  type ClusterShape,
  type ShapeRequest,
} from '#cli/cluster-shape.ts';

const nothing: ShapeRequest = { nodes: undefined, simulatedNodes: undefined, file: undefined };
const three = clusterShape('c', { ...nothing, nodes: 3 }, undefined);
const file: ClusterFile = {
  nodes: [{ name: 'big', labels: { size: 'big' } }, { name: 'c-node2' }],
  podRange: { v4: '10.250.0.0/16' },
};

const told = ({ nodes, simulated }: ClusterShape): string =>
  `${nodes.map(({ name, index }) => `${name}:${index}`).join(' ')} +${simulatedCount(simulated)}`;

const cases: readonly {
  readonly name: string;
  readonly request: Partial<ShapeRequest>;
  readonly before?: ClusterShape;
  readonly want: string;
}[] = [
  { name: 'nothing said, nothing before', request: {}, want: 'c-node1:1 +0' },
  { name: 'three', request: { nodes: 3 }, want: 'c-node1:1 c-node2:2 c-node3:3 +0' },
  { name: 'as before', request: {}, before: three, want: 'c-node1:1 c-node2:2 c-node3:3 +0' },
  { name: 'fewer than before', request: { nodes: 1 }, before: three, want: 'c-node1:1 +0' },
  {
    name: 'simulated ones beside those before',
    request: { simulatedNodes: 9 },
    before: three,
    want: 'c-node1:1 c-node2:2 c-node3:3 +9',
  },
  { name: 'a file: who is known keeps its number', request: { file }, before: three, want: 'big:1 c-node2:2 +0' },
  {
    name: 'a file without nodes has one',
    request: { file: { simulatedNodes: [{ count: 2 }] } },
    before: three,
    want: 'c-node1:1 +2',
  },
  {
    name: 'the file is remembered',
    request: {},
    before: clusterShape('c', { ...nothing, file }, undefined),
    want: 'big:1 c-node2:2 +0',
  },
];
for (const { name, request, before, want } of cases) {
  test(`clusterShape: ${name}`, () => assert.equal(told(clusterShape('c', { ...nothing, ...request }, before)), want));
}

test('clusterShape: what a file says of a node, and of ranges, stays with it', () => {
  const first = clusterShape('c', { ...nothing, file }, undefined);
  const again = clusterShape('c', nothing, first);
  assert.deepEqual(again, first);
  assert.deepEqual(again.nodes[0]?.traits, { labels: { size: 'big' } });
  assert.deepEqual(again.podRange, { v4: '10.250.0.0/16' });
  assert.equal(clusterShape('c', { ...nothing, file: {} }, first).podRange, undefined);
});
