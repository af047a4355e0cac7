import assert from 'node:assert/strict';
import test from 'node:test';
import type { NodeStatus } from '#api/generated/core-v1.ts';
import { nodeEvents } from '#kubelet/node-events.ts';

type Said = 'True' | 'False' | 'Unknown';
const status = (ready: Said, memory: Said, bootID = 'b1'): NodeStatus => ({
  conditions: [
    { type: 'MemoryPressure', status: memory },
    { type: 'Ready', status: ready },
  ],
  nodeInfo: { bootID } as never,
});

const cases: readonly { name: string; before?: NodeStatus; after: NodeStatus; want: readonly string[] }[] = [
  { name: 'its first words', after: status('True', 'False'), want: ['NodeHasSufficientMemory', 'NodeReady'] },
  { name: 'nothing new', before: status('True', 'False'), after: status('True', 'False'), want: [] },
  { name: 'not ready', before: status('True', 'False'), after: status('False', 'False'), want: ['NodeNotReady'] },
  {
    name: 'under pressure',
    before: status('True', 'False'),
    after: status('True', 'True'),
    want: ['NodeHasInsufficientMemory'],
  },
  {
    name: 'back from where nobody heard of it',
    before: status('Unknown', 'Unknown'),
    after: status('True', 'False'),
    want: ['NodeHasSufficientMemory', 'NodeReady'],
  },
];
for (const { name, before, after, want } of cases)
  test(`nodeEvents: ${name}`, () => {
    const events = nodeEvents('n1', before, after);
    assert.deepEqual(
      events,
      want.map((reason) => ({ type: 'Normal', reason, message: `Node n1 status is now: ${reason}` })),
    );
  });

test('nodeEvents: another boot is told of, the first is not', () => {
  const message = 'Node n1 has been rebooted, boot id: b2';
  assert.deepEqual(nodeEvents('n1', status('True', 'False'), status('True', 'False', 'b2')), [
    { type: 'Warning', reason: 'Rebooted', message },
  ]);
});
