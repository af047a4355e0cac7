import type { EventSource } from '#cri/grpc/event-source.ts';
import type { RuntimeEvent } from '#cri/runtime.ts';

/** Upstream's period where a runtime has no events. Two lists of a full node take some milliseconds. */
const PERIOD_MS = 1000;

/** Compares what two lists show now with what they showed a second ago. */
export const pollForEvents: EventSource = async ({ sandboxes, containers, clock }, emit, signal) => {
  let before: ReadonlyMap<string, Seen> | undefined;
  for (;;) {
    const [allSandboxes, allContainers] = await Promise.all([sandboxes.list({}, signal), containers.list({}, signal)]);
    const at = clock.now();
    const after = new Map<string, Seen>();
    for (const { id, state } of allSandboxes) {
      const change = state === 'ready' ? 'started' : 'exited';
      after.set(id, {
        change,
        event: { kind: 'sandbox', change, id, at },
        gone: { kind: 'sandbox', change: 'deleted', id, at },
      });
    }
    for (const { id, state, sandbox } of allContainers) {
      const change = state === 'running' ? 'started' : state === 'created' ? 'created' : 'exited';
      const common = { kind: 'container', id, sandbox, at } as const;
      after.set(id, { change, event: { ...common, change }, gone: { ...common, change: 'deleted' } });
    }
    if (before === undefined) emit({ kind: 'resync' });
    else for (const event of differences(before, after)) emit(event);
    before = after;
    await clock.sleep(PERIOD_MS, signal);
  }
};

interface Seen {
  readonly change: string;
  readonly event: RuntimeEvent;
  readonly gone: RuntimeEvent;
}

function* differences(before: ReadonlyMap<string, Seen>, after: ReadonlyMap<string, Seen>): Generator<RuntimeEvent> {
  for (const [id, { gone }] of before) if (!after.has(id)) yield gone;
  for (const [id, { change, event }] of after) if (before.get(id)?.change !== change) yield event;
}
