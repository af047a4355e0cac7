/** One CRI call: written, sent with a deadline, read, and its failure put in the port's words. */
import type { Method } from '#cri/grpc/methods.ts';
import { faultOf } from '#cri/grpc/faults.ts';
import type { GrpcClient } from '#wire/grpc-client.ts';

/** Upstream's default for runtime requests. Calls that wait for something add to it. */
export const CALL_DEADLINE_MS = 120_000;
export const NO_DEADLINE = Infinity;

export class CriCalls {
  readonly #client: GrpcClient;

  constructor(client: GrpcClient) {
    this.#client = client;
  }

  /** Throws RuntimeFault, or the signal's reason. `deadlineMs` Infinity means none. */
  async call<In, Out>(
    method: Method<In, Out>,
    request: In,
    signal: AbortSignal,
    deadlineMs: number = CALL_DEADLINE_MS,
  ): Promise<Out> {
    try {
      return await this.callRaw(method, request, signal, deadlineMs);
    } catch (error) {
      throw faultOf(error);
    }
  }

  /** As `call`, but throws GrpcError. */
  async callRaw<In, Out>(method: Method<In, Out>, request: In, signal: AbortSignal, deadlineMs: number): Promise<Out> {
    const answer = await this.#client.unary(method.path, method.request.encode(request), { deadlineMs }, signal);
    return method.response.decode(answer);
  }

  async *stream<In, Out>(method: Method<In, Out>, request: In, signal: AbortSignal): AsyncGenerator<Out, void> {
    const bytes = method.request.encode(request);
    for await (const answer of this.#client.stream(method.path, bytes, signal)) {
      yield method.response.decode(answer);
    }
  }
}
