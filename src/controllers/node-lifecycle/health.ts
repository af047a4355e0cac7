import type { Lease } from '#api/generated/coordination-v1.ts';
import type { Node } from '#api/generated/core-v1.ts';
import { nodeCondition } from '#api/node-conditions.ts';
import type { Change } from '#client/informer.ts';
import type { Clock } from '#lib/clock.ts';

export interface NodeHealth {
  readonly heardAt: number;
  readonly readySince: number;
}

/**
 * When each node gave a sign of life: when we saw its lease or its heartbeat *change*, never what it wrote there. Clocks of nodes
 * may be wrong by hours; and after a restart of this side, or an hour without a network, every node has its full time again.
 */
export class NodeHealths {
  readonly #clock: Clock;
  readonly #known = new Map<string, NodeHealth>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** undefined for a node that is not there. */
  of(name: string): NodeHealth | undefined {
    return this.#known.get(name);
  }

  nodeChanged({ before, after }: Change<Node>): void {
    const name = (after ?? before)!.metadata.name;
    if (!after) return void this.#known.delete(name);
    const now = this.#clock.now();
    const known = before && this.#known.get(name);
    if (!known) return void this.#known.set(name, { heardAt: now, readySince: now });
    const [was, is] = [nodeCondition(before, 'Ready'), nodeCondition(after, 'Ready')];
    this.#known.set(name, {
      heardAt: was?.lastHeartbeatTime === is?.lastHeartbeatTime ? known.heardAt : now,
      readySince: was?.status === is?.status ? known.readySince : now,
    });
  }

  leaseChanged({ before, after }: Change<Lease>): void {
    const known = after && this.#known.get(after.metadata.name);
    if (known && before?.spec?.renewTime !== after.spec?.renewTime)
      this.#known.set(after.metadata.name, { ...known, heardAt: this.#clock.now() });
  }

  /** After nothing was heard of anybody: that says more of us than of them. */
  beginAnew(): void {
    const now = this.#clock.now();
    for (const name of this.#known.keys()) this.#known.set(name, { heardAt: now, readySince: now });
  }
}
