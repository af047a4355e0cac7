/**
 * The plugins that look at one node at a time, beside implementations that are slow and obvious: written from upstream's
 * documentation, pod by pod and label by label, without anything that is counted beforehand.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { ContainerPort, Node, Pod, PodSpec, Taint, Toleration } from '#api/generated/core-v1.ts';
import { ClusterState } from '#scheduler/cluster-state.ts';
import { aNode, aPod } from '#scheduler/fixtures.ts';
import type { SchedulerPlugin } from '#scheduler/plugin.ts';
import { balancedAllocation } from '#scheduler/plugins/balanced-allocation.ts';
import { imageLocality } from '#scheduler/plugins/image-locality.ts';
import { nodeAffinity } from '#scheduler/plugins/node-affinity.ts';
import { nodeName } from '#scheduler/plugins/node-name.ts';
import { nodePorts } from '#scheduler/plugins/node-ports.ts';
import { nodeUnschedulable } from '#scheduler/plugins/node-unschedulable.ts';
import { resourcesFit } from '#scheduler/plugins/resources-fit.ts';
import { taintToleration } from '#scheduler/plugins/taint-toleration.ts';

interface World {
  readonly nodes: readonly Node[];
  /** By the name of the node. */
  readonly placed: ReadonlyMap<string, readonly Pod[]>;
  readonly pod: Pod;
}

interface SecondOpinion {
  readonly plugin: SchedulerPlugin;
  readonly fits?: (world: World, node: Node) => boolean;
  /** Of all nodes, as they come. Fractions are cut off by who compares. */
  readonly scores?: (world: World) => readonly number[];
}

const key = fc.constantFrom('zone', 'cores', 'disk');
const value = fc.constantFrom('1', '2', '10', 'a', '');
const labels = fc.dictionary(key, value, { maxKeys: 3 });
const effect = fc.constantFrom<Taint['effect']>('NoSchedule', 'PreferNoSchedule', 'NoExecute');
const someTaint = fc.record({ key: fc.constantFrom('t', 'u'), value: fc.constantFrom('', 'x'), effect });
const toleration: fc.Arbitrary<Toleration> = fc
  .record(
    {
      key: fc.constantFrom('t', 'u', 'node.kubernetes.io/unschedulable'),
      operator: fc.constantFrom<'Equal' | 'Exists'>('Equal', 'Exists'),
      value: fc.constantFrom('', 'x'),
      effect,
    },
    { requiredKeys: [] },
  )
  // The API refuses one without a key that does not say Exists.
  .map((one) => (one.key === undefined ? { ...one, operator: 'Exists' as const } : one));
const requests = fc.record(
  {
    cpu: fc.constantFrom('100m', '500m', '1', '3'),
    memory: fc.constantFrom('128Mi', '1Gi', '3Gi'),
    'example.com/gpu': fc.constantFrom('1', '2'),
  },
  { requiredKeys: [] },
);
const port: fc.Arbitrary<ContainerPort> = fc.record(
  {
    containerPort: fc.constant(80),
    hostPort: fc.constantFrom(80, 81),
    protocol: fc.constantFrom('TCP', 'UDP'),
    hostIP: fc.constantFrom('0.0.0.0', '127.0.0.1', '10.0.0.1'),
  },
  { requiredKeys: ['containerPort', 'hostPort'] },
);
const expression = fc.oneof(
  fc.record({
    key,
    operator: fc.constantFrom('In', 'NotIn'),
    values: fc.array(value, { minLength: 1, maxLength: 2 }),
  }),
  fc.record({ key, operator: fc.constantFrom('Exists', 'DoesNotExist') }),
  fc.record({ key, operator: fc.constantFrom('Gt', 'Lt'), values: fc.constantFrom(['1'], ['5']) }),
);
const fieldExpression = fc.record({
  key: fc.constant('metadata.name'),
  operator: fc.constantFrom('In', 'NotIn'),
  values: fc.constantFrom(['n0'], ['n1']),
});
const term = fc.record(
  {
    matchExpressions: fc.array(expression, { maxLength: 2 }),
    matchFields: fc.array(fieldExpression, { maxLength: 1 }),
  },
  { requiredKeys: [] },
);
type Term = typeof term extends fc.Arbitrary<infer T> ? T : never;
const affinity = fc.record(
  {
    requiredDuringSchedulingIgnoredDuringExecution: fc.record({
      nodeSelectorTerms: fc.array(term, { minLength: 1, maxLength: 2 }),
    }),
    preferredDuringSchedulingIgnoredDuringExecution: fc.array(
      fc.record({ weight: fc.integer({ min: 1, max: 100 }), preference: term }),
      { maxLength: 3 },
    ),
  },
  { requiredKeys: [] },
);
const image = fc.constantFrom('a', 'b:1', 'registry.example:5000/c');
const container = fc.record({
  name: fc.constant('c'),
  image,
  resources: fc.record({ requests }),
  ports: fc.array(port, { maxLength: 2 }),
});
const spec: fc.Arbitrary<PodSpec> = fc.record(
  {
    containers: fc.array(container, { minLength: 1, maxLength: 2 }),
    nodeName: fc.constantFrom('n0', 'n1'),
    nodeSelector: labels,
    affinity: fc.record({ nodeAffinity: affinity }),
    tolerations: fc.array(toleration, { maxLength: 2 }),
  },
  { requiredKeys: ['containers'] },
);
const MI = 2 ** 20;
const nodeImages = fc.subarray([
  { names: ['a:latest'], sizeBytes: 300 * MI },
  { names: ['b:1'], sizeBytes: 20 * MI },
  { names: ['registry.example:5000/c:latest'], sizeBytes: 4000 * MI },
]);
const allocatable = fc.record({
  cpu: fc.constantFrom('1', '2', '3900m'),
  memory: fc.constantFrom('1Gi', '4Gi'),
  pods: fc.constantFrom('1', '2', '110'),
  'example.com/gpu': fc.constantFrom('0', '2'),
});
const someNode = fc.record({
  labels,
  allocatable,
  spec: fc.record({ taints: fc.array(someTaint, { maxLength: 3 }), unschedulable: fc.boolean() }, { requiredKeys: [] }),
  images: nodeImages,
});
const world: fc.Arbitrary<World> = fc
  .record({
    nodes: fc.array(someNode, { minLength: 1, maxLength: 3 }),
    placed: fc.array(fc.record({ spec, at: fc.nat(2) }), { maxLength: 4 }),
    pod: spec,
  })
  .map(({ nodes, placed, pod }) => ({
    nodes: nodes.map((each, index) => aNode(`n${index}`, each)),
    placed: Map.groupBy(
      placed.map((each, index) => aPod(`other${index}`, {}, each.spec)),
      (each) => `n${placed[Number(each.metadata.name.slice(5))]!.at % nodes.length}`,
    ),
    pod: aPod('p', {}, pod),
  }));

const podsOn = ({ placed }: World, { metadata }: Node): readonly Pod[] => placed.get(metadata.name) ?? [];
const taintsOf = ({ spec }: Node): readonly Taint[] => spec.taints ?? [];

function tolerated(taint: Taint, tolerations: readonly Toleration[]): boolean {
  return tolerations.some((one) => {
    if (one.effect !== undefined && one.effect !== taint.effect) return false;
    if (one.key !== undefined && one.key !== taint.key) return false;
    return one.operator === 'Exists' || (one.value ?? '') === (taint.value ?? '');
  });
}

function matches(node: Node, { matchExpressions = [], matchFields = [] }: Term): boolean {
  if (matchExpressions.length + matchFields.length === 0) return false;
  const holds = (actual: string | undefined, operator: string, values: readonly string[]): boolean => {
    const number = actual !== undefined && /^-?\d+$/.test(actual) ? Number(actual) : undefined;
    if (operator === 'In') return actual !== undefined && values.includes(actual);
    if (operator === 'NotIn') return actual === undefined || !values.includes(actual);
    if (operator === 'Exists') return actual !== undefined;
    if (operator === 'DoesNotExist') return actual === undefined;
    if (number === undefined) return false;
    return operator === 'Gt' ? number > Number(values[0]) : number < Number(values[0]);
  };
  return (
    matchExpressions.every((one) =>
      holds(node.metadata.labels?.[one.key], one.operator, 'values' in one ? one.values : []),
    ) && matchFields.every((one) => holds(node.metadata.name, one.operator, one.values))
  );
}

/** In thousandths. */
function quantity(text: string | undefined): number {
  const [, digits = '0', unit = ''] = /^(\d+)(m|Mi|Gi)?$/.exec(text ?? '0') ?? [];
  return Number(digits) * { m: 1, '': 1000, Mi: 1000 * MI, Gi: 1000 * 1024 * MI }[unit]!;
}

/** Of all containers; `otherwise` for one that says nothing. */
const asked = ({ spec }: Pod, resource: string, otherwise = '0'): number =>
  spec.containers.reduce((sum, { resources }) => sum + quantity(resources?.requests?.[resource] ?? otherwise), 0);
const has = ({ status }: Node, resource: string): number => quantity(status?.allocatable?.[resource]);
const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

const hostPorts = ({ spec }: Pod): readonly (readonly [string, number | undefined, string])[] =>
  spec.containers.flatMap(({ ports = [] }) =>
    ports.map((one) => [one.protocol ?? 'TCP', one.hostPort, one.hostIP ?? '0.0.0.0'] as const),
  );

const stretched = (counts: readonly number[]): readonly number[] => {
  const most = Math.max(...counts);
  return counts.map((count) => (most === 0 ? 0 : Math.floor((100 * count) / most)));
};

const withTag = (name: string): string => (/:[^/]*$/.test(name) ? name : `${name}:latest`);

const opinions: readonly SecondOpinion[] = [
  {
    plugin: nodeName,
    fits: ({ pod }, { metadata }) => pod.spec.nodeName === undefined || pod.spec.nodeName === metadata.name,
  },
  {
    plugin: nodeUnschedulable,
    fits: ({ pod }, { spec }) =>
      spec.unschedulable !== true ||
      tolerated(
        { key: 'node.kubernetes.io/unschedulable', value: '', effect: 'NoSchedule' },
        pod.spec.tolerations ?? [],
      ),
  },
  {
    plugin: taintToleration,
    fits: ({ pod }, node) =>
      taintsOf(node).every((one) => one.effect === 'PreferNoSchedule' || tolerated(one, pod.spec.tolerations ?? [])),
    scores: ({ pod, nodes }) => {
      const disliked = nodes.map(
        (node) =>
          taintsOf(node).filter(
            (one) => one.effect === 'PreferNoSchedule' && !tolerated(one, pod.spec.tolerations ?? []),
          ).length,
      );
      return stretched(disliked).map((score) => 100 - score);
    },
  },
  {
    plugin: nodePorts,
    fits: (given, node) =>
      hostPorts(given.pod).every(([protocol, number, address]) =>
        podsOn(given, node).every((other) =>
          hostPorts(other).every(
            ([theirs, port, at]) =>
              theirs !== protocol || port !== number || (at !== address && at !== '0.0.0.0' && address !== '0.0.0.0'),
          ),
        ),
      ),
  },
  {
    plugin: nodeAffinity,
    fits: ({ pod }, node) => {
      const { nodeSelector = {}, affinity } = pod.spec;
      const terms = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
      const selected = Object.entries(nodeSelector).every(([name, text]) => node.metadata.labels?.[name] === text);
      return selected && (terms === undefined || terms.some((one) => matches(node, one as Term)));
    },
    scores: ({ pod, nodes }) => {
      const preferred = pod.spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
      const weights = nodes.map((node) =>
        sum(preferred.map(({ weight, preference }) => (matches(node, preference as Term) ? weight : 0))),
      );
      return stretched(weights);
    },
  },
  {
    plugin: resourcesFit,
    fits: (given, node) =>
      podsOn(given, node).length + 1 <= has(node, 'pods') / 1000 &&
      ['cpu', 'memory', 'example.com/gpu'].every((resource) => {
        const wanted = asked(given.pod, resource);
        const taken = sum(podsOn(given, node).map((other) => asked(other, resource)));
        return wanted === 0 || taken + wanted <= has(node, resource);
      }),
    scores: (given) =>
      given.nodes.map((node) => {
        const left = [['cpu', '100m'] as const, ['memory', '200Mi'] as const].map(([resource, usual]) => {
          const all = [...podsOn(given, node), given.pod].map((each) => asked(each, resource, usual));
          return Math.floor(Math.max(0, (100 * (has(node, resource) - sum(all))) / has(node, resource)));
        });
        return Math.floor(sum(left) / 2);
      }),
  },
  {
    plugin: balancedAllocation,
    scores: (given) =>
      given.nodes.map((node) => {
        const [cpu = 0, memory = 0] = ['cpu', 'memory'].map((resource) =>
          Math.min(
            1,
            sum([...podsOn(given, node), given.pod].map((each) => asked(each, resource))) / has(node, resource),
          ),
        );
        const mean = (cpu + memory) / 2;
        return 100 * (1 - Math.sqrt(((cpu - mean) ** 2 + (memory - mean) ** 2) / 2));
      }),
  },
  {
    plugin: imageLocality,
    scores: ({ pod, nodes }) => {
      const images = pod.spec.containers.map((each) => withTag(each.image ?? ''));
      const sizeOn = ({ status }: Node, name: string): number =>
        status?.images?.find(({ names }) => names?.includes(name))?.sizeBytes ?? 0;
      const [least, most] = [23 * MI, 1000 * MI * images.length];
      return nodes.map((node) => {
        const bytes = sum(
          images.map((name) => {
            const spread = nodes.filter((each) => sizeOn(each, name) > 0).length / nodes.length;
            return Math.floor(sizeOn(node, name) * spread);
          }),
        );
        return (100 * (Math.min(Math.max(bytes, least), most) - least)) / (most - least);
      });
    },
  },
];

for (const { plugin, fits, scores } of opinions) {
  test(`${plugin.name}: agrees with an implementation that is slow and obvious`, () => {
    const seen = new Set<boolean>();
    fc.assert(
      fc.property(world, (given) => {
        const cluster = new ClusterState();
        for (const node of given.nodes) cluster.setNode(node);
        for (const [name, pods] of given.placed) for (const pod of pods) cluster.setPod(pod, name);
        const answer = plugin.consider(given.pod, cluster);
        const views = given.nodes.map(({ metadata }) => cluster.node(metadata.name)!);
        for (const [index, view] of views.entries()) {
          const verdict = answer.kind === 'opinion' ? answer.filter?.(view).kind : undefined;
          const refused = answer.kind === 'rejected' || verdict === 'rejected';
          if (fits === undefined) continue;
          assert.equal(!refused, fits(given, given.nodes[index]!), `on ${view.name}`);
          seen.add(refused);
        }
        const wanted = scores?.(given) ?? [];
        const scorer = answer.kind === 'opinion' ? answer.scorer?.(views) : undefined;
        if (scorer === undefined) return assertIndifferent(plugin, given, wanted);
        const found = Float64Array.from(views, (view) => scorer.score(view));
        scorer.normalize?.(found);
        // A fraction that should be a whole number may come out a hair below it.
        for (const [index, score] of found.entries())
          assert.ok(
            [1e-9, 0, -1e-9].some((hair) => Math.floor(wanted[index]! + hair) === score),
            `${score} ${wanted}`,
          );
      }),
      { numRuns: 400 },
    );
    if (fits !== undefined) assert.equal(seen.size, 2, 'both answers must have come up');
  });
}

/** Who has nothing to say may be left out: either it likes all the same, or the pod asks for nothing it is about. */
function assertIndifferent({ name }: SchedulerPlugin, { pod }: World, wanted: readonly number[]): void {
  const asksForNothing = asked(pod, 'cpu') + asked(pod, 'memory') === 0;
  if (name === balancedAllocation.name && asksForNothing) return;
  assert.ok(
    wanted.every((score) => score === wanted[0]),
    `${wanted}`,
  );
}
