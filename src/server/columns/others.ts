import type { Lease } from '#api/generated/coordination-v1.ts';
import type { IntOrString } from '#api/generated/meta-v1.ts';
import type { PodDisruptionBudget } from '#api/generated/policy-v1.ts';
import type { PriorityClass } from '#api/generated/scheduling-v1.ts';
import type { KubeObject } from '#api/meta.ts';
import type { Cell, Column } from '#server/columns/column.ts';
import { ageColumn, column, nameColumn } from '#server/columns/common.ts';

const as =
  <T>(show: (object: T) => Cell): ((object: KubeObject) => Cell) =>
  // A table is only made of objects of its descriptor's kind.
  (object) =>
    show(object as unknown as T);

export const leaseColumns: readonly Column[] = [
  nameColumn,
  column(
    'Holder',
    'Who holds the lease.',
    as<Lease>((l) => l.spec?.holderIdentity ?? ''),
  ),
  ageColumn,
];

export const priorityClassColumns: readonly Column[] = [
  nameColumn,
  column(
    'Value',
    'The priority of pods of this class.',
    as<PriorityClass>((p) => p.value ?? 0),
    { type: 'integer' },
  ),
  column(
    'Global-Default',
    'Whether pods without a class get this one.',
    as<PriorityClass>((p) => p.globalDefault ?? false),
    {
      type: 'boolean',
    },
  ),
  ageColumn,
  column(
    'PreemptionPolicy',
    'Whether its pods may make others go.',
    as<PriorityClass>((p) => p.preemptionPolicy ?? ''),
  ),
];

const amount = (value: IntOrString | undefined): string => (value === undefined ? 'N/A' : String(value));

export const disruptionBudgetColumns: readonly Column[] = [
  nameColumn,
  column(
    'Min Available',
    'How many pods must stay available.',
    as<PodDisruptionBudget>((b) => amount(b.spec?.minAvailable)),
  ),
  column(
    'Max Unavailable',
    'How many pods may be unavailable.',
    as<PodDisruptionBudget>((b) => amount(b.spec?.maxUnavailable)),
  ),
  column(
    'Allowed Disruptions',
    'How many pods may be ended on purpose now.',
    as<PodDisruptionBudget>((b) => b.status?.disruptionsAllowed ?? 0),
    { type: 'integer' },
  ),
  ageColumn,
];
