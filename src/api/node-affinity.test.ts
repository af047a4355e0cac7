import assert from 'node:assert/strict';
import test from 'node:test';
import {
  compileNodeSelector,
  namedNodes,
  preferredNodes,
  requiredNodes,
  type NodeSelectorTerm,
} from '#api/node-affinity.ts';

const node = { metadata: { name: 'node1', labels: { zone: 'a', size: '10', 'kubernetes.io/arch': 'arm64' } } };
const expression = (key: string, operator: string, ...values: string[]): NodeSelectorTerm => ({
  matchExpressions: [{ key, operator, values }],
});
const field = (operator: string, ...values: string[]): NodeSelectorTerm => ({
  matchFields: [{ key: 'metadata.name', operator, values }],
});

const table: readonly (readonly [string, readonly NodeSelectorTerm[], boolean])[] = [
  ['In', [expression('zone', 'In', 'a', 'b')], true],
  ['In, other', [expression('zone', 'In', 'b')], false],
  ['NotIn', [expression('zone', 'NotIn', 'b')], true],
  ['NotIn of what is missing', [expression('disk', 'NotIn', 'b')], true],
  ['Exists', [expression('zone', 'Exists')], true],
  ['DoesNotExist', [expression('zone', 'DoesNotExist')], false],
  ['Gt', [expression('size', 'Gt', '9')], true],
  ['Gt of the same', [expression('size', 'Gt', '10')], false],
  ['Lt', [expression('size', 'Lt', '11')], true],
  ['Gt of what is no number', [expression('zone', 'Gt', '1')], false],
  ['terms are ORed', [expression('zone', 'In', 'b'), expression('zone', 'In', 'a')], true],
  [
    'a term is ANDed',
    [
      {
        matchExpressions: [
          { key: 'zone', operator: 'In', values: ['a'] },
          { key: 'disk', operator: 'Exists' },
        ],
      },
    ],
    false,
  ],
  ['an empty term matches nothing', [{}], false],
  ['no terms match nothing', [], false],
  ['a term that cannot be understood matches nothing', [expression('zone', 'Like', 'a')], false],
  ['nor does it spoil the others', [expression('zone', 'Like', 'a'), expression('zone', 'In', 'a')], true],
  ['by name', [field('In', 'node1')], true],
  ['by another name', [field('In', 'node2')], false],
  ['not by name', [field('NotIn', 'node2')], true],
  ['fields take one value', [field('In', 'node1', 'node2')], false],
];
for (const [name, nodeSelectorTerms, want] of table) {
  test(`node affinity: ${name}`, () => assert.equal(compileNodeSelector({ nodeSelectorTerms })(node), want));
}

test('node affinity: a pod that asks for nothing has no predicate', () => {
  assert.equal(requiredNodes({ spec: {} }), undefined);
  assert.equal(requiredNodes({ spec: { nodeSelector: {} } }), undefined);
  assert.equal(preferredNodes({ spec: {} }), undefined);
});

test('node affinity: selector and affinity must both match', () => {
  const affinity = (zone: string) => ({
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [expression('zone', 'In', zone)] },
    },
  });
  const nodeSelector = { 'kubernetes.io/arch': 'arm64' };
  assert.equal(requiredNodes({ spec: { nodeSelector } })?.(node), true);
  assert.equal(requiredNodes({ spec: { nodeSelector, affinity: affinity('a') } })?.(node), true);
  assert.equal(requiredNodes({ spec: { nodeSelector, affinity: affinity('b') } })?.(node), false);
  assert.equal(requiredNodes({ spec: { nodeSelector: { x: 'y' }, affinity: affinity('a') } })?.(node), false);
});

test('node affinity: the weights of what is preferred are summed', () => {
  const preferred = [
    { weight: 10, preference: expression('zone', 'In', 'a') },
    { weight: 5, preference: expression('size', 'Gt', '1') },
    { weight: 3, preference: expression('zone', 'In', 'b') },
    { weight: 1, preference: {} },
  ];
  const spec = { affinity: { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: preferred } } };
  assert.equal(preferredNodes({ spec })?.(node), 15);
});

test('node affinity: the nodes a selector names', () => {
  assert.deepEqual(namedNodes({ nodeSelectorTerms: [field('In', 'a'), field('In', 'b')] }), new Set(['a', 'b']));
  assert.equal(namedNodes({ nodeSelectorTerms: [field('In', 'a'), expression('zone', 'Exists')] }), undefined);
  assert.equal(namedNodes({ nodeSelectorTerms: [field('NotIn', 'a')] }), undefined);
});
