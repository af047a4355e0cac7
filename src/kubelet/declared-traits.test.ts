import assert from 'node:assert/strict';
import test from 'node:test';
import type { Node, Taint } from '#api/generated/core-v1.ts';
import { declaredAnnotations, renewalPatch, withdrawnResources } from '#kubelet/declared-traits.ts';
import { newNode, type NodeSelf } from '#kubelet/node-object.ts';

type Traits = Pick<NodeSelf, 'labels' | 'taints' | 'capacity'>;

const selfWith = (traits: Traits): NodeSelf => ({
  name: 'node1',
  machine: {
    cpus: 1,
    memoryBytes: 1,
    hostname: 'node1',
    machineId: '',
    systemUuid: '',
    bootId: '',
    kernelVersion: '',
    osImage: '',
    operatingSystem: 'linux',
    architecture: 'amd64',
  },
  addresses: [],
  podRanges: [],
  port: 0,
  kubeletVersion: '',
  maxPods: 110,
  ...traits,
});
const taint = (key: string, effect: Taint['effect'] = 'NoSchedule'): Taint => ({ key, effect });

/** As the API has it once it was registered so, and others have added a label and a taint. */
function registered(traits: Traits): Node {
  const self = selfWith(traits);
  const { metadata, spec } = newNode(self, {}, declaredAnnotations(self)) as unknown as Node;
  const labels = { ...metadata.labels, theirs: 'x' };
  const taints = [...(spec?.taints ?? []), taint('theirs', 'NoExecute')];
  return { apiVersion: 'v1', kind: 'Node', metadata: { ...metadata, labels }, spec: { taints } } as Node;
}

interface Patch {
  readonly metadata: { readonly labels: Record<string, string | null>; readonly annotations?: object };
  readonly spec?: { readonly taints: readonly Taint[] };
}

const patched = (before: Traits, now: Traits): Patch => renewalPatch(registered(before), selfWith(now)) as Patch;

test('declared traits: what did not change leaves taints and annotations alone', () => {
  const same = { labels: { a: '1' }, taints: [taint('t')] };
  const { metadata, spec } = patched(same, same);
  assert.equal(metadata.labels['a'], '1');
  assert.deepEqual([spec, metadata.annotations], [undefined, undefined]);
  assert.equal(patched({}, {}).spec, undefined);
});

test('declared traits: what is declared no more is taken back, and nothing else', () => {
  const { metadata, spec } = patched(
    { labels: { a: '1', b: '2' }, taints: [taint('t'), taint('u')] },
    { labels: { b: '3' }, taints: [taint('u'), taint('v')] },
  );
  const { a, b, theirs } = metadata.labels;
  assert.deepEqual([a, b, theirs], [null, '3', undefined]);
  assert.deepEqual(spec?.taints, [taint('theirs', 'NoExecute'), taint('u'), taint('v')]);
});

test('declared traits: nothing any more', () => {
  const { metadata, spec } = patched({ labels: { a: '1' }, taints: [taint('t')] }, {});
  assert.equal(metadata.labels['a'], null);
  assert.deepEqual(spec?.taints, [taint('theirs', 'NoExecute')]);
  assert.deepEqual(metadata.annotations, { 'peapod.dev/declared': null });
});

test("declared traits: a kubelet's own labels are not taken back though they were declared", () => {
  const { metadata } = patched({ labels: { 'kubernetes.io/hostname': 'x' } }, {});
  assert.equal(metadata.labels['kubernetes.io/hostname'], 'node1');
});

test('declared traits: resources that are declared no more', () => {
  const before = registered({ capacity: { cpu: '1', 'example.com/a': '1', 'example.com/b': '1' } });
  const now = selfWith({ capacity: { 'example.com/b': '2', 'example.com/c': '1' } });
  assert.deepEqual(withdrawnResources(before, now), ['cpu', 'example.com/a']);
  assert.deepEqual(withdrawnResources(registered({}), now), []);
});

for (const text of ['nonsense', 'null', '{"labels":3,"taints":[1]}', '[]']) {
  test(`declared traits: an annotation that is not ours, ${text}, declares nothing`, () => {
    const node = registered({});
    const strange = { ...node, metadata: { ...node.metadata, annotations: { 'peapod.dev/declared': text } } };
    const { spec } = renewalPatch(strange, selfWith({ taints: [taint('t')] })) as Patch;
    assert.deepEqual(spec?.taints, [taint('theirs', 'NoExecute'), taint('t')]);
  });
}
