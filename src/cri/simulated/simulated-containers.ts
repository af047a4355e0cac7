import type { LinuxResources } from '#cri/config.ts';
import type {
  ContainerFilter,
  ContainerId,
  Containers,
  CreateConfigs,
  ListedContainer,
  ObservedContainer,
  SandboxId,
} from '#cri/runtime.ts';
import { signalNumber } from '#cri/signals.ts';
import type { ContainerBehaviour } from '#cri/simulated/behaviour.ts';
import type { SimulatedImages } from '#cri/simulated/simulated-images.ts';
import type { ScriptedLine } from '#cri/simulated/script-values.ts';
import type { SimulatedLog } from '#cri/simulated/simulated-log.ts';
import { memoryUse } from '#cri/simulated/simulated-use.ts';
import {
  type SimulatedContainer,
  type SimulatedState,
  fault,
  labelsMatch,
  orInvalid,
} from '#cri/simulated/simulated-state.ts';

export interface ContainersOptions {
  readonly behaviour: (configs: CreateConfigs) => ContainerBehaviour;
  readonly log: SimulatedLog;
  readonly startMs: number;
  readonly clearMs: number;
}

export class SimulatedContainers implements Containers {
  readonly #state: SimulatedState;
  readonly #images: SimulatedImages;
  readonly #options: ContainersOptions;

  constructor(state: SimulatedState, images: SimulatedImages, options: ContainersOptions) {
    this.#state = state;
    this.#images = images;
    this.#options = options;
  }

  async create(sandboxId: SandboxId, configs: CreateConfigs, signal: AbortSignal): Promise<ContainerId> {
    signal.throwIfAborted();
    const sandbox = this.#state.sandboxes.get(sandboxId);
    if (!sandbox) throw fault('not-found', `sandbox ${sandboxId}: not found`);
    if (sandbox.state !== 'ready') throw fault('other', `sandbox ${sandboxId} is not running`);
    const { container: config } = configs;
    const image = this.#images.find(config.image.ref);
    if (!image) throw fault('not-found', `failed to resolve image "${config.image.ref}": not found`);
    const taken = this.#state
      .containersOf(sandbox)
      .find((other) => other.config.name === config.name && other.config.attempt === config.attempt);
    if (taken) throw fault('already-exists', `container ${config.name} attempt ${config.attempt} is ${taken.id}`);
    const container: SimulatedContainer = {
      id: this.#state.newId() as ContainerId,
      sandbox,
      config,
      behaviour: orInvalid(() => this.#options.behaviour(configs)),
      image: { name: image.repoTags[0] ?? image.id, ref: image.id },
      createdAt: this.#state.clock.now(),
      state: { kind: 'created' },
      resources: config.linux.resources ?? {},
      over: new AbortController(),
    };
    this.#state.containers.set(container.id, container);
    this.#state.emit(container, 'created');
    return container.id;
  }

  async start(id: ContainerId, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const container = this.#found(id);
    const { startAfterMs = this.#options.startMs } = container.behaviour;
    if (startAfterMs > 0) await this.#state.clock.sleep(startAfterMs, signal);
    if (container.state.kind !== 'created') {
      throw fault('other', `container ${id} cannot be started: it is ${container.state.kind}`);
    }
    const { run } = container.behaviour;
    const now = this.#state.clock.now();
    if (run.kind === 'cannot-start') {
      const { message } = run;
      container.state = {
        kind: 'exited',
        startedAt: undefined,
        finishedAt: now,
        exitCode: 128,
        reason: 'StartError',
        message,
      };
      this.#state.emit(container, 'exited');
      throw fault('other', message);
    }
    container.state = { kind: 'running', startedAt: now };
    this.#state.emit(container, 'started');
    this.#options.log.opened(logPath(container));
    for (const line of container.behaviour.output) this.#say(container, asLine(line));
    for (const { at } of container.behaviour.memory ?? [])
      this.#later(container, at, () => this.#checkMemory(container));
    if (run.kind === 'exits') this.#later(container, run.afterMs, () => this.#exitByItself(container, run));
  }

  async stop(id: ContainerId, graceMs: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const container = this.#state.containers.get(id);
    if (container?.state.kind !== 'running') return;
    const { stopAfterMs } = container.behaviour;
    const grace = Math.ceil(Math.max(0, graceMs) / 1000) * 1000;
    const killed = stopAfterMs > grace || grace === 0;
    const waitMs = killed ? grace : stopAfterMs;
    if (waitMs > 0) {
      const cut = AbortSignal.any([signal, container.over.signal]);
      await this.#state.clock.sleep(waitMs, cut).catch(() => {});
      signal.throwIfAborted();
    }
    const number = signalNumber(killed ? 'SIGKILL' : (container.config.stopSignal ?? 'SIGTERM')) ?? 0;
    this.#state.exit(container, 128 + number);
  }

  async remove(id: ContainerId, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const container = this.#state.containers.get(id);
    if (container) this.#state.remove(container);
  }

  async status(id: ContainerId, signal: AbortSignal): Promise<ObservedContainer | undefined> {
    signal.throwIfAborted();
    const container = this.#state.containers.get(id);
    if (!container) return undefined;
    const { config, state, resources, image } = container;
    const { name, attempt, labels, annotations, mounts } = config;
    return {
      id,
      name,
      attempt,
      state,
      labels,
      annotations,
      mounts,
      resources,
      createdAt: container.createdAt,
      image: image.name,
      imageRef: image.ref,
      logPath: logPath(container),
      user: undefined,
      stopSignal: config.stopSignal,
    };
  }

  async list(filter: ContainerFilter, signal: AbortSignal): Promise<readonly ListedContainer[]> {
    signal.throwIfAborted();
    return [...this.#state.containers.values()]
      .filter(
        (container) =>
          (filter.id === undefined || filter.id === container.id) &&
          (filter.sandbox === undefined || filter.sandbox === container.sandbox.id) &&
          (filter.state === undefined || filter.state === container.state.kind) &&
          labelsMatch(filter.labels, container.config.labels),
      )
      .map(listed);
  }

  async updateResources(id: ContainerId, resources: LinuxResources, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const container = this.#found(id);
    const given = Object.entries(resources).filter(([, value]) => value !== undefined && value !== 0 && value !== '');
    container.resources = { ...container.resources, ...Object.fromEntries(given) };
    if (container.state.kind === 'running') this.#checkMemory(container);
  }

  async reopenLog(id: ContainerId, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#found(id).state.kind !== 'running') throw fault('other', `container ${id} is not running`);
  }

  #found(id: ContainerId): SimulatedContainer {
    const container = this.#state.containers.get(id);
    if (!container) throw fault('not-found', `container ${id}: not found`);
    return container;
  }

  #exitByItself(
    container: SimulatedContainer,
    run: Extract<ContainerBehaviour['run'], { readonly kind: 'exits' }>,
  ): void {
    if (run.reason === 'OOMKilled') this.#state.emit(container, 'oom');
    const { clearMs } = this.#options;
    const at = this.#state.clock.now();
    if (clearMs === 0) return this.#state.exit(container, run.code, run);
    this.#state.emitEnd(container, run.code);
    this.#later(container, clearMs, () => this.#state.exit(container, run.code, { ...run, at }));
  }

  /** As the kernel would: whoever uses more than it may is killed. */
  #checkMemory(container: SimulatedContainer): void {
    const { memoryLimitBytes = 0 } = container.resources;
    if (memoryLimitBytes <= 0 || (memoryUse(container, this.#state.clock.now()) ?? 0) <= memoryLimitBytes) return;
    this.#state.emit(container, 'oom');
    this.#state.exit(container, 137, { reason: 'OOMKilled' });
  }

  #say(container: SimulatedContainer, line: ScriptedLine): void {
    const write = (): void => {
      const { stream, text } = line;
      this.#options.log.wrote(logPath(container), { at: this.#state.clock.now(), stream, text });
      if (line.everyMs !== undefined) this.#later(container, line.everyMs, write);
    };
    if (line.atMs === 0) write();
    else this.#later(container, line.atMs, write);
  }

  /** Even "after 0 ms" is later: a container that has been started is seen running first. */
  #later(container: SimulatedContainer, ms: number, act: () => void): void {
    this.#state.clock.sleep(ms, container.over.signal).then(act, () => {});
  }
}

const asLine = (line: string | ScriptedLine): ScriptedLine =>
  typeof line === 'string' ? { atMs: 0, stream: 'stdout', text: line } : line;

const logPath = ({ config, sandbox }: SimulatedContainer): string => `${sandbox.config.logDirectory}/${config.logPath}`;

function listed({ id, sandbox, config, state, createdAt, image }: SimulatedContainer): ListedContainer {
  const { name, attempt, labels, annotations } = config;
  return {
    id,
    name,
    attempt,
    createdAt,
    labels,
    annotations,
    sandbox: sandbox.id,
    state: state.kind,
    image: image.name,
    imageRef: image.ref,
  };
}
