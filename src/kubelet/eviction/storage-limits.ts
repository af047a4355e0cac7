import type { Pod } from '#api/generated/core-v1.ts';
import { podLimits } from '#api/pod-resources.ts';
import { formatQuantity, parseQuantity, type Quantity, value } from '#api/quantity.ts';

/**
 * What a pod may keep on its node's disk, as upstream's kubelet sees to it: each emptyDir its sizeLimit, each container its limit of
 * ephemeral-storage (what it writes to its image's files, and its logs), and all of it together the sum of these limits.
 */
export interface StorageLimits {
  readonly volumes: readonly Limit[];
  readonly containers: readonly Limit[];
  readonly pod: Omit<Limit, 'name'> | undefined;
}

interface Limit {
  readonly name: string;
  readonly bytes: number;
  /** As people wrote it, in canonical form. */
  readonly text: string;
}

/** Bytes, by name. Volumes are those that lie on the disk: what lies in memory has a limit of its own, of the mount. */
export interface StorageUse {
  readonly volumes: ReadonlyMap<string, number>;
  /** Of each container its newest attempt's writable layer, and its logs. */
  readonly containers: ReadonlyMap<string, number>;
}

const RESOURCE = 'ephemeral-storage';
/** Pods of this priority are never evicted (`system-cluster-critical` and above). */
const CRITICAL_PRIORITY = 2_000_000_000;

/** undefined for a pod that is not limited, or that is too important to be: nobody then has to measure it. */
export function storageLimits(pod: Pod): StorageLimits | undefined {
  if ((pod.spec.priority ?? 0) >= CRITICAL_PRIORITY) return undefined;
  const volumes = diskVolumes(pod).flatMap(({ name, sizeLimit }) => limitOf(name, sizeLimit));
  const containers = pod.spec.containers.flatMap(({ name, resources }) => limitOf(name, resources?.limits?.[RESOURCE]));
  const total = podLimits(pod).get(RESOURCE);
  const [whole] = total === undefined ? [] : limit('', total);
  if (volumes.length === 0 && containers.length === 0 && whole === undefined) return undefined;
  return { volumes, containers, pod: whole };
}

/** The emptyDirs that lie on the disk. */
export const diskVolumes = ({
  spec,
}: Pod): readonly { readonly name: string; readonly sizeLimit?: string | number }[] =>
  (spec.volumes ?? []).flatMap(({ name, emptyDir }) => {
    if (emptyDir === undefined || (emptyDir.medium ?? '') !== '') return [];
    return [{ name, ...(emptyDir.sizeLimit === undefined ? {} : { sizeLimit: emptyDir.sizeLimit }) }];
  });

/** The first limit that is exceeded, in upstream's order and words (with the space at their end); undefined: none is. */
export function exceeded(limits: StorageLimits, use: StorageUse): string | undefined {
  const full = limits.volumes.find(({ name, bytes }) => (use.volumes.get(name) ?? 0) > bytes);
  if (full) return `Usage of EmptyDir volume "${full.name}" exceeds the limit "${full.text}". `;
  const all = [...use.volumes.values(), ...use.containers.values()].reduce((sum, bytes) => sum + bytes, 0);
  if (limits.pod && all > limits.pod.bytes) {
    return `Pod ephemeral local storage usage exceeds the total limit of containers ${limits.pod.text}. `;
  }
  const greedy = limits.containers.find(({ name, bytes }) => (use.containers.get(name) ?? 0) > bytes);
  return greedy && `Container ${greedy.name} exceeded its local ephemeral storage limit "${greedy.text}". `;
}

const limitOf = (name: string, text: string | number | undefined): readonly Limit[] =>
  text === undefined ? [] : limit(name, parseQuantity(text));

/** Zero is no limit. */
function limit(name: string, quantity: Quantity): readonly Limit[] {
  const bytes = value(quantity);
  return bytes > 0 ? [{ name, bytes, text: formatQuantity(quantity) }] : [];
}
