import type { Pod } from '#api/generated/core-v1.ts';
import { claimsOf } from '#api/persistent-volumes.ts';
import type { ClusterChange, Rejected } from '#scheduler/plugin.ts';

type ClaimChange = Extract<ClusterChange, { readonly kind: 'claim' }>;

/** Whether a pod uses a claim of this name. */
export const usesClaim = (
  pod: Pod,
  { namespace, name }: { readonly namespace?: string; readonly name?: string },
): boolean => pod.metadata.namespace === namespace && claimsOf(pod).some(({ claim }) => claim === name);

/** Whether one of a pod's claims has come or become another: hardly a change of it is of no interest. */
export const isOwnClaim = (pod: Pod, { after }: ClaimChange): boolean =>
  after !== undefined && usesClaim(pod, after.metadata);

/** What is refused for good: going to other nodes is of no use either. */
export const refused = (reason: string, final = true): Rejected => ({ kind: 'rejected', reasons: [reason], final });

export const notFoundText = (kind: string, name: string): string => `${kind} ${JSON.stringify(name)} not found`;
