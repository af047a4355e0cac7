import type { Descriptor } from '#server/descriptor.ts';
import { priorityClassColumns } from '#server/columns/others.ts';
import { declare, strategy } from '#server/resources/strategy.ts';

const priorityClasses = declare({
  group: 'scheduling.k8s.io',
  version: 'v1',
  plural: 'priorityclasses',
  kind: 'PriorityClass',
  namespaced: false,
  shortNames: ['pc'],
  columns: priorityClassColumns,
  strategy: strategy({ generation: () => false }),
});

export const schedulingGroup: readonly Descriptor[] = [priorityClasses];
