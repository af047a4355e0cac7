import {
  defaultNamespace,
  defaultNode,
  defaultPriorityClass,
  defaultSecret,
  defaultService,
} from '#api/defaults/core.ts';
import { defaultPod } from '#api/defaults/pod.ts';
import {
  defaultCsiDriver,
  defaultCsiStorageCapacity,
  defaultPersistentVolume,
  defaultPersistentVolumeClaim,
  defaultStorageClass,
} from '#api/defaults/storage.ts';

/**
 * Defaulting: what upstream fills in when it decodes an object, on create and on every update alike. Idempotent; an
 * object that needs nothing comes back as the same reference; kinds that have no defaults pass through.
 *
 * It runs before validation, on whatever a client sent: of the right types (the decoder saw to that) but perhaps with
 * parts missing.
 */
export function defaultObject<T extends { readonly apiVersion: string; readonly kind: string }>(object: T): T {
  const key = `${object.apiVersion}/${object.kind}`;
  return Object.hasOwn(byKind, key) ? (byKind[key]?.(object) as T) : object;
}

// The key is the check: what has this apiVersion and kind was decoded as this type, and a defaulter keeps the type.
const forKind =
  <K>(defaulter: (object: K) => K) =>
  (object: unknown): unknown =>
    defaulter(object as K);

const byKind: Readonly<Record<string, (object: unknown) => unknown>> = {
  'v1/Pod': forKind(defaultPod),
  'v1/Service': forKind(defaultService),
  'v1/Secret': forKind(defaultSecret),
  'v1/Namespace': forKind(defaultNamespace),
  'v1/Node': forKind(defaultNode),
  'v1/PersistentVolume': forKind(defaultPersistentVolume),
  'v1/PersistentVolumeClaim': forKind(defaultPersistentVolumeClaim),
  'scheduling.k8s.io/v1/PriorityClass': forKind(defaultPriorityClass),
  'storage.k8s.io/v1/CSIDriver': forKind(defaultCsiDriver),
  'storage.k8s.io/v1/CSIStorageCapacity': forKind(defaultCsiStorageCapacity),
  'storage.k8s.io/v1/StorageClass': forKind(defaultStorageClass),
};
