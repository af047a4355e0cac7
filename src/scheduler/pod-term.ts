import type { Pod, PodAffinityTerm } from '#api/generated/core-v1.ts';
import { everything, type LabelSelector, type Requirement, selectorOf, selectorOfObject } from '#api/selectors.ts';
import type { ClusterView } from '#scheduler/plugin.ts';

/** Which pods are meant, wherever they are: by their labels, and by where they live. */
export interface PodSelection {
  /** The same for selections that mean the same. */
  readonly text: string;
  /** Whether namespaces' labels have a say: then what was true changes with them. */
  readonly followsNamespaces: boolean;
  matches(pod: Pod, cluster: ClusterView): boolean;
}

/** A term of pod affinity or anti-affinity, understood. */
export interface PodTerm extends PodSelection {
  readonly topologyKey: string;
}

/**
 * Names and a selector of namespaces add up; without either, the namespace of the pod the term belongs to is meant. Without a
 * label selector no pod is. Of the keys in `matchLabelKeys` (and `mismatchLabelKeys`) others have to have the owner's own values, or
 * must not (KEP-3633); a key the owner has not is passed over.
 */
export function podTermOf(term: PodAffinityTerm, owner: Pod): PodTerm {
  const { namespaces = [], namespaceSelector, topologyKey } = term;
  const own = namespaces.length === 0 && namespaceSelector === undefined;
  const names = new Set(own ? [owner.metadata.namespace ?? ''] : namespaces);
  const spaces = namespaceSelector === undefined ? undefined : selectorOfObject(namespaceSelector);
  const selector = withOwnLabels(selectorOfObject(term.labelSelector), term, owner);
  const selects = spaces?.text === everything.text && spaces !== undefined ? 'all' : spaces;
  const text = JSON.stringify([
    topologyKey,
    [...names].sort(),
    spaces?.text,
    term.labelSelector === undefined ? undefined : selector.text,
  ]);
  return {
    text,
    topologyKey,
    followsNamespaces: selects !== undefined && selects !== 'all',
    matches: ({ metadata }, cluster) =>
      selector.matches(metadata.labels) && isIn(metadata.namespace ?? '', { names, selects }, cluster),
  };
}

function withOwnLabels(selector: LabelSelector, term: PodAffinityTerm, { metadata }: Pod): LabelSelector {
  const of = (keys: readonly string[] = [], operator: 'in' | 'notin'): readonly Requirement[] =>
    keys.flatMap((key) => {
      const value = metadata.labels?.[key];
      return value === undefined ? [] : [{ key, operator, values: [value] }];
    });
  const more = [...of(term.matchLabelKeys, 'in'), ...of(term.mismatchLabelKeys, 'notin')];
  return term.labelSelector === undefined || more.length === 0
    ? selector
    : selectorOf([...selector.requirements, ...more]);
}

/** Pods of one namespace by their labels. */
export const podsOf = (namespace: string, selector: LabelSelector): PodSelection => ({
  text: JSON.stringify([namespace, selector.text]),
  followsNamespaces: false,
  matches: ({ metadata }) => metadata.namespace === namespace && selector.matches(metadata.labels),
});

/** Those that every one of them means. */
export const allOf = (selections: readonly PodSelection[]): PodSelection => ({
  text: selections.map(({ text }) => text).join('&'),
  followsNamespaces: selections.some(({ followsNamespaces }) => followsNamespaces),
  matches: (pod, cluster) => selections.every((each) => each.matches(pod, cluster)),
});

interface Where {
  readonly names: ReadonlySet<string>;
  readonly selects: LabelSelector | 'all' | undefined;
}

/** A namespace that is not known has no labels. */
const isIn = (namespace: string, { names, selects }: Where, cluster: ClusterView): boolean =>
  names.has(namespace) ||
  selects === 'all' ||
  (selects !== undefined && selects.matches(cluster.namespaceLabels(namespace)));
