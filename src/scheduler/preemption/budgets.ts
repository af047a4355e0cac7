import type { Pod } from '#api/generated/core-v1.ts';
import type { PodDisruptionBudget } from '#api/generated/policy-v1.ts';
import { everything, type LabelSelector, SelectorError, selectorOfObject } from '#api/selectors.ts';

/** A PodDisruptionBudget, understood. */
interface Budget {
  readonly namespace: string | undefined;
  readonly selector: LabelSelector;
  readonly allowed: number;
  /** By name: those the server has let go already, and counted. */
  readonly disrupted: ReadonlySet<string>;
}

export interface Sorted {
  /** Whose eviction breaks a budget, given that those before them go too. */
  readonly violating: readonly Pod[];
  readonly others: readonly Pod[];
}

/** How many more pods may go, by who asks that so many stay. */
export class Budgets {
  readonly #byNamespace: ReadonlyMap<string | undefined, readonly Budget[]>;

  constructor(objects: Iterable<PodDisruptionBudget>) {
    const budgets = [...objects].flatMap(understood).filter(({ selector }) => selector !== everything);
    this.#byNamespace = Map.groupBy(budgets, ({ namespace }) => namespace);
  }

  /**
   * Keeps the order. A budget that selects nothing, or everything, protects nobody here (upstream's rule for preemption); a pod
   * that the server has counted already breaks none.
   */
  sort(pods: readonly Pod[]): Sorted {
    if (this.#byNamespace.size === 0) return { violating: [], others: pods };
    const left = new Map<Budget, number>();
    const [violating, others]: [Pod[], Pod[]] = [[], []];
    for (const pod of pods) {
      let isViolating = false;
      for (const budget of this.#of(pod)) {
        const more = (left.get(budget) ?? budget.allowed) - 1;
        left.set(budget, more);
        if (more < 0) isViolating = true;
      }
      (isViolating ? violating : others).push(pod);
    }
    return { violating, others };
  }

  #of({ metadata: { namespace, labels = {}, name } }: Pod): readonly Budget[] {
    if (Object.keys(labels).length === 0) return [];
    const all = this.#byNamespace.get(namespace) ?? [];
    return all.filter(({ selector, disrupted }) => selector.matches(labels) && !disrupted.has(name));
  }
}

/** One that makes no sense protects nobody: the server has refused it already. */
function understood({ metadata, spec, status }: PodDisruptionBudget): readonly Budget[] {
  try {
    const selector = selectorOfObject(spec.selector);
    const disrupted = new Set(Object.keys(status?.disruptedPods ?? {}));
    return [{ namespace: metadata.namespace, selector, allowed: status?.disruptionsAllowed ?? 0, disrupted }];
  } catch (error) {
    if (error instanceof SelectorError) return [];
    throw error;
  }
}
