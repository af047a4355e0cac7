import type { KubeObject, NewMeta } from '#api/meta.ts';

/** Describes one kind of object to clients: where it is served and what comes back. The server's descriptors extend it. */
export interface Resource<T extends KubeObject = KubeObject> {
  /** '' for the core group. */
  readonly group: string;
  readonly version: string;
  /** Lower-case plural, as in the path: `pods`. */
  readonly plural: string;
  readonly kind: T['kind'];
  readonly namespaced: boolean;
}

/** What may be left out when an object is created: whatever the server fills in. */
export type New<T extends KubeObject> = DeepPartial<Omit<T, 'metadata' | 'apiVersion' | 'kind'>> & {
  readonly apiVersion: T['apiVersion'];
  readonly kind: T['kind'];
  readonly metadata: NewMeta;
};

export type DeepPartial<T> = T extends readonly (infer E)[]
  ? readonly DeepPartial<E>[]
  : T extends object
    ? { readonly [K in keyof T]?: DeepPartial<T[K]> }
    : T;

/** `v1`, or `apps/v1`: what stands in an object's `apiVersion`. */
export const apiVersionOf = (resource: Pick<Resource, 'group' | 'version'>): string =>
  resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;

/** The collection's path: `/api/v1/namespaces/default/pods`; without a namespace, that of all namespaces. */
export function collectionPath(resource: Resource, namespace?: string): string {
  const root = resource.group === '' ? '/api/v1' : `/apis/${resource.group}/${resource.version}`;
  return resource.namespaced && namespace !== undefined
    ? `${root}/namespaces/${encodeURIComponent(namespace)}/${resource.plural}`
    : `${root}/${resource.plural}`;
}

/** An object's path, or with `subresource` that of one of its parts. */
export function objectPath(
  resource: Resource,
  ref: { namespace?: string; name: string; subresource?: string },
): string {
  const path = `${collectionPath(resource, ref.namespace)}/${encodeURIComponent(ref.name)}`;
  return ref.subresource === undefined ? path : `${path}/${ref.subresource}`;
}
