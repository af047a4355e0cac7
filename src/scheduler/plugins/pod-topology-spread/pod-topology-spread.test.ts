import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { Node, Pod, TopologySpreadConstraint } from '#api/generated/core-v1.ts';
import { requiredNodes } from '#api/node-affinity.ts';
import { selectorOfObject } from '#api/selectors.ts';
import { isHardTaint, untoleratedTaint } from '#api/taints.ts';
import { aNode, aPod } from '#scheduler/fixtures.ts';
import { indexedCluster } from '#scheduler/indexed-cluster.ts';
import { ChangingCluster, type Placed } from '#scheduler/plugins/changing-cluster.ts';
import { podTopologySpread } from '#scheduler/plugins/pod-topology-spread/pod-topology-spread.ts';

const HOST = 'kubernetes.io/hostname';

const labelOf = (node: Node, key: string): string | undefined => node.metadata.labels?.[key];
const isSpread = (pod: Pod, constraint: TopologySpreadConstraint, other: Pod): boolean =>
  other.metadata.deletionTimestamp === undefined &&
  other.metadata.namespace === pod.metadata.namespace &&
  selectorOfObject(constraint.labelSelector).matches(other.metadata.labels) &&
  (constraint.matchLabelKeys ?? []).every(
    (key) => pod.metadata.labels?.[key] === undefined || pod.metadata.labels[key] === other.metadata.labels?.[key],
  );
const isIncluded = (pod: Pod, constraint: TopologySpreadConstraint, node: Node): boolean =>
  (constraint.nodeAffinityPolicy === 'Ignore' || (requiredNodes(pod)?.(node) ?? true)) &&
  (constraint.nodeTaintsPolicy !== 'Honor' ||
    untoleratedTaint(node.spec.taints, pod.spec.tolerations, isHardTaint) === undefined);
const of = (pod: Pod, when: string): readonly TopologySpreadConstraint[] =>
  (pod.spec.topologySpreadConstraints ?? []).filter(({ whenUnsatisfiable }) => whenUnsatisfiable === when);

/** The rule as upstream's documentation has it, with a look at every pod of every node for each node. */
function slowVerdict(pod: Pod, node: Node, nodes: readonly Node[], placed: readonly Placed[]): string {
  const constraints = of(pod, 'DoNotSchedule');
  for (const constraint of constraints) {
    const { topologyKey, maxSkew, minDomains = 1 } = constraint;
    const domain = labelOf(node, topologyKey);
    if (domain === undefined) return "node(s) didn't match pod topology spread constraints (missing required label)";
    const counting = nodes.filter(
      (each) =>
        constraints.every((one) => labelOf(each, one.topologyKey) !== undefined) && isIncluded(pod, constraint, each),
    );
    const domains = [...new Set(counting.map((each) => labelOf(each, topologyKey)))];
    const count = (name: string | undefined): number =>
      placed.filter(
        ([other, where]) =>
          isSpread(pod, constraint, other) &&
          counting.some((each) => each.metadata.name === where && labelOf(each, topologyKey) === name),
      ).length;
    const least = domains.length < minDomains ? 0 : Math.min(...domains.map(count));
    const skew = count(domain) + (isSpread(pod, constraint, pod) ? 1 : 0) - least;
    if (skew > maxSkew) return "node(s) didn't match pod topology spread constraints";
  }
  return 'fits';
}

function slowScores(pod: Pod, nodes: readonly Node[], placed: readonly Placed[]): readonly number[] {
  const constraints = of(pod, 'ScheduleAnyway');
  const hasAll = (node: Node): boolean =>
    constraints.every(({ topologyKey }) => labelOf(node, topologyKey) !== undefined);
  const heard = nodes.filter(hasAll);
  const raw = nodes.map((node) => {
    if (!hasAll(node)) return undefined;
    let sum = 0;
    for (const constraint of constraints) {
      const { topologyKey, maxSkew } = constraint;
      const isHost = topologyKey === HOST;
      const size = isHost ? heard.length : new Set(heard.map((each) => labelOf(each, topologyKey))).size;
      const found = placed.filter(([other, where]) => {
        const there = nodes.find((each) => each.metadata.name === where);
        if (there === undefined || !isSpread(pod, constraint, other)) return false;
        if (isHost) return there === node;
        return (
          hasAll(there) &&
          isIncluded(pod, constraint, there) &&
          labelOf(there, topologyKey) === labelOf(node, topologyKey)
        );
      });
      sum += found.length * Math.log(size + 2) + maxSkew - 1;
    }
    return Math.round(sum);
  });
  const known = raw.filter((score) => score !== undefined);
  const [least, most] = [Math.min(...known), Math.max(0, ...known)];
  return raw.map((score) => {
    if (score === undefined) return 0;
    return most === 0 ? 100 : Math.trunc((100 * (most + least - score)) / most);
  });
}

const constraint = fc.record(
  {
    maxSkew: fc.constantFrom(1, 2),
    topologyKey: fc.constantFrom('zone', HOST),
    whenUnsatisfiable: fc.constantFrom('DoNotSchedule' as const, 'ScheduleAnyway' as const),
    labelSelector: fc.constantFrom({ matchLabels: { app: 'x' } }, { matchLabels: { app: 'y' } }, {}),
    minDomains: fc.constantFrom(1, 3),
    nodeAffinityPolicy: fc.constantFrom('Honor' as const, 'Ignore' as const),
    nodeTaintsPolicy: fc.constantFrom('Honor' as const, 'Ignore' as const),
    matchLabelKeys: fc.constantFrom(['rev'], ['none']),
  },
  { requiredKeys: ['maxSkew', 'topologyKey', 'whenUnsatisfiable'] },
);
const labels = fc.record({ app: fc.constantFrom('x', 'y'), rev: fc.constantFrom('1', '2') });
const wanted = fc.record({
  labels,
  constraints: fc.uniqueArray(constraint, {
    minLength: 1,
    maxLength: 3,
    selector: ({ topologyKey, whenUnsatisfiable }) => `${topologyKey} ${whenUnsatisfiable}`,
  }),
  disk: fc.boolean(),
  tolerates: fc.boolean(),
});
const names = ['a', 'b', 'c', 'd'];
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.tuple(fc.constant('pod' as const), labels, fc.constantFrom(...names), fc.boolean(), fc.boolean()),
  },
  { weight: 2, arbitrary: fc.tuple(fc.constant('gone' as const), fc.nat({ max: 14 })) },
  {
    weight: 3,
    arbitrary: fc.tuple(
      fc.constant('node' as const),
      fc.constantFrom(...names),
      fc.constantFrom({ zone: 'east' }, { zone: 'west' }, {}),
      fc.boolean(),
      fc.boolean(),
    ),
  },
  { weight: 1, arbitrary: fc.tuple(fc.constant('no-node' as const), fc.constantFrom(...names)) },
);

test('topology spread comes to what looking at every pod comes to, however the cluster changes', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 14 }), wanted, (steps, incoming) => {
      const changing = new ChangingCluster(podTopologySpread());
      const { cluster } = changing;
      const made = aPod(
        'incoming',
        {},
        {
          topologySpreadConstraints: incoming.constraints,
          ...(incoming.disk ? { nodeSelector: { disk: 'ssd' } } : {}),
          ...(incoming.tolerates ? { tolerations: [{ operator: 'Exists' }] } : {}),
        },
      );
      const candidate = { ...made, metadata: { ...made.metadata, labels: incoming.labels } };
      for (const [at, one] of steps.entries()) {
        changing.consider(candidate);
        if (one[0] === 'pod') {
          const pod = aPod(`p${at}`);
          const namespace = one[3] ? 'default' : 'other';
          const ending = one[4] ? {} : { deletionTimestamp: '2026-01-01T00:00:00Z' };
          const labelled = { ...pod, metadata: { ...pod.metadata, labels: one[1], namespace, ...ending } };
          changing.place(labelled, one[2]);
        } else if (one[0] === 'gone') {
          changing.remove(`uid-p${one[1]}`);
        } else if (one[0] === 'node') {
          const taints = one[4] ? [{ key: 'dedicated', effect: 'NoSchedule' as const }] : [];
          const disk = one[3] ? { disk: 'ssd' } : {};
          cluster.setNode(aNode(one[1], { labels: { [HOST]: one[1], ...one[2], ...disk }, spec: { taints } }));
        } else {
          cluster.removeNode(one[1]);
        }
      }
      const { nodes, placed } = changing;
      const opinion = changing.consider(candidate);
      changing.assertVerdicts(opinion, (node) => slowVerdict(candidate, node, nodes, placed));
      const scorer = opinion?.scorer?.(cluster.nodes);
      const scores = Float64Array.from(cluster.nodes, (node) => scorer?.score(node) ?? 0);
      scorer?.normalize?.(scores);
      if (scorer !== undefined) assert.deepEqual([...scores], slowScores(candidate, nodes, placed));
      changing.assertAdjusted(opinion, (node, others) => slowVerdict(candidate, node, nodes, others));
    }),
    { numRuns: 1000 },
  );
});

test('pods of a Service that say nothing themselves are spread by host and by zone', () => {
  const plugin = podTopologySpread();
  const cluster = indexedCluster([{ plugin, weight: 1 }]);
  for (const [at, name] of names.entries())
    cluster.setNode(aNode(name, { labels: { [HOST]: name, 'topology.kubernetes.io/zone': at < 2 ? 'east' : 'west' } }));
  const labelled = (name: string): Pod => {
    const pod = aPod(name);
    return { ...pod, metadata: { ...pod.metadata, labels: { app: 'web' } } };
  };
  cluster.setPod(labelled('there'), 'a');
  assert.equal(plugin.consider(labelled('new'), cluster).kind, 'skip');
  const metadata = { ...aPod('web').metadata };
  cluster.setService({ apiVersion: 'v1', kind: 'Service', metadata, spec: { selector: { app: 'web' } }, status: {} });
  const answer = plugin.consider(labelled('new'), cluster);
  assert.ok(answer.kind === 'opinion' && answer.filter === undefined);
  const scorer = answer.scorer?.(cluster.nodes);
  const scores = Float64Array.from(names, (name) => scorer!.score(cluster.node(name)!));
  scorer?.normalize?.(scores);
  assert.ok(scores[0]! < scores[1]! && scores[1]! < scores[2]! && scores[2] === scores[3], String(scores));
});
