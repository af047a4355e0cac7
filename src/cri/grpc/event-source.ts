/** What a source of runtime events is given, and what it is. */
import type { CriCalls } from '#cri/grpc/calls.ts';
import type { KnownIds } from '#cri/grpc/known-ids.ts';
import type { Containers, RuntimeEvent, RuntimeInfo, Sandboxes } from '#cri/runtime.ts';
import type { Clock } from '#lib/clock.ts';
import type { GrpcClient } from '#wire/grpc-client.ts';

export interface EventContext {
  readonly calls: CriCalls;
  readonly client: GrpcClient;
  readonly clock: Clock;
  readonly known: KnownIds;
  readonly info: RuntimeInfo;
  readonly sandboxes: Sandboxes;
  readonly containers: Containers;
}

/** Runs until the connection is lost or the source is not there; throws then. */
export type EventSource = (
  context: EventContext,
  emit: (event: RuntimeEvent) => void,
  signal: AbortSignal,
) => Promise<void>;
