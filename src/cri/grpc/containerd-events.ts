/**
 * containerd's event service (package containerd.services.events.v1). Its exits come before CRI's own view of them, by some tens
 * of milliseconds: an event that made a kubelet look at once would show it a container still running. So that a container has
 * `ended` is told at once, with what the event says of it, and that it has `exited` when the status says so too.
 */
import { RuntimeFault } from '#cri/fault.ts';
import type { EventContext, EventSource } from '#cri/grpc/event-source.ts';
import type { KnownId } from '#cri/grpc/known-ids.ts';
import type { ContainerId, RuntimeEvent, SandboxId } from '#cri/runtime.ts';
import { Scope } from '#lib/scope.ts';
import { bytes, embedded, int32, int64, message, string, strings } from '#wire/protobuf.ts';

const SUBSCRIBE = '/containerd.services.events.v1.Events/Subscribe';
/** CRI's namespace in containerd. */
const NAMESPACE = 'k8s.io';
/** How long a status may lag behind: containerd gives its own exit handler 10 s before it tries again. */
const LONGEST_LAG_MS = 10_000;
/** runc needs 10 to 30 ms to clear up after a container; a look costs half a millisecond. */
const LOOK_EVERY_MS = 4;
const EAGER_MS = 200;
const SLOWEST_LOOK_MS = 250;
const LONGEST_OOM_LAG_MS = 1000;

const SubscribeRequest = message({ filters: strings(1) });
const Timestamp = message({ seconds: int64(1), nanos: int32(2) });
const Envelope = message({
  timestamp: embedded(1, Timestamp),
  namespace: string(2),
  topic: string(3),
  event: embedded(4, message({ typeUrl: string(1), value: bytes(2) })),
});
/** Field 1 of TaskStart, TaskExit and TaskOOM is the container's id; field 2 of TaskExit is the process's, another for an exec. */
const TaskEvent = message({ containerId: string(1) });
const TaskExit = message({
  containerId: string(1),
  id: string(2),
  exitStatus: int32(4),
  exitedAt: embedded(5, Timestamp),
});
/** ContainerDelete. */
const ContainerEvent = message({ id: string(1) });

const request = SubscribeRequest.encode({
  filters: ['start', 'exit', 'oom']
    .map((task) => `/tasks/${task}`)
    .concat('/containers/delete')
    .map((topic) => `namespace==${NAMESPACE},topic=="${topic}"`),
});

export const containerdEvents: EventSource = async (context, emit, signal) => {
  await using exits = new Scope(signal);
  for await (const answer of context.client.stream(SUBSCRIBE, request, signal)) {
    const { topic, event, timestamp } = Envelope.decode(answer);
    const at = msOf(timestamp);
    const body = event?.value ?? new Uint8Array(0);
    if (topic === '/tasks/exit') {
      const { containerId, id, exitStatus, exitedAt } = TaskExit.decode(body);
      if (containerId !== id) continue;
      const ended = context.known.get(id);
      if (ended?.kind === 'container')
        emit({
          kind: 'container',
          change: 'ended',
          id: ended.id,
          sandbox: ended.sandbox,
          at: msOf(exitedAt ?? timestamp),
          exitCode: exitStatus,
        });
      exits.spawn(`exit of ${id}`, async (stop) => {
        // Who cannot be asked now has exited all the same: whoever listens looks for himself.
        const who = await settledExit(context, id, stop).catch((error: unknown) => knownUnlessGone(context, id, error));
        if (who) emit(eventOf(who, 'exited', at));
      });
      continue;
    }
    const id = topic === '/containers/delete' ? ContainerEvent.decode(body).id : TaskEvent.decode(body).containerId;
    const known = context.known.get(id);
    if (!known) continue;
    if (topic === '/tasks/start') emit(eventOf(known, 'started', at));
    else if (topic === '/containers/delete') {
      context.known.forget(id);
      emit(eventOf(known, 'deleted', at));
    } else if (topic === '/tasks/oom' && known.kind === 'container') {
      const { id: container, sandbox } = known;
      exits.spawn(`oom of ${id}`, async (stop) => {
        await settledOom(context, container, stop);
        emit({ kind: 'container', change: 'oom', id: container, sandbox, at });
      });
    }
  }
};

/** Waits until CRI's status shows the exit; undefined when the id is nobody's. Gives up waiting, not the event, after a while. */
async function settledExit(context: EventContext, id: string, signal: AbortSignal): Promise<KnownId | undefined> {
  const { clock, known, containers, sandboxes } = context;
  const since = clock.now();
  for (let pause = LOOK_EVERY_MS; ;) {
    const who = known.get(id) ?? (await lookUp(context, id, signal));
    if (!who) return undefined;
    const status =
      who.kind === 'sandbox' ? await sandboxes.status(who.id, signal) : await containers.status(who.id, signal);
    const state = typeof status?.state === 'object' ? status.state.kind : status?.state;
    if ((state !== 'running' && state !== 'ready') || clock.now() - since >= LONGEST_LAG_MS) return who;
    await clock.sleep(pause, signal);
    if (clock.now() - since > EAGER_MS) pause = Math.min(pause * 2, SLOWEST_LOOK_MS);
  }
}

/** CRI may learn of the exit before it learns the reason, and only this event tells that the reason has come: not before it has. */
async function settledOom(context: EventContext, id: ContainerId, signal: AbortSignal): Promise<void> {
  for (let waited = 0; waited < LONGEST_OOM_LAG_MS; waited += LOOK_EVERY_MS) {
    const status = await context.containers.status(id, signal).catch(nothingIfGone);
    if (status?.state.kind !== 'exited' || status.state.reason === 'OOMKilled') return;
    await context.clock.sleep(LOOK_EVERY_MS, signal);
  }
}

function knownUnlessGone({ known }: EventContext, id: string, error: unknown): KnownId | undefined {
  if (!(error instanceof RuntimeFault)) throw error;
  return error.kind === 'not-found' ? undefined : known.get(id);
}

/** The runtime went away meanwhile: the resync after its return tells. */
function nothingIfGone(error: unknown): undefined {
  if (!(error instanceof RuntimeFault)) throw error;
}

/** An exit of something this adapter has not met: asked for, which also teaches `known`. */
async function lookUp(context: EventContext, id: string, signal: AbortSignal): Promise<KnownId | undefined> {
  await context.containers.list({ id: id as ContainerId }, signal);
  if (!context.known.get(id)) await context.sandboxes.list({ id: id as SandboxId }, signal);
  return context.known.get(id);
}

const msOf = (time: { readonly seconds: number; readonly nanos: number } | undefined): number =>
  (time?.seconds ?? 0) * 1000 + (time?.nanos ?? 0) / 1e6;

function eventOf(who: KnownId, change: 'started' | 'exited' | 'deleted', at: number): RuntimeEvent {
  return who.kind === 'sandbox'
    ? { kind: 'sandbox', change, id: who.id, at }
    : { kind: 'container', change, id: who.id, sandbox: who.sandbox, at };
}
