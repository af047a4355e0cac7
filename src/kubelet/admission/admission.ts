import type { Node, Pod } from '#api/generated/core-v1.ts';
import type { Client } from '#client/client.ts';
import type { Informer } from '#client/informer.ts';
import { nodeResource } from '#client/resources.ts';
import { type MachineRules, rejectionOf } from '#kubelet/admission/admit.ts';
import type { NodeToFit } from '#kubelet/admission/fits.ts';
import type { Rejection } from '#kubelet/desired.ts';
import type { Clock } from '#lib/clock.ts';

export interface AdmissionDeps {
  readonly client: Client;
  readonly clock: Clock;
  /** Of this one node. */
  readonly nodes: Informer<Node>;
  /** What the node is taken for while the API does not have it. */
  readonly unregistered: () => Promise<NodeToFit>;
  readonly machine: MachineRules;
}

const PATIENCE_MS = 2000;

/** Asks for a pod whether it may run here, of the node as it is now. */
export class Admission {
  readonly #deps: AdmissionDeps;

  constructor(deps: AdmissionDeps) {
    this.#deps = deps;
  }

  /** undefined: it may run. `others` are those that were let in and have not ended. */
  async ask(pod: Pod, others: readonly Pod[], signal: AbortSignal): Promise<Rejection | undefined> {
    const { nodes, unregistered, machine } = this.#deps;
    // Whom it lets in depends on what others have written on the node; an API that does not answer holds nobody up.
    if (!nodes.hasSynced) await this.#patience(signal);
    const node = nodes.list()[0] ?? (await unregistered());
    const rejection = rejectionOf({ pod, node, others, machine });
    // Labels may have been put on the node a moment ago, for this very pod: the copy here may not know them yet.
    if (rejection?.reason !== 'NodeAffinity') return rejection;
    return rejectionOf({ pod, node: await this.#newest(node, signal), others, machine });
  }

  async #patience(signal: AbortSignal): Promise<void> {
    const { nodes, clock } = this.#deps;
    const over = new AbortController();
    const patience = clock.sleep(PATIENCE_MS, AbortSignal.any([signal, over.signal])).catch(() => {});
    await Promise.race([nodes.synced(signal), patience]);
    over.abort();
  }

  async #newest(known: NodeToFit, signal: AbortSignal): Promise<NodeToFit> {
    try {
      return (await this.#deps.client.get(nodeResource, { name: known.metadata.name }, signal)) ?? known;
    } catch {
      signal.throwIfAborted();
      return known;
    }
  }
}
