import type { Obstacle } from '#api/peapod/obstacle.ts';
import type { RequestedResources } from '#api/pod-resources.ts';
import { formatQuantity, milliQuantityOf, quantityOf } from '#api/quantity.ts';
import type { NodeView } from '#scheduler/plugin.ts';

/** What a node has too little of. */
export function resourceObstacles(wanted: RequestedResources, node: NodeView): readonly Obstacle[] {
  const { allocatable, requested, pods } = node;
  const full: readonly Obstacle[] = pods.size < allocatable.pods ? [] : [{ kind: 'full', pods: allocatable.pods }];
  return [
    ...full,
    ...short('cpu', wanted.milliCpu, { has: allocatable.milliCpu, taken: requested.milliCpu }),
    ...short('memory', wanted.memory, { has: allocatable.memory, taken: requested.memory }),
    ...short('ephemeral-storage', wanted.ephemeralStorage, {
      has: allocatable.ephemeralStorage,
      taken: requested.ephemeralStorage,
    }),
    ...[...wanted.scalars].flatMap(([name, amount]) =>
      short(name, amount, { has: allocatable.scalars.get(name) ?? 0, taken: requested.scalars.get(name) ?? 0 }),
    ),
  ];
}

function short(
  resource: string,
  asked: number,
  { has, taken }: { readonly has: number; readonly taken: number },
): readonly Obstacle[] {
  const free = has - taken;
  if (asked === 0 || asked <= free) return [];
  const text = (amount: number): string => formatQuantity(quantityFor(resource, amount));
  return [
    {
      kind: 'short',
      resource,
      asked: text(asked),
      free: text(Math.max(0, free)),
      by: text(asked - free),
      allocatable: text(has),
    },
  ];
}

/** As the scheduler counts it: thousandths of a cpu, bytes, or whole units. */
const quantityFor = (resource: string, amount: number): ReturnType<typeof quantityOf> =>
  resource === 'cpu' ? milliQuantityOf(amount) : quantityOf(amount, isBytes(resource) ? 'BinarySI' : 'DecimalSI');

const isBytes = (resource: string): boolean =>
  resource === 'memory' || resource === 'ephemeral-storage' || resource.startsWith('hugepages-');
