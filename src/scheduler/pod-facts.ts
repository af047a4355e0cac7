import type { Pod } from '#api/generated/core-v1.ts';
import type { PodName } from '#api/peapod/obstacle.ts';
import { requestedResources, type RequestedResources } from '#api/pod-resources.ts';

const known = new WeakMap<Pod['spec'], RequestedResources>();

/** Reading a pod's requests costs more than fitting it, and every look at it asks: they are read once a spec. */
export function requestsOf(pod: Pod): RequestedResources {
  let requests = known.get(pod.spec);
  if (requests === undefined) {
    requests = requestedResources(pod);
    known.set(pod.spec, requests);
  }
  return requests;
}

const texts = new WeakMap<RequestedResources, string>();

/** The same for pods that ask for the same. */
export function requestsText(pod: Pod): string {
  const requests = requestsOf(pod);
  let text = texts.get(requests);
  if (text === undefined) {
    text = JSON.stringify({ ...requests, scalars: [...requests.scalars].sort() });
    texts.set(requests, text);
  }
  return text;
}

export const isGated = ({ spec }: Pod): boolean => (spec.schedulingGates ?? []).length > 0;

/** It still is to get a node. */
export const isUnbound = ({ metadata, spec }: Pod): boolean =>
  metadata.deletionTimestamp === undefined && !spec.nodeName;

export const priorityOf = ({ spec }: Pod): number => spec.priority ?? 0;

export const podName = ({ metadata: { namespace = '', name } }: Pod): PodName => ({ namespace, name });

/** `namespace/name`, as messages have it. */
export const nameOf = ({ metadata }: Pod): string => `${metadata.namespace}/${metadata.name}`;
