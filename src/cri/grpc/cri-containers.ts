import type { LinuxResources } from '#cri/config.ts';
import { CALL_DEADLINE_MS, type CriCalls } from '#cri/grpc/calls.ts';
import { orAbsent } from '#cri/grpc/cri-sandboxes.ts';
import { listedContainer, observedContainer } from '#cri/grpc/decode.ts';
import { containerMessage, sandboxMessage } from '#cri/grpc/encode.ts';
import type { KnownIds } from '#cri/grpc/known-ids.ts';
import { methods } from '#cri/grpc/methods.ts';
import { type StopSignals, wantedStopSignal } from '#cri/grpc/stop-signals.ts';
import type {
  ContainerFilter,
  ContainerId,
  Containers,
  CreateConfigs,
  ListedContainer,
  ObservedContainer,
  SandboxId,
} from '#cri/runtime.ts';

export class CriContainers implements Containers {
  readonly #calls: CriCalls;
  readonly #known: KnownIds;
  readonly #stopSignals: StopSignals;

  constructor(calls: CriCalls, known: KnownIds, stopSignals: StopSignals) {
    this.#calls = calls;
    this.#known = known;
    this.#stopSignals = stopSignals;
  }

  async create(sandbox: SandboxId, configs: CreateConfigs, signal: AbortSignal): Promise<ContainerId> {
    const { containerId } = await this.#calls.call(
      methods.createContainer,
      {
        podSandboxId: sandbox,
        config: containerMessage(configs.container),
        sandboxConfig: sandboxMessage(configs.sandbox),
      },
      signal,
    );
    const id = containerId as ContainerId;
    this.#known.made({ kind: 'container', id, sandbox });
    return id;
  }

  async start(id: ContainerId, signal: AbortSignal): Promise<void> {
    await this.#calls.call(methods.startContainer, { containerId: id }, signal);
  }

  async stop(id: ContainerId, graceMs: number, signal: AbortSignal): Promise<void> {
    const left = await this.#afterOwnSignal(id, graceMs, signal);
    const timeout = Math.ceil(Math.max(0, left) / 1000);
    const deadlineMs = timeout * 1000 + CALL_DEADLINE_MS;
    await orAbsent(this.#calls.call(methods.stopContainer, { containerId: id, timeout }, signal, deadlineMs));
  }

  /** How much of the grace period is left for the runtime's own signal. */
  async #afterOwnSignal(id: ContainerId, graceMs: number, signal: AbortSignal): Promise<number> {
    if (graceMs <= 0) return graceMs;
    const found = await orAbsent(this.#calls.call(methods.containerStatus, { containerId: id }, signal));
    const { state, stopSignal, annotations = {} } = found?.status ?? {};
    const wanted = wantedStopSignal(annotations);
    // A runtime that tells of it sends it, too.
    if (state !== 'running' || wanted === undefined || stopSignal === wanted) return graceMs;
    return this.#stopSignals.send(id, wanted, graceMs, signal);
  }

  async remove(id: ContainerId, signal: AbortSignal): Promise<void> {
    await orAbsent(this.#calls.call(methods.removeContainer, { containerId: id }, signal));
  }

  async status(id: ContainerId, signal: AbortSignal): Promise<ObservedContainer | undefined> {
    const found = await orAbsent(this.#calls.call(methods.containerStatus, { containerId: id }, signal));
    return found?.status && observedContainer(found.status);
  }

  async list(filter: ContainerFilter, signal: AbortSignal): Promise<readonly ListedContainer[]> {
    const { id, sandbox, state, labels } = filter;
    const mark = this.#known.mark();
    const request = { filter: { id, podSandboxId: sandbox, state: state && { state }, labelSelector: labels } };
    const { containers } = await this.#calls.call(methods.listContainers, request, signal);
    const all = containers.map(listedContainer);
    const complete = Object.values(filter).every((condition) => condition === undefined) ? 'container' : undefined;
    this.#known.listed(
      all.map((container) => ({ kind: 'container', id: container.id, sandbox: container.sandbox })),
      complete,
      mark,
    );
    return all;
  }

  async updateResources(id: ContainerId, resources: LinuxResources, signal: AbortSignal): Promise<void> {
    await this.#calls.call(methods.updateContainerResources, { containerId: id, linux: resources }, signal);
  }

  async reopenLog(id: ContainerId, signal: AbortSignal): Promise<void> {
    await this.#calls.call(methods.reopenContainerLog, { containerId: id }, signal);
  }
}
