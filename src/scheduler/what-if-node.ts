import type { Node, Pod, Taint } from '#api/generated/core-v1.ts';
import type { Uid } from '#api/meta.ts';
import { Requested } from '#scheduler/node-record.ts';
import type { NodeView } from '#scheduler/plugin.ts';
import { requestsOf } from '#scheduler/pod-facts.ts';

/** A node as it would be with pods more or less; the node itself is left as it is. */
export class WhatIfNode implements NodeView {
  readonly name: string;
  readonly object: Node;
  readonly position: number;
  /** Of no state that there is. */
  readonly generation = -1;
  readonly allocatable: NodeView['allocatable'];
  readonly taints: readonly Taint[];
  readonly images: ReadonlyMap<string, number>;
  readonly hash: number;
  readonly pods: Map<Uid, Pod>;
  readonly requested: Requested;

  constructor(node: NodeView) {
    this.name = node.name;
    this.object = node.object;
    this.position = node.position;
    this.allocatable = node.allocatable;
    this.taints = node.taints;
    this.images = node.images;
    this.hash = node.hash;
    this.pods = new Map(node.pods);
    this.requested = new Requested(node.requested);
  }

  add(pod: Pod): void {
    this.pods.set(pod.metadata.uid, pod);
    this.requested.add(requestsOf(pod), 1);
  }

  /** `pod` must be on it. */
  remove(pod: Pod): void {
    this.pods.delete(pod.metadata.uid);
    this.requested.add(requestsOf(pod), -1);
  }
}
