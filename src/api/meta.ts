import type { Brand } from '#lib/brand.ts';

/**
 * What every API object has in common.
 *
 * Objects are immutable: change by spread. An object that came from the server carries all of `ObjectMeta`; what a
 * caller is about to create carries `NewMeta`. Kinds are described by a `Resource` value (`#api/resource.ts`), and one
 * generic client, one informer and one registry serve all of them.
 */
export type Uid = Brand<string, 'Uid'>;

/** Decimal, greater than zero, comparable within a resource (KEP-5504); clients other than ours treat it as opaque. */
export type ResourceVersion = Brand<string, 'ResourceVersion'>;

/** `namespace/name`, or `name` for cluster-scoped objects. */
export type ObjectKey = Brand<string, 'ObjectKey'>;

export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: Uid;
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
}

export interface ManagedFieldsEntry {
  readonly manager?: string;
  readonly operation?: 'Apply' | 'Update';
  readonly apiVersion?: string;
  readonly time?: string;
  readonly fieldsType?: 'FieldsV1';
  readonly fieldsV1?: Readonly<Record<string, unknown>>;
  readonly subresource?: string;
}

export interface ObjectMeta {
  readonly name: string;
  readonly generateName?: string;
  readonly namespace?: string;
  readonly uid: Uid;
  readonly resourceVersion: ResourceVersion;
  readonly generation?: number;
  /** RFC 3339, whole seconds, UTC. */
  readonly creationTimestamp: string;
  readonly deletionTimestamp?: string;
  readonly deletionGracePeriodSeconds?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly OwnerReference[];
  readonly finalizers?: readonly string[];
  readonly selfLink?: string;
  readonly managedFields?: readonly ManagedFieldsEntry[];
}

export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
}

/** What a caller says of an object before the server has given it an identity. */
export type NewMeta = Partial<Omit<ObjectMeta, 'uid' | 'resourceVersion' | 'creationTimestamp'>>;

export interface ListMeta {
  readonly resourceVersion?: ResourceVersion;
  readonly continue?: string;
  readonly remainingItemCount?: number;
}

export interface ObjectRef {
  readonly namespace?: string;
  readonly name: string;
}

export const keyOf = (object: KubeObject): ObjectKey => keyOfRef(object.metadata);

export const keyOfRef = (ref: ObjectRef): ObjectKey =>
  (ref.namespace ? `${ref.namespace}/${ref.name}` : ref.name) as ObjectKey;

/** The inverse of `keyOf`. */
export function refOfKey(key: ObjectKey): ObjectRef {
  const slash = key.indexOf('/');
  return slash < 0 ? { name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}
