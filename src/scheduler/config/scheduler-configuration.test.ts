import assert from 'node:assert/strict';
import test from 'node:test';
import { parse } from 'yaml';
import type { Node, Pod } from '#api/generated/core-v1.ts';
import { manifestYaml } from '#api/yaml-dialect.ts';
import { readSchedulerConfiguration, SchedulerConfigurationError } from '#scheduler/config/scheduler-configuration.ts';
import { aNode, aPod } from '#scheduler/fixtures.ts';
import { indexedCluster } from '#scheduler/indexed-cluster.ts';
import { place, seededTieBreak } from '#scheduler/place.ts';
import { defaultProfile, type Profile } from '#scheduler/profile.ts';

const head = 'apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n';
const read = (yaml: string) => readSchedulerConfiguration(parse(head + yaml, manifestYaml));

function only(yaml: string): Profile {
  const [profile] = read(yaml).profiles;
  assert.ok(profile);
  return profile;
}

const ofPlugins = (yaml: string): Profile => only(`profiles: [{ plugins: ${yaml} }]`);
const ofArgs = (name: string, args: string): Profile =>
  only(`profiles: [{ pluginConfig: [{ name: ${name}, args: ${args} }] }]`);

/** Where a pod goes, by name, with `score` of each node when there are several. */
function placed(profile: Profile, pod: Pod, nodes: readonly Node[], others: readonly (readonly [Pod, string])[] = []) {
  const cluster = indexedCluster(profile.plugins);
  for (const node of nodes) cluster.setNode(node);
  for (const [other, node] of others) cluster.setPod(other, node);
  return place(pod, cluster, profile, seededTieBreak(1));
}

const where = (...args: Parameters<typeof placed>): string => {
  const placement = placed(...args);
  return placement.kind === 'chosen' ? placement.node : [...placement.refusals.reasons.keys()].join();
};

const scoresOf = (plugin: string, ...args: Parameters<typeof placed>): readonly string[] => {
  const placement = placed(...args);
  if (placement.kind !== 'chosen') return [];
  return placement.best.map(({ node, byPlugin }) => `${node} ${byPlugin[plugin]}`).sort();
};

const told = ({ plugins }: Profile): readonly string[] =>
  plugins.map(({ plugin, weight }) => `${plugin.name} ${weight}`);

test('configuration: one that says nothing is the default', () => {
  const { profiles, backoff } = read('');
  assert.deepEqual(backoff, { baseMs: 1_000, factor: 2, maxMs: 10_000 });
  assert.equal(profiles.length, 1);
  const [profile] = profiles;
  assert.equal(profile?.schedulerName, 'default-scheduler');
  assert.deepEqual(profile.preemption, defaultProfile().preemption);
  const scoring = ['TaintToleration', 'NodeAffinity', 'NodeResourcesFit', 'PodTopologySpread', 'InterPodAffinity'];
  const weights = (profile: Profile) => told(profile).filter((text) => scoring.includes(text.split(' ')[0]!));
  assert.deepEqual(weights(profile), weights(defaultProfile()));
  assert.deepEqual(
    profile.plugins.map(({ plugin }) => plugin.name),
    defaultProfile().plugins.map(({ plugin }) => plugin.name),
  );
});

test('configuration: what upstream has and what follows from it', () => {
  const { profiles, backoff } = read(`
parallelism: 16
percentageOfNodesToScore: 40
podInitialBackoffSeconds: 2
podMaxBackoffSeconds: 4
leaderElection: { leaderElect: false }
profiles:
  - schedulerName: default-scheduler
  - schedulerName: packed
    percentageOfNodesToScore: 70
`);
  assert.deepEqual(backoff, { baseMs: 2_000, factor: 2, maxMs: 4_000 });
  assert.deepEqual(
    profiles.map(({ schedulerName, percentageOfNodesToScore }) => [schedulerName, percentageOfNodesToScore]),
    [
      ['default-scheduler', 40],
      ['packed', 70],
    ],
  );
  assert.notEqual(profiles[0]?.plugins[6]?.plugin, profiles[1]?.plugins[6]?.plugin, 'each has plugins of its own');
});

test('configuration: plugins are turned off and weighed', () => {
  assert.ok(!told(ofPlugins('{ multiPoint: { disabled: [{ name: NodePorts }] } }')).join().includes('NodePorts'));
  assert.equal(ofPlugins('{ postFilter: { disabled: [{ name: DefaultPreemption }] } }').preemption, undefined);
  assert.equal(ofPlugins("{ postFilter: { disabled: [{ name: '*' }] } }").preemption, undefined);
  const heavy = ofPlugins(
    '{ score: { disabled: [{ name: NodeResourcesFit }], enabled: [{ name: NodeResourcesFit, weight: 5 }] } }',
  );
  assert.ok(told(heavy).includes('NodeResourcesFit 5'));
  assert.ok(
    told(ofPlugins('{ multiPoint: { enabled: [{ name: TaintToleration, weight: 7 }] } }')).includes(
      'TaintToleration 7',
    ),
  );
  assert.ok(told(ofPlugins('{ score: { enabled: [{ name: TaintToleration }] } }')).includes('TaintToleration 1'));
  const few = ofPlugins(`{ multiPoint: { disabled: [{ name: '*' }], enabled: [
    { name: SchedulingGates }, { name: PrioritySort }, { name: DefaultBinder }, { name: NodeResourcesFit }] } }`);
  assert.deepEqual(told(few), ['NodeResourcesFit 1']);
  const volumes = ofPlugins('{ multiPoint: { disabled: [{ name: VolumeBinding }] } }');
  assert.deepEqual([told(volumes).includes('VolumeBinding 1'), volumes.volumeBinding], [false, undefined]);
});

test('configuration: how long claims may take to be bound', () => {
  assert.deepEqual(ofPlugins('{}').volumeBinding, { timeoutMs: 600_000 });
  const args = '{ apiVersion: kubescheduler.config.k8s.io/v1, kind: VolumeBindingArgs, bindTimeoutSeconds: 5 }';
  const [profile] = read(`profiles: [{ pluginConfig: [{ name: VolumeBinding, args: ${args} }] }]`).profiles;
  assert.deepEqual(profile?.volumeBinding, { timeoutMs: 5_000 });
});

test('configuration: without its filter a plugin keeps nobody out, without its score it has no say', () => {
  const nodes = [aNode('n', { spec: { taints: [{ key: 'k', effect: 'NoSchedule' }] } })];
  assert.equal(where(ofPlugins('{}'), aPod('p'), nodes), 'node(s) had untolerated taint(s)');
  assert.equal(where(ofPlugins('{ filter: { disabled: [{ name: TaintToleration }] } }'), aPod('p'), nodes), 'n');
  const two = [aNode('small', { allocatable: { cpu: '1' } }), aNode('large', { allocatable: { cpu: '8' } })];
  const scoreless = ofPlugins("{ score: { disabled: [{ name: '*' }], enabled: [{ name: ImageLocality }] } }");
  assert.deepEqual(scoresOf('NodeResourcesFit', scoreless, aPod('p', { cpu: '1' }), two), [
    'large undefined',
    'small undefined',
  ]);
  const pinned = aPod('p', {}, { nodeSelector: { a: 'b' } });
  assert.equal(where(ofPlugins('{ filter: { disabled: [{ name: NodeAffinity }] } }'), pinned, [aNode('n')]), 'n');
});

test('configuration: NodeResourcesFit prefers full nodes when told to, and other resources', () => {
  const nodes = [aNode('empty'), aNode('full')];
  const others = [[aPod('q', { cpu: '1', memory: '2Gi' }), 'full']] as const;
  const pod = aPod('p', { cpu: '500m', memory: '1Gi' });
  const fit = (args: string) => scoresOf('NodeResourcesFit', ofArgs('NodeResourcesFit', args), pod, nodes, others);
  assert.deepEqual(fit('{}'), ['empty 75', 'full 25']);
  assert.deepEqual(fit('{ scoringStrategy: { type: MostAllocated } }'), ['empty 25', 'full 75']);
  assert.deepEqual(
    fit(
      '{ scoringStrategy: { type: MostAllocated, resources: [{ name: cpu, weight: 3 }, { name: ephemeral-storage }] } }',
    ),
    ['empty 25', 'full 75'],
  );
  const shape = '[{ utilization: 0, score: 0 }, { utilization: 50, score: 10 }, { utilization: 100, score: 0 }]';
  assert.deepEqual(
    fit(`{ scoringStrategy: { type: RequestedToCapacityRatio, requestedToCapacityRatio: { shape: ${shape} } } }`),
    ['empty 50', 'full 50'],
  );
});

test('configuration: resources that others see to are not looked at', () => {
  const pod = aPod('p', { 'example.com/gpu': '1' });
  assert.equal(where(ofPlugins('{}'), pod, [aNode('n')]), 'Insufficient example.com/gpu');
  for (const args of ['{ ignoredResources: [example.com/gpu] }', '{ ignoredResourceGroups: [example.com] }'])
    assert.equal(where(ofArgs('NodeResourcesFit', args), pod, [aNode('n')]), 'n');
});

test('configuration: nodes that every pod of a profile must, or should, go to', () => {
  const nodes = [aNode('a', { labels: { pool: 'red' } }), aNode('b', { labels: { pool: 'blue' } })];
  const terms = (pool: string) => `[{ matchExpressions: [{ key: pool, operator: In, values: [${pool}] }] }]`;
  const required = (pool: string) =>
    ofArgs(
      'NodeAffinity',
      `{ addedAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: ${terms(pool)} } } }`,
    );
  assert.equal(where(required('blue'), aPod('p'), nodes), 'b');
  assert.equal(where(required('green'), aPod('p'), nodes), "node(s) didn't match scheduler-enforced node affinity");
});

test('configuration: an even spread that pods of a Service get without asking', () => {
  const profile = ofArgs(
    'PodTopologySpread',
    '{ defaultingType: List, defaultConstraints: [{ maxSkew: 1, topologyKey: zone, whenUnsatisfiable: DoNotSchedule }] }',
  );
  const cluster = indexedCluster(profile.plugins);
  for (const zone of ['a', 'b']) cluster.setNode(aNode(zone, { labels: { zone } }));
  cluster.setService({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { ...aPod('web').metadata },
    spec: { selector: { app: 'web' } },
  });
  const web = (name: string): Pod => ({ ...aPod(name), metadata: { ...aPod(name).metadata, labels: { app: 'web' } } });
  cluster.setPod(web('q'), 'a');
  const placement = place(web('p'), cluster, profile, seededTieBreak(1));
  assert.equal(placement.kind === 'chosen' && `${placement.node} of ${placement.feasible}`, 'b of 1');
});

test('configuration: preemption and affinity have their arguments', () => {
  assert.deepEqual(ofArgs('DefaultPreemption', '{ minCandidateNodesPercentage: 50 }').preemption, {
    minCandidateNodesPercentage: 50,
    minCandidateNodesAbsolute: 100,
  });
  assert.ok(
    ofArgs(
      'InterPodAffinity',
      '{ apiVersion: kubescheduler.config.k8s.io/v1, kind: InterPodAffinityArgs, hardPodAffinityWeight: 0 }',
    ),
  );
  assert.ok(
    ofArgs(
      'NodeResourcesBalancedAllocation',
      '{ resources: [{ name: cpu, weight: 1 }, { name: ephemeral-storage, weight: 1 }] }',
    ),
  );
});

const plugins = (yaml: string): string => `profiles: [{ plugins: ${yaml} }]`;
const args = (name: string, yaml: string): string => `profiles: [{ pluginConfig: [{ name: ${name}, args: ${yaml} }] }]`;

const refused: readonly { readonly name: string; readonly yaml: string; readonly want: RegExp }[] = [
  {
    name: 'a field that there is not',
    yaml: 'percentOfNodes: 1',
    want: /^percentOfNodes: Forbidden: there is no such field/,
  },
  {
    name: 'in a profile',
    yaml: 'profiles: [{ schedulrName: x }]',
    want: /^profiles\[0\]\.schedulrName: Forbidden: there is no such field/,
  },
  {
    name: 'a wrong type',
    yaml: 'parallelism: many',
    want: /^parallelism: Invalid value: "many": must be a whole number, 1 or more/,
  },
  {
    name: 'out of range',
    yaml: 'percentageOfNodesToScore: 101',
    want: /^percentageOfNodesToScore: Invalid value: 101: .* from 0 to 100/,
  },
  {
    name: 'back-off upside down',
    yaml: 'podInitialBackoffSeconds: 9\npodMaxBackoffSeconds: 3',
    want: /^podMaxBackoffSeconds: Invalid value: 3/,
  },
  { name: 'extenders', yaml: 'extenders: [{}]', want: /^extenders: Forbidden: .* leave it out/ },
  { name: 'an election', yaml: 'leaderElection: {}', want: /^leaderElection: Forbidden/ },
  {
    name: 'two of one name',
    yaml: 'profiles: [{ schedulerName: a }, { schedulerName: a }]',
    want: /^profiles\[1\]\.schedulerName: Duplicate value: "a"/,
  },
  {
    name: 'no name among several',
    yaml: 'profiles: [{ schedulerName: a }, {}]',
    want: /^profiles\[1\]\.schedulerName: Required value/,
  },
  {
    name: 'a plugin that nobody knows',
    yaml: plugins('{ score: { enabled: [{ name: Fastest }] } }'),
    want: /^profiles\[0\]\.plugins\.score\.enabled\[0\]\.name: Unsupported value: "Fastest": supported values: "SchedulingGates"/,
  },
  {
    name: 'one that is not here',
    yaml: plugins('{ filter: { enabled: [{ name: DynamicResources }] } }'),
    want: /enabled\[0\]\.name: Forbidden: peapod's scheduler does not have the plugin DynamicResources yet/,
  },
  {
    name: 'half of VolumeBinding',
    yaml: plugins('{ preBind: { disabled: [{ name: VolumeBinding }] } }'),
    want: /plugins\.preBind: Forbidden: VolumeBinding is one thing/,
  },
  {
    name: 'scores by room on volumes',
    yaml: `profiles: [{ pluginConfig: [{ name: VolumeBinding, args: { shape: [{ utilization: 0, score: 0 }] } }] }]`,
    want: /args\.shape: Forbidden: nodes are not scored by the room on their volumes here/,
  },
  {
    name: 'one at a point where it has no say',
    yaml: plugins('{ score: { enabled: [{ name: NodePorts }] } }'),
    want: /Invalid value: "NodePorts": has no say at score/,
  },
  {
    name: 'one twice',
    yaml: plugins('{ score: { enabled: [{ name: ImageLocality }, { name: ImageLocality }] } }'),
    want: /enabled\[1\]\.name: Duplicate value/,
  },
  {
    name: 'no queue',
    yaml: plugins("{ queueSort: { disabled: [{ name: '*' }] } }"),
    want: /^profiles\[0\]\.plugins\.queueSort: Forbidden: the plugin PrioritySort cannot/,
  },
  {
    name: 'a filter without what it needs',
    yaml: plugins('{ preFilter: { disabled: [{ name: NodePorts }] } }'),
    want: /^profiles\[0\]\.plugins\.preFilter: Forbidden: NodePorts cannot filter without it/,
  },
  {
    name: 'a point there is not',
    yaml: plugins('{ scoring: {} }'),
    want: /^profiles\[0\]\.plugins\.scoring: Forbidden/,
  },
  {
    name: 'arguments of nobody',
    yaml: args('NodePorts', '{}'),
    want: /^profiles\[0\]\.pluginConfig\[0\]\.name: Unsupported value/,
  },
  {
    name: 'arguments of another',
    yaml: args('InterPodAffinity', '{ kind: NodeAffinityArgs }'),
    want: /args\.kind: Unsupported value: "NodeAffinityArgs": supported values: "InterPodAffinityArgs"/,
  },
  {
    name: 'an argument there is not',
    yaml: args('InterPodAffinity', '{ hardWeight: 1 }'),
    want: /^profiles\[0\]\.pluginConfig\[0\]\.args\.hardWeight: Forbidden/,
  },
  {
    name: 'a strategy there is not',
    yaml: args('NodeResourcesFit', '{ scoringStrategy: { type: Best } }'),
    want: /scoringStrategy\.type: Unsupported value: "Best"/,
  },
  {
    name: 'a ratio without its shape',
    yaml: args('NodeResourcesFit', '{ scoringStrategy: { type: RequestedToCapacityRatio } }'),
    want: /requestedToCapacityRatio: Required value/,
  },
  {
    name: 'a shape that goes back',
    yaml: args(
      'NodeResourcesFit',
      '{ scoringStrategy: { type: RequestedToCapacityRatio, requestedToCapacityRatio: { shape: [{ utilization: 50, score: 1 }, { utilization: 10, score: 1 }] } } }',
    ),
    want: /shape\[1\]\.utilization: Invalid value: 10/,
  },
  {
    name: 'weights where all count alike',
    yaml: args('NodeResourcesBalancedAllocation', '{ resources: [{ name: cpu, weight: 2 }] }'),
    want: /resources\[0\]\.weight: Invalid value: 2/,
  },
  {
    name: 'constraints that the system has',
    yaml: args(
      'PodTopologySpread',
      '{ defaultConstraints: [{ maxSkew: 1, topologyKey: zone, whenUnsatisfiable: ScheduleAnyway }] }',
    ),
    want: /defaultConstraints: Invalid value/,
  },
  {
    name: 'a constraint with a selector',
    yaml: args(
      'PodTopologySpread',
      '{ defaultingType: List, defaultConstraints: [{ maxSkew: 1, topologyKey: zone, whenUnsatisfiable: ScheduleAnyway, labelSelector: {} }] }',
    ),
    want: /defaultConstraints\[0\]\.labelSelector: Forbidden/,
  },
  {
    name: 'an affinity that makes no sense',
    yaml: args(
      'NodeAffinity',
      '{ addedAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [] } } }',
    ),
    want: /nodeSelectorTerms: Required value/,
  },
  {
    name: 'a field of it that there is not',
    yaml: args('NodeAffinity', '{ addedAffinity: { required: {} } }'),
    want: /addedAffinity: Forbidden: unknown field/,
  },
  {
    name: 'no candidates',
    yaml: args('DefaultPreemption', '{ minCandidateNodesPercentage: 0, minCandidateNodesAbsolute: 0 }'),
    want: /minCandidateNodesAbsolute: Invalid value: 0/,
  },
];

for (const { name, yaml, want } of refused) {
  test(`configuration: refused: ${name}`, () => {
    assert.throws(
      () => read(yaml),
      (error) => {
        assert.ok(error instanceof SchedulerConfigurationError, String(error));
        assert.match(error.problems.join('\n'), want);
        return true;
      },
    );
  });
}

test('configuration: refused: another version, another kind, nothing at all', () => {
  const of = (value: unknown) => () => readSchedulerConfiguration(value);
  assert.throws(
    of({ apiVersion: 'kubescheduler.config.k8s.io/v1beta3', kind: 'KubeSchedulerConfiguration' }),
    /apiVersion: Unsupported value/,
  );
  assert.throws(of({ apiVersion: 'kubescheduler.config.k8s.io/v1', kind: 'Pod' }), /kind: Unsupported value/);
  assert.throws(of({}), /apiVersion: Required value/);
  assert.throws(of(null), /must be an object/);
});
