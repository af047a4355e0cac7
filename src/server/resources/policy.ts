import type { KubeObject } from '#api/meta.ts';
import type { Descriptor } from '#server/descriptor.ts';
import { disruptionBudgetColumns } from '#server/columns/others.ts';
import { declare, specChanged, statusOf, withStatus } from '#server/resources/strategy.ts';

/** What a budget says before the disruption controller has looked at it: that nothing may be ended. */
const unseen = { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 };

export const podDisruptionBudgets: Descriptor = declare({
  group: 'policy',
  version: 'v1',
  plural: 'poddisruptionbudgets',
  kind: 'PodDisruptionBudget',
  namespaced: true,
  shortNames: ['pdb'],
  subresources: { status: statusOf('PodDisruptionBudget') },
  columns: disruptionBudgetColumns,
  strategy: withStatus({
    prepareForCreate: (object) => ({ ...object, status: unseen }) as KubeObject,
    generation: specChanged,
    unconditionalUpdate: false,
  }),
});

export const policyGroup: readonly Descriptor[] = [podDisruptionBudgets];
