import assert from 'node:assert/strict';
import type { Node, Pod } from '#api/generated/core-v1.ts';
import type { Uid } from '#api/meta.ts';
import type { ClusterState } from '#scheduler/cluster-state.ts';
import { indexedCluster } from '#scheduler/indexed-cluster.ts';
import { fits, type NodeView, type Opinion, type SchedulerPlugin } from '#scheduler/plugin.ts';

/** A pod, and the name of its node. */
export type Placed = readonly [Pod, string];

/** For tests: a cluster that changes under one plugin, and beside it, plainly, what is in it. */
export class ChangingCluster {
  readonly cluster: ClusterState;
  readonly #plugin: SchedulerPlugin;
  readonly #placed = new Map<string, Placed>();

  constructor(plugin: SchedulerPlugin) {
    this.#plugin = plugin;
    this.cluster = indexedCluster([{ plugin, weight: 1 }]);
  }

  /** Pods may be on nodes that are not there. */
  get placed(): readonly Placed[] {
    return [...this.#placed.values()];
  }

  get nodes(): readonly Node[] {
    return this.cluster.nodes.map(({ object }) => object);
  }

  place(pod: Pod, node: string): void {
    this.#placed.set(pod.metadata.uid, [pod, node]);
    this.cluster.setPod(pod, node);
  }

  remove(uid: string): void {
    this.#placed.delete(uid);
    this.cluster.removePod(uid as Uid);
  }

  consider(pod: Pod): Opinion | undefined {
    const answer = this.#plugin.consider(pod, this.cluster);
    return answer.kind === 'opinion' ? answer : undefined;
  }

  /** Asked one by one and all at once, the opinion must say `verdict` of every node. */
  assertVerdicts(opinion: Opinion | undefined, verdict: (node: Node) => string): void {
    const refused = new Map<number, string>();
    opinion?.filterAll?.((position, { reasons }) => {
      if (!refused.has(position)) refused.set(position, reasons.join());
    });
    for (const node of this.cluster.nodes) {
      assert.equal(verdictText(node, opinion), verdict(node.object), node.name);
      assert.equal(refused.get(node.position) ?? 'fits', verdict(node.object), `${node.name}, all at once`);
    }
  }

  /** Without any one of the pods the opinion must say `verdict` of every node, and with it back what it said before. */
  assertAdjusted(opinion: Opinion | undefined, verdict: (node: Node, placed: readonly Placed[]) => string): void {
    for (const [other, name] of this.placed) {
      const where = this.cluster.node(name);
      if (where === undefined) continue;
      const others = this.placed.filter(([each]) => each !== other);
      const less = opinion?.adjusted?.('removed', other, where) ?? opinion;
      const again = less?.adjusted?.('added', other, where) ?? less;
      for (const node of this.cluster.nodes) {
        assert.equal(verdictText(node, less), verdict(node.object, others), `${node.name}, one less`);
        assert.equal(verdictText(node, again), verdictText(node, opinion), `${node.name}, with it back`);
      }
    }
  }
}

function verdictText(node: NodeView, opinion: Opinion | undefined): string {
  const verdict = opinion?.filter?.(node) ?? fits;
  return verdict.kind === 'fits' ? 'fits' : verdict.reasons.join();
}
