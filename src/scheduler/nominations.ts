import type { Pod } from '#api/generated/core-v1.ts';
import type { Uid } from '#api/meta.ts';
import { priorityOf } from '#scheduler/pod-facts.ts';

/** Which nodes are being made free, for whom. A pod is nominated for one node at most. */
export interface NominationsView {
  /** How many pods are nominated. */
  readonly size: number;
  /** The nodes that somebody is nominated for, whether they are there or not. */
  readonly nodes: Iterable<string>;
  /** The node that is being made free for a pod. */
  nodeOf(uid: Uid): string | undefined;
  /** Who has a claim to a node before `pod`: those nominated for it whose priority is no lower, itself left out. */
  ahead(pod: Pod, node: string): readonly Pod[];
}

/**
 * Pods that wait for a node to be made free. They are few, and they count on no node: whoever is asked whether another pod fits a
 * node must ask with them on it as well as without. What the API says of them (`status.nominatedNodeName`) is what a scheduler that
 * starts begins with.
 */
export class Nominations implements NominationsView {
  readonly #byPod = new Map<Uid, { readonly pod: Pod; readonly node: string }>();
  readonly #byNode = new Map<string, Map<Uid, Pod>>();

  get size(): number {
    return this.#byPod.size;
  }

  get nodes(): Iterable<string> {
    return this.#byNode.keys();
  }

  nodeOf(uid: Uid): string | undefined {
    return this.#byPod.get(uid)?.node;
  }

  ahead(pod: Pod, node: string): readonly Pod[] {
    const all = this.#byNode.get(node);
    if (all === undefined) return [];
    return [...all.values()].filter(
      (each) => each.metadata.uid !== pod.metadata.uid && priorityOf(each) >= priorityOf(pod),
    );
  }

  /** Those nominated for a node whose priority is lower than the pod's. */
  below(pod: Pod, node: string): readonly Pod[] {
    return [...(this.#byNode.get(node)?.values() ?? [])].filter((each) => priorityOf(each) < priorityOf(pod));
  }

  set(pod: Pod, node: string): void {
    const { uid } = pod.metadata;
    this.delete(uid);
    this.#byPod.set(uid, { pod, node });
    const others = this.#byNode.get(node);
    if (others === undefined) this.#byNode.set(node, new Map([[uid, pod]]));
    else others.set(uid, pod);
  }

  /** Gives the node that is claimed no more. */
  delete(uid: Uid): string | undefined {
    const known = this.#byPod.get(uid);
    if (known === undefined) return undefined;
    this.#byPod.delete(uid);
    const others = this.#byNode.get(known.node);
    others?.delete(uid);
    if (others?.size === 0) this.#byNode.delete(known.node);
    return known.node;
  }
}
