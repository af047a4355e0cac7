import { hasReason } from '#api/errors.ts';
import type { Node, Pod, Taint } from '#api/generated/core-v1.ts';
import { keyOf, type ObjectKey } from '#api/meta.ts';
import type { Client } from '#client/client.ts';
import type { EventRecorder } from '#client/events.ts';
import type { Informer } from '#client/informer.ts';
import { podResource } from '#client/resources.ts';
import { type MakeController, type Outcome, settled } from '#controllers/controller.ts';
import { type Disruption, endingPatch, patchStatus } from '#controllers/disruption-target.ts';
import { planEviction, type Scheduled } from '#controllers/taint-eviction/plan.ts';
import type { Clock } from '#lib/clock.ts';

export interface TaintEvictionOptions {
  readonly clock: Clock;
  /** Of `taint-eviction-controller`; run by who made it. */
  readonly events: EventRecorder;
  readonly nodes: Informer<Node>;
  readonly pods: Informer<Pod, 'byNode'>;
}

const disruption: Disruption = {
  reason: 'DeletionByTaintManager',
  message: 'Taint manager: deleting due to NoExecute taint',
};

/**
 * Deletes pods that do not tolerate a NoExecute taint of their node, or not any longer. Keys are pods. Whose time runs is kept in
 * memory: for who comes after a restart it begins anew, as upstream; nobody goes early.
 */
export const taintEvictionController =
  (options: TaintEvictionOptions): MakeController =>
  (client) => {
    const { nodes, pods } = options;
    const scheduled = new Map<ObjectKey, Scheduled>();
    return {
      name: 'taint-eviction',
      reads: [nodes, pods],
      watch(enqueue) {
        const watching = new DisposableStack();
        watching.use(
          nodes.onChange(({ key, before, after }) => {
            if (evictingTaints(before) === evictingTaints(after)) return;
            for (const pod of pods.by('byNode', key)) enqueue(keyOf(pod));
          }),
        );
        watching.use(
          pods.onChange(({ key, before, after }) => {
            if (after === undefined) return void scheduled.delete(key);
            const { nodeName, tolerations } = after.spec;
            const same = before?.spec.nodeName === nodeName && before?.spec.tolerations === tolerations;
            const node = nodeName ? nodes.get(nodeName as ObjectKey) : undefined;
            if (!same && node && evictingTaints(node) !== NONE) enqueue(key);
          }),
        );
        return watching;
      },
      reconcile: (key, signal) => reconcile({ ...options, client, scheduled }, key, signal),
    };
  };

/** As a text, to be compared. */
const evictingTaints = (node: Node | undefined): string =>
  JSON.stringify((node?.spec?.taints ?? []).filter(({ effect }: Taint) => effect === 'NoExecute'));
const NONE = '[]';

interface Parts extends TaintEvictionOptions {
  readonly client: Client;
  readonly scheduled: Map<ObjectKey, Scheduled>;
}

async function reconcile(parts: Parts, key: ObjectKey, signal: AbortSignal): Promise<Outcome> {
  const { pods, nodes, scheduled, events, clock } = parts;
  const pod = pods.get(key);
  const node = pod?.spec.nodeName ? nodes.get(pod.spec.nodeName as ObjectKey) : undefined;
  const now = clock.now();
  const plan = planEviction({ pod, taints: node?.spec?.taints ?? [], scheduled: scheduled.get(key), now });
  switch (plan.kind) {
    case 'nothing':
      scheduled.delete(key);
      return settled;
    case 'cancel':
      scheduled.delete(key);
      if (pod) events.record(pod, { ...eviction, message: `Cancelling deletion of Pod ${key}` });
      return settled;
    case 'wait':
      scheduled.set(key, plan.scheduled);
      return { kind: 'again', afterMs: plan.scheduled.dueAt - now, why: 'it is tolerated until then' };
    case 'evict':
      if (pod) await evict(parts, pod, signal);
      return settled;
  }
}

const eviction = { type: 'Normal', reason: 'TaintManagerEviction' } as const;

async function evict({ client, events, clock }: Parts, pod: Pod, signal: AbortSignal): Promise<void> {
  const { namespace = '', name, uid } = pod.metadata;
  events.record(pod, { ...eviction, message: `Marking for deletion Pod ${namespace}/${name}` });
  const body = endingPatch(pod, { disruption, now: clock.now() });
  try {
    if (body) await patchStatus(client, pod, body, signal);
    await client.delete(podResource, { namespace, name }, { uid }, signal);
  } catch (error) {
    // Gone, or a namesake stands in its place: whom this was about need not go any more.
    if (!hasReason(error, 'NotFound') && !hasReason(error, 'Conflict')) throw error;
  }
}
