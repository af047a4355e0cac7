import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Obstacle } from '#api/peapod/obstacle.ts';
import { obstacleWords } from '#cli/obstacle-words.ts';

const a = { namespace: 'shop', name: 'a' };
const zone = { topologyKey: 'topology.kubernetes.io/zone', domain: 'east' };
const label = { kind: 'label', asker: 'nodeAffinity', key: 'cores' } as const;

const cases: readonly { obstacle: Obstacle; want: string }[] = [
  {
    obstacle: { kind: 'short', resource: 'cpu', asked: '1', free: '500m', by: '500m', allocatable: '2' },
    want: 'short of cpu by 500m (1 asked, 500m of 2 free)',
  },
  {
    obstacle: { kind: 'short', resource: 'example.com/gpu', asked: '1', free: '0', by: '1', allocatable: '0' },
    want: 'short of example.com/gpu by 1 (1 asked, it has none)',
  },
  { obstacle: { kind: 'full', pods: 110 }, want: 'full: it takes 110 pods' },
  { obstacle: { kind: 'cordoned' }, want: 'closed to new pods (cordoned)' },
  { obstacle: { kind: 'taint', key: 'a', value: 'b', effect: 'NoExecute' }, want: 'tainted a=b:NoExecute' },
  { obstacle: { kind: 'taint', key: 'a', effect: 'NoSchedule' }, want: 'tainted a:NoSchedule' },
  { obstacle: { kind: 'name', wanted: 'n7' }, want: 'not n7, which it names' },
  {
    obstacle: { kind: 'label', asker: 'nodeSelector', key: 'disk', operator: 'In', values: ['ssd'] },
    want: 'no label disk, nodeSelector asks for disk=ssd',
  },
  {
    obstacle: { ...label, operator: 'In', values: ['4', '8'], actual: '2' },
    want: 'label cores=2, node affinity asks for cores in (4, 8)',
  },
  {
    obstacle: { ...label, operator: 'NotIn', values: ['2'], actual: '2' },
    want: 'label cores=2, node affinity asks for another value than 2',
  },
  { obstacle: { ...label, operator: 'Exists', values: [] }, want: 'no label cores, node affinity asks for one' },
  {
    obstacle: { ...label, asker: 'scheduler', operator: 'DoesNotExist', values: [], actual: '2' },
    want: "label cores=2, the scheduler's configuration asks for none",
  },
  {
    obstacle: { ...label, operator: 'Gt', values: ['2'], actual: '2' },
    want: 'label cores=2, node affinity asks for more than 2',
  },
  {
    obstacle: { ...label, field: true, key: 'metadata.name', operator: 'In', values: ['n1'], actual: 'n2' },
    want: 'field metadata.name=n2, node affinity asks for metadata.name=n1',
  },
  {
    obstacle: { kind: 'port', port: 80, protocol: 'TCP', address: '0.0.0.0', pods: [a] },
    want: 'host port 80/TCP is taken by pod shop/a',
  },
  {
    obstacle: { kind: 'pod', rule: 'its own', ...zone, pods: [a] },
    want: 'pod shop/a is in zone east, which its anti-affinity keeps away from',
  },
  {
    obstacle: { kind: 'pod', rule: 'theirs', ...zone, pods: [a, a, a, a] },
    want: 'pods shop/a, shop/a, shop/a and 1 more in zone east keep such pods away (anti-affinity)',
  },
  {
    obstacle: { kind: 'no-pod', topologyKey: 'rack', domain: '7', wanted: 'app=cache' },
    want: 'no pod app=cache in rack=7, which its affinity asks for',
  },
  {
    obstacle: { kind: 'no-domain', rule: 'topology spread', topologyKey: 'rack' },
    want: 'without label rack, which its topology spread goes by',
  },
  {
    obstacle: { kind: 'spread', ...zone, pods: 2, least: 1, maxSkew: 1 },
    want: 'one more in zone east makes 3 where the least is 1: more than maxSkew 1 allows',
  },
  { obstacle: { kind: 'other', reasons: ['node(s) had no claim'] }, want: 'node(s) had no claim' },
];

for (const { obstacle, want } of cases)
  test(`obstacle words: ${want}`, () => assert.equal(obstacleWords(obstacle), want));
