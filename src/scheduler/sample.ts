/** Upstream's: of fewer nodes all are scored, and never fewer than this are. */
const LEAST_NODES = 100;
/** The adaptive share: half of the nodes, a percent less for each so many of them, down to a twentieth. */
const ADAPTIVE = { mostPercent: 50, nodesAPercent: 125, leastPercent: 5 };

/**
 * How many nodes that can take a pod are enough to choose among. `percentage` is KubeSchedulerConfiguration's percentageOfNodesToScore:
 * undefined for all, 0 for a share that shrinks with the number of nodes.
 */
export function enoughNodes(nodes: number, percentage: number | undefined): number {
  if (percentage === undefined || percentage >= 100 || nodes < LEAST_NODES) return nodes;
  const { mostPercent, nodesAPercent, leastPercent } = ADAPTIVE;
  const adaptive = Math.max(leastPercent, mostPercent - Math.trunc(nodes / nodesAPercent));
  return Math.max(LEAST_NODES, Math.trunc((nodes * (percentage === 0 ? adaptive : percentage)) / 100));
}

/** `enough` of them, in their order, from some place on and then from the front. `luck` is any whole number. */
export function sampleOf<T extends Int32Array | readonly unknown[]>(items: T, enough: number, luck: number): T {
  if (items.length <= enough) return items;
  const start = luck % items.length;
  const wanted = (_: unknown, at: number): boolean => (at - start + items.length) % items.length < enough;
  return items.filter(wanted) as T;
}
