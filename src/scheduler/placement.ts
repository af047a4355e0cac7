/** The outcome of one decision, with what it takes to explain it. */
export type Placement = Chosen | Nowhere;

export interface Chosen {
  readonly kind: 'chosen';
  readonly node: string;
  /** How many nodes could have taken the pod. */
  readonly feasible: number;
  /** The best ones, at most three, the chosen one first. Without scores when there was no choice. */
  readonly best: readonly Ranked[];
  readonly refusals: Refusals;
}

export interface Ranked {
  readonly node: string;
  readonly total: number;
  /** From 0 to 100, before weights. */
  readonly byPlugin: Readonly<Record<string, number>>;
}

export interface Nowhere {
  readonly kind: 'nowhere';
  readonly nodes: number;
  readonly refusals: Refusals;
  /** No node was looked at: a plugin refused the pod whatever the nodes are like. */
  readonly podRefusal: { readonly plugin: string; readonly reasons: readonly string[] } | undefined;
  /** The nodes where fewer pods could help. */
  readonly resolvable: readonly string[];
}

/** How many nodes were refused, for what and by whom. A node that lacks two things counts for both reasons. */
export class Refusals {
  readonly #counts = new Map<string, number>();
  readonly #plugins = new Set<string>();

  get reasons(): ReadonlyMap<string, number> {
    return this.#counts;
  }
  get plugins(): ReadonlySet<string> {
    return this.#plugins;
  }

  count(plugin: string, reasons: readonly string[], nodes = 1): void {
    this.#plugins.add(plugin);
    for (const reason of reasons) this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + nodes);
  }
}
