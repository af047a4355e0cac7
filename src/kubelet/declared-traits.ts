import type { Node, Taint } from '#api/generated/core-v1.ts';
import { isSameTaint } from '#api/taints.ts';
import { nodeLabels, type NodeSelf } from '#kubelet/node-object.ts';

/**
 * What a node was told to be like (labels, taints, capacity) is written down on its object, so that a kubelet which is told something else
 * takes back what its predecessor declared, and nothing that others have put there.
 */
const declaredAnnotation = 'peapod.dev/declared';

interface Declared {
  readonly labels: readonly string[];
  readonly taints: readonly Pick<Taint, 'key' | 'effect'>[];
  readonly resources: readonly string[];
}

type Traits = Pick<NodeSelf, 'labels' | 'taints' | 'capacity'>;

/** What a new node's object has of them. */
export function declaredAnnotations(self: Traits): Readonly<Record<string, string>> {
  const text = declaredText(self);
  return text === undefined ? {} : { [declaredAnnotation]: text };
}

/** The annotation's text; undefined when nothing is declared. */
function declaredText({ labels = {}, taints = [], capacity = {} }: Traits): string | undefined {
  const declared: Declared = {
    labels: Object.keys(labels).sort(),
    taints: taints.map(({ key, effect }) => ({ key, effect })),
    resources: Object.keys(capacity).sort(),
  };
  const count = declared.labels.length + declared.taints.length + declared.resources.length;
  return count === 0 ? undefined : JSON.stringify(declared);
}

/**
 * The merge patch by which a kubelet renews a node that the API knows. Labels are always as declared; taints only after what is
 * declared has changed: until then it is others' business what becomes of them (upstream's --register-with-taints).
 */
export function renewalPatch({ metadata, spec }: Node, self: NodeSelf): object {
  const text = declaredText(self);
  const known = metadata.annotations?.[declaredAnnotation];
  const labels = nodeLabels(self);
  if (text === known) return { metadata: { labels } };
  const before = parsed(known);
  const own = self.taints ?? [];
  const ours = [...before.taints, ...own];
  const others = (spec?.taints ?? []).filter((taint) => !ours.some((one) => isSameTaint(one, taint)));
  const dropped = before.labels.filter((key) => !Object.hasOwn(labels, key)).map((key) => [key, null]);
  return {
    // Others taint nodes too: what they do meanwhile makes this a conflict, and it is tried again.
    metadata: {
      resourceVersion: metadata.resourceVersion,
      labels: { ...Object.fromEntries(dropped), ...labels },
      annotations: { [declaredAnnotation]: text ?? null },
    },
    spec: { taints: [...others, ...own] },
  };
}

/** Resources that the node was declared to have, and is no more. Those of its machine it tells anew anyway. */
export function withdrawnResources({ metadata }: Node, { capacity = {} }: Traits): readonly string[] {
  const { resources } = parsed(metadata.annotations?.[declaredAnnotation]);
  return resources.filter((name) => !Object.hasOwn(capacity, name));
}

/** Anybody may write to annotations: what was not ours declares nothing. */
function parsed(text: string | undefined): Declared {
  try {
    const found: Partial<Record<keyof Declared, unknown>> = JSON.parse(text ?? '{}') ?? {};
    const { labels, taints, resources } = found;
    return {
      labels: textsOf(labels),
      taints: Array.isArray(taints) ? taints.filter(isTaint) : [],
      resources: textsOf(resources),
    };
  } catch {
    return { labels: [], taints: [], resources: [] };
  }
}

const textsOf = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];

const isTaint = (value: unknown): value is Pick<Taint, 'key' | 'effect'> =>
  typeof value === 'object' && value !== null && 'key' in value && 'effect' in value;
