import type { Node, NodeAffinity, Pod } from '#api/generated/core-v1.ts';
import {
  compileNodeSelectorTerm,
  type NodeSelector,
  type NodeSelectorRequirement,
  type NodeSelectorTerm,
} from '#api/node-affinity.ts';
import type { Obstacle } from '#api/peapod/obstacle.ts';

type Asker = Extract<Obstacle, { readonly kind: 'label' }>['asker'];

/** What of its labels a node would have to change. Of terms one of which is enough, the one that takes the fewest changes. */
export function affinityObstacles(pod: Pod, added: NodeAffinity | undefined, node: Node): readonly Obstacle[] {
  const { nodeSelector = {}, affinity } = pod.spec;
  const selected = Object.entries(nodeSelector)
    .filter(([key, value]) => node.metadata.labels?.[key] !== value)
    .map(([key, value]) => unmet({ key, operator: 'In', values: [value] }, node, 'nodeSelector'));
  return [
    ...inTheWay(added?.requiredDuringSchedulingIgnoredDuringExecution, node, 'scheduler'),
    ...selected,
    ...inTheWay(affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution, node, 'nodeAffinity'),
  ];
}

function inTheWay(selector: NodeSelector | undefined, node: Node, asker: Asker): readonly Obstacle[] {
  if (selector === undefined) return [];
  const [first, ...others] = selector.nodeSelectorTerms.map((term) => unmetOf(term, node, asker));
  if (first === undefined) return [noTerm];
  return others.reduce((best, each) => (each.length < best.length ? each : best), first);
}

const noTerm: Obstacle = { kind: 'other', reasons: ['its node affinity has no term that a node could match'] };

function unmetOf(term: NodeSelectorTerm, node: Node, asker: Asker): readonly Obstacle[] {
  const { matchExpressions = [], matchFields = [] } = term;
  const matches = compileNodeSelectorTerm(term);
  if (matches === undefined) return [noTerm];
  if (matches(node)) return [];
  const lacks = (one: NodeSelectorTerm): boolean => compileNodeSelectorTerm(one)?.(node) !== true;
  return [
    ...matchExpressions.filter((each) => lacks({ matchExpressions: [each] })).map((each) => unmet(each, node, asker)),
    ...matchFields
      .filter((each) => lacks({ matchFields: [each] }))
      .map((each): Obstacle => ({ ...unmet(each, node, asker), field: true, actual: node.metadata.name })),
  ];
}

function unmet({ key, operator, values = [] }: NodeSelectorRequirement, { metadata }: Node, asker: Asker) {
  const actual = metadata.labels?.[key];
  return {
    kind: 'label' as const,
    asker,
    key,
    operator,
    values,
    ...(actual === undefined ? {} : { actual }),
  };
}
