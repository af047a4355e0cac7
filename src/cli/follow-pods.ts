import type { Event, Pod } from '#api/generated/core-v1.ts';
import { keyOf, keyOfRef, type KubeObject, type ObjectKey, type ObjectRef } from '#api/meta.ts';
import type { Resource } from '#api/resource.ts';
import { FollowedPod } from '#cli/followed-pod.ts';
import { drawing } from '#cli/pod-drawing.ts';
import { podTable } from '#cli/pod-table.ts';
import type { Terminal } from '#cli/terminal.ts';
import type { Client, ClientEvent } from '#client/client.ts';
import { eventResource, podResource } from '#client/resources.ts';
import { type Clock, realClock } from '#lib/clock.ts';
import { isCancellation, Scope } from '#lib/scope.ts';
import { Signal } from '#lib/signal.ts';

/** How long people are kept waiting for a pod that neither comes up nor says why it does not. */
const GIVE_UP_AFTER_MS = 300_000;
const DRAW_EVERY_MS = 100;
/** Without a drawing, time matters for what lasts too long only. */
const LOOK_EVERY_MS = 1000;
const RETRY_AFTER_MS = 500;
const FAILURES_IN_A_ROW = 5;

/**
 * Shows how pods come up until each is Ready, has ended, is gone, or is stuck, or five minutes have passed; then prints
 * what `kubectl get pod -o wide` would, a table a namespace. True when all are Ready or Succeeded. It only looks: calling
 * it twice, or for pods that are long up, is fine. Rejects with the signal's reason when told to stop, the drawing erased.
 */
export const followPods = (
  client: Client,
  pods: readonly ObjectRef[],
  terminal: Terminal,
  signal: AbortSignal,
): Promise<boolean> => followPodsWith({ client, terminal, clock: realClock }, pods, signal);

export interface FollowWorld {
  readonly client: Client;
  readonly terminal: Terminal;
  readonly clock: Clock;
}

export async function followPodsWith(
  world: FollowWorld,
  pods: readonly ObjectRef[],
  signal: AbortSignal,
): Promise<boolean> {
  if (pods.length === 0) return true;
  const { terminal, clock } = world;
  const followed = new Map(pods.map((ref) => [keyOfRef(ref), new FollowedPod(ref, clock.now())]));
  const namespaces = [...new Set(pods.map(({ namespace }) => namespace!))];
  try {
    await using scope = new Scope(signal);
    const changed = new Signal();
    for (const namespace of namespaces) watchNamespace(world, namespace, { followed, changed, scope });
    await untilOver(world, [...followed.values()], changed, scope.signal).catch(async (error: unknown) => {
      // A watch that fails for good stops the scope: its error is the one to tell.
      await scope.join();
      throw error;
    });
  } finally {
    terminal.draw([]);
  }
  // What was drawn last stays on the screen.
  if (terminal.live) for (const line of drawing([...followed.values()], clock.now(), terminal)) terminal.line(line);
  for (const pod of followed.values()) for (const line of pod.verdict(clock.now())) terminal.line(line);
  for (const namespace of namespaces) {
    terminal.line('');
    terminal.line(terminal.style('dim', `$ kubectl get pod -n ${namespace} -o wide`));
    const { items } = await world.client.list<Pod>(podResource, { namespace }, signal);
    for (const row of podTable(items, clock.now())) terminal.line(row);
  }
  return [...followed.values()].every((pod) => pod.isWell);
}

async function untilOver(
  { terminal, clock }: FollowWorld,
  pods: readonly FollowedPod[],
  changed: Signal,
  signal: AbortSignal,
): Promise<void> {
  const deadline = clock.now() + GIVE_UP_AFTER_MS;
  for (;;) {
    const now = clock.now();
    for (const pod of pods) {
      const lines = pod.look(now);
      // On a terminal the drawing says it all.
      if (!terminal.live) for (const line of lines) terminal.line(line);
    }
    if (pods.every((pod) => pod.isOver(now)) || now >= deadline) return;
    if (terminal.live) terminal.draw(drawing(pods, now, terminal));
    const next = Math.min(now + (terminal.live ? DRAW_EVERY_MS : LOOK_EVERY_MS), deadline);
    await changed.wait(clock, next, signal);
  }
}

interface Watched {
  readonly followed: ReadonlyMap<ObjectKey, FollowedPod>;
  readonly changed: Signal;
  readonly scope: Scope;
}

function watchNamespace(world: FollowWorld, namespace: string, { followed, changed, scope }: Watched): void {
  const pods = (event: ClientEvent<Pod>): void => {
    if (event.type === 'BOOKMARK') {
      // All there is has been told: what has not come is not there.
      if (event.initialEventsEnd)
        for (const pod of followed.values()) if (pod.ref.namespace === namespace) pod.listed();
    } else followed.get(keyOf(event.object))?.seen(event.type === 'DELETED' ? undefined : event.object);
    changed.raise();
  };
  const events = (event: ClientEvent<Event>): void => {
    if (event.type !== 'ADDED' && event.type !== 'MODIFIED') return;
    const { name = '' } = event.object.involvedObject;
    followed.get(keyOfRef({ namespace, name }))?.heard(event.object);
    changed.raise();
  };
  scope.spawn('watching pods', (stop) => keepWatching(world, { resource: podResource, namespace }, pods, stop));
  const about = { resource: eventResource, namespace, fieldSelector: 'involvedObject.kind=Pod' };
  scope.spawn('watching events', (stop) => keepWatching(world, about, events, stop));
}

interface About<T extends KubeObject> {
  readonly resource: Resource<T>;
  readonly namespace: string;
  readonly fieldSelector?: string;
}

/** Watches come to an end for many reasons; only when one cannot even begin, time and again, something is wrong. */
async function keepWatching<T extends KubeObject>(
  { client, clock }: FollowWorld,
  { resource, ...selection }: About<T>,
  hear: (event: ClientEvent<T>) => void,
  signal: AbortSignal,
): Promise<void> {
  for (let failures = 0; ; await clock.sleep(RETRY_AFTER_MS, signal)) {
    try {
      for await (const event of client.watch(resource, { ...selection, sendInitialEvents: true }, signal)) {
        failures = 0;
        hear(event);
      }
    } catch (error) {
      if (isCancellation(error, signal) || ++failures === FAILURES_IN_A_ROW) throw error;
    }
  }
}
