import type { Descriptor } from '#server/descriptor.ts';
import { leaseColumns } from '#server/columns/others.ts';
import { declare, strategy } from '#server/resources/strategy.ts';

const leases = declare({
  group: 'coordination.k8s.io',
  version: 'v1',
  plural: 'leases',
  kind: 'Lease',
  namespaced: true,
  columns: leaseColumns,
  // A lease is renewed every few seconds: after a power failure its holder only has to renew it once more.
  strategy: strategy({ unconditionalUpdate: false, createOnUpdate: true, durability: 'relaxed' }),
});

export const coordinationGroup: readonly Descriptor[] = [leases];
