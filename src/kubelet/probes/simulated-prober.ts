import type { ContainerId } from '#cri/runtime.ts';
import type { SimulatedAnswer } from '#cri/simulated/behaviour.ts';
import type { Answer, AskOptions, NetworkCall, NetworkProber } from '#kubelet/probes/probe-call.ts';
import type { Clock } from '#lib/clock.ts';
import { unreachable } from '#lib/unreachable.ts';

/** Asks a simulated container's script, where no socket is. It answers for the container whose probe it is. */
export class SimulatedProber implements NetworkProber {
  readonly #runtime: { answer(id: ContainerId, question: string): SimulatedAnswer | undefined };
  readonly #clock: Clock;

  constructor(runtime: { answer(id: ContainerId, question: string): SimulatedAnswer | undefined }, clock: Clock) {
    this.#runtime = runtime;
    this.#clock = clock;
  }

  async ask(call: NetworkCall, { container, timeoutMs }: AskOptions, signal: AbortSignal): Promise<Answer> {
    signal.throwIfAborted();
    const answer = this.#runtime.answer(container, questionOf(call));
    switch (answer) {
      case 'ok':
        return { outcome: 'success', output: 'ok', ...(call.kind === 'http' ? { status: 200 } : {}) };
      case 'fail':
        return call.kind === 'http'
          ? { outcome: 'failure', output: 'HTTP probe failed with statuscode: 503', status: 503 }
          : { outcome: 'failure', output: `${call.kind} probe failed` };
      case 'hang':
        await this.#clock.sleep(timeoutMs, signal);
        return { outcome: 'failure', output: 'context deadline exceeded' };
      case undefined:
        return { outcome: 'failure', output: 'connection refused' };
      default:
        return unreachable(answer);
    }
  }
}

function questionOf(call: NetworkCall): string {
  switch (call.kind) {
    case 'http':
      return `http:${call.port}${call.path}`;
    case 'tcp':
      return `tcp:${call.port}`;
    case 'grpc':
      return `grpc:${call.port}/${call.service}`;
    default:
      return unreachable(call);
  }
}
