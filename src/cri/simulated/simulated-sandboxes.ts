import type { SandboxConfig } from '#cri/config.ts';
import type { ListedSandbox, ObservedSandbox, SandboxFilter, SandboxId, Sandboxes } from '#cri/runtime.ts';
import { AddressPool } from '#cri/simulated/address-pool.ts';
import { scriptedSandbox } from '#cri/simulated/script.ts';
import {
  type SimulatedSandbox,
  type SimulatedState,
  fault,
  labelsMatch,
  orInvalid,
} from '#cri/simulated/simulated-state.ts';

export class SimulatedSandboxes implements Sandboxes {
  readonly #state: SimulatedState;
  readonly #pools: readonly AddressPool[];
  readonly #createMs: number;

  constructor(state: SimulatedState, addressRanges: readonly string[], createMs: number) {
    this.#state = state;
    this.#pools = addressRanges.map((range) => new AddressPool(range));
    this.#createMs = createMs;
  }

  async run(config: SandboxConfig, signal: AbortSignal): Promise<SandboxId> {
    signal.throwIfAborted();
    const { afterMs = this.#createMs, error } = orInvalid(() => scriptedSandbox(config));
    if (afterMs > 0) await this.#state.clock.sleep(afterMs, signal);
    if (error !== undefined) throw fault('other', error);
    const { uid, attempt, name } = config.metadata;
    for (const other of this.#state.sandboxes.values()) {
      const { metadata } = other.config;
      if (metadata.uid === uid && metadata.attempt === attempt) {
        throw fault('already-exists', `sandbox ${name} attempt ${attempt} is reserved for ${other.id}`);
      }
    }
    const sandbox: SimulatedSandbox = {
      id: this.#state.newId() as SandboxId,
      config,
      createdAt: this.#state.clock.now(),
      state: 'ready',
      addresses: isNodes(config) ? [] : this.#takeAddresses(),
    };
    this.#state.sandboxes.set(sandbox.id, sandbox);
    this.#emit(sandbox.id, 'started');
    return sandbox.id;
  }

  async stop(id: SandboxId, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const sandbox = this.#state.sandboxes.get(id);
    if (sandbox?.state !== 'ready') return;
    for (const container of this.#state.containersOf(sandbox)) this.#state.exit(container, 137);
    sandbox.state = 'not-ready';
    sandbox.addresses.forEach((address, at) => this.#pools[at]?.free(address));
    sandbox.addresses = [];
    this.#emit(id, 'exited');
  }

  async remove(id: SandboxId, signal: AbortSignal): Promise<void> {
    await this.stop(id, signal);
    const sandbox = this.#state.sandboxes.get(id);
    if (!sandbox) return;
    for (const container of this.#state.containersOf(sandbox)) this.#state.remove(container);
    this.#state.sandboxes.delete(id);
    this.#emit(id, 'deleted');
  }

  async status(id: SandboxId, signal: AbortSignal): Promise<ObservedSandbox | undefined> {
    signal.throwIfAborted();
    const sandbox = this.#state.sandboxes.get(id);
    if (!sandbox) return undefined;
    return { ...listed(sandbox), addresses: sandbox.addresses, network: isNodes(sandbox.config) ? 'node' : 'pod' };
  }

  async list(filter: SandboxFilter, signal: AbortSignal): Promise<readonly ListedSandbox[]> {
    signal.throwIfAborted();
    const all = [...this.#state.sandboxes.values()].map(listed);
    return all.filter(
      ({ id, state, labels }) =>
        (filter.id === undefined || filter.id === id) &&
        (filter.state === undefined || filter.state === state) &&
        labelsMatch(filter.labels, labels),
    );
  }

  /** There is none: nothing runs here. */
  async networkNamespace(_id: SandboxId, signal: AbortSignal): Promise<undefined> {
    signal.throwIfAborted();
  }

  #takeAddresses(): readonly string[] {
    const addresses = this.#pools.map((pool) => pool.take());
    const taken = addresses.filter((address) => address !== undefined);
    if (taken.length === addresses.length) return taken;
    addresses.forEach((address, at) => address !== undefined && this.#pools[at]?.free(address));
    throw fault('exhausted', 'no addresses available in the range of the simulated runtime');
  }

  #emit(id: SandboxId, change: 'started' | 'exited' | 'deleted'): void {
    this.#state.events.emit({ kind: 'sandbox', change, id, at: this.#state.clock.now() });
  }
}

const isNodes = (config: SandboxConfig): boolean => config.linux.securityContext.namespaceOptions.network === 'node';

function listed({ id, config, state, createdAt }: SimulatedSandbox): ListedSandbox {
  const { metadata, labels, annotations, runtimeHandler = '' } = config;
  return { id, metadata, state, createdAt, labels, annotations, runtimeHandler };
}
