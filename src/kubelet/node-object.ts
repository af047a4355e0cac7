import type { ContainerImage, Node, NodeAddress, NodeCondition, NodeStatus, Taint } from '#api/generated/core-v1.ts';
import type { New } from '#api/resource.ts';
import { isExtendedResource } from '#api/resource-names.ts';
import type { DiskUsage, MachineFacts } from '#host/machine.ts';
import { sharesOf } from '#kubelet/resources.ts';
import { timeOf } from '#kubelet/status-context.ts';

/** What a node knows of itself. */
export interface NodeSelf {
  readonly name: string;
  readonly machine: MachineFacts;
  /** The primary address first. */
  readonly addresses: readonly string[];
  readonly podRanges: readonly string[];
  /** Of the node's own server. */
  readonly port: number;
  readonly kubeletVersion: string;
  readonly maxPods: number;
  /** Instead of the machine's own, for a node that is to have less. */
  readonly capacity?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  /** That it registers with; what becomes of them later is others' business (upstream's --register-with-taints). */
  readonly taints?: readonly Taint[];
}

/** What changes while a node lives. */
export interface NodeHealth {
  readonly runtime: { readonly name: string; readonly version: string };
  /** Undefined when ready; else why not, in the words of the condition. */
  readonly notReady: string | undefined;
  readonly disk: DiskUsage;
  readonly memoryAvailableBytes: number;
  readonly images: readonly ContainerImage[];
}

/** Upstream's hard eviction thresholds, here only reported: memory.available<100Mi, nodefs.available<10%. */
const LOW_MEMORY_BYTES = 100 * 2 ** 20;
const LOW_DISK_SHARE = 0.1;

export function nodeLabels({ name, machine, labels }: NodeSelf): Readonly<Record<string, string>> {
  return {
    'beta.kubernetes.io/arch': machine.architecture,
    'beta.kubernetes.io/os': machine.operatingSystem,
    'kubernetes.io/arch': machine.architecture,
    'kubernetes.io/hostname': name,
    'kubernetes.io/os': machine.operatingSystem,
    ...labels,
  };
}

/** What a kubelet creates to register itself. */
export const newNode = (
  self: NodeSelf,
  status: NodeStatus,
  annotations: Readonly<Record<string, string>>,
): New<Node> => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: self.name, labels: nodeLabels(self), annotations },
  spec: {
    ...(self.podRanges[0] === undefined ? {} : { podCIDR: self.podRanges[0], podCIDRs: self.podRanges }),
    ...(self.taints === undefined || self.taints.length === 0 ? {} : { taints: self.taints }),
  },
  status,
});

/** What a node that the API has never heard of will be, as far as pods have to fit it. */
export const unregisteredNode = (
  self: NodeSelf,
  disk: Pick<DiskUsage, 'capacityBytes'>,
): Pick<Node, 'spec' | 'status'> & { readonly metadata: Pick<Node['metadata'], 'name' | 'labels'> } => ({
  metadata: { name: self.name, labels: nodeLabels(self) },
  spec: {},
  status: { allocatable: capacityOf(self, disk) },
});

/** `before` keeps the times at which conditions last changed, and what others say the node has. */
export function nodeStatusOf(
  self: NodeSelf,
  health: NodeHealth,
  before: NodeStatus | undefined,
  now: number,
): NodeStatus {
  const { machine } = self;
  const capacity = { ...extendedOf(before?.capacity), ...capacityOf(self, health.disk) };
  const addresses: readonly NodeAddress[] = [
    ...self.addresses.map((address) => ({ type: 'InternalIP', address }) as const),
    { type: 'Hostname', address: self.name },
  ];
  return {
    addresses,
    capacity,
    allocatable: capacity,
    conditions: conditionsOf(health, before, now),
    daemonEndpoints: { kubeletEndpoint: { Port: self.port } },
    images: health.images,
    nodeInfo: {
      architecture: machine.architecture,
      bootID: machine.bootId,
      containerRuntimeVersion: `${health.runtime.name}://${health.runtime.version}`,
      kernelVersion: machine.kernelVersion,
      kubeProxyVersion: '',
      kubeletVersion: self.kubeletVersion,
      machineID: machine.machineId,
      operatingSystem: machine.operatingSystem,
      osImage: machine.osImage,
      systemUUID: machine.systemUuid,
    },
  };
}

function capacityOf(
  { machine, maxPods, capacity }: NodeSelf,
  disk: Pick<DiskUsage, 'capacityBytes'>,
): Readonly<Record<string, string>> {
  return {
    cpu: String(machine.cpus),
    'ephemeral-storage': `${Math.floor(disk.capacityBytes / 1024)}Ki`,
    memory: `${Math.floor(machine.memoryBytes / 1024)}Ki`,
    pods: String(maxPods),
    ...capacity,
  };
}

type Quantities = NonNullable<NodeStatus['capacity']>;

const extendedOf = (quantities: Quantities = {}): Quantities =>
  Object.fromEntries(Object.entries(quantities).filter(([name]) => isExtendedResource(name)));

/**
 * Whether pods may not use just what the node is said to have: extended resources are advertised by writing them into its
 * capacity, and it is for the kubelet to give them out (as upstream's does).
 */
export function isUnallocated(capacity: Quantities = {}, allocatable: Quantities = {}): boolean {
  const names = [capacity, allocatable].flatMap((each) => Object.keys(extendedOf(each)));
  return names.some((name) => capacity[name] !== allocatable[name]);
}

/**
 * Lists that would merge are replaced; conditions merge by type, so that others' stay. So does what others say the node has: who
 * changes that at this moment is not overwritten.
 */
export function nodeStatusPatch(
  self: NodeSelf,
  before: NodeStatus | undefined,
  status: NodeStatus,
): { readonly kind: 'strategic'; readonly body: object } {
  const isOthers = (name: string): boolean => isExtendedResource(name) && self.capacity?.[name] === undefined;
  const capacity = Object.fromEntries(Object.entries(status.capacity ?? {}).filter(([name]) => !isOthers(name)));
  const gone = Object.keys(extendedOf(before?.allocatable)).filter((name) => status.capacity?.[name] === undefined);
  const allocatable = { ...status.allocatable, ...Object.fromEntries(gone.map((name) => [name, null])) };
  const addresses = [...(status.addresses ?? []), { $patch: 'replace' }];
  return { kind: 'strategic', body: { status: { ...status, capacity, allocatable, addresses } } };
}

type Claim = Pick<NodeCondition, 'type' | 'status' | 'reason' | 'message'>;

function conditionsOf(health: NodeHealth, before: NodeStatus | undefined, now: number): readonly NodeCondition[] {
  const lowMemory = health.memoryAvailableBytes < LOW_MEMORY_BYTES;
  const lowDisk = health.disk.availableBytes < health.disk.capacityBytes * LOW_DISK_SHARE;
  const claims: readonly Claim[] = [
    lowMemory
      ? {
          type: 'MemoryPressure',
          status: 'True',
          reason: 'KubeletHasInsufficientMemory',
          message: 'kubelet has insufficient memory available',
        }
      : {
          type: 'MemoryPressure',
          status: 'False',
          reason: 'KubeletHasSufficientMemory',
          message: 'kubelet has sufficient memory available',
        },
    lowDisk
      ? { type: 'DiskPressure', status: 'True', reason: 'KubeletHasDiskPressure', message: 'kubelet has disk pressure' }
      : {
          type: 'DiskPressure',
          status: 'False',
          reason: 'KubeletHasNoDiskPressure',
          message: 'kubelet has no disk pressure',
        },
    {
      type: 'PIDPressure',
      status: 'False',
      reason: 'KubeletHasSufficientPID',
      message: 'kubelet has sufficient PID available',
    },
    health.notReady === undefined
      ? { type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'kubelet is posting ready status' }
      : { type: 'Ready', status: 'False', reason: 'KubeletNotReady', message: health.notReady },
  ];
  return claims.map((claim) => {
    const known = before?.conditions?.find(({ type }) => type === claim.type);
    const since = known?.status === claim.status ? known.lastTransitionTime : undefined;
    return { ...claim, lastHeartbeatTime: timeOf(now), lastTransitionTime: since ?? timeOf(now) };
  });
}

/** Everything but the heartbeat times: whether there is news. */
export function sameNodeStatus(a: NodeStatus | undefined, b: NodeStatus): boolean {
  const bare = (status: NodeStatus | undefined): string =>
    JSON.stringify(
      status && { ...status, conditions: status.conditions?.map((one) => ({ ...one, lastHeartbeatTime: undefined })) },
    );
  return bare(a) === bare(b);
}

/** The weight of all pods together: what the node's own processes do not need. */
export const nodeShares = ({ machine }: NodeSelf): number => sharesOf(machine.cpus * 1000);
