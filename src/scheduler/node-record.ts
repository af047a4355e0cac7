import type { Node, Pod, Taint } from '#api/generated/core-v1.ts';
import type { Uid } from '#api/meta.ts';
import { amountsOf, milliOf, wholeOf, type RequestedResources } from '#api/pod-resources.ts';
import type { NodeView } from '#scheduler/plugin.ts';
import { requestsOf } from '#scheduler/pod-facts.ts';

const nothing: NodeView['requested'] = {
  milliCpu: 0,
  memory: 0,
  ephemeralStorage: 0,
  nonZeroMilliCpu: 0,
  nonZeroMemory: 0,
  scalars: new Map(),
};

/** Sums that are kept up rather than added anew: a pod more or less costs the same however many there are. */
export class Requested {
  milliCpu: number;
  memory: number;
  ephemeralStorage: number;
  nonZeroMilliCpu: number;
  nonZeroMemory: number;
  readonly scalars: Map<string, number>;

  constructor(from: NodeView['requested'] = nothing) {
    this.milliCpu = from.milliCpu;
    this.memory = from.memory;
    this.ephemeralStorage = from.ephemeralStorage;
    this.nonZeroMilliCpu = from.nonZeroMilliCpu;
    this.nonZeroMemory = from.nonZeroMemory;
    this.scalars = new Map(from.scalars);
  }

  add(of: RequestedResources, sign: 1 | -1): void {
    this.milliCpu += sign * of.milliCpu;
    this.memory += sign * of.memory;
    this.ephemeralStorage += sign * of.ephemeralStorage;
    this.nonZeroMilliCpu += sign * of.nonZeroMilliCpu;
    this.nonZeroMemory += sign * of.nonZeroMemory;
    for (const [name, amount] of of.scalars) this.scalars.set(name, (this.scalars.get(name) ?? 0) + sign * amount);
  }
}

/** A node and what is counted on it. Changed by `ClusterState` alone, which also gives it its generation. */
export class NodeRecord implements NodeView {
  readonly name: string;
  readonly hash: number;
  generation = 0;
  /** Where it stands in the list of nodes. */
  position = -1;
  object: Node;
  allocatable: NodeView['allocatable'];
  taints: readonly Taint[];
  images: ReadonlyMap<string, number>;
  readonly requested = new Requested();
  readonly pods = new Map<Uid, Pod>();

  constructor(object: Node) {
    this.name = object.metadata.name;
    this.hash = hashOf(this.name);
    this.object = object;
    this.allocatable = allocatableOf(object);
    this.taints = object.spec.taints ?? [];
    this.images = imagesOf(object);
  }

  become(object: Node): void {
    const before = this.object.status;
    this.object = object;
    // Most changes of a node are of its conditions: what is derived is kept where its source is the same.
    if (before?.allocatable !== object.status?.allocatable) this.allocatable = allocatableOf(object);
    if (before?.images !== object.status?.images) this.images = imagesOf(object);
    this.taints = object.spec.taints ?? [];
  }

  add(pod: Pod): void {
    this.pods.set(pod.metadata.uid, pod);
    this.requested.add(requestsOf(pod), 1);
  }

  /** `pod` as it was added. */
  remove(pod: Pod): void {
    this.pods.delete(pod.metadata.uid);
    this.requested.add(requestsOf(pod), -1);
  }
}

function allocatableOf({ status }: Node): NodeView['allocatable'] {
  const amounts = amountsOf(status?.allocatable);
  const scalars = new Map<string, number>();
  for (const name of amounts.keys()) if (!plain.has(name)) scalars.set(name, wholeOf(amounts, name));
  return {
    milliCpu: milliOf(amounts, 'cpu'),
    memory: wholeOf(amounts, 'memory'),
    ephemeralStorage: wholeOf(amounts, 'ephemeral-storage'),
    pods: wholeOf(amounts, 'pods'),
    scalars,
  };
}

const plain: ReadonlySet<string> = new Set(['cpu', 'memory', 'ephemeral-storage', 'pods']);

function imagesOf({ status }: Node): ReadonlyMap<string, number> {
  const images = new Map<string, number>();
  for (const { names = [], sizeBytes = 0 } of status?.images ?? []) {
    for (const name of names) images.set(name, sizeBytes);
  }
  return images;
}

/** FNV-1a. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}
