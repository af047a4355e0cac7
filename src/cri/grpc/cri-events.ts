/**
 * Where events come from, best first:
 *
 *  1. containerd: its own event service on the same socket (1.6 has no other; every later version has it too, for any number of
 *     listeners, while containerd 1.7's GetContainerEvents hands each event to one listener only).
 *  2. CRI's GetContainerEvents, for other runtimes.
 *  3. Neither: two lists every second, compared.
 *
 * After each loss of the connection it is tried again (100 ms, doubling up to 2 s), the choice included, and a `resync` follows.
 * A server does not say when a subscription has begun; a round trip on the same connection after asking is nearly always
 * later, and a second `resync` half a second on covers the rest.
 */
import { RuntimeFault } from '#cri/fault.ts';
import { containerdEvents } from '#cri/grpc/containerd-events.ts';
import type { EventContext, EventSource } from '#cri/grpc/event-source.ts';
import type { KnownIds } from '#cri/grpc/known-ids.ts';
import { methods } from '#cri/grpc/methods.ts';
import { pollForEvents } from '#cri/grpc/polled-events.ts';
import type { ContainerId, RuntimeEvent, RuntimeEvents, SandboxId } from '#cri/runtime.ts';
import { backoffDelay } from '#lib/backoff.ts';
import { Inbox, SlowReaderError } from '#lib/inbox.ts';
import { Scope } from '#lib/scope.ts';
import { GrpcError } from '#wire/grpc-error.ts';

/** 500 pods that all change at once, four events each. A consumer further behind than that lists again anyway. */
const INBOX_LIMIT = 2000;
const RECONNECT = { baseMs: 100, maxMs: 2000, factor: 2 };
const SECOND_LOOK_MS = 500;

export class CriEvents implements RuntimeEvents {
  readonly #context: EventContext;

  constructor(context: EventContext) {
    this.#context = context;
  }

  async *subscribe(signal: AbortSignal): AsyncGenerator<RuntimeEvent, never> {
    for (;;) {
      const inbox = new Inbox<RuntimeEvent>(INBOX_LIMIT);
      const scope = new Scope(signal);
      scope.spawn('container runtime events', (stop) => this.#feed((event) => inbox.push(event), stop));
      try {
        yield* inbox.drain(scope.signal);
      } catch (error) {
        // What was dropped is made good by the resync that a new subscription begins with.
        if (!(error instanceof SlowReaderError)) throw error;
      } finally {
        await scope[Symbol.asyncDispose]();
      }
    }
  }

  async #feed(emit: (event: RuntimeEvent) => void, signal: AbortSignal): Promise<never> {
    using _ = this.#context.known.onMade((made) => emit(creationOf(made, this.#context.clock.now())));
    for (let failures = 0; ; failures++) {
      signal.throwIfAborted();
      const up = (event: RuntimeEvent): void => {
        failures = 0;
        emit(event);
      };
      try {
        await this.#feedOnce(up, signal);
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof RuntimeFault) && !(error instanceof GrpcError)) throw error;
      }
      await this.#context.clock.sleep(backoffDelay(RECONNECT, failures + 1), signal);
    }
  }

  async #feedOnce(emit: (event: RuntimeEvent) => void, signal: AbortSignal): Promise<void> {
    const { name } = await this.#context.info.version(signal);
    const pushing = name === 'containerd' ? [containerdEvents, criEvents] : [criEvents];
    for (const source of pushing) {
      try {
        return await this.#listen(source, emit, signal);
      } catch (error) {
        if (!(error instanceof GrpcError && error.code === 'Unimplemented')) throw error;
      }
    }
    await pollForEvents(this.#context, emit, signal);
  }

  /** Runs a source, with the resyncs that belong to its beginning. */
  async #listen(source: EventSource, emit: (event: RuntimeEvent) => void, signal: AbortSignal): Promise<void> {
    const resyncs = new Scope(signal);
    resyncs.spawn('resync', async (stop) => {
      await this.#context.info.version(stop);
      emit({ kind: 'resync' });
      await this.#context.clock.sleep(SECOND_LOOK_MS, stop);
      emit({ kind: 'resync' });
    });
    try {
      await source(this.#context, emit, signal);
    } finally {
      resyncs.stop();
      // Its failure is that of the connection, which the source reports as well.
      await resyncs.join().catch(() => {});
    }
  }
}

const criEvents: EventSource = async ({ calls, known }, emit, signal) => {
  for await (const { containerId, type, createdAt, sandbox } of calls.stream(methods.getContainerEvents, {}, signal)) {
    if (type === 'unknown' || containerId === '') continue;
    const owner = sandbox?.id;
    if (owner === containerId) {
      if (type !== 'created') emit({ kind: 'sandbox', change: type, id: owner as SandboxId, at: createdAt });
      continue;
    }
    const mine = known.get(containerId);
    const id = containerId as ContainerId;
    const of = mine?.kind === 'container' ? mine.sandbox : undefined;
    emit({ kind: 'container', change: type, id, sandbox: of ?? (owner as SandboxId | undefined), at: createdAt });
  }
};

const creationOf = (made: NonNullable<ReturnType<KnownIds['get']>>, at: number): RuntimeEvent =>
  made.kind === 'sandbox'
    ? { kind: 'sandbox', change: 'started', id: made.id, at }
    : { kind: 'container', change: 'created', id: made.id, sandbox: made.sandbox, at };
