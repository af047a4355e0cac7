import {
  requirementErrors,
  selectorOf,
  selectorOfLabels,
  type Labels,
  type LabelSelector,
  type Requirement,
  type SelectorOperator,
} from '#api/selectors.ts';

/**
 * Which nodes a pod may go to, by its nodeSelector and its required node affinity, compiled once a pod. Terms are ORed,
 * what stands in a term is ANDed, an empty term matches no node, and a term that cannot be understood matches none
 * either (as upstream's lazy node selector: the API has refused it already).
 */
export interface NodeSelectorRequirement {
  readonly key: string;
  readonly operator: string;
  readonly values?: readonly string[];
}

export interface NodeSelectorTerm {
  readonly matchExpressions?: readonly NodeSelectorRequirement[];
  readonly matchFields?: readonly NodeSelectorRequirement[];
}

export interface NodeSelector {
  readonly nodeSelectorTerms: readonly NodeSelectorTerm[];
}

export interface PreferredTerm {
  readonly weight: number;
  readonly preference: NodeSelectorTerm;
}

/** What is looked at of a node. */
export interface NodeFacts {
  readonly metadata: { readonly name: string; readonly labels?: Labels };
}

/** What is looked at of a pod. */
export interface PodPlacementWishes {
  readonly spec: {
    readonly nodeSelector?: Labels;
    readonly affinity?: {
      readonly nodeAffinity?: {
        readonly requiredDuringSchedulingIgnoredDuringExecution?: NodeSelector;
        readonly preferredDuringSchedulingIgnoredDuringExecution?: readonly PreferredTerm[];
      };
    };
  };
}

export type NodePredicate = (node: NodeFacts) => boolean;

/** Undefined when a pod asks for no particular node, so that callers can skip looking at each. */
export function requiredNodes(pod: PodPlacementWishes): NodePredicate | undefined {
  const labels = pod.spec.nodeSelector;
  const bySelector = labels && Object.keys(labels).length > 0 ? selectorOfLabels(labels) : undefined;
  const required = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  const byAffinity = required === undefined ? undefined : compileNodeSelector(required);
  if (bySelector === undefined) return byAffinity;
  if (byAffinity === undefined) return (node) => bySelector.matches(node.metadata.labels);
  return (node) => bySelector.matches(node.metadata.labels) && byAffinity(node);
}

export function compileNodeSelector(selector: NodeSelector): NodePredicate {
  const terms = selector.nodeSelectorTerms.map(compileNodeSelectorTerm).filter((each) => each !== undefined);
  return (node) => terms.some((term) => term(node));
}

/** The sum of the weights of the preferred terms that match. Undefined when a pod prefers nothing. */
export function preferredNodes(pod: PodPlacementWishes): ((node: NodeFacts) => number) | undefined {
  const preferred = pod.spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  const terms = preferred.flatMap(({ weight, preference }) => {
    const matches = weight === 0 ? undefined : compileNodeSelectorTerm(preference);
    return matches === undefined ? [] : [{ weight, matches }];
  });
  if (terms.length === 0) return undefined;
  return (node) => terms.reduce((total, { weight, matches }) => total + (matches(node) ? weight : 0), 0);
}

/**
 * The nodes a selector names by `metadata.name`, when each of its terms does: a scheduler need not look at any other.
 * Undefined when it leaves the names open.
 */
export function namedNodes(selector: NodeSelector): ReadonlySet<string> | undefined {
  const names = new Set<string>();
  for (const { matchFields } of selector.nodeSelectorTerms) {
    const named = matchFields?.filter(({ key, operator }) => key === 'metadata.name' && operator === 'In') ?? [];
    if (named.length === 0) return undefined;
    const [first, ...rest] = named.map(({ values }) => new Set(values));
    for (const name of first ?? []) if (rest.every((each) => each.has(name))) names.add(name);
  }
  return names;
}

const operators: ReadonlyMap<string, SelectorOperator> = new Map([
  ['In', 'in'],
  ['NotIn', 'notin'],
  ['Exists', 'exists'],
  ['DoesNotExist', '!'],
  ['Gt', 'gt'],
  ['Lt', 'lt'],
]);

/** Undefined for a term that matches no node whatever it is like. */
export function compileNodeSelectorTerm(term: NodeSelectorTerm): NodePredicate | undefined {
  const expressions = term.matchExpressions ?? [];
  const fields = term.matchFields ?? [];
  if (expressions.length === 0 && fields.length === 0) return undefined;
  const labels = labelSelectorOf(expressions);
  if (labels === undefined || !fields.every(isFieldRequirement)) return undefined;
  return (node) => labels.matches(node.metadata.labels) && fields.every((field) => matchesField(field, node));
}

function labelSelectorOf(expressions: readonly NodeSelectorRequirement[]): LabelSelector | undefined {
  const requirements: Requirement[] = [];
  for (const { key, operator, values = [] } of expressions) {
    const known = operators.get(operator);
    if (known === undefined) return undefined;
    const requirement = { key, operator: known, values };
    if (requirementErrors(requirement).length > 0) return undefined;
    requirements.push(requirement);
  }
  return selectorOf(requirements);
}

const isFieldRequirement = ({ operator, values }: NodeSelectorRequirement): boolean =>
  (operator === 'In' || operator === 'NotIn') && values?.length === 1;

function matchesField({ key, operator, values }: NodeSelectorRequirement, node: NodeFacts): boolean {
  const actual = key === 'metadata.name' ? node.metadata.name : '';
  return (actual === values?.[0]) === (operator === 'In');
}
