import assert from 'node:assert/strict';
import test from 'node:test';
import type { Node, Pod, Taint, Toleration } from '#api/generated/core-v1.ts';
import { ClusterState } from '#scheduler/cluster-state.ts';
import { aNode, aPod } from '#scheduler/fixtures.ts';
import type { NodeView, SchedulerPlugin } from '#scheduler/plugin.ts';
import { balancedAllocation } from '#scheduler/plugins/balanced-allocation.ts';
import { imageLocality } from '#scheduler/plugins/image-locality.ts';
import { nodeAffinity } from '#scheduler/plugins/node-affinity.ts';
import { nodeName } from '#scheduler/plugins/node-name.ts';
import { nodePorts } from '#scheduler/plugins/node-ports.ts';
import { nodeUnschedulable } from '#scheduler/plugins/node-unschedulable.ts';
import { resourcesFit } from '#scheduler/plugins/resources-fit.ts';
import { taintToleration } from '#scheduler/plugins/taint-toleration.ts';

/** What a plugin says of one node: '' fits, otherwise the reasons, with `!` in front when eviction would not help. */
function says(plugin: SchedulerPlugin, pod: Pod, node: Node, others: readonly Pod[] = []): string {
  const cluster = new ClusterState();
  cluster.setNode(node);
  for (const other of others) cluster.setPod(other, node.metadata.name);
  const opinion = plugin.consider(pod, cluster);
  if (opinion.kind === 'skip') return '';
  const verdict = opinion.kind === 'rejected' ? opinion : opinion.filter?.(cluster.node(node.metadata.name)!);
  if (verdict === undefined || verdict.kind === 'fits') return '';
  return `${verdict.final ? '!' : ''}${verdict.reasons.join(', ')}`;
}

function scores(plugin: SchedulerPlugin, pod: Pod, nodes: readonly Node[], others: readonly [Pod, string][] = []) {
  const cluster = new ClusterState();
  for (const node of nodes) cluster.setNode(node);
  for (const [other, node] of others) cluster.setPod(other, node);
  const opinion = plugin.consider(pod, cluster);
  const views = nodes.map(({ metadata }): NodeView => cluster.node(metadata.name)!);
  const scorer = opinion.kind === 'opinion' ? opinion.scorer?.(views) : undefined;
  if (scorer === undefined) return undefined;
  const all = Float64Array.from(views, (view) => scorer.score(view));
  scorer.normalize?.(all);
  return [...all];
}

const fitCases: readonly { name: string; pod: Pod; others?: readonly Pod[]; node?: Node; want: string }[] = [
  { name: 'no requests on an empty node', pod: aPod('a'), want: '' },
  { name: 'exactly what is left', pod: aPod('a', { cpu: '500m' }), others: [aPod('b', { cpu: '1500m' })], want: '' },
  {
    name: 'a millicpu too many',
    pod: aPod('a', { cpu: '501m' }),
    others: [aPod('b', { cpu: '1500m' })],
    want: 'Insufficient cpu',
  },
  { name: 'more than the node has', pod: aPod('a', { cpu: '3' }), want: '!Insufficient cpu' },
  {
    name: 'cpu and memory are two reasons',
    pod: aPod('a', { cpu: '2', memory: '4Gi' }),
    others: [aPod('b', { cpu: '1', memory: '1Gi' })],
    want: 'Insufficient cpu, Insufficient memory',
  },
  {
    name: 'as many pods as the node takes',
    pod: aPod('a'),
    others: [aPod('b')],
    node: aNode('n', { allocatable: { pods: '1' } }),
    want: 'Too many pods',
  },
  {
    name: 'nothing asked of a node that has promised too much',
    pod: aPod('a'),
    others: [aPod('b', { cpu: '9' })],
    want: '',
  },
  {
    name: 'ephemeral storage',
    pod: aPod('a', { 'ephemeral-storage': '2Gi' }),
    node: aNode('n', { allocatable: { 'ephemeral-storage': '1Gi' } }),
    want: '!Insufficient ephemeral-storage',
  },
  {
    name: 'an extended resource that is taken',
    pod: aPod('a', { 'example.com/gpu': '1' }),
    others: [aPod('b', { 'example.com/gpu': '1' })],
    node: aNode('n', { allocatable: { 'example.com/gpu': '1' } }),
    want: 'Insufficient example.com/gpu',
  },
  {
    name: 'an extended resource that is not there',
    pod: aPod('a', { 'example.com/gpu': '1' }),
    want: '!Insufficient example.com/gpu',
  },
  {
    name: 'the hungriest init container counts',
    pod: aPod('a', { cpu: '1' }, { initContainers: [{ name: 'i', resources: { requests: { cpu: '3' } } }] }),
    want: '!Insufficient cpu',
  },
  {
    name: 'overhead counts',
    pod: aPod('a', { cpu: '2' }, { overhead: { cpu: '1m' } }),
    want: '!Insufficient cpu',
  },
  {
    name: 'a node that says nothing of itself',
    pod: aPod('a'),
    node: { ...aNode('n'), status: {} },
    want: 'Too many pods',
  },
];
for (const { name, pod, others, node = aNode('n'), want } of fitCases) {
  test(`NodeResourcesFit: ${name}`, () => assert.equal(says(resourcesFit, pod, node, others), want));
}

test('NodePorts: a port is given out once', () => {
  const on = (name: string, hostPort: number, hostIP?: string): Pod =>
    aPod(
      name,
      {},
      { containers: [{ name: 'c', ports: [{ containerPort: 80, hostPort, ...(hostIP ? { hostIP } : {}) }] }] },
    );
  const why = "node(s) didn't have free ports for the requested pod ports";
  assert.equal(says(nodePorts, on('a', 8080), aNode('n'), [on('b', 8080)]), why);
  assert.equal(says(nodePorts, on('a', 8080), aNode('n'), [on('b', 8081)]), '');
  assert.equal(says(nodePorts, on('a', 8080, '127.0.0.1'), aNode('n'), [on('b', 8080, '127.0.0.2')]), '');
  assert.equal(says(nodePorts, aPod('a'), aNode('n'), [on('b', 8080)]), '');
  const gone = (pod: Pod) => ({ kind: 'pod-removed', pod, node: undefined }) as const;
  assert.equal(nodePorts.mightHelp?.(on('a', 8080), gone(on('b', 8080))), true);
  assert.equal(nodePorts.mightHelp?.(on('a', 8080), gone(on('b', 8081))), false);
});

test('NodeResourcesFit: likes the node with the most left, containers without requests counted as 100m and 200 MB', () => {
  // (10 - 3) / 10 of cpu and (20 - 5) / 20 of memory: 70 and 75. Then (10 - 0.1) / 10 and (20480 - 200) / 20480.
  const big = { allocatable: { cpu: '10', memory: '20Gi' } };
  const asking = aPod('a', { cpu: '3', memory: '5Gi' });
  assert.deepEqual(scores(resourcesFit, asking, [aNode('n', big)]), [72]);
  assert.deepEqual(scores(resourcesFit, aPod('a'), [aNode('n', big)]), [99]);
  assert.deepEqual(
    scores(resourcesFit, asking, [aNode('n', big)], [[aPod('b', { cpu: '7', memory: '15Gi' }), 'n']]),
    [0],
  );
});

const taint = (effect: Taint['effect'], value = 'value1'): Node =>
  aNode('n', { spec: { taints: [{ key: 'key1', value, effect }] } });
const tolerating = (toleration: Toleration): Pod => aPod('a', {}, { tolerations: [toleration] });
const untolerated = '!node(s) had untolerated taint(s)';
/** The examples of upstream's page on taints and tolerations. */
const taintCases: readonly { name: string; pod: Pod; node: Node; want: string }[] = [
  { name: 'no toleration', pod: aPod('a'), node: taint('NoSchedule'), want: untolerated },
  { name: 'NoExecute keeps out too', pod: aPod('a'), node: taint('NoExecute'), want: untolerated },
  { name: 'PreferNoSchedule does not', pod: aPod('a'), node: taint('PreferNoSchedule'), want: '' },
  {
    name: 'Equal with the value',
    pod: tolerating({ key: 'key1', operator: 'Equal', value: 'value1', effect: 'NoSchedule' }),
    node: taint('NoSchedule'),
    want: '',
  },
  {
    name: 'Equal with another value',
    pod: tolerating({ key: 'key1', operator: 'Equal', value: 'other', effect: 'NoSchedule' }),
    node: taint('NoSchedule'),
    want: untolerated,
  },
  {
    name: 'Exists',
    pod: tolerating({ key: 'key1', operator: 'Exists', effect: 'NoSchedule' }),
    node: taint('NoSchedule'),
    want: '',
  },
  {
    name: 'another effect',
    pod: tolerating({ key: 'key1', operator: 'Exists', effect: 'NoSchedule' }),
    node: taint('NoExecute'),
    want: untolerated,
  },
  { name: 'everything', pod: tolerating({ operator: 'Exists' }), node: taint('NoExecute'), want: '' },
  {
    name: 'one of two taints is not enough',
    pod: tolerating({ key: 'key1', operator: 'Exists' }),
    node: aNode('n', {
      spec: {
        taints: [
          { key: 'key1', effect: 'NoSchedule' },
          { key: 'key2', effect: 'NoSchedule' },
        ],
      },
    }),
    want: untolerated,
  },
];
for (const { name, pod, node, want } of taintCases) {
  test(`TaintToleration: ${name}`, () => assert.equal(says(taintToleration, pod, node), want));
}

test('TaintToleration: nodes are less liked for every PreferNoSchedule taint that is not tolerated', () => {
  const disliked = (name: string, ...keys: string[]): Node =>
    aNode(name, { spec: { taints: keys.map((key) => ({ key, effect: 'PreferNoSchedule' })) } });
  const nodes = [disliked('none'), disliked('one', 'a'), disliked('two', 'a', 'b')];
  assert.deepEqual(scores(taintToleration, aPod('p'), nodes), [100, 50, 0]);
  assert.deepEqual(scores(taintToleration, tolerating({ key: 'b', operator: 'Exists' }), nodes), [100, 0, 0]);
  // A toleration of another effect does not help.
  const other = tolerating({ key: 'a', operator: 'Exists', effect: 'NoSchedule' });
  assert.deepEqual(scores(taintToleration, other, nodes), [100, 50, 0]);
});

const labelled = aNode('n', { labels: { disktype: 'ssd', zone: 'antarctica-east1', gpus: '3' } });
const noMatch = "!node(s) didn't match Pod's node affinity/selector";
const required = (...terms: readonly object[]): Pod =>
  aPod(
    'a',
    {},
    {
      affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms } } },
    },
  );
const expression = (key: string, operator: string, ...values: string[]) => ({ key, operator, values });
function both(nodeSelector: Readonly<Record<string, string>>, term: object): Pod {
  const pod = required(term);
  return { ...pod, spec: { ...pod.spec, nodeSelector } };
}
const affinityCases: readonly { name: string; pod: Pod; want: string }[] = [
  { name: 'nodeSelector', pod: aPod('a', {}, { nodeSelector: { disktype: 'ssd' } }), want: '' },
  {
    name: 'nodeSelector with two labels',
    pod: aPod('a', {}, { nodeSelector: { disktype: 'ssd', a: 'b' } }),
    want: noMatch,
  },
  { name: 'In', pod: required({ matchExpressions: [expression('zone', 'In', 'x', 'antarctica-east1')] }), want: '' },
  { name: 'NotIn', pod: required({ matchExpressions: [expression('disktype', 'NotIn', 'ssd')] }), want: noMatch },
  {
    name: 'NotIn of a label that is not there',
    pod: required({ matchExpressions: [expression('x', 'NotIn', 'y')] }),
    want: '',
  },
  { name: 'Exists', pod: required({ matchExpressions: [expression('disktype', 'Exists')] }), want: '' },
  {
    name: 'DoesNotExist',
    pod: required({ matchExpressions: [expression('disktype', 'DoesNotExist')] }),
    want: noMatch,
  },
  { name: 'Gt', pod: required({ matchExpressions: [expression('gpus', 'Gt', '2')] }), want: '' },
  { name: 'Lt', pod: required({ matchExpressions: [expression('gpus', 'Lt', '3')] }), want: noMatch },
  {
    name: 'terms are alternatives',
    pod: required(
      { matchExpressions: [expression('x', 'Exists')] },
      { matchExpressions: [expression('zone', 'Exists')] },
    ),
    want: '',
  },
  {
    name: 'expressions of a term must all match',
    pod: required({ matchExpressions: [expression('x', 'Exists'), expression('zone', 'Exists')] }),
    want: noMatch,
  },
  {
    name: 'nodeSelector and affinity must both match',
    pod: both({ disktype: 'hdd' }, { matchExpressions: [expression('zone', 'Exists')] }),
    want: noMatch,
  },
  { name: 'an empty term matches nothing', pod: required({}), want: noMatch },
  { name: 'matchFields', pod: required({ matchFields: [expression('metadata.name', 'In', 'n')] }), want: '' },
  {
    name: 'names that exclude each other',
    pod: required({
      matchFields: [expression('metadata.name', 'In', 'n'), expression('metadata.name', 'In', 'm')],
    }),
    want: '!pod affinity terms conflict',
  },
];
for (const { name, pod, want } of affinityCases) {
  test(`NodeAffinity: ${name}`, () => assert.equal(says(nodeAffinity, pod, labelled), want));
}

test('NodeAffinity: preferences are weighed and brought to 100', () => {
  const prefer = (weight: number, key: string) => ({
    weight,
    preference: { matchExpressions: [expression(key, 'Exists')] },
  });
  const preferred = [prefer(1, 'label-1'), prefer(50, 'label-2')] as never;
  const pod = aPod(
    'a',
    {},
    {
      affinity: { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: preferred } },
    },
  );
  const nodes = [
    aNode('both', { labels: { 'label-1': '', 'label-2': '' } }),
    aNode('first', { labels: { 'label-1': '' } }),
    aNode('second', { labels: { 'label-2': '' } }),
    aNode('none'),
  ];
  assert.deepEqual(scores(nodeAffinity, pod, nodes), [100, 1, 98, 0]);
  assert.equal(scores(nodeAffinity, aPod('a'), nodes), undefined);
});

test('NodeUnschedulable: a cordoned node takes who tolerates the taint of that name', () => {
  const cordoned = aNode('n', { spec: { unschedulable: true } });
  assert.equal(says(nodeUnschedulable, aPod('a'), cordoned), '!node(s) were unschedulable');
  assert.equal(says(nodeUnschedulable, aPod('a'), aNode('n')), '');
  const key = 'node.kubernetes.io/unschedulable';
  assert.equal(says(nodeUnschedulable, tolerating({ key, operator: 'Exists', effect: 'NoSchedule' }), cordoned), '');
  assert.notEqual(says(nodeUnschedulable, tolerating({ key, operator: 'Exists', effect: 'NoExecute' }), cordoned), '');
});

test('NodeName: a pod that names a node fits no other', () => {
  const asked = aPod('a', {}, { nodeName: 'n' });
  assert.equal(says(nodeName, asked, aNode('n')), '');
  assert.equal(says(nodeName, asked, aNode('m')), "!node(s) didn't match the requested node name");
});

test('NodeResourcesBalancedAllocation: likes cpu and memory taken up alike', () => {
  const nodes = [
    aNode('even', { allocatable: { cpu: '4', memory: '4Gi' } }),
    aNode('odd', { allocatable: { cpu: '2', memory: '8Gi' } }),
  ];
  // even: 1/4 and 1/4. odd: 1/2 and 1/8, which differ by 3/8.
  assert.deepEqual(scores(balancedAllocation, aPod('a', { cpu: '1', memory: '1Gi' }), nodes), [100, 81]);
  // What is there already counts as it was asked for.
  const there: readonly [Pod, string][] = [[aPod('b', { cpu: '2' }), 'even']];
  assert.deepEqual(scores(balancedAllocation, aPod('a', { cpu: '1', memory: '1Gi' }), nodes, there), [75, 81]);
  assert.equal(scores(balancedAllocation, aPod('a'), nodes), undefined);
});

test('ImageLocality: likes nodes that have the image, by its size and by how many have it', () => {
  const MB = 1024 * 1024;
  const having = (name: string, image: string, sizeBytes: number): Node =>
    aNode(name, { images: [{ names: [image, `${image}@sha256:0`], sizeBytes }] });
  const pod = (image: string): Pod => aPod('p', {}, { containers: [{ name: 'c', image }] });
  const nodes = [
    having('a', 'docker.io/library/big:latest', 800 * MB),
    having('b', 'docker.io/library/small:1', 30 * MB),
  ];
  // Half of the nodes have it: (400 - 23) / (1000 - 23).
  assert.deepEqual(scores(imageLocality, pod('docker.io/library/big'), nodes), [38, 0]);
  // Less than the least that counts.
  assert.deepEqual(scores(imageLocality, pod('docker.io/library/small:1'), nodes), [0, 0]);
  assert.equal(scores(imageLocality, pod('docker.io/library/other'), nodes), undefined);
  const everywhere = [having('a', 'x:1', 2000 * MB), having('b', 'x:1', 2000 * MB)];
  assert.deepEqual(scores(imageLocality, pod('x:1'), everywhere), [100, 100]);
});

const withPort = (
  name: string,
  hostPort: number,
  more: { readonly hostIP?: string; readonly protocol?: 'UDP' } = {},
): Pod => aPod(name, {}, { containers: [{ name: 'c', ports: [{ containerPort: 80, hostPort, ...more }] }] });
const portCases: readonly { name: string; there: Pod; wanted: Pod; isFree: boolean }[] = [
  { name: 'the same port', there: withPort('a', 80), wanted: withPort('b', 80), isFree: false },
  { name: 'another port', there: withPort('a', 80), wanted: withPort('b', 81), isFree: true },
  { name: 'another protocol', there: withPort('a', 80), wanted: withPort('b', 80, { protocol: 'UDP' }), isFree: true },
  {
    name: 'of two addresses of the node each has its own',
    there: withPort('a', 80, { hostIP: '10.0.0.1' }),
    wanted: withPort('b', 80, { hostIP: '10.0.0.2' }),
    isFree: true,
  },
  {
    name: 'all addresses, where one is taken',
    there: withPort('a', 80, { hostIP: '10.0.0.1' }),
    wanted: withPort('b', 80, { hostIP: '0.0.0.0' }),
    isFree: false,
  },
  { name: 'no port of the host', there: withPort('a', 80), wanted: aPod('b'), isFree: true },
];
for (const { name, there, wanted, isFree } of portCases) {
  test(`ports: ${name}`, () => {
    const cluster = new ClusterState();
    cluster.setNode(aNode('n'));
    cluster.setPod(there, 'n');
    const opinion = nodePorts.consider(wanted, cluster);
    const verdict = opinion.kind === 'opinion' ? opinion.filter?.(cluster.node('n')!) : undefined;
    assert.equal(verdict === undefined || verdict.kind === 'fits', isFree);
    if (!isFree) assert.ok(nodePorts.mightHelp?.(wanted, { kind: 'pod-removed', pod: there, node: cluster.node('n') }));
  });
}
