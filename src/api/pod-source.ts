import type { Pod } from '#api/generated/core-v1.ts';

/**
 * Where a pod comes from. Most come from the API; static pods come from files on their node, and what the API has of them is
 * a mirror, made by the node for others to look at. The names of the annotations are upstream's.
 */
export const sourceAnnotations = {
  source: 'kubernetes.io/config.source',
  /** Of what stands in the file; it is the static pod's UID too. */
  hash: 'kubernetes.io/config.hash',
  seen: 'kubernetes.io/config.seen',
  /** On a mirror: the hash of the pod it shows. */
  mirror: 'kubernetes.io/config.mirror',
} as const;

interface Annotated {
  readonly metadata: Pick<Pod['metadata'], 'annotations'>;
}

/** The UID of the static pod that a pod of the API only shows; undefined for all others. */
export const mirroredUid = ({ metadata }: Annotated): string | undefined =>
  metadata.annotations?.[sourceAnnotations.mirror];

export const isMirrorPod = (pod: Annotated): boolean => mirroredUid(pod) !== undefined;

/** True of what a node read from a file, not of the mirror. */
export function isStaticPod(pod: Annotated): boolean {
  const source = pod.metadata.annotations?.[sourceAnnotations.source];
  return source !== undefined && source !== 'api' && !isMirrorPod(pod);
}
