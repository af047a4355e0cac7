import {
  addQuantities,
  compareQuantities,
  isZero,
  milliValue,
  parseQuantity,
  quantityOf,
  milliQuantityOf,
  value,
  type Quantity,
} from '#api/quantity.ts';

/**
 * What a pod asks for as a whole. Containers run together, so they are summed; init containers run before them and one
 * after the other, so only the hungriest counts; restartable init containers (sidecars) stay, so they are added to the
 * containers and to every init container behind them (KEP-753). Pod-level resources, where given, win for cpu, memory
 * and huge pages; overhead comes on top.
 */
export type ResourceTexts = Readonly<Record<string, string | number>>;
export type ResourceAmounts = ReadonlyMap<string, Quantity>;

interface Requirements {
  readonly requests?: ResourceTexts;
  readonly limits?: ResourceTexts;
}
interface ContainerFacts {
  readonly restartPolicy?: string;
  readonly resources?: Requirements;
}
/** What is looked at of a pod. */
export interface PodResourceFacts {
  readonly spec: {
    readonly containers: readonly ContainerFacts[];
    readonly initContainers?: readonly ContainerFacts[];
    readonly overhead?: ResourceTexts;
    readonly resources?: Requirements;
  };
}

/** What a container that asks for nothing is counted with when nodes are scored, so that it is not free: 0.1 cpu, 200 MB. */
export const defaultMilliCpuRequest = 100;
export const defaultMemoryRequest = 200 * 1024 * 1024;

const assumed: ResourceAmounts = new Map([
  ['cpu', milliQuantityOf(defaultMilliCpuRequest)],
  ['memory', quantityOf(defaultMemoryRequest)],
]);

/** Throws a `QuantityError` on a text that is no quantity; the API has refused those. */
export function podRequests(
  pod: PodResourceFacts,
  options: { readonly withoutOverhead?: boolean } = {},
): ResourceAmounts {
  const total = containerRequests(pod);
  overridePodLevel(total, pod.spec.resources?.requests);
  if (!options.withoutOverhead) addTexts(total, pod.spec.overhead);
  return total;
}

/** Overhead is only added to what is limited. */
export function podLimits(
  pod: PodResourceFacts,
  options: { readonly withoutOverhead?: boolean } = {},
): ResourceAmounts {
  const total = containerLimits(pod);
  overridePodLevel(total, pod.spec.resources?.limits);
  if (options.withoutOverhead) return total;
  for (const [name, text] of Object.entries(pod.spec.overhead ?? {})) {
    const limit = total.get(name);
    if (limit !== undefined && !isZero(limit)) total.set(name, addQuantities(limit, parseQuantity(text)));
  }
  return total;
}

/** Of the containers alone: what pod-level requests default to. */
export const containerRequests = (pod: PodResourceFacts): Map<string, Quantity> =>
  aggregate(pod, (container) => amountsOf(container.resources?.requests));

export const containerLimits = (pod: PodResourceFacts): Map<string, Quantity> =>
  aggregate(pod, (container) => amountsOf(container.resources?.limits));

/** A pod's requests as the scheduler counts them. */
export interface RequestedResources {
  readonly milliCpu: number;
  /** Bytes. */
  readonly memory: number;
  /** Bytes. */
  readonly ephemeralStorage: number;
  /** Extended resources and huge pages, in whole units. */
  readonly scalars: ReadonlyMap<string, number>;
  /** As above, with the assumed request for containers that name none: for scoring only. */
  readonly nonZeroMilliCpu: number;
  readonly nonZeroMemory: number;
}

export function requestedResources(pod: PodResourceFacts): RequestedResources {
  const requests = podRequests(pod);
  const scored = aggregate(pod, (container) => withAssumed(amountsOf(container.resources?.requests)));
  overridePodLevel(scored, pod.spec.resources?.requests);
  addTexts(scored, pod.spec.overhead);
  const scalars = new Map<string, number>();
  for (const [name, amount] of requests) {
    if (name !== 'cpu' && name !== 'memory' && name !== 'ephemeral-storage') scalars.set(name, value(amount));
  }
  return {
    milliCpu: milliOf(requests, 'cpu'),
    memory: wholeOf(requests, 'memory'),
    ephemeralStorage: wholeOf(requests, 'ephemeral-storage'),
    scalars,
    nonZeroMilliCpu: milliOf(scored, 'cpu'),
    nonZeroMemory: wholeOf(scored, 'memory'),
  };
}

export const milliOf = (amounts: ResourceAmounts, name: string): number => {
  const amount = amounts.get(name);
  return amount === undefined ? 0 : milliValue(amount);
};

export const wholeOf = (amounts: ResourceAmounts, name: string): number => {
  const amount = amounts.get(name);
  return amount === undefined ? 0 : value(amount);
};

export function amountsOf(texts: ResourceTexts | undefined): Map<string, Quantity> {
  const amounts = new Map<string, Quantity>();
  addTexts(amounts, texts);
  return amounts;
}

export const isHugePages = (name: string): boolean => name.startsWith('hugepages-');

/** The resources that a pod as a whole may be given. */
export const isPodLevelResource = (name: string): boolean => name === 'cpu' || name === 'memory' || isHugePages(name);

/** Whether a pod names resources for itself as a whole. */
export const hasPodLevelResources = ({ spec: { resources } }: PodResourceFacts): boolean =>
  Object.keys(resources?.requests ?? {}).some(isPodLevelResource) ||
  Object.keys(resources?.limits ?? {}).some(isPodLevelResource);

function aggregate(pod: PodResourceFacts, read: (container: ContainerFacts) => ResourceAmounts): Map<string, Quantity> {
  const total = new Map<string, Quantity>();
  for (const container of pod.spec.containers) add(total, read(container));
  const { initContainers } = pod.spec;
  if (initContainers === undefined || initContainers.length === 0) return total;
  const sidecars = new Map<string, Quantity>();
  const peak = new Map<string, Quantity>();
  for (const container of initContainers) {
    const own = read(container);
    if (container.restartPolicy === 'Always') {
      add(total, own);
      add(sidecars, own);
      raise(peak, sidecars);
    } else {
      const together = new Map(own);
      add(together, sidecars);
      raise(peak, together);
    }
  }
  raise(total, peak);
  return total;
}

function overridePodLevel(total: Map<string, Quantity>, own: ResourceTexts | undefined): void {
  for (const [name, text] of Object.entries(own ?? {})) {
    if (isPodLevelResource(name)) total.set(name, parseQuantity(text));
  }
}

function withAssumed(amounts: Map<string, Quantity>): ResourceAmounts {
  for (const [name, amount] of assumed) if (!amounts.has(name)) amounts.set(name, amount);
  return amounts;
}

function addTexts(total: Map<string, Quantity>, texts: ResourceTexts | undefined): void {
  if (texts === undefined) return;
  for (const name of Object.keys(texts)) {
    const text = texts[name];
    if (text !== undefined) addOne(total, name, parseQuantity(text));
  }
}

function add(total: Map<string, Quantity>, more: ResourceAmounts): void {
  for (const [name, amount] of more) addOne(total, name, amount);
}

function addOne(total: Map<string, Quantity>, name: string, amount: Quantity): void {
  const known = total.get(name);
  total.set(name, known === undefined ? amount : addQuantities(known, amount));
}

function raise(total: Map<string, Quantity>, other: ResourceAmounts): void {
  for (const [name, amount] of other) {
    const known = total.get(name);
    if (known === undefined || compareQuantities(amount, known) > 0) total.set(name, amount);
  }
}
