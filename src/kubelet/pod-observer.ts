import type {
  ContainerId,
  ContainerRuntime,
  ListedContainer,
  ListedSandbox,
  ObservedSandbox,
  SandboxId,
} from '#cri/runtime.ts';
import { labels, type PodContainer } from '#kubelet/observed.ts';
import { terminationMessage } from '#kubelet/termination-message.ts';

/** What the runtime's `ended` says. */
export interface EarlyEnd {
  readonly exitCode: number;
  /** Epoch ms. */
  readonly at: number;
}

export interface RuntimeSight {
  readonly sandboxes: readonly ObservedSandbox[];
  readonly containers: readonly PodContainer[];
}

/**
 * What the runtime holds of one pod. Two lists tell what is there and in which state; details are asked for only when a
 * state is another than at the last look, since nothing else about a sandbox or a container ever changes. As long as
 * nothing has happened to the pod in the runtime, the last look is good: most of what wakes a worker is news of the API.
 */
export class PodObserver {
  readonly #runtime: ContainerRuntime;
  readonly #filter: { readonly labels: Readonly<Record<string, string>> };
  #sandboxes = new Map<SandboxId, ObservedSandbox>();
  #containers = new Map<ContainerId, PodContainer>();
  readonly #ends = new Map<ContainerId, EarlyEnd>();
  #outdated = true;

  constructor(runtime: ContainerRuntime, uid: string) {
    this.#runtime = runtime;
    this.#filter = { labels: { [labels.podUid]: uid } };
  }

  /** Something may have happened in the runtime; during a look too: what happens then it may or may not have seen. */
  outdate(): void {
    this.#outdated = true;
  }

  /** Is believed until the runtime's own status shows an end, or `settled` is called. Needs no look at the runtime. */
  ended(id: ContainerId, end: EarlyEnd): void {
    this.#ends.set(id, end);
  }

  /** The runtime's status is good again: of this container, or of all. */
  settled(id?: ContainerId): void {
    if (id === undefined) this.#ends.clear();
    else this.#ends.delete(id);
    this.outdate();
  }

  async look(signal: AbortSignal): Promise<RuntimeSight> {
    if (this.#outdated) await this.#lookAnew(signal);
    const containers = [...this.#containers.values()].map((one) => asEnded(one, this.#ends.get(one.id)));
    return { sandboxes: [...this.#sandboxes.values()], containers };
  }

  async #lookAnew(signal: AbortSignal): Promise<void> {
    this.#outdated = false;
    try {
      await this.#read(signal);
    } catch (error) {
      this.#outdated = true;
      throw error;
    }
  }

  async #read(signal: AbortSignal): Promise<void> {
    const [sandboxes, containers] = await Promise.all([
      this.#runtime.sandboxes.list(this.#filter, signal),
      this.#runtime.containers.list(this.#filter, signal),
    ]);
    const [seenSandboxes, seenContainers] = await Promise.all([
      Promise.all(sandboxes.map((listed) => this.#sandbox(listed, signal))),
      Promise.all(containers.map((listed) => this.#container(listed, signal))),
    ]);
    this.#sandboxes = new Map(seenSandboxes.flatMap((one) => (one ? [[one.id, one]] : [])));
    this.#containers = new Map(seenContainers.flatMap((one) => (one ? [[one.id, one]] : [])));
    // A passing state: no event need tell of its end.
    if (containers.some(({ state }) => state === 'unknown')) this.#outdated = true;
  }

  async #sandbox(listed: ListedSandbox, signal: AbortSignal): Promise<ObservedSandbox | undefined> {
    const known = this.#sandboxes.get(listed.id);
    return known?.state === listed.state ? known : this.#runtime.sandboxes.status(listed.id, signal);
  }

  async #container(listed: ListedContainer, signal: AbortSignal): Promise<PodContainer | undefined> {
    const known = this.#containers.get(listed.id);
    // "Unknown" is a passing state, and no two of them need be alike.
    if (known?.state.kind === listed.state && listed.state !== 'unknown') return known;
    const status = await this.#runtime.containers.status(listed.id, signal);
    return status && withLastWords({ ...status, sandbox: listed.sandbox });
  }
}

/** As the runtime will say it, but for a reason that only it knows. */
function asEnded(container: PodContainer, end: EarlyEnd | undefined): PodContainer {
  const { state } = container;
  if (end === undefined || state.kind !== 'running') return container;
  const { exitCode, at: finishedAt } = end;
  const reason = exitCode === 0 ? 'Completed' : 'Error';
  const { startedAt } = state;
  return {
    ...container,
    state: { kind: 'exited', startedAt, finishedAt, exitCode, reason, message: '' },
    isClearing: true,
  };
}

/** What the runtime says of an end and what the container itself said, as upstream joins them. */
function withLastWords(container: PodContainer): PodContainer {
  const { state } = container;
  const words = terminationMessage(container);
  if (state.kind !== 'exited' || words === '') return container;
  const message = state.message === '' ? words : `${state.message}: ${words}`;
  return { ...container, state: { ...state, message } };
}
