import type { Namespace, Node, Pod, Service } from '#api/generated/core-v1.ts';
import { keyOf, type Uid } from '#api/meta.ts';
import { createInformer } from '#client/create-informer.ts';
import type { Change, Informer } from '#client/informer.ts';
import { namespaceResource, nodeResource, podResource, serviceResource } from '#client/resources.ts';
import type { Scope } from '#lib/scope.ts';
import type { Attempt } from '#scheduler/attempts.ts';
import type { ClusterState } from '#scheduler/cluster-state.ts';
import { indexedCluster } from '#scheduler/indexed-cluster.ts';
import { isUnbound } from '#scheduler/pod-facts.ts';
import { SchedulingQueue } from '#scheduler/queue.ts';
import type { SchedulerOptions } from '#scheduler/scheduler.ts';

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
  /** Pods on a node of our choice, until the informer says where they are or the binding has failed. */
  readonly #assumed = new Set<Uid>();
  readonly #onNews: () => void;

  /** `onNews` is called after every change. */
  constructor(options: Required<SchedulerOptions>, onNews: () => void) {
    const { client, clock, log, profile } = options;
    this.#options = options;
    this.#onNews = onNews;
    const plugins = profile.plugins.map(({ plugin }) => plugin);
    this.queue = new SchedulingQueue(plugins);
    this.cluster = indexedCluster(profile.plugins, (change) => this.queue.changed(change, clock.now()));
    const onError = (error: unknown): void => log('the scheduler lost sight of the cluster', error);
    // What has ended takes no room and needs no node: it goes from the copy as if it were deleted. What is ending stays.
    const fieldSelector = 'status.phase!=Succeeded,status.phase!=Failed';
    this.#pods = createInformer({ client, clock, resource: podResource, fieldSelector, onError });
    this.#nodes = createInformer({ client, clock, resource: nodeResource, onError });
    this.#namespaces = createInformer({ client, clock, resource: namespaceResource, onError });
    this.#services = createInformer({ client, clock, resource: serviceResource, onError });
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
    scope.spawn('watch pods', (signal) => this.#pods.run(signal));
  }

  /** Resolves when all there was in the beginning is known. */
  async synced(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#namespaces, this.#services, this.#nodes, this.#pods].map((each) => each.synced(signal)));
  }

  get revisions(): Attempt['revisions'] {
    return { pods: this.#pods.seen, nodes: this.#nodes.seen };
  }

  /** Counts a pod on a node that it is about to be bound to. */
  assume(pod: Pod, node: string): void {
    this.#assumed.add(pod.metadata.uid);
    this.cluster.setPod(pod, node);
  }

  /** The binding came to nothing. Where the informer has said by now where the pod is, that stands. */
  forget(pod: Pod): void {
    if (!this.#assumed.delete(pod.metadata.uid)) return;
    this.cluster.removePod(pod.metadata.uid);
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
      this.#waits(after);
    } else {
      this.#assumed.delete(uid);
      this.queue.delete(uid);
      if (after?.spec.nodeName) this.cluster.setPod(after, after.spec.nodeName);
      else this.cluster.removePod(uid);
    }
    this.#onNews();
  }

  #waits(pod: Pod): void {
    const { uid, deletionTimestamp } = pod.metadata;
    if (pod.spec.schedulerName !== this.#options.profile.schedulerName) return;
    if (this.#assumed.has(uid)) {
      // While it is being bound, only what it looks like is news; once it is bound, this is news from before.
      if (this.queue.get(uid) !== undefined) this.queue.set(pod, this.#options.clock.now());
    } else if (deletionTimestamp === undefined) {
      this.queue.set(pod, this.#options.clock.now());
    } else {
      this.queue.delete(uid);
    }
  }
}
