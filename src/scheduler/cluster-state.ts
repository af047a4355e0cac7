import type { Namespace, Node, Pod, Service } from '#api/generated/core-v1.ts';
import { keyOf, type ObjectKey, type Uid } from '#api/meta.ts';
import type { Labels } from '#api/selectors.ts';
import { NodeRecord } from '#scheduler/node-record.ts';
import { Nominations } from '#scheduler/nominations.ts';
import type { ClusterChange, ClusterView, NodeUpdate, NodeView } from '#scheduler/plugin.ts';
import { priorityOf, requestsOf } from '#scheduler/pod-facts.ts';
import { StorageState } from '#scheduler/storage/storage-state.ts';
import { Topology } from '#scheduler/topology.ts';

type Listener = (change: ClusterChange) => void;

/**
 * The nodes and what is on them, kept up change by change. Attempts read it in place: they are synchronous, so there is
 * no snapshot to take.
 *
 * Invariant: a pod is counted on exactly one node, the one in `#places`, with the object it was added with. Pods may
 * come before their node and stay after it: until the node is there they wait in `#homeless`.
 *
 * Every method tells the listener what has changed, after it has changed.
 */
export class ClusterState implements ClusterView {
  readonly #records: NodeRecord[] = [];
  readonly #byName = new Map<string, NodeRecord>();
  readonly #places = new Map<Uid, { readonly pod: Pod; readonly node: string }>();
  readonly #homeless = new Map<string, Map<Uid, Pod>>();
  readonly #images = new Map<string, number>();
  readonly #priorities = new Map<number, number>();
  readonly #onChange: Listener;
  readonly #log = new ChangeLog();
  readonly #topologies = new Map<string, Topology>();
  readonly #namespaces = new Map<string, Labels>();
  readonly #services = new Map<ObjectKey, Service>();
  /** Theirs is no change of any node: who depends on them is told by who changes them. */
  readonly nominations = new Nominations();
  readonly storage: StorageState;
  #namespacesEpoch = 0;
  #generation = 0;
  #imagesEpoch = 0;

  constructor(onChange: Listener = () => {}) {
    this.#onChange = onChange;
    this.storage = new StorageState(onChange);
  }

  get nodes(): readonly NodeView[] {
    return this.#records;
  }
  node(name: string): NodeView | undefined {
    return this.#byName.get(name);
  }
  get changes(): number {
    return this.#log.count;
  }
  changedSince(changes: number): readonly number[] | undefined {
    return this.#log.since(changes);
  }
  get imagesEpoch(): number {
    return this.#imagesEpoch;
  }
  topology(key: string): Topology {
    let topology = this.#topologies.get(key);
    if (topology === undefined) {
      topology = new Topology(key);
      this.#topologies.set(key, topology);
      for (const record of this.#records) topology.set(record);
    }
    return topology;
  }
  namespaceLabels(name: string): Labels | undefined {
    return this.#namespaces.get(name);
  }
  servedLabels({ metadata }: Pod): Labels | undefined {
    let found: Labels | undefined;
    for (const { metadata: of, spec } of this.#services.values()) {
      const entries = Object.entries(spec.selector ?? {});
      if (of.namespace !== metadata.namespace || entries.length === 0) continue;
      if (entries.every(([key, value]) => metadata.labels?.[key] === value)) found = { ...found, ...spec.selector };
    }
    return found;
  }
  get namespacesEpoch(): number {
    return this.#namespacesEpoch;
  }
  nodesWithImage(name: string): number {
    return this.#images.get(name) ?? 0;
  }
  hasPodBelow(priority: number): boolean {
    for (const known of this.#priorities.keys()) if (known < priority) return true;
    return false;
  }
  /** Where a pod is counted. */
  placeOf(uid: Uid): string | undefined {
    return this.#places.get(uid)?.node;
  }

  setNamespace({ metadata: { name, labels = {} } }: Namespace): void {
    const known = this.#namespaces.get(name);
    if (known !== undefined && !differ(known, labels)) return;
    this.#namespaces.set(name, labels);
    this.#namespacesEpoch++;
  }

  setService(service: Service): void {
    this.#services.set(keyOf(service), service);
  }

  removeService(key: ObjectKey): void {
    this.#services.delete(key);
  }

  removeNamespace(name: string): void {
    if (this.#namespaces.delete(name)) this.#namespacesEpoch++;
  }

  setNode(object: Node): void {
    const known = this.#byName.get(object.metadata.name);
    if (known === undefined) this.#addNode(object);
    else this.#changeNode(known, object);
  }

  removeNode(name: string): void {
    const record = this.#byName.get(name);
    if (record === undefined) return;
    this.#byName.delete(name);
    const last = this.#records.pop();
    if (last !== undefined && last !== record) {
      this.#records[record.position] = last;
      last.position = record.position;
      this.#log.add(last.position);
      this.#settle(last);
    }
    this.#countImages(record, -1);
    if (record.pods.size > 0) this.#homeless.set(name, new Map(record.pods));
    this.#onChange({ kind: 'node-removed', name, node: record });
  }

  /** A pod on a node, bound or assumed; where it was counted before it no longer is. */
  setPod(pod: Pod, node: string): void {
    const { uid } = pod.metadata;
    const known = this.#places.get(uid);
    if (known?.node === node) return this.#changePod(known.pod, pod, node);
    if (known !== undefined) this.removePod(uid);
    this.#places.set(uid, { pod, node });
    this.#put(pod, node);
    this.#onChange({ kind: 'pod-added', pod, node: this.#byName.get(node) });
  }

  removePod(uid: Uid): void {
    const known = this.#places.get(uid);
    if (known === undefined) return;
    this.#places.delete(uid);
    this.#take(known.pod, known.node);
    this.#onChange({ kind: 'pod-removed', pod: known.pod, node: this.#byName.get(known.node) });
  }

  #addNode(object: Node): void {
    const record = new NodeRecord(object);
    for (const pod of this.#homeless.get(record.name)?.values() ?? []) record.add(pod);
    this.#homeless.delete(record.name);
    record.position = this.#records.length;
    this.#records.push(record);
    this.#byName.set(record.name, record);
    this.#countImages(record, 1);
    this.#touch(record);
    this.#settle(record);
    this.#onChange({ kind: 'node-added', node: record });
  }

  #changeNode(record: NodeRecord, object: Node): void {
    const before = record.object;
    const updates = updatesOf(before, object);
    const sameImages = record.object.status?.images === object.status?.images;
    if (!sameImages) this.#countImages(record, -1);
    record.become(object);
    if (!sameImages) this.#countImages(record, 1);
    this.#touch(record);
    if (updates.includes('node-labels')) this.#settle(record);
    for (const kind of updates) this.#onChange({ kind, node: record, before });
  }

  #changePod(before: Pod, pod: Pod, node: string): void {
    this.#places.set(pod.metadata.uid, { pod, node });
    this.#take(before, node);
    this.#put(pod, node);
    if (countsAlike(before, pod)) return;
    this.#onChange({ kind: 'pod-updated', pod, before, node: this.#byName.get(node) });
  }

  #put(pod: Pod, node: string): void {
    const priority = priorityOf(pod);
    this.#priorities.set(priority, (this.#priorities.get(priority) ?? 0) + 1);
    const record = this.#byName.get(node);
    if (record === undefined) {
      const others = this.#homeless.get(node);
      if (others === undefined) this.#homeless.set(node, new Map([[pod.metadata.uid, pod]]));
      else others.set(pod.metadata.uid, pod);
      return;
    }
    record.add(pod);
    this.#touch(record);
  }

  #take(pod: Pod, node: string): void {
    const priority = priorityOf(pod);
    const count = (this.#priorities.get(priority) ?? 0) - 1;
    if (count > 0) this.#priorities.set(priority, count);
    else this.#priorities.delete(priority);
    const record = this.#byName.get(node);
    if (record === undefined) {
      const others = this.#homeless.get(node);
      others?.delete(pod.metadata.uid);
      if (others?.size === 0) this.#homeless.delete(node);
      return;
    }
    record.remove(pod);
    this.#touch(record);
  }

  /** Where it stands or what its labels are is new. */
  #settle(record: NodeRecord): void {
    for (const topology of this.#topologies.values()) topology.set(record);
  }

  #touch(record: NodeRecord): void {
    record.generation = ++this.#generation;
    this.#log.add(record.position);
  }

  #countImages({ images }: NodeRecord, sign: 1 | -1): void {
    this.#imagesEpoch++;
    for (const name of images.keys()) {
      const count = (this.#images.get(name) ?? 0) + sign;
      if (count > 0) this.#images.set(name, count);
      else this.#images.delete(name);
    }
  }
}

/** Which nodes have changed, by their positions; the oldest are forgotten. */
class ChangeLog {
  #positions: number[] = [];
  #forgotten = 0;

  get count(): number {
    return this.#forgotten + this.#positions.length;
  }

  add(position: number): void {
    this.#positions.push(position);
    if (this.#positions.length < 2 * REMEMBERED_CHANGES) return;
    this.#positions = this.#positions.slice(REMEMBERED_CHANGES);
    this.#forgotten += REMEMBERED_CHANGES;
  }

  since(count: number): readonly number[] | undefined {
    return count < this.#forgotten ? undefined : this.#positions.slice(count - this.#forgotten);
  }
}

/** Who is further behind looks at every node: that is no dearer then. */
const REMEMBERED_CHANGES = 4_096;

/** In the order in which they are told. */
function updatesOf(before: Node, after: Node): readonly NodeUpdate[] {
  const updates: NodeUpdate[] = [];
  if (differ(before.status?.allocatable, after.status?.allocatable)) updates.push('node-allocatable');
  if (differ(before.metadata.labels, after.metadata.labels)) updates.push('node-labels');
  if (differ(before.spec.taints, after.spec.taints)) updates.push('node-taints');
  if ((before.spec.unschedulable ?? false) !== (after.spec.unschedulable ?? false)) updates.push('node-unschedulable');
  if (differ(before.status?.images, after.status?.images)) updates.push('node-images');
  return updates;
}

/** Most updates of a pod on a node are of its status, which nobody here counts. */
const countsAlike = (before: Pod, after: Pod): boolean =>
  (before.metadata.deletionTimestamp === undefined) === (after.metadata.deletionTimestamp === undefined) &&
  looksAlike(before, after);

const looksAlike = (before: Pod, after: Pod): boolean =>
  before.metadata.labels === after.metadata.labels
    ? requestsOf(before) === requestsOf(after) || !differ(before.spec, after.spec)
    : !differ(before.metadata.labels, after.metadata.labels) && !differ(before.spec, after.spec);

const differ = (a: unknown, b: unknown): boolean => a !== b && JSON.stringify(a) !== JSON.stringify(b);
