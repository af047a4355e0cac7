/**
 * The port's adapter for any runtime that speaks CRI v1 on a unix socket: containerd, CRI-O, cri-dockerd. It keeps no state
 * that matters: the runtime may be restarted under it at any time, and the adapter made anew beside it.
 */
import { CriContainers } from '#cri/grpc/cri-containers.ts';
import { CriEvents } from '#cri/grpc/cri-events.ts';
import { CriImages } from '#cri/grpc/cri-images.ts';
import { CriInfo, CriStats, CriStreams } from '#cri/grpc/cri-info.ts';
import { CriSandboxes } from '#cri/grpc/cri-sandboxes.ts';
import { CriCalls } from '#cri/grpc/calls.ts';
import { StopSignals } from '#cri/grpc/stop-signals.ts';
import { KnownIds } from '#cri/grpc/known-ids.ts';
import type { ContainerRuntime } from '#cri/runtime.ts';
import { type Clock, realClock } from '#lib/clock.ts';
import { GrpcClient } from '#wire/grpc-client.ts';

/** `socket` is a path or `unix:///path`. Nothing is connected before the first call. */
export function criRuntime(socket: string, clock: Clock = realClock): ContainerRuntime {
  const path = socket.startsWith('unix://') ? socket.slice('unix://'.length) : socket;
  const client = new GrpcClient({ kind: 'unix', path }, clock);
  const calls = new CriCalls(client);
  const known = new KnownIds();
  const info = new CriInfo(calls);
  const sandboxes = new CriSandboxes(calls, known);
  const containers = new CriContainers(calls, known, new StopSignals(client, clock));
  return {
    info,
    sandboxes,
    containers,
    images: new CriImages(calls),
    streams: new CriStreams(calls),
    stats: new CriStats(calls),
    events: new CriEvents({ calls, client, clock, known, info, sandboxes, containers }),
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  };
}
