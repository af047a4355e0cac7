import type { Namespace, NamespaceStatus } from '#api/generated/core-v1.ts';
import type { Resource } from '#api/resource.ts';
import { conditionsOf, type Content } from '#controllers/namespace/conditions.ts';

/** What was found in a namespace that is being deleted. */
export interface Found {
  readonly contents: readonly Content[];
  /** Kinds that could not be listed, and why. */
  readonly unlisted: readonly { readonly resource: Resource; readonly why: string }[];
  /** Why the last attempt to empty it was refused, when it just has been. */
  readonly refused: readonly string[];
}

export type NamespacePlan =
  /** Not being deleted, or no longer ours to finish. */
  | { readonly kind: 'nothing' }
  /** What happens next is said first: kubectl shows it, and the API server lets nothing new in. */
  | { readonly kind: 'report'; readonly status: NamespaceStatus }
  | { readonly kind: 'empty'; readonly resources: readonly Resource[] }
  /** Everything is told to go and some of it takes its time. */
  | { readonly kind: 'wait'; readonly afterMs: number; readonly why: string }
  | { readonly kind: 'finalize'; readonly namespace: Namespace };

/** The one finalizer in `spec.finalizers` that is this controller's. */
const finalizer = 'kubernetes';
/**
 * Pods wake the controller when they go; what else has a finalizer is looked for again. Upstream waits half of the
 * longest grace period, at least eight seconds.
 */
const LOOK_AGAIN_MS = 1_000;

/** True when there is something to find out: otherwise nothing need be listed. */
export const isOurs = (namespace: Namespace | undefined): namespace is Namespace =>
  namespace?.metadata.deletionTimestamp !== undefined && namespace.spec.finalizers?.includes(finalizer) === true;

/**
 * Empties a namespace that is being deleted, then lets it go. Pods go first, and in their grace time, while what they use
 * still stands: as upstream's OrderedNamespaceDeletion, so that no pod outlives the NetworkPolicy that confines it.
 */
export function planNamespace(namespace: Namespace | undefined, found: Found, now: number): NamespacePlan {
  if (!isOurs(namespace)) return { kind: 'nothing' };
  if (namespace.status?.phase !== 'Terminating')
    return { kind: 'report', status: { ...namespace.status, phase: 'Terminating' } };

  const held = found.contents.filter(({ objects }) => objects.length > 0);
  const failures = [...found.unlisted.map(({ why }) => why), ...found.refused];
  const pods = held.filter(({ resource }) => isPods(resource));
  const podsFirst = pods.length > 0 || found.unlisted.some(({ resource }) => isPods(resource));
  const staying = (podsFirst ? pods : held).filter(({ objects }) => objects.some(isStaying));
  if (staying.length > 0 && found.refused.length === 0)
    return { kind: 'empty', resources: staying.map(({ resource }) => resource) };

  if (held.length === 0 && failures.length === 0) {
    const finalizers = namespace.spec.finalizers?.filter((other) => other !== finalizer) ?? [];
    return { kind: 'finalize', namespace: { ...namespace, spec: { ...namespace.spec, finalizers } } };
  }
  const conditions = conditionsOf(namespace.status.conditions ?? [], held, failures, now);
  if (conditions !== namespace.status.conditions)
    return { kind: 'report', status: { ...namespace.status, conditions } };
  const count = held.reduce((sum, { objects }) => sum + objects.length, 0);
  return { kind: 'wait', afterMs: LOOK_AGAIN_MS, why: `${count} objects remain` };
}

const isPods = ({ group, plural }: Resource): boolean => group === '' && plural === 'pods';

const isStaying = ({ metadata }: Content['objects'][number]): boolean => metadata.deletionTimestamp === undefined;
