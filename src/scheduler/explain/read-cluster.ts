import type { Namespace, Node, Pod, Service } from '#api/generated/core-v1.ts';
import type { PodDisruptionBudget } from '#api/generated/policy-v1.ts';
import type { KubeObject } from '#api/meta.ts';
import type { Resource } from '#api/resource.ts';
import type { Client, ListOptions } from '#client/client.ts';
import {
  namespaceResource,
  nodeResource,
  podDisruptionBudgetResource,
  podResource,
  serviceResource,
} from '#client/resources.ts';
import type { ClusterState } from '#scheduler/cluster-state.ts';
import { indexedCluster } from '#scheduler/indexed-cluster.ts';
import { Budgets } from '#scheduler/preemption/budgets.ts';
import type { Profile } from '#scheduler/profile.ts';
import { readStorage } from '#scheduler/storage/watch-storage.ts';

/** Revisions to read at; where there is none, as things are now. */
export interface At {
  readonly pods?: string;
  readonly nodes?: string;
}

export interface KnownCluster {
  readonly cluster: ClusterState;
  readonly budgets: Budgets;
  /** Pods without a node. */
  readonly waiting: readonly Pod[];
}

/**
 * The cluster as a scheduler with these profiles sees it, read once through the API instead of followed. What the scheduler alone
 * knows is missing: pods whose binding is being written, and the volumes promised to them. Throws ApiError, reason Expired, when a revision is no longer kept.
 */
export async function readCluster(
  client: Client,
  profiles: readonly Profile[],
  at: At,
  signal: AbortSignal,
): Promise<KnownCluster> {
  const list = async <T extends KubeObject>(
    resource: Resource<T>,
    version: string | undefined,
    more: ListOptions = {},
  ): Promise<readonly T[]> => {
    const exact = version === undefined ? {} : { resourceVersion: version, resourceVersionMatch: 'Exact' as const };
    return (await client.list(resource, { ...more, ...exact }, signal)).items;
  };
  const [nodes, pods, namespaces, services, budgets, storage] = await Promise.all([
    list<Node>(nodeResource, at.nodes),
    list<Pod>(podResource, at.pods, { fieldSelector: 'status.phase!=Succeeded,status.phase!=Failed' }),
    list<Namespace>(namespaceResource, at.pods),
    list<Service>(serviceResource, at.pods),
    list<PodDisruptionBudget>(podDisruptionBudgetResource, at.pods),
    readStorage((resource) => list(resource, at.pods)),
  ]);
  const cluster = indexedCluster(profiles.flatMap(({ plugins }) => plugins));
  for (const each of namespaces) cluster.setNamespace(each);
  for (const each of services) cluster.setService(each);
  for (const each of storage) cluster.storage.apply(each);
  for (const each of nodes) cluster.setNode(each);
  const ours = new Set(profiles.map(({ schedulerName }) => schedulerName));
  const waiting: Pod[] = [];
  for (const pod of pods) {
    if (pod.spec.nodeName) cluster.setPod(pod, pod.spec.nodeName);
    else waiting.push(pod);
    const claimed = pod.spec.nodeName ? undefined : pod.status?.nominatedNodeName;
    if (claimed && ours.has(pod.spec.schedulerName ?? '')) cluster.nominations.set(pod, claimed);
  }
  return { cluster, budgets: new Budgets(budgets), waiting };
}
