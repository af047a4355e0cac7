import type { NamespaceCondition, NamespaceConditionType } from '#api/generated/core-v1.ts';
import type { ObjectMeta } from '#api/meta.ts';
import type { Resource } from '#api/resource.ts';

/** What a namespace holds of one kind. */
export interface Content {
  readonly resource: Resource;
  readonly objects: readonly { readonly metadata: ObjectMeta }[];
}

type Verdict = Pick<NamespaceCondition, 'status' | 'reason' | 'message'>;

/**
 * The conditions of a namespace that is being deleted, in upstream's words: `kubectl describe` shows why it stays.
 * Gives `known` itself when they say the same already, so that nothing is written for nothing.
 */
export function conditionsOf(
  known: readonly NamespaceCondition[],
  held: readonly Content[],
  failures: readonly string[],
  now: number,
): readonly NamespaceCondition[] {
  const wanted: Readonly<Record<string, Verdict>> = {
    NamespaceDeletionDiscoveryFailure: fine('ResourcesDiscovered', 'All resources successfully discovered'),
    NamespaceDeletionGroupVersionParsingFailure: fine(
      'ParsedGroupVersions',
      'All legacy kube types successfully parsed',
    ),
    NamespaceDeletionContentFailure: contentFailure(failures),
    NamespaceContentRemaining: contentRemaining(held),
    NamespaceFinalizersRemaining: finalizersRemaining(held),
  };
  const lastTransitionTime = `${new Date(now).toISOString().slice(0, 19)}Z`;
  const others = known.filter(({ type }) => !(type in wanted));
  const ours = Object.entries(wanted).map(([type, verdict]): NamespaceCondition => {
    const before = known.find((condition) => condition.type === type);
    if (before && says(before, verdict)) return before;
    const since = before?.status === verdict.status ? before.lastTransitionTime : undefined;
    return { type: type satisfies NamespaceConditionType, lastTransitionTime: since ?? lastTransitionTime, ...verdict };
  });
  return ours.every((condition) => known.includes(condition)) ? known : [...others, ...ours];
}

const says = (condition: NamespaceCondition, { status, reason, message }: Verdict): boolean =>
  condition.status === status && condition.reason === reason && condition.message === message;

const fine = (reason: string, message: string): Verdict => ({ status: 'False', reason, message });
const wrong = (reason: string, message: string): Verdict => ({ status: 'True', reason, message });

function contentFailure(failures: readonly string[]): Verdict {
  if (failures.length === 0)
    return fine('ContentDeleted', 'All content successfully deleted, may be waiting on finalization');
  const what = `Failed to delete all resource types, ${failures.length} remaining: ${[...failures].sort().join(', ')}`;
  return wrong('ContentDeletionFailed', what);
}

function contentRemaining(held: readonly Content[]): Verdict {
  if (held.length === 0) return fine('ContentRemoved', 'All content successfully removed');
  // Upstream writes `pods. has 1 resource instances`: the group comes after the dot even when it is the empty one.
  const kinds = held.map(
    ({ resource, objects }) => `${resource.plural}.${resource.group} has ${objects.length} resource instances`,
  );
  return wrong('SomeResourcesRemain', `Some resources are remaining: ${kinds.sort().join(', ')}`);
}

function finalizersRemaining(held: readonly Content[]): Verdict {
  const counts = new Map<string, number>();
  for (const { objects } of held)
    for (const { metadata } of objects)
      for (const finalizer of metadata.finalizers ?? []) counts.set(finalizer, (counts.get(finalizer) ?? 0) + 1);
  if (counts.size === 0) return fine('ContentRemoved', 'All content successfully removed');
  const parts = [...counts].map(([finalizer, count]) => `${finalizer} in ${count} resource instances`);
  const what = `Some content in the namespace has finalizers remaining: ${parts.sort().join(', ')}`;
  return wrong('SomeFinalizersRemain', what);
}
