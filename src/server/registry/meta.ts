import type { KubeObject, ObjectMeta, ResourceVersion, Uid } from '#api/meta.ts';

/** Whole seconds in UTC, as the API writes time. */
export const timestamp = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;

/**
 * What the server alone decides of a new object's metadata. What a client says of uid, creation and deletion is dropped;
 * managedFields are not kept at all (there is no server-side apply yet, and clients do without them).
 */
export function metaForCreate(
  meta: Partial<ObjectMeta>,
  name: string,
  identity: { uid: string; now: number },
): ObjectMeta {
  const {
    managedFields: _m,
    selfLink: _s,
    resourceVersion: _r,
    deletionTimestamp: _d,
    deletionGracePeriodSeconds: _g,
    generation: _n,
    ...rest
  } = meta;
  return { ...rest, name, uid: identity.uid as Uid, creationTimestamp: timestamp(identity.now) } as ObjectMeta;
}

/** A client need not send back what it cannot change; what it does send must be unchanged (validation sees to that). */
export function metaForUpdate(meta: Partial<ObjectMeta>, old: ObjectMeta): ObjectMeta {
  const { managedFields: _m, selfLink: _s, generation: _g, ...rest } = meta;
  return {
    ...rest,
    name: meta.name ?? old.name,
    ...(old.namespace === undefined ? {} : { namespace: old.namespace }),
    uid: meta.uid || old.uid,
    resourceVersion: old.resourceVersion,
    creationTimestamp: meta.creationTimestamp || old.creationTimestamp,
    ...(old.generation === undefined ? {} : { generation: old.generation }),
    ...optional('deletionTimestamp', meta.deletionTimestamp ?? old.deletionTimestamp),
    ...optional('deletionGracePeriodSeconds', meta.deletionGracePeriodSeconds ?? old.deletionGracePeriodSeconds),
  };
}

const optional = <K extends string, V>(key: K, value: V | undefined): Partial<Record<K, V>> =>
  value === undefined ? {} : ({ [key]: value } as Record<K, V>);

export const withMeta = <T extends KubeObject>(object: T, metadata: ObjectMeta): T => ({ ...object, metadata });

/** The resourceVersion a client based its update on; undefined when it gave none. */
export const basedOn = (object: KubeObject): ResourceVersion | undefined =>
  object.metadata.resourceVersion === undefined || (object.metadata.resourceVersion as string) === ''
    ? undefined
    : object.metadata.resourceVersion;
