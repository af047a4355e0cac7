import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { Affinity, Node, Pod, PodAffinityTerm } from '#api/generated/core-v1.ts';
import { selectorOfObject } from '#api/selectors.ts';
import { aNode, aPod } from '#scheduler/fixtures.ts';
import { ChangingCluster, type Placed } from '#scheduler/plugins/changing-cluster.ts';
import { interPodAffinity } from '#scheduler/plugins/inter-pod-affinity/inter-pod-affinity.ts';

/**
 * A second implementation, slow and without memory: every question is answered by looking at every pod of every node. The plugin,
 * which counts as things change, must come to the same.
 */
interface World {
  readonly pods: readonly Placed[];
  readonly nodes: readonly Node[];
  readonly namespaces: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

const hasLabel = ({ metadata }: Pod, key: string): boolean => metadata.labels?.[key] !== undefined;
const isMeant = (term: PodAffinityTerm, owner: Pod, other: Pod, { namespaces }: World): boolean => {
  const { namespace = '' } = other.metadata;
  const named = term.namespaces?.includes(namespace) ?? false;
  const selected =
    term.namespaceSelector !== undefined && selectorOfObject(term.namespaceSelector).matches(namespaces[namespace]);
  const own = term.namespaces === undefined && term.namespaceSelector === undefined;
  return (
    (named || selected || (own && namespace === owner.metadata.namespace)) &&
    selectorOfObject(term.labelSelector).matches(other.metadata.labels) &&
    (term.matchLabelKeys ?? []).every(
      (key) => !hasLabel(owner, key) || owner.metadata.labels?.[key] === other.metadata.labels?.[key],
    ) &&
    (term.mismatchLabelKeys ?? []).every(
      (key) => !hasLabel(owner, key) || owner.metadata.labels?.[key] !== other.metadata.labels?.[key],
    )
  );
};

const placeOn = (world: World, name: string): Node | undefined =>
  world.nodes.find((node) => node.metadata.name === name);
const together = (a: Node | undefined, b: Node, key: string): boolean =>
  b.metadata.labels?.[key] !== undefined && a?.metadata.labels?.[key] === b.metadata.labels[key];
const required = (pod: Pod, which: 'podAffinity' | 'podAntiAffinity'): readonly PodAffinityTerm[] =>
  pod.spec.affinity?.[which]?.requiredDuringSchedulingIgnoredDuringExecution ?? [];

function slowVerdict(pod: Pod, node: Node, world: World): string {
  const near = required(pod, 'podAffinity');
  const meansAll = (other: Pod): boolean => near.every((term) => isMeant(term, pod, other, world));
  const labelled = near.every(({ topologyKey }) => node.metadata.labels?.[topologyKey] !== undefined);
  const there = (key: string): boolean =>
    world.pods.some(([other, name]) => meansAll(other) && together(placeOn(world, name), node, key));
  const anywhere = world.pods.some(
    ([other, name]) =>
      meansAll(other) &&
      near.some(({ topologyKey }) => placeOn(world, name)?.metadata.labels?.[topologyKey] !== undefined),
  );
  if (!labelled || !(near.every(({ topologyKey }) => there(topologyKey)) || (!anywhere && meansAll(pod))))
    return "node(s) didn't match pod affinity rules";
  for (const term of required(pod, 'podAntiAffinity'))
    for (const [other, name] of world.pods)
      if (isMeant(term, pod, other, world) && together(placeOn(world, name), node, term.topologyKey))
        return "node(s) didn't match pod anti-affinity rules";
  for (const [other, name] of world.pods)
    for (const term of required(other, 'podAntiAffinity'))
      if (isMeant(term, other, pod, world) && together(placeOn(world, name), node, term.topologyKey))
        return "node(s) didn't satisfy existing pods anti-affinity rules";
  return 'fits';
}

function slowScore(pod: Pod, node: Node, world: World): number {
  const preferred = (of: Pod): readonly (readonly [PodAffinityTerm, number])[] => [
    ...(of.spec.affinity?.podAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(
      ({ podAffinityTerm, weight }) => [podAffinityTerm, weight] as const,
    ),
    ...(of.spec.affinity?.podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(
      ({ podAffinityTerm, weight }) => [podAffinityTerm, -weight] as const,
    ),
  ];
  let score = 0;
  for (const [other, name] of world.pods) {
    const where = placeOn(world, name);
    for (const [term, weight] of preferred(pod))
      if (isMeant(term, pod, other, world) && together(where, node, term.topologyKey)) score += weight;
    for (const [term, weight] of preferred(other))
      if (isMeant(term, other, pod, world) && together(where, node, term.topologyKey)) score += weight;
    for (const term of required(other, 'podAffinity'))
      if (isMeant(term, other, pod, world) && together(where, node, term.topologyKey)) score += 1;
  }
  return score;
}

const term = fc.record(
  {
    labelSelector: fc.constantFrom({ matchLabels: { app: 'x' } }, { matchLabels: { app: 'y' } }, {}),
    topologyKey: fc.constantFrom('zone', 'host'),
    namespaces: fc.constantFrom(['one'], ['one', 'two']),
    namespaceSelector: fc.constantFrom({}, { matchLabels: { team: 'a' } }),
    matchLabelKeys: fc.constantFrom(['app'], ['none']),
    mismatchLabelKeys: fc.constantFrom(['app']),
  },
  { requiredKeys: ['topologyKey'] },
);
const someTerms = fc.array(term, { maxLength: 2 });
const pod = fc.record({
  namespace: fc.constantFrom('one', 'two'),
  app: fc.constantFrom('x', 'y'),
  near: someTerms,
  far: someTerms,
  likes: someTerms,
  dislikes: someTerms,
});
type ArbitraryPod = typeof pod extends fc.Arbitrary<infer T> ? T : never;

const weighted = (terms: readonly PodAffinityTerm[]) =>
  terms.map((podAffinityTerm) => ({ weight: 7, podAffinityTerm }));
function podOf(at: number, { namespace, app, near, far, likes, dislikes }: ArbitraryPod): Pod {
  const affinity: Affinity = {
    podAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: near,
      preferredDuringSchedulingIgnoredDuringExecution: weighted(likes),
    },
    podAntiAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: far,
      preferredDuringSchedulingIgnoredDuringExecution: weighted(dislikes),
    },
  };
  const made = aPod(`p${at}`, {}, { affinity });
  return { ...made, metadata: { ...made.metadata, namespace, labels: { app } } };
}

const nodeNames = ['a', 'b', 'c', 'd'];
const step = fc.oneof(
  { weight: 5, arbitrary: fc.tuple(fc.constant('pod' as const), pod, fc.constantFrom(...nodeNames)) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('gone' as const), fc.nat({ max: 12 })) },
  {
    weight: 2,
    arbitrary: fc.tuple(
      fc.constant('node' as const),
      fc.constantFrom(...nodeNames),
      fc.constantFrom({ zone: 'east' }, { zone: 'west' }, {}),
    ),
  },
  { weight: 1, arbitrary: fc.tuple(fc.constant('no-node' as const), fc.constantFrom(...nodeNames)) },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.constant('team' as const), fc.constantFrom('one', 'two'), fc.constantFrom('a', 'b')),
  },
);

test('inter-pod affinity comes to what looking at every pod comes to, however the cluster changes', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 14 }), pod, (steps, incoming) => {
      const changing = new ChangingCluster(interPodAffinity());
      const { cluster } = changing;
      const namespaces: Record<string, Record<string, string>> = {};
      const candidate = podOf(99, incoming);
      for (const [at, one] of steps.entries()) {
        // Asked all the time, so that it has something to keep up.
        changing.consider(candidate);
        if (one[0] === 'pod') changing.place(podOf(at, one[1]), one[2]);
        else if (one[0] === 'gone') changing.remove(`uid-p${one[1]}`);
        else if (one[0] === 'node') cluster.setNode(aNode(one[1], { labels: { host: one[1], ...one[2] } }));
        else if (one[0] === 'no-node') cluster.removeNode(one[1]);
        else {
          namespaces[one[1]] = { team: one[2] };
          const metadata = { ...aNode(one[1]).metadata, labels: { team: one[2] } };
          cluster.setNamespace({ apiVersion: 'v1', kind: 'Namespace', metadata, spec: {}, status: {} });
        }
      }
      const world: World = { pods: changing.placed, nodes: changing.nodes, namespaces };
      const opinion = changing.consider(candidate);
      changing.assertVerdicts(opinion, (node) => slowVerdict(candidate, node, world));
      const scorer = opinion?.scorer?.(cluster.nodes);
      const scores = new Float64Array(cluster.nodes.length);
      scorer?.scoreAll?.(
        Int32Array.from(cluster.nodes, ({ position }) => position),
        scores,
      );
      for (const node of cluster.nodes) {
        assert.equal(scorer?.score(node) ?? 0, slowScore(candidate, node.object, world), `score of ${node.name}`);
        assert.equal(scores[node.position], scorer?.score(node) ?? 0, `score of ${node.name}, all at once`);
      }
      changing.assertAdjusted(opinion, (node, pods) => slowVerdict(candidate, node, { ...world, pods }));
    }),
    { numRuns: 1000 },
  );
});
