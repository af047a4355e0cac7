import type { PersistentVolume, PersistentVolumeClaim } from '#api/generated/core-v1.ts';
import { compileNodeSelector, type NodeFacts } from '#api/node-affinity.ts';
import { classOf, isForClaim } from '#api/persistent-volumes.ts';
import { compareQuantities, parseQuantity, type Quantity, zero } from '#api/quantity.ts';
import { selectorOfObject } from '#api/selectors.ts';

/** Who looks for a volume, and where. */
export type Search =
  /** The scheduler, on behalf of a pod: what it finds must be reachable from that node. */
  | { readonly kind: 'node'; readonly node: NodeFacts; readonly taken: ReadonlySet<string> }
  /** The controller, for a claim that need not wait for a pod. */
  | { readonly kind: 'anywhere' }
  /** The controller, for one that does: only what is meant for it already will do. */
  | { readonly kind: 'reserved' };

/**
 * The volume that suits a claim best: the one that is meant for it, else the smallest of those that are free, of its class and
 * mode, large enough, and match its selector; among these the one with the fewest access modes it has not asked for. Upstream's
 * FindMatchingVolume. Undefined when there is none; also when the one that is meant for it cannot be reached from the node.
 */
export function matchingVolume(
  claim: PersistentVolumeClaim,
  volumes: Iterable<PersistentVolume>,
  search: Search,
): PersistentVolume | undefined {
  const wanted = requestOf(claim);
  const selector = claim.spec.selector === undefined ? undefined : selectorOfObject(claim.spec.selector);
  let best: PersistentVolume | undefined;
  for (const volume of volumes) {
    if (search.kind === 'node' && search.taken.has(volume.metadata.name)) continue;
    const isMeant = isForClaim(volume, claim);
    if (volume.spec.claimRef !== undefined && !isMeant) continue;
    if (compareQuantities(capacityOf(volume), wanted) < 0 || !isAlike(volume, claim)) continue;
    if (volume.metadata.deletionTimestamp !== undefined) continue;
    const isReachable = search.kind !== 'node' || isReachableFrom(search.node, volume);
    if (isMeant) return isReachable ? volume : undefined;
    if (search.kind === 'reserved' || !isReachable || volume.status?.phase !== 'Available') continue;
    if (selector !== undefined && !selector.matches(volume.metadata.labels)) continue;
    if (classOf(volume) !== classOf(claim) || !offers(volume, claim)) continue;
    if (best === undefined || isBetter(volume, best, search)) best = volume;
  }
  return best;
}

/** Whether pods on a node can use a volume. One without affinity can be used everywhere. */
export function isReachableFrom(node: NodeFacts, { spec }: PersistentVolume): boolean {
  const required = spec.nodeAffinity?.required;
  return required === undefined || compileNodeSelector(required)(node);
}

/** Whether a volume can be used in every way that a claim asks for. */
export const offers = ({ spec }: PersistentVolume, claim: PersistentVolumeClaim): boolean =>
  (claim.spec.accessModes ?? []).every((mode) => spec.accessModes?.includes(mode));

export const modeOf = ({ spec }: PersistentVolume | PersistentVolumeClaim): string => spec.volumeMode ?? 'Filesystem';

export const capacityOf = ({ spec }: PersistentVolume): Quantity => quantity(spec.capacity?.['storage']);

export const requestOf = ({ spec }: PersistentVolumeClaim): Quantity => quantity(spec.resources?.requests?.['storage']);

const quantity = (text: string | undefined): Quantity => (text === undefined ? zero : parseQuantity(text));

const isAlike = (volume: PersistentVolume, claim: PersistentVolumeClaim): boolean =>
  modeOf(volume) === modeOf(claim) &&
  (volume.spec.volumeAttributesClassName ?? '') === (claim.spec.volumeAttributesClassName ?? '');

/** The scheduler takes the smallest; the controller looks through those with few access modes first, as upstream's. */
function isBetter(volume: PersistentVolume, best: PersistentVolume, { kind }: Search): boolean {
  const modes = (volume.spec.accessModes ?? []).length - (best.spec.accessModes ?? []).length;
  if (kind !== 'node' && modes !== 0) return modes < 0;
  return compareQuantities(capacityOf(volume), capacityOf(best)) < 0;
}
