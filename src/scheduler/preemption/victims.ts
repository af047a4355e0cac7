import type { Pod } from '#api/generated/core-v1.ts';
import { adjustedBy, type Held, type Inquiry, refusalOf } from '#scheduler/opinions.ts';
import type { NodeView } from '#scheduler/plugin.ts';
import { priorityOf } from '#scheduler/pod-facts.ts';
import type { Budgets } from '#scheduler/preemption/budgets.ts';
import { byImportance } from '#scheduler/preemption/importance.ts';
import { WhatIfNode } from '#scheduler/what-if-node.ts';

/** Who would have to go from a node, or why nobody's going would help. */
export type Found =
  | {
      readonly kind: 'victims';
      readonly node: string;
      /** The most important one first. */
      readonly pods: readonly Pod[];
      /** How many of them a PodDisruptionBudget would have stay. */
      readonly violations: number;
    }
  | { readonly kind: 'none'; readonly reasons: readonly string[] };

export type Victims = Extract<Found, { readonly kind: 'victims' }>;

export const NO_VICTIMS = 'No preemption victims found for incoming pod';

/**
 * All pods of a lower priority are taken off the node. If the pod fits then, as many of them as can stay are put back, one by one:
 * first those whose eviction would break a budget, and of them, as of the others, the most important first.
 */
export function victimsOn(node: NodeView, inquiry: Inquiry, budgets: Budgets): Found {
  const priority = priorityOf(inquiry.pod);
  const lower: Pod[] = [];
  for (const pod of node.pods.values()) if (priorityOf(pod) < priority) lower.push(pod);
  if (lower.length === 0) return { kind: 'none', reasons: [NO_VICTIMS] };
  const emptied = new WhatIfNode(node);
  let held = inquiry.held;
  for (const pod of lower) {
    emptied.remove(pod);
    held = adjustedBy(held, 'removed', pod, node);
  }
  const refusal = refusalOf(emptied, { ...inquiry, held });
  if (refusal !== undefined) return { kind: 'none', reasons: refusal.verdict.reasons };
  const { violating, others } = budgets.sort(lower.sort(byImportance));
  const reprieve = new Reprieve(emptied, inquiry, held);
  const broken = violating.filter((pod) => !reprieve.spare(pod));
  const gone = others.filter((pod) => !reprieve.spare(pod));
  const pods = [...broken, ...gone].sort(byImportance);
  return { kind: 'victims', node: node.name, pods, violations: broken.length };
}

/** The node with those who have been spared so far. */
class Reprieve {
  readonly #node: WhatIfNode;
  readonly #inquiry: Inquiry;
  #held: readonly Held[];

  constructor(node: WhatIfNode, inquiry: Inquiry, held: readonly Held[]) {
    this.#node = node;
    this.#inquiry = inquiry;
    this.#held = held;
  }

  /** Whether there is room for one more beside the pod that is to come; then it stays. */
  spare(pod: Pod): boolean {
    const held = adjustedBy(this.#held, 'added', pod, this.#node);
    this.#node.add(pod);
    if (refusalOf(this.#node, { ...this.#inquiry, held }) === undefined) {
      this.#held = held;
      return true;
    }
    this.#node.remove(pod);
    return false;
  }
}
