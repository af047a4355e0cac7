import type { ContainerStatus, Pod, PodStatus } from '#api/generated/core-v1.ts';
import { ownConditions, type OwnStatus } from '#kubelet/status.ts';

/**
 * How long a change may wait for the next one. A pod that is coming up changes many times in its first second, and
 * each write costs everybody who watches; nobody is helped by reading of a sandbox that has no containers yet.
 */
const COALESCE_MS = 1000;

/**
 * 0 for what people and controllers wait for: phase, readiness, an end, a restart, a reason to worry. In a pod that is
 * `ending` containers stop one after the other, and it counts as not ready for everybody since it was deleted.
 */
export function publishDelay(before: PodStatus | undefined, after: OwnStatus, ending: boolean): number {
  if (before === undefined) return COALESCE_MS;
  const ready = (status: PodStatus): string | undefined =>
    status.conditions?.find(({ type }) => type === 'Ready')?.status;
  if (before.phase !== after.phase) return 0;
  if (!ending && (ready(before) === 'True') !== (ready(after) === 'True')) return 0;
  const known = new Map(allStatuses(before).map((status) => [status.name, status]));
  return allStatuses(after).some((status) => isNews(known.get(status.name), status)) ? 0 : COALESCE_MS;
}

const allStatuses = (status: PodStatus): readonly ContainerStatus[] => [
  ...(status.initContainerStatuses ?? []),
  ...(status.containerStatuses ?? []),
  ...(status.ephemeralContainerStatuses ?? []),
];

function isNews(before: ContainerStatus | undefined, after: ContainerStatus): boolean {
  if ((before?.restartCount ?? 0) !== after.restartCount) return true;
  const reason = after.state?.waiting?.reason;
  return reason !== undefined && !quietReasons.includes(reason) && reason !== before?.state?.waiting?.reason;
}

const quietReasons: readonly string[] = ['ContainerCreating', 'PodInitializing'];

/** Whether the API has it already. Conditions of others do not count, nor does the order of keys. */
export function sameStatus(known: PodStatus | undefined, wanted: OwnStatus): boolean {
  if (known === undefined) return false;
  if (known === wanted) return true;
  const conditions = (known.conditions ?? []).filter(({ type }) => ownConditions.includes(type));
  const byType = <T extends { readonly type: string }>(list: readonly T[]): readonly T[] =>
    list.toSorted((a, b) => (a.type < b.type ? -1 : 1));
  return (
    deepEqual(byType(conditions), byType(wanted.conditions)) &&
    ownFields.every((field) => deepEqual(known[field], wanted[field]))
  );
}

const ownFields: readonly (keyof PodStatus)[] = [
  'observedGeneration',
  'phase',
  'reason',
  'message',
  'hostIP',
  'hostIPs',
  'podIP',
  'podIPs',
  'startTime',
  'initContainerStatuses',
  'containerStatuses',
  'ephemeralContainerStatuses',
  'qosClass',
];

/**
 * A strategic merge patch that replaces the kubelet's own fields and touches no others: conditions merge by type, and
 * the addresses, which would merge as well, are replaced. The UID makes it a precondition.
 */
export function statusPatch({ metadata }: Pod, wanted: OwnStatus): object {
  const cleared = Object.fromEntries(
    ownFields.filter((field) => wanted[field] === undefined).map((field) => [field, null]),
  );
  return {
    metadata: { uid: metadata.uid },
    status: {
      ...cleared,
      ...wanted,
      // Merged with what stands there: what a condition says no more has to be taken back.
      conditions: wanted.conditions.map((condition) => ({ reason: null, message: null, ...condition })),
      ...replaced('podIPs', wanted.podIPs),
      ...replaced('hostIPs', wanted.hostIPs),
    },
  };
}

const replaced = (field: string, list: readonly object[] | undefined): object =>
  list === undefined ? {} : { [field]: [...list, { $patch: 'replace' }] };

function deepEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  const [left, right] = [a as Readonly<Record<string, unknown>>, b as Readonly<Record<string, unknown>>];
  const keys = Object.keys(left);
  return keys.length === Object.keys(right).length && keys.every((key) => deepEqual(left[key], right[key]));
}
