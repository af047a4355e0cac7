import type { Namespace, Node, Pod, Service } from '#api/generated/core-v1.ts';
import type { PodDisruptionBudget } from '#api/generated/policy-v1.ts';
import { keyOf, type Uid } from '#api/meta.ts';
import { createInformer } from '#client/create-informer.ts';
import type { Change, Informer } from '#client/informer.ts';
import {
  namespaceResource,
  nodeResource,
  podDisruptionBudgetResource,
  podResource,
  serviceResource,
} from '#client/resources.ts';
import type { Scope } from '#lib/scope.ts';
import type { Attempt } from '#scheduler/attempts.ts';
import type { ClusterState } from '#scheduler/cluster-state.ts';
import { indexedCluster } from '#scheduler/indexed-cluster.ts';
import { isUnbound } from '#scheduler/pod-facts.ts';
import { Budgets } from '#scheduler/preemption/budgets.ts';
import { SchedulingQueue } from '#scheduler/queue.ts';
import type { SchedulerOptions } from '#scheduler/scheduler.ts';
import { type StorageInformer, watchStorage } from '#scheduler/storage/watch-storage.ts';

/**
 * What the scheduler knows: the table of the cluster and the queue, both kept up by informers, and which pods are only
 * taken for being where they are counted.
 *
 * Pods that ask for another scheduler are none of its business until they are on a node: there they count like any.
 */
export class ClusterWatch {
  readonly cluster: ClusterState;
  readonly queue: SchedulingQueue;
  readonly #options: Required<SchedulerOptions>;
  readonly #pods: Informer<Pod>;
  readonly #nodes: Informer<Node>;
  readonly #namespaces: Informer<Namespace>;
  readonly #services: Informer<Service>;
  readonly #budgets: Informer<PodDisruptionBudget>;
  readonly #storage: readonly StorageInformer[];
  #understoodBudgets: Budgets | undefined;
  /** Pods on a node of our choice, until the informer says where they are or the binding has failed. */
  readonly #assumed = new Set<Uid>();
  readonly #onNews: () => void;

  /** `onNews` is called after every change. */
  constructor(options: Required<SchedulerOptions>, onNews: () => void) {
    const { client, clock, log, profiles } = options;
    this.#options = options;
    this.#onNews = onNews;
    this.queue = new SchedulingQueue(profiles, options.backoff);
    const plugins = profiles.flatMap((profile) => profile.plugins);
    this.cluster = indexedCluster(plugins, (change) => this.queue.changed(change, clock.now()));
    const onError = (error: unknown): void => log('the scheduler lost sight of the cluster', error);
    // What has ended takes no room and needs no node: it goes from the copy as if it were deleted. What is ending stays.
    const fieldSelector = 'status.phase!=Succeeded,status.phase!=Failed';
    this.#pods = createInformer({ client, clock, resource: podResource, fieldSelector, onError });
    this.#nodes = createInformer({ client, clock, resource: nodeResource, onError });
    this.#namespaces = createInformer({ client, clock, resource: namespaceResource, onError });
    this.#services = createInformer({ client, clock, resource: serviceResource, onError });
    this.#budgets = createInformer({ client, clock, resource: podDisruptionBudgetResource, onError });
    this.#storage = watchStorage({ client, clock, onError }, (change) => {
      this.cluster.storage.apply(change);
      this.#onNews();
    });
    this.#budgets.onChange(() => (this.#understoodBudgets = undefined));
    this.#pods.onChange((change) => this.#podChanged(change));
    this.#nodes.onChange((change) => this.#nodeChanged(change));
    this.#services.onChange(({ key, after }) => {
      if (after === undefined) this.cluster.removeService(key);
      else this.cluster.setService(after);
    });
    this.#namespaces.onChange(({ key, after }) => {
      if (after === undefined) this.cluster.removeNamespace(key);
      else this.cluster.setNamespace(after);
    });
  }

  run(scope: Scope): void {
    scope.spawn('watch nodes', (signal) => this.#nodes.run(signal));
    scope.spawn('watch namespaces', (signal) => this.#namespaces.run(signal));
    scope.spawn('watch services', (signal) => this.#services.run(signal));
    scope.spawn('watch pod disruption budgets', (signal) => this.#budgets.run(signal));
    for (const informer of this.#storage)
      scope.spawn(`watch ${informer.resource.plural}`, (signal) => informer.run(signal));
    scope.spawn('watch pods', (signal) => this.#pods.run(signal));
  }

  /** Resolves when all there was in the beginning is known. */
  async synced(signal: AbortSignal): Promise<void> {
    const all = [this.#namespaces, this.#services, this.#budgets, ...this.#storage, this.#nodes, this.#pods];
    await Promise.all(all.map((each) => each.synced(signal)));
  }

  /** How many pods may be evicted, and which. */
  get budgets(): Budgets {
    this.#understoodBudgets ??= new Budgets(this.#budgets.list());
    return this.#understoodBudgets;
  }

  get revisions(): Attempt['revisions'] {
    return { pods: this.#pods.seen, nodes: this.#nodes.seen };
  }

  /** Counts a pod on a node that it is about to be bound to. */
  assume(pod: Pod, node: string): void {
    this.#assumed.add(pod.metadata.uid);
    this.cluster.setPod(pod, node);
    // After it is counted: where it goes nobody else finds room it had claimed.
    this.nominate(pod, undefined);
  }

  /** A node is being made free for a pod, or (undefined) none any more. What it had claimed elsewhere may help others. */
  nominate(pod: Pod, node: string | undefined): void {
    const { nominations } = this.cluster;
    const before = nominations.delete(pod.metadata.uid);
    if (node !== undefined) nominations.set(pod, node);
    if (before === undefined || before === node) return;
    this.queue.changed({ kind: 'pod-removed', pod, node: this.cluster.node(before) }, this.#options.clock.now());
    this.#onNews();
  }

  /** Whether a pod is on a node, and is not about to leave it. */
  isStaying(uid: Uid): boolean {
    const node = this.cluster.placeOf(uid);
    const pod = node === undefined ? undefined : this.cluster.node(node)?.pods.get(uid);
    return pod !== undefined && pod.metadata.deletionTimestamp === undefined;
  }

  /** The binding came to nothing. Where the informer has said by now where the pod is, that stands. */
  forget(pod: Pod): void {
    if (!this.#assumed.delete(pod.metadata.uid)) return;
    this.cluster.removePod(pod.metadata.uid);
    const latest = this.#pods.get(keyOf(pod));
    if (latest?.metadata.uid === pod.metadata.uid && isUnbound(latest)) this.#claim(latest);
    this.#onNews();
  }

  /** Whether a pod is still to be scheduled, as far as is known. */
  isWanted(pod: Pod): boolean {
    const latest = this.#pods.get(keyOf(pod));
    return latest?.metadata.uid === pod.metadata.uid && isUnbound(latest);
  }

  #nodeChanged({ key, after }: Change<Node>): void {
    if (after === undefined) this.cluster.removeNode(key);
    else this.cluster.setNode(after);
    this.#onNews();
  }

  #podChanged({ before, after }: Change<Pod>): void {
    const uid = (after ?? before)?.metadata.uid;
    if (uid === undefined) return;
    if (after !== undefined && !after.spec.nodeName) {
      this.#waits(before, after);
    } else {
      this.nominate((after ?? before)!, undefined);
      this.#assumed.delete(uid);
      this.queue.delete(uid);
      if (after?.spec.nodeName) this.cluster.setPod(after, after.spec.nodeName);
      else this.cluster.removePod(uid);
    }
    this.#onNews();
  }

  #waits(before: Pod | undefined, pod: Pod): void {
    const { uid, deletionTimestamp } = pod.metadata;
    if (!this.#isOurs(pod)) return;
    if (this.#assumed.has(uid)) {
      // While it is being bound, only what it looks like is news; once it is bound, this is news from before.
      if (this.queue.get(uid) !== undefined) this.queue.set(pod, this.#options.clock.now());
    } else if (deletionTimestamp === undefined) {
      // What is decided here comes back later as news: only what others write of it, and what was written before, is listened to.
      if (before === undefined || before.status?.nominatedNodeName !== pod.status?.nominatedNodeName) this.#claim(pod);
      this.queue.set(pod, this.#options.clock.now());
    } else {
      this.nominate(pod, undefined);
      this.queue.delete(uid);
    }
  }

  /** The node its status nominates it for, if any. */
  #claim(pod: Pod): void {
    this.nominate(pod, pod.status?.nominatedNodeName || undefined);
  }

  #isOurs({ spec }: Pod): boolean {
    return this.#options.profiles.some(({ schedulerName }) => schedulerName === spec.schedulerName);
  }
}
