import { RuntimeFault } from '#cri/fault.ts';
import { CALL_DEADLINE_MS, type CriCalls, NO_DEADLINE } from '#cri/grpc/calls.ts';
import { containerStats, sandboxStats } from '#cri/grpc/decode.ts';
import { methods } from '#cri/grpc/methods.ts';
import type {
  AttachRequest,
  ContainerId,
  ContainerStats,
  ExecOptions,
  ExecRequest,
  ExecResult,
  RuntimeCondition,
  RuntimeInfo,
  RuntimeStatus,
  RuntimeVersion,
  SandboxId,
  SandboxStats,
  Stats,
  StatsFilter,
  Streams,
} from '#cri/runtime.ts';

/** The kubelet's own API version, which CRI wants to be told and ignores. */
const KUBELET_API_VERSION = '0.1.0';

export class CriInfo implements RuntimeInfo {
  readonly #calls: CriCalls;

  constructor(calls: CriCalls) {
    this.#calls = calls;
  }

  async version(signal: AbortSignal): Promise<RuntimeVersion> {
    const answer = await this.#calls.call(methods.version, { version: KUBELET_API_VERSION }, signal);
    return { name: answer.runtimeName, version: answer.runtimeVersion, apiVersion: answer.runtimeApiVersion };
  }

  async status(signal: AbortSignal): Promise<RuntimeStatus> {
    const [answer, cgroupDriver] = await Promise.all([
      this.#calls.call(methods.status, {}, signal),
      this.#cgroupDriver(signal),
    ]);
    const condition = (type: string): RuntimeCondition => {
      const found = answer.status?.conditions.find((candidate) => candidate.type === type);
      if (!found) return { ready: false, reason: `${type}Missing`, message: `the runtime does not report ${type}` };
      return { ready: found.status, reason: found.reason, message: found.message };
    };
    return {
      runtime: condition('RuntimeReady'),
      network: condition('NetworkReady'),
      handlers: answer.runtimeHandlers.map((handler) => handler.name),
      cgroupDriver,
    };
  }

  async #cgroupDriver(signal: AbortSignal): Promise<RuntimeStatus['cgroupDriver']> {
    try {
      const { linux } = await this.#calls.call(methods.runtimeConfig, {}, signal);
      return linux === undefined || linux.cgroupDriver === 'unknown' ? undefined : linux.cgroupDriver;
    } catch (error) {
      if (error instanceof RuntimeFault && error.kind === 'unimplemented') return undefined;
      throw error;
    }
  }
}

export class CriStreams implements Streams {
  readonly #calls: CriCalls;

  constructor(calls: CriCalls) {
    this.#calls = calls;
  }

  async execSync(
    id: ContainerId,
    command: readonly string[],
    options: ExecOptions,
    signal: AbortSignal,
  ): Promise<ExecResult> {
    const timeout = Math.ceil(Math.max(0, options.timeoutMs) / 1000);
    const deadlineMs = timeout === 0 ? NO_DEADLINE : timeout * 1000 + CALL_DEADLINE_MS;
    const request = { containerId: id, cmd: command, timeout };
    return await this.#calls.call(methods.execSync, request, signal, deadlineMs);
  }

  async exec(request: ExecRequest, signal: AbortSignal): Promise<string> {
    const { container, command, ...streams } = request;
    const { url } = await this.#calls.call(methods.exec, { containerId: container, cmd: command, ...streams }, signal);
    return url;
  }

  async attach(request: AttachRequest, signal: AbortSignal): Promise<string> {
    const { container, ...streams } = request;
    const { url } = await this.#calls.call(methods.attach, { containerId: container, ...streams }, signal);
    return url;
  }

  async portForward(sandbox: SandboxId, ports: readonly number[], signal: AbortSignal): Promise<string> {
    const { url } = await this.#calls.call(methods.portForward, { podSandboxId: sandbox, port: ports }, signal);
    return url;
  }
}

export class CriStats implements Stats {
  readonly #calls: CriCalls;

  constructor(calls: CriCalls) {
    this.#calls = calls;
  }

  async containers(filter: StatsFilter, signal: AbortSignal): Promise<readonly ContainerStats[]> {
    const request = { filter: { podSandboxId: filter.sandbox, labelSelector: filter.labels } };
    const { stats } = await this.#calls.call(methods.listContainerStats, request, signal);
    return stats.map(containerStats);
  }

  async sandboxes(filter: StatsFilter, signal: AbortSignal): Promise<readonly SandboxStats[]> {
    const request = { filter: { id: filter.sandbox, labelSelector: filter.labels } };
    const { stats } = await this.#calls.call(methods.listPodSandboxStats, request, signal);
    return stats.map(sandboxStats);
  }
}
