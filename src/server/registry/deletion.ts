import type { KubeObject } from '#api/meta.ts';
import type { Deletion, DeletionRequest } from '#server/descriptor.ts';
import { timestamp } from '#server/registry/meta.ts';

/** Kinds that know no grace go at once. */
export const removeAtOnce = (): Deletion => ({ kind: 'remove' });

/**
 * Graceful deletion: the first request stamps the time by which the object will be gone; a later one may only bring it nearer.
 * With no grace left it goes at once. `graceOf` says how much grace this object gets when asked for that much.
 */
export function removeGracefully(
  object: KubeObject,
  request: DeletionRequest,
  graceOf: (asked: number | undefined) => number,
): Deletion {
  const { deletionTimestamp, deletionGracePeriodSeconds: known } = object.metadata;
  if (deletionTimestamp === undefined) {
    const grace = graceOf(request.graceSeconds);
    if (grace === 0) return { kind: 'remove' };
    return { kind: 'stamp', object: stamped(object, request.now + grace * 1000, grace) };
  }
  // A deletion that got this far and was interrupted is finished.
  if (known === undefined || known === 0) return { kind: 'remove' };
  if (request.graceSeconds === undefined) return { kind: 'pending' };
  const grace = graceOf(request.graceSeconds);
  if (grace >= known) return { kind: 'pending' };
  if (grace === 0) return { kind: 'remove' };
  const shorter = Date.parse(deletionTimestamp) - (known - grace) * 1000;
  return { kind: 'stamp', object: restamped(object, shorter, grace) };
}

/** Held back by finalizers: it has no grace left, and goes with the last of them. */
export function stampedWithoutGrace(object: KubeObject, now: number): KubeObject {
  const { deletionTimestamp, deletionGracePeriodSeconds } = object.metadata;
  if (deletionTimestamp === undefined) return stamped(object, now, 0);
  if (deletionGracePeriodSeconds === 0) return object;
  return restamped(object, Math.min(now, Date.parse(deletionTimestamp)), 0);
}

/** Being deleted is part of what is desired, so it counts as a generation. */
function stamped(object: KubeObject, at: number, grace: number): KubeObject {
  const { generation } = object.metadata;
  const next = restamped(object, at, grace);
  if (generation === undefined || generation === 0) return next;
  return { ...next, metadata: { ...next.metadata, generation: generation + 1 } };
}

const restamped = (object: KubeObject, at: number, grace: number): KubeObject => ({
  ...object,
  metadata: { ...object.metadata, deletionTimestamp: timestamp(at), deletionGracePeriodSeconds: grace },
});

/** It was only waiting for its finalizers, and the last has gone. */
export function isReleased(object: KubeObject, heldBack: (object: KubeObject) => boolean): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds = 0, finalizers = [] } = object.metadata;
  return (
    deletionTimestamp !== undefined && deletionGracePeriodSeconds === 0 && finalizers.length === 0 && !heldBack(object)
  );
}
