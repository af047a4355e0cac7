import type { SandboxConfig } from '#cri/config.ts';
import { RuntimeFault } from '#cri/fault.ts';
import { CALL_DEADLINE_MS, type CriCalls } from '#cri/grpc/calls.ts';
import { listedSandbox, observedSandbox } from '#cri/grpc/decode.ts';
import { sandboxMessage } from '#cri/grpc/encode.ts';
import type { KnownIds } from '#cri/grpc/known-ids.ts';
import { methods } from '#cri/grpc/methods.ts';
import type { ListedSandbox, ObservedSandbox, SandboxFilter, SandboxId, Sandboxes } from '#cri/runtime.ts';

/** A sandbox may have to pull its own image first. */
const RUN_DEADLINE_MS = 2 * CALL_DEADLINE_MS;

export class CriSandboxes implements Sandboxes {
  readonly #calls: CriCalls;
  readonly #known: KnownIds;

  constructor(calls: CriCalls, known: KnownIds) {
    this.#calls = calls;
    this.#known = known;
  }

  async run(config: SandboxConfig, signal: AbortSignal): Promise<SandboxId> {
    const request = { config: sandboxMessage(config), runtimeHandler: config.runtimeHandler };
    const { podSandboxId } = await this.#calls.call(methods.runPodSandbox, request, signal, RUN_DEADLINE_MS);
    const id = podSandboxId as SandboxId;
    this.#known.made({ kind: 'sandbox', id });
    return id;
  }

  async stop(id: SandboxId, signal: AbortSignal): Promise<void> {
    await orAbsent(this.#calls.call(methods.stopPodSandbox, { podSandboxId: id }, signal));
  }

  async remove(id: SandboxId, signal: AbortSignal): Promise<void> {
    await orAbsent(this.#calls.call(methods.removePodSandbox, { podSandboxId: id }, signal));
  }

  async status(id: SandboxId, signal: AbortSignal): Promise<ObservedSandbox | undefined> {
    const found = await orAbsent(this.#calls.call(methods.podSandboxStatus, { podSandboxId: id }, signal));
    return found?.status && observedSandbox(found.status);
  }

  async list(filter: SandboxFilter, signal: AbortSignal): Promise<readonly ListedSandbox[]> {
    const { id, state, labels } = filter;
    const mark = this.#known.mark();
    const request = { filter: { id, state: state && { state }, labelSelector: labels } };
    const { items } = await this.#calls.call(methods.listPodSandbox, request, signal);
    const all = items.map(listedSandbox);
    const complete = id === undefined && state === undefined && labels === undefined ? 'sandbox' : undefined;
    this.#known.listed(
      all.map((sandbox) => ({ kind: 'sandbox', id: sandbox.id })),
      complete,
      mark,
    );
    return all;
  }

  async networkNamespace(id: SandboxId, signal: AbortSignal): Promise<string | undefined> {
    const request = { podSandboxId: id, verbose: true };
    const found = await orAbsent(this.#calls.call(methods.podSandboxStatus, request, signal));
    if (found?.status?.state !== 'ready' || observedSandbox(found.status).network === 'node') return undefined;
    return networkPath(found.info['info']);
  }
}

/** What is gone is what stop and remove want, and what status answers with undefined. */
export async function orAbsent<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof RuntimeFault && error.kind === 'not-found') return undefined;
    throw error;
  }
}

/** containerd and CRI-O put the sandbox's OCI spec into their verbose status; the path of the network namespace is in it. */
function networkPath(verbose: string | undefined): string | undefined {
  const info = record(parsed(verbose));
  const namespaces = record(record(info['runtimeSpec'])['linux'])['namespaces'];
  if (!Array.isArray(namespaces)) return undefined;
  const path = namespaces.map(record).find((namespace) => namespace['type'] === 'network')?.['path'];
  return typeof path === 'string' && path !== '' ? path : undefined;
}

function parsed(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? 'null');
  } catch {
    return undefined;
  }
}

const record = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
