import type { OwnerReference } from '#api/meta.ts';
import { apiVersionOf, type Resource } from '#api/resource.ts';

/** How many pods the controller of a pod wants. */
export type Scale =
  | { readonly kind: 'known'; readonly uid: string; readonly replicas: number }
  /** There is no such controller (any more). */
  | { readonly kind: 'absent' }
  /** It cannot be found out: the budget is not to be trusted. */
  | { readonly kind: 'unknown'; readonly why: string };

/** Asked for the controller of each pod whose budget counts in shares. Pure: it reads local copies. */
export type FindScale = (controller: OwnerReference, namespace: string) => Scale;

/**
 * The one place where the disruption controller learns of controllers of pods. No kind that is served has a scale yet; each that
 * comes (ReplicaSet and its Deployment, StatefulSet, ReplicationController) is asked here, before what is left falls to this.
 */
export const withoutScales =
  (served: readonly Resource[]): FindScale =>
  ({ apiVersion, kind }) => {
    const resource = served.find((each) => each.kind === kind && apiVersionOf(each) === apiVersion);
    if (resource === undefined)
      return { kind: 'unknown', why: `no matches for kind "${kind}" in version "${apiVersion}"` };
    const { group, plural } = resource;
    return { kind: 'unknown', why: `${plural}${group && `.${group}`} does not implement the scale subresource` };
  };
