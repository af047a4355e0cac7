import type { Node } from '#api/generated/core-v1.ts';

/** A node, and where it stands among the others. */
interface Placed {
  readonly object: Node;
  readonly position: number;
}

/** A key that makes every node a domain of its own, whatever its labels are. */
export const EACH_NODE = '';

/**
 * Which domain of one topology key each node is in: `zone-a` for `topology.kubernetes.io/zone`, itself for a hostname. Domains are
 * numbered from 0 and keep their numbers for good, so that what is counted by domain outlives every change of nodes.
 */
export class Topology {
  readonly key: string;
  readonly #numbers = new Map<string, number>();
  readonly #names: string[] = [];
  #domains = new Int32Array(0);

  constructor(key: string) {
    this.key = key;
  }

  /** How many domains there have ever been. */
  get size(): number {
    return this.#names.length;
  }

  /** By a node's position: its domain, or -1 for a node without the label. Valid until a node changes. */
  get domains(): Int32Array {
    return this.#domains;
  }

  nameOf(domain: number): string {
    return this.#names[domain] ?? '';
  }

  /** -1 for a node without the label. */
  domainOf({ object }: Pick<Placed, 'object'>): number {
    const name = this.key === EACH_NODE ? object.metadata.name : object.metadata.labels?.[this.key];
    if (name === undefined) return -1;
    let number = this.#numbers.get(name);
    if (number === undefined) {
      number = this.#names.push(name) - 1;
      this.#numbers.set(name, number);
    }
    return number;
  }

  /** The node stands where it says, and has the labels it has. */
  set(node: Placed): void {
    if (this.#domains.length <= node.position) {
      const domains = new Int32Array(Math.max(64, Math.ceil((node.position + 1) * 1.5))).fill(-1);
      domains.set(this.#domains);
      this.#domains = domains;
    }
    this.#domains[node.position] = this.domainOf(node);
  }
}
