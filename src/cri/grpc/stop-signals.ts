/**
 * Stop signals where CRI has no word for them: containerd before 2.1 takes a container's from its image and from nowhere else. What
 * a container was to be stopped with is written on it, so that any later process knows it, and sent by containerd's own
 * task service (package containerd.services.tasks.v1), which all its versions have on the same socket.
 */
import { CALL_DEADLINE_MS } from '#cri/grpc/calls.ts';
import { faultOf } from '#cri/grpc/faults.ts';
import type { ContainerId } from '#cri/runtime.ts';
import { signalNumber } from '#cri/signals.ts';
import type { Clock } from '#lib/clock.ts';
import { bool, int32, message, string } from '#wire/protobuf.ts';
import type { GrpcClient } from '#wire/grpc-client.ts';
import { type GrpcCode, GrpcError } from '#wire/grpc-error.ts';

/** On a container: the signal that was asked for. */
const ANNOTATION = 'peapod.dev/stop-signal';
/** Where containerd keeps what CRI made. */
const metadata = { 'containerd-namespace': 'k8s.io' };

const KillRequest = message({ containerId: string(1), execId: string(2), signal: int32(3), all: bool(4) });
const WaitRequest = message({ containerId: string(1) });
const tasks = (name: string): string => `/containerd.services.tasks.v1.Tasks/${name}`;

export const stopSignalAnnotation = (stopSignal: string | undefined): Readonly<Record<string, string>> =>
  stopSignal === undefined ? {} : { [ANNOTATION]: stopSignal };

/** What the container was made to be stopped with; undefined: its image's, else SIGTERM. */
export const wantedStopSignal = (annotations: Readonly<Record<string, string>>): string | undefined =>
  annotations[ANNOTATION];

export class StopSignals {
  readonly #client: GrpcClient;
  readonly #clock: Clock;
  /** Those that have had theirs and have not ended: a second one may mean something else to them. */
  readonly #sent = new Set<ContainerId>();

  constructor(client: GrpcClient, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
  }

  /**
   * Sends a running container its stop signal, and waits for its end. Gives how much of the grace period the runtime is to wait
   * after a signal of its own: none, or all of it where it is not containerd. Throws RuntimeFault.
   */
  async send(id: ContainerId, stopSignal: string, graceMs: number, signal: AbortSignal): Promise<number> {
    const number = signalNumber(stopSignal);
    if (number === undefined || graceMs <= 0) return graceMs;
    const deadline = this.#clock.now() + graceMs;
    try {
      if (!this.#sent.has(id)) await this.#kill(id, number, signal);
      this.#sent.add(id);
      await this.#wait(id, Math.max(1, deadline - this.#clock.now()), signal);
    } catch (error) {
      signal.throwIfAborted();
      // Another runtime: it has its own way with signals, or none.
      if (isCode(error, 'Unimplemented')) return graceMs;
      // It is gone, or does not heed it in time.
      if (!isCode(error, 'DeadlineExceeded') && !isCode(error, 'NotFound')) throw faultOf(error);
    }
    this.#sent.delete(id);
    return 0;
  }

  async #kill(containerId: ContainerId, number: number, signal: AbortSignal): Promise<void> {
    const request = KillRequest.encode({ containerId, signal: number });
    await this.#client.unary(tasks('Kill'), request, { deadlineMs: CALL_DEADLINE_MS, metadata }, signal);
  }

  async #wait(containerId: ContainerId, deadlineMs: number, signal: AbortSignal): Promise<void> {
    await this.#client.unary(tasks('Wait'), WaitRequest.encode({ containerId }), { deadlineMs, metadata }, signal);
  }
}

const isCode = (error: unknown, code: GrpcCode): boolean => error instanceof GrpcError && error.code === code;
