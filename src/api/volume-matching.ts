import type { NodeSelector, PersistentVolume, PersistentVolumeClaim } from '#api/generated/core-v1.ts';
import { compileNodeSelector, type NodeFacts, type NodePredicate } from '#api/node-affinity.ts';
import { classOf, isForClaim } from '#api/persistent-volumes.ts';
import { compareQuantities, parseQuantity, type Quantity, zero } from '#api/quantity.ts';
import { selectorOfObject } from '#api/selectors.ts';

/** Which of several volumes comes first: the smallest; or the one that can be used in the fewest ways, and of these the smallest. */
export type Preference = 'size' | 'modes';

/**
 * The volumes that suit a claim, wherever they are, best first: the one that is meant for it alone, else those that are free, of
 * its class and mode, large enough, match its selector and can be used in the ways it asks for. Upstream's FindMatchingVolume
 * without a node: the best that can be reached from a node is the first of them that can.
 */
export function suitableVolumes(
  claim: PersistentVolumeClaim,
  volumes: Iterable<PersistentVolume>,
  preference: Preference,
): readonly PersistentVolume[] {
  const selector = claim.spec.selector === undefined ? undefined : selectorOfObject(claim.spec.selector);
  const suitable: PersistentVolume[] = [];
  for (const volume of volumes) {
    const isMeant = isForClaim(volume, claim);
    if (volume.spec.claimRef !== undefined && !isMeant) continue;
    if (!isLargeEnough(volume, claim) || !isAlike(volume, claim)) continue;
    if (volume.metadata.deletionTimestamp !== undefined) continue;
    if (isMeant) return [volume];
    if (volume.status?.phase !== 'Available' || classOf(volume) !== classOf(claim) || !offers(volume, claim)) continue;
    if (selector === undefined || selector.matches(volume.metadata.labels)) suitable.push(volume);
  }
  return suitable.sort((a, b) => {
    const modes = preference === 'modes' ? modesOf(a) - modesOf(b) : 0;
    return modes === 0 ? compareQuantities(capacityOf(a), capacityOf(b)) : modes;
  });
}

const compiled = new WeakMap<NodeSelector, NodePredicate>();

/** Whether pods on a node can use a volume. One without affinity can be used everywhere. */
export function isReachableFrom(node: NodeFacts, { spec }: PersistentVolume): boolean {
  const required = spec.nodeAffinity?.required;
  if (required === undefined) return true;
  let reaches = compiled.get(required);
  if (reaches === undefined) {
    reaches = compileNodeSelector(required);
    compiled.set(required, reaches);
  }
  return reaches(node);
}

/** Whether a volume can be used in every way that a claim asks for. */
export const offers = ({ spec }: PersistentVolume, claim: PersistentVolumeClaim): boolean =>
  (claim.spec.accessModes ?? []).every((mode) => spec.accessModes?.includes(mode));

const modesOf = ({ spec }: PersistentVolume): number => (spec.accessModes ?? []).length;

const capacityOf = ({ spec }: PersistentVolume): Quantity => quantity(spec.capacity?.['storage']);

export const requestOf = ({ spec }: PersistentVolumeClaim): Quantity => quantity(spec.resources?.requests?.['storage']);

const quantity = (text: string | undefined): Quantity => (text === undefined ? zero : parseQuantity(text));

const isAlike = (volume: PersistentVolume, claim: PersistentVolumeClaim): boolean =>
  isSameMode(volume, claim) &&
  (volume.spec.volumeAttributesClassName ?? '') === (claim.spec.volumeAttributesClassName ?? '');

/** A file system or a device. */
export const isSameMode = ({ spec: a }: PersistentVolume, { spec: b }: PersistentVolumeClaim): boolean =>
  (a.volumeMode ?? 'Filesystem') === (b.volumeMode ?? 'Filesystem');

export const isLargeEnough = (volume: PersistentVolume, claim: PersistentVolumeClaim): boolean =>
  compareQuantities(capacityOf(volume), requestOf(claim)) >= 0;
