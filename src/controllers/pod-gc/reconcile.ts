import { hasReason } from '#api/errors.ts';
import type { Node, Pod } from '#api/generated/core-v1.ts';
import { keyOf, type ObjectKey } from '#api/meta.ts';
import type { Client } from '#client/client.ts';
import type { Informer } from '#client/informer.ts';
import { nodeResource, podResource } from '#client/resources.ts';
import { type MakeController, type Outcome, settled } from '#controllers/controller.ts';
import { type Disruption, endingPatch, patchStatus } from '#controllers/disruption-target.ts';
import { hasEnded, orphaned, planPodGc } from '#controllers/pod-gc/plan.ts';
import type { Clock } from '#lib/clock.ts';

export interface PodGcOptions {
  readonly clock: Clock;
  readonly nodes: Informer<Node>;
  readonly pods: Informer<Pod, 'byNode'>;
}

/** Removes pods that nobody looks after any more: of nodes that are gone or given up, and those that never had one. Keys are pods. */
export const podGcController =
  (options: PodGcOptions): MakeController =>
  (client) => {
    const { nodes, pods, clock } = options;
    /** By the node's name: the first time it was looked for in vain. */
    const missing = new Map<string, number>();
    return {
      name: 'pod-gc',
      reads: [nodes, pods],
      watch(enqueue) {
        const watching = new DisposableStack();
        watching.use(
          nodes.onChange(({ key, after }) => {
            if (after) missing.delete(key);
            for (const pod of pods.by('byNode', key)) if (concerns(after, pod)) enqueue(keyOf(pod));
          }),
        );
        watching.use(
          pods.onChange(({ key, before, after }) => {
            const { nodeName } = (after ?? before)!.spec;
            // The next pod of that name's node gets the full time again.
            if (!after && nodeName && pods.by('byNode', nodeName).length === 0) missing.delete(nodeName);
            const node = nodeName ? nodes.get(nodeName as ObjectKey) : undefined;
            if (after && concerns(node, after)) enqueue(key);
          }),
        );
        return watching;
      },
      async reconcile(key, signal) {
        const pod = pods.get(key);
        if (!pod) return settled;
        const name = pod.spec.nodeName ?? '';
        const now = clock.now();
        const node = nodes.get(name as ObjectKey);
        const missingSince = missing.get(name) ?? now;
        if (name !== '' && !node) missing.set(name, missingSince);
        const plan = planPodGc({ pod, node, missingSince, now });
        switch (plan.kind) {
          case 'nothing':
            return settled;
          case 'wait':
            return { kind: 'again', afterMs: plan.untilMs - now, why: 'its node may yet come' };
          case 'remove':
            return removeNow(client, pod, { now }, signal);
          case 'remove-orphan':
            // The copy may be behind; a node that is there is seen in it sooner or later.
            if (await client.get(nodeResource, { name }, signal)) return settled;
            return removeNow(client, pod, { now, disruption: orphaned }, signal);
        }
      },
    };
  };

/** Most pods are on a node that is there and are not ending: they are none of this controller's business. */
const concerns = (node: Node | undefined, pod: Pod): boolean =>
  pod.metadata.deletionTimestamp !== undefined || (node === undefined && pod.spec.nodeName !== undefined);

/** At once, without asking its node. It is said to have failed first: nobody else will say how it ended. */
export async function removeNow(
  client: Client,
  pod: Pod,
  { now, disruption }: { readonly now: number; readonly disruption?: Disruption },
  signal: AbortSignal,
): Promise<Outcome> {
  const { namespace = '', name, uid } = pod.metadata;
  const body = hasEnded(pod) ? undefined : endingPatch(pod, { disruption, phase: 'Failed', now });
  try {
    if (body) await patchStatus(client, pod, body, signal);
    await client.delete(podResource, { namespace, name }, { uid, gracePeriodSeconds: 0 }, signal);
  } catch (error) {
    if (!hasReason(error, 'NotFound') && !hasReason(error, 'Conflict')) throw error;
  }
  return settled;
}
