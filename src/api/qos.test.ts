import assert from 'node:assert/strict';
import test from 'node:test';
import { oomScoreAdjOf, qosClassOf, qosOf } from '#api/qos.ts';

interface Given {
  readonly name: string;
  readonly restartPolicy?: string;
  readonly resources?: { readonly requests?: Amounts; readonly limits?: Amounts };
}
type Amounts = Readonly<Record<string, string>>;
interface Spec {
  readonly containers: readonly Given[];
  readonly initContainers?: readonly Given[];
  readonly resources?: { readonly requests: Amounts; readonly limits: Amounts };
  readonly priorityClassName?: string;
}

const both = (cpu: string, memory: string): Amounts => ({ cpu, memory });
const container = (requests?: Amounts, limits?: Amounts): Given => ({
  name: 'a',
  resources: { ...(requests ? { requests } : {}), ...(limits ? { limits } : {}) },
});

const table: readonly (Spec & { readonly name: string; readonly want: string })[] = [
  { name: 'nothing', containers: [container()], want: 'BestEffort' },
  { name: 'zeros', containers: [container(both('0', '0'), both('0', '0'))], want: 'BestEffort' },
  {
    name: 'only an extended resource',
    containers: [container({ 'a.b/c': '1' }, { 'a.b/c': '1' })],
    want: 'BestEffort',
  },
  { name: 'equal', containers: [container(both('1', '1Gi'), both('1000m', '1024Mi'))], want: 'Guaranteed' },
  { name: 'limits only', containers: [container(undefined, both('1', '1Gi'))], want: 'Burstable' },
  {
    name: 'one of two without limits',
    containers: [container(both('1', '1Gi'), both('1', '1Gi')), container()],
    want: 'Burstable',
  },
  { name: 'no memory limit', containers: [container({ cpu: '1' }, { cpu: '1' })], want: 'Burstable' },
  { name: 'less than the limit', containers: [container(both('1', '1Gi'), both('2', '1Gi'))], want: 'Burstable' },
  {
    name: 'pod-level resources alone count where given',
    containers: [container()],
    resources: { requests: both('1', '1Gi'), limits: both('1', '1Gi') },
    want: 'Guaranteed',
  },
];
for (const { name, containers, resources, want } of table) {
  test(`qos: ${name} is ${want}`, () => {
    assert.equal(qosClassOf({ spec: { containers, ...(resources ? { resources } : {}) } }), want);
  });
}

test('qos: an init container counts too', () => {
  const spec = { containers: [container(both('1', '1Gi'), both('1', '1Gi'))], initContainers: [container()] };
  assert.equal(qosClassOf({ spec }), 'Burstable');
});

test('qos: the class in the status stays', () => {
  assert.equal(qosOf({ spec: { containers: [container()] }, status: { qosClass: 'Burstable' } }), 'Burstable');
});

const gib = 2 ** 30;
const burstable = (memory: string): Given => container({ memory }, undefined);
const scores: readonly { readonly name: string; readonly spec: Spec; readonly want: number }[] = [
  { name: 'guaranteed', spec: { containers: [container(both('1', '1Gi'), both('1', '1Gi'))] }, want: -997 },
  { name: 'best effort', spec: { containers: [container()] }, want: 1000 },
  { name: 'half the memory', spec: { containers: [burstable('4Gi')] }, want: 500 },
  { name: 'next to nothing is still better than best effort', spec: { containers: [burstable('1Ki')] }, want: 999 },
  { name: 'all the memory is still worse than guaranteed', spec: { containers: [burstable('8Gi')] }, want: 3 },
  {
    name: 'critical for the node',
    spec: { containers: [container()], priorityClassName: 'system-node-critical' },
    want: -997,
  },
];
for (const { name, spec, want } of scores) {
  test(`oom score: ${name}`, () => {
    const [first] = spec.containers;
    assert.ok(first);
    assert.equal(oomScoreAdjOf({ spec }, first, 8 * gib), want);
  });
}

test('oom score: a sidecar never dies before what it serves', () => {
  const side = { ...burstable('1Mi'), name: 'side', restartPolicy: 'Always' };
  const spec = { containers: [burstable('4Gi')], initContainers: [side] };
  assert.equal(oomScoreAdjOf({ spec }, side, 8 * gib), 500);
});
