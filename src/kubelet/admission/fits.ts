/**
 * What both a scheduler and a kubelet ask of a pod and a node: enough resources, the right node, free ports. The kubelet asks
 * once more because nobody else does for a pod that names its node, and because two may have chosen at the same time.
 */
import type { Node, Pod } from '#api/generated/core-v1.ts';
import { conflicts, hostPortClaims } from '#api/host-ports.ts';
import { requiredNodes } from '#api/node-affinity.ts';
import { amountsOf, milliOf, requestedResources, type RequestedResources, wholeOf } from '#api/pod-resources.ts';
import { isStaticPod } from '#api/pod-source.ts';
import { isExtendedResource } from '#api/resource-names.ts';
import { untoleratedTaint } from '#api/taints.ts';
import type { Rejection } from '#kubelet/desired.ts';

/** What is looked at of a node. */
export type NodeToFit = Pick<Node, 'spec' | 'status'> & {
  readonly metadata: Pick<Node['metadata'], 'name' | 'labels'>;
};

/** The first reason why the pod does not fit beside the others; upstream's order. */
export function misfit(pod: Pod, node: NodeToFit, others: readonly Pod[]): Rejection | undefined {
  return (
    lackOf(pod, node, others) ??
    (requiredNodes(pod)?.(node) === false
      ? failed('NodeAffinity', "node(s) didn't match Pod's node affinity/selector")
      : undefined) ??
    (pod.spec.nodeName && pod.spec.nodeName !== node.metadata.name
      ? failed('NodeName', "node(s) didn't match the requested node name")
      : undefined) ??
    (portsAreTaken(pod, others)
      ? failed('NodePorts', "node(s) didn't have free ports for the requested pod ports")
      : undefined) ??
    (isRepelled(pod, node) ? failed('TaintToleration', "node(s) had taints that the pod didn't tolerate") : undefined)
  );
}

const failed = (predicate: string, why: string): Rejection => ({
  reason: predicate,
  message: `Predicate ${predicate} failed: ${why}`,
});

interface Need {
  readonly name: string;
  readonly requested: number;
  readonly used: number;
  readonly capacity: number;
}

function lackOf(pod: Pod, node: NodeToFit, others: readonly Pod[]): Rejection | undefined {
  const allocatable = amountsOf(node.status?.allocatable);
  const own = requestsOf(pod);
  const used = others.map(requestsOf);
  const sum = (of: (requests: RequestedResources) => number): number =>
    used.reduce((total, each) => total + of(each), 0);
  const needs: readonly Need[] = [
    { name: 'pods', requested: 1, used: others.length, capacity: wholeOf(allocatable, 'pods') },
    { name: 'cpu', requested: own.milliCpu, used: sum((each) => each.milliCpu), capacity: milliOf(allocatable, 'cpu') },
    {
      name: 'memory',
      requested: own.memory,
      used: sum((each) => each.memory),
      capacity: wholeOf(allocatable, 'memory'),
    },
    {
      name: 'ephemeral-storage',
      requested: own.ephemeralStorage,
      used: sum((each) => each.ephemeralStorage),
      capacity: wholeOf(allocatable, 'ephemeral-storage'),
    },
    ...[...own.scalars]
      // A resource the node has never heard of may be the whole cluster's: it is not this node's to refuse.
      .filter(([name]) => allocatable.has(name) || !isExtendedResource(name))
      .map(([name, requested]) => ({
        name,
        requested,
        used: sum(({ scalars }) => scalars.get(name) ?? 0),
        capacity: wholeOf(allocatable, name),
      })),
  ];
  const lack = needs.find(({ requested, used: taken, capacity }) => requested > 0 && requested > capacity - taken);
  if (lack === undefined) return undefined;
  const { name, requested, used: taken, capacity } = lack;
  const message = `Node didn't have enough resource: ${name}, requested: ${requested}, used: ${taken}, capacity: ${capacity}`;
  return { reason: `OutOf${name}`, message };
}

const known = new WeakMap<Pod['spec'], RequestedResources>();

/** Reading quantities is what costs here, and every pod that arrives asks all that are there. */
function requestsOf(pod: Pod): RequestedResources {
  let requests = known.get(pod.spec);
  if (requests === undefined) {
    requests = requestedResources(pod);
    known.set(pod.spec, requests);
  }
  return requests;
}

function portsAreTaken(pod: Pod, others: readonly Pod[]): boolean {
  const wanted = hostPortClaims(pod);
  if (wanted.length === 0) return false;
  const taken = others.flatMap(hostPortClaims);
  return wanted.some((claim) => taken.some((other) => conflicts(claim, other)));
}

/** Of taints only those that would drive it out again; static pods stay whatever happens. */
const isRepelled = (pod: Pod, { spec }: NodeToFit): boolean =>
  !isStaticPod(pod) &&
  untoleratedTaint(spec.taints, pod.spec.tolerations, ({ effect }) => effect === 'NoExecute') !== undefined;
