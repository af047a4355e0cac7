import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Affinity, Node, Pod, PodSpec, Taint, TopologySpreadConstraint } from '#api/generated/core-v1.ts';
import type { Obstacle } from '#api/peapod/obstacle.ts';
import { Hearing } from '#scheduler/explain/verdict.ts';
import { aNode, aPod } from '#scheduler/fixtures.ts';
import { indexedCluster } from '#scheduler/indexed-cluster.ts';
import { isNamed, isOpinions, opinionsOf, refusalOf } from '#scheduler/opinions.ts';
import type { NodeView, Opinion } from '#scheduler/plugin.ts';
import { nodeAffinityWith } from '#scheduler/plugins/node-affinity.ts';
import { defaultProfile, type WeightedPlugin } from '#scheduler/profile.ts';

type Placed = readonly [Pod, string];

function clusterOf(nodes: readonly Node[], placed: readonly Placed[], plugins: readonly WeightedPlugin[]) {
  const cluster = indexedCluster(plugins);
  for (const node of nodes) cluster.setNode(node);
  for (const [pod, node] of placed) cluster.setPod(pod, node);
  return cluster;
}

const labelled = (pod: Pod, labels: Readonly<Record<string, string>>): Pod => ({
  ...pod,
  metadata: { ...pod.metadata, labels },
});
const web = (name: string, spec: Partial<PodSpec> = {}): Pod => labelled(aPod(name, {}, spec), { app: 'web' });
const apart = (app: string): Affinity => ({
  podAntiAffinity: {
    requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'zone', labelSelector: { matchLabels: { app } } }],
  },
});
const near = (app: string): Affinity => ({
  podAffinity: {
    requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'zone', labelSelector: { matchLabels: { app } } }],
  },
});
const required = (...nodeSelectorTerms: readonly object[]): Affinity => ({
  nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } },
});
const spread: TopologySpreadConstraint = {
  maxSkew: 1,
  topologyKey: 'zone',
  whenUnsatisfiable: 'DoNotSchedule',
  labelSelector: { matchLabels: { app: 'web' } },
};
const port = { containers: [{ name: 'c', ports: [{ containerPort: 80, hostPort: 80 }] }] };
const zoned = aNode('n', { labels: { zone: 'a', cores: '4' } });
const elsewhere = aNode('other', { labels: { zone: 'b' } });
const label = { kind: 'label', asker: 'nodeAffinity' } as const;

const cases: readonly {
  name: string;
  pod: Pod;
  node?: Node;
  placed?: readonly Placed[];
  want: readonly Obstacle[];
}[] = [
  { name: 'nothing', pod: aPod('p', { cpu: '1' }), want: [] },
  {
    name: 'resources, each by how much',
    pod: aPod('p', { cpu: '1500m', memory: '5Gi', 'example.com/gpu': '1' }),
    placed: [[aPod('q', { cpu: '1' }), 'n']],
    want: [
      { kind: 'short', resource: 'cpu', asked: '1500m', free: '1', by: '500m', allocatable: '2' },
      { kind: 'short', resource: 'memory', asked: '5Gi', free: '4Gi', by: '1Gi', allocatable: '4Gi' },
      { kind: 'short', resource: 'example.com/gpu', asked: '1', free: '0', by: '1', allocatable: '0' },
    ],
  },
  {
    name: 'a node that has promised more than it has',
    pod: aPod('p', { cpu: '1' }),
    placed: [[aPod('q', { cpu: '3' }), 'n']],
    want: [{ kind: 'short', resource: 'cpu', asked: '1', free: '0', by: '2', allocatable: '2' }],
  },
  {
    name: 'as many pods as it takes',
    pod: aPod('p'),
    node: aNode('n', { allocatable: { pods: '1' } }),
    placed: [[aPod('q'), 'n']],
    want: [{ kind: 'full', pods: 1 }],
  },
  {
    name: 'every taint that keeps it out, and no other; a cordon',
    pod: aPod('p', {}, { tolerations: [{ key: 'b', operator: 'Exists' }] }),
    node: aNode('n', {
      spec: {
        unschedulable: true,
        taints: [
          { key: 'a', value: '1', effect: 'NoExecute' },
          { key: 'b', effect: 'NoSchedule' },
          { key: 'c', effect: 'PreferNoSchedule' },
          { key: 'd', effect: 'NoSchedule' },
        ],
      },
    }),
    want: [
      { kind: 'cordoned' },
      { kind: 'taint', key: 'a', value: '1', effect: 'NoExecute' },
      { kind: 'taint', key: 'd', effect: 'NoSchedule' },
    ],
  },
  { name: 'another node by name', pod: aPod('p', {}, { nodeName: 'x' }), want: [{ kind: 'name', wanted: 'x' }] },
  {
    name: 'labels of a selector',
    pod: aPod('p', {}, { nodeSelector: { zone: 'b', disk: 'ssd', cores: '4' } }),
    want: [
      { kind: 'label', asker: 'nodeSelector', key: 'zone', operator: 'In', values: ['b'], actual: 'a' },
      { kind: 'label', asker: 'nodeSelector', key: 'disk', operator: 'In', values: ['ssd'] },
    ],
  },
  {
    name: 'of several terms the one that misses least',
    pod: aPod(
      'p',
      {},
      {
        affinity: required(
          {
            matchExpressions: [
              { key: 'zone', operator: 'In', values: ['b'] },
              { key: 'disk', operator: 'Exists' },
            ],
          },
          {
            matchExpressions: [
              { key: 'zone', operator: 'In', values: ['a', 'c'] },
              { key: 'cores', operator: 'Gt', values: ['4'] },
            ],
          },
        ),
      },
    ),
    want: [{ ...label, key: 'cores', operator: 'Gt', values: ['4'], actual: '4' }],
  },
  {
    name: 'a field',
    pod: aPod(
      'p',
      {},
      { affinity: required({ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['x'] }] }) },
    ),
    want: [{ ...label, field: true, key: 'metadata.name', operator: 'In', values: ['x'], actual: 'n' }],
  },
  {
    name: 'a term that no node can match',
    pod: aPod('p', {}, { affinity: required({}) }),
    want: [{ kind: 'other', reasons: ['its node affinity has no term that a node could match'] }],
  },
  {
    name: 'names that exclude each other: refused whatever the nodes are like',
    pod: aPod(
      'p',
      {},
      {
        affinity: required({
          matchFields: [
            { key: 'metadata.name', operator: 'In', values: ['n'] },
            { key: 'metadata.name', operator: 'In', values: ['m'] },
          ],
        }),
      },
    ),
    want: [{ kind: 'other', reasons: ['pod affinity terms conflict'] }],
  },
  {
    name: 'a host port, and who has it',
    pod: aPod('p', {}, port),
    placed: [[aPod('q', {}, port), 'n']],
    want: [
      { kind: 'port', protocol: 'TCP', port: 80, address: '0.0.0.0', pods: [{ namespace: 'default', name: 'q' }] },
    ],
  },
  {
    name: 'a pod it must not be near, on the node or on another of the domain',
    pod: aPod('p', {}, { affinity: apart('web') }),
    placed: [
      [web('q'), 'n'],
      [web('far'), 'other'],
      [web('r'), 'n2'],
    ],
    want: [
      {
        kind: 'pod',
        rule: 'its own',
        topologyKey: 'zone',
        domain: 'a',
        pods: [
          { namespace: 'default', name: 'q' },
          { namespace: 'default', name: 'r' },
        ],
      },
    ],
  },
  {
    name: 'a pod that wants no such pod near it',
    pod: web('p'),
    placed: [[aPod('q', {}, { affinity: apart('web') }), 'n2']],
    want: [
      { kind: 'pod', rule: 'theirs', topologyKey: 'zone', domain: 'a', pods: [{ namespace: 'default', name: 'q' }] },
    ],
  },
  {
    name: 'pods that are missed',
    pod: aPod('p', {}, { affinity: near('web') }),
    placed: [[web('q'), 'other']],
    want: [{ kind: 'no-pod', topologyKey: 'zone', domain: 'a', wanted: 'app=web' }],
  },
  {
    name: 'the first of its kind may go anywhere that has the label',
    pod: web('p', { affinity: near('web') }),
    want: [],
  },
  {
    name: 'a node that is in no domain',
    pod: web('p', { affinity: near('web'), topologySpreadConstraints: [spread] }),
    node: aNode('n'),
    want: [
      { kind: 'no-domain', rule: 'topology spread', topologyKey: 'zone' },
      { kind: 'no-domain', rule: 'pod affinity', topologyKey: 'zone' },
    ],
  },
  {
    name: 'a domain that has too many',
    pod: web('p', { topologySpreadConstraints: [spread] }),
    placed: [
      [web('q'), 'n'],
      [web('r'), 'n2'],
      [web('s'), 'other'],
    ],
    want: [{ kind: 'spread', topologyKey: 'zone', domain: 'a', pods: 2, least: 1, maxSkew: 1 }],
  },
];

for (const { name, pod, node = zoned, placed = [], want } of cases) {
  test(`obstacles: ${name}`, () => {
    const { plugins } = defaultProfile();
    const cluster = clusterOf([node, aNode('n2', { labels: { zone: 'a' } }), elsewhere], placed, plugins);
    assert.deepEqual(new Hearing({ pod, cluster, plugins }).obstaclesOn(cluster.node('n')!), want);
  });
}

test('obstacles: what the configuration of the scheduler asks for', () => {
  const plugin = nodeAffinityWith(required({ matchExpressions: [{ key: 'disk', operator: 'Exists' }] }).nodeAffinity);
  const plugins = [{ plugin, weight: 1 }];
  const cluster = clusterOf([zoned], [], plugins);
  assert.deepEqual(new Hearing({ pod: aPod('p'), cluster, plugins }).obstaclesOn(cluster.node('n')!), [
    { kind: 'label', asker: 'scheduler', key: 'disk', operator: 'Exists', values: [] },
  ]);
});

test('obstacles: of a plugin that does not explain itself, its reasons', () => {
  const verdict = { kind: 'rejected', reasons: ['node(s) had no claim'], final: true } as const;
  const plugin = { name: 'Some', consider: (): Opinion => ({ kind: 'opinion', filter: () => verdict }) };
  const plugins = [{ plugin, weight: 1 }];
  const cluster = clusterOf([zoned], [], plugins);
  assert.deepEqual(new Hearing({ pod: aPod('p'), cluster, plugins }).obstaclesOn(cluster.node('n')!), [
    { kind: 'other', reasons: ['node(s) had no claim'] },
  ]);
});

test('obstacles: with the pods for which room is being made', () => {
  const { plugins } = defaultProfile();
  const cluster = clusterOf([zoned], [], plugins);
  cluster.nominations.set(aPod('vip', { cpu: '1500m' }, { priority: 9 }), 'n');
  const verdict = new Hearing({ pod: aPod('p', { cpu: '1' }), cluster, plugins }).on(cluster.node('n')!);
  assert.deepEqual(
    [verdict.fits, verdict.feasible, verdict.reservedFor],
    [false, 0, [{ namespace: 'default', name: 'vip' }]],
  );
  const { obstacles } = verdict.plugins.find(({ plugin }) => plugin === 'NodeResourcesFit')!;
  assert.deepEqual(obstacles, [
    { kind: 'short', resource: 'cpu', asked: '1', free: '500m', by: '500m', allocatable: '2' },
  ]);
});

test('verdict: rank, total and scores are those of the choice', () => {
  const { plugins } = defaultProfile();
  const cluster = clusterOf(
    [aNode('a', { allocatable: { cpu: '8' } }), aNode('b'), aNode('c', { spec: { unschedulable: true } })],
    [],
    plugins,
  );
  const hearing = new Hearing({ pod: aPod('p', { cpu: '1' }), cluster, plugins });
  const [a, b, c] = ['a', 'b', 'c'].map((name) => hearing.on(cluster.node(name)!));
  assert.deepEqual([a!.rank, b!.rank, c!.rank], [1, 2, undefined]);
  assert.deepEqual([a!.feasible, a!.nodes, c!.total], [2, 3, undefined]);
  const sum = b!.plugins.reduce((total, { score = 0, weight = 0 }) => total + score * weight, 0);
  assert.equal(sum, b!.total);
  assert.ok(a!.total! > b!.total!);
});

const taints: readonly Taint[] = [
  { key: 'a', effect: 'NoSchedule' },
  { key: 'b', effect: 'PreferNoSchedule' },
];
const someNode = fc.record({
  cpu: fc.constantFrom('1', '2'),
  pods: fc.constantFrom('1', '9'),
  taints: fc.subarray([...taints]),
  unschedulable: fc.boolean(),
  zone: fc.option(fc.constantFrom('x', 'y'), { nil: undefined }),
});
const somePod = fc.record({
  cpu: fc.constantFrom('500m', '1', '3'),
  app: fc.constantFrom('web', 'db'),
  on: fc.nat(3),
  port: fc.boolean(),
  spread: fc.boolean(),
  affinity: fc.constantFrom<Affinity>(
    {},
    apart('web'),
    apart('db'),
    near('web'),
    near('db'),
    required({ matchExpressions: [{ key: 'zone', operator: 'In', values: ['x'] }] }),
    required({ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n1'] }] }),
    required({}, { matchExpressions: [{ key: 'zone', operator: 'DoesNotExist' }] }),
  ),
  selector: fc.constantFrom<Readonly<Record<string, string>>>({}, {}, { zone: 'y' }),
  tolerates: fc.boolean(),
  nodeName: fc.constantFrom(undefined, undefined, undefined, 'n0'),
});
type SomePod = typeof somePod extends fc.Arbitrary<infer T> ? T : never;

function podOf(name: string, { cpu, app, affinity, selector, tolerates, ...more }: SomePod): Pod {
  const own = more.port ? port.containers[0]!.ports : [];
  return labelled(
    aPod(
      name,
      {},
      {
        containers: [{ name: 'c', resources: { requests: { cpu } }, ports: own }],
        affinity,
        nodeSelector: selector,
        ...(tolerates ? { tolerations: [{ operator: 'Exists' }] } : {}),
        ...(more.spread ? { topologySpreadConstraints: [spread] } : {}),
        ...(more.nodeName === undefined ? {} : { nodeName: more.nodeName }),
      },
    ),
    { app },
  );
}

const isRefused = (opinion: Opinion, node: NodeView): boolean => opinion.filter?.(node).kind === 'rejected';
const isExplained = (opinion: Opinion, node: NodeView): boolean => (opinion.explain?.(node) ?? []).length > 0;

test('obstacles: every plugin names some where it refuses a node, and none where it does not', () => {
  fc.assert(
    fc.property(
      fc.array(someNode, { minLength: 1, maxLength: 4 }),
      fc.array(somePod, { maxLength: 6 }),
      somePod,
      (some, others, asked) => {
        const { plugins } = defaultProfile();
        const nodes = some.map(({ cpu, pods, zone, ...spec }, at) =>
          aNode(`n${at}`, { allocatable: { cpu, pods }, labels: zone === undefined ? {} : { zone }, spec }),
        );
        const placed = others.map((one, at): Placed => [podOf(`q${at}`, one), `n${one.on}`]);
        const cluster = clusterOf(nodes, placed, plugins);
        const pod = podOf('p', asked);
        const hearing = new Hearing({ pod, cluster, plugins });
        for (const { plugin } of plugins) {
          const opinion = plugin.consider(pod, cluster);
          if (opinion.kind !== 'opinion') continue;
          for (const node of cluster.nodes) {
            assert.equal(isExplained(opinion, node), isRefused(opinion, node), `${plugin.name} of ${node.name}`);
            for (const [other, name] of placed) {
              const where = cluster.node(name);
              const less: Opinion | undefined = where && opinion.adjusted?.('removed', other, where);
              if (less) assert.equal(isExplained(less, node), isRefused(less, node), `${plugin.name}, one less`);
            }
          }
        }
        const held = opinionsOf(plugins, (plugin) => plugin.consider(pod, cluster));
        for (const node of cluster.nodes) {
          const fits =
            isOpinions(held) && isNamed(node.name, held) && refusalOf(node, { pod, cluster, held }) === undefined;
          assert.equal(hearing.obstaclesOn(node).length === 0, fits);
          assert.equal(hearing.on(node).fits, fits);
        }
      },
    ),
    { numRuns: 300 },
  );
});

test('obstacles: what several plugins say alike is said once', () => {
  const pod = aPod('p', {}, { volumes: [{ name: 'd', persistentVolumeClaim: { claimName: 'c' } }] });
  const { plugins } = defaultProfile();
  const cluster = indexedCluster(plugins);
  cluster.setNode(aNode('n'));
  assert.deepEqual(new Hearing({ pod, cluster, plugins }).obstaclesOn(cluster.node('n')!), [
    { kind: 'other', reasons: ['persistentvolumeclaim "c" not found'] },
    { kind: 'other', reasons: ['looking up PVC default/c: persistentvolumeclaim "c" not found'] },
  ]);
});
