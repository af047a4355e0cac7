import { hasReason } from '#api/errors.ts';
import type { Pod, PodCondition } from '#api/generated/core-v1.ts';
import type { Client } from '#client/client.ts';
import { podResource } from '#client/resources.ts';

/** Why a pod has no node yet: its condition PodScheduled, which is False. */
export interface NotScheduled {
  readonly reason: 'Unschedulable' | 'SchedulerError' | 'SchedulingGated';
  readonly message: string;
  /** The node that is being made free for it; '' when none is any more; absent: what there was stands. */
  readonly nominated?: string | undefined;
}

/** How often it is tried to write a condition to a pod that keeps changing; the next attempt writes it otherwise. */
const TRIES = 3;

/**
 * Writes the condition unless it is there already. The pod's revision is a precondition: somebody may have bound it in
 * the meantime, and a pod on a node must not be said to have none. A pod that is bound, gone or another by now is left alone.
 */
export async function writeCondition(
  client: Client,
  pod: Pod,
  why: NotScheduled,
  context: { readonly now: number; readonly signal: AbortSignal },
): Promise<void> {
  const { name, namespace = '', uid } = pod.metadata;
  let known: Pod | undefined = pod;
  for (let tries = 0; tries < TRIES; tries++) {
    if (known === undefined || known.metadata.uid !== uid || known.spec.nodeName) return;
    const status = changedStatus(known, why, context.now);
    if (Object.keys(status).length === 0) return;
    const body = { metadata: { uid, resourceVersion: known.metadata.resourceVersion }, status };
    const ref = { namespace, name, subresource: 'status' };
    try {
      await client.patch(podResource, ref, { kind: 'strategic', body }, context.signal);
      return;
    } catch (error) {
      if (hasReason(error, 'NotFound')) return;
      if (!hasReason(error, 'Conflict')) throw error;
      known = await client.get(podResource, { namespace, name }, context.signal);
    }
  }
}

function changedStatus(pod: Pod, why: NotScheduled, now: number): object {
  const { nominated = pod.status?.nominatedNodeName ?? '' } = why;
  const condition = changedCondition(pod, why, now);
  return {
    ...(condition === undefined ? {} : { conditions: [condition] }),
    ...(nominated === (pod.status?.nominatedNodeName ?? '') ? {} : { nominatedNodeName: nominated || null }),
  };
}

/** Undefined when the pod has it already. The time of transition is that of the status, not of the reason. */
function changedCondition({ status }: Pod, { reason, message }: NotScheduled, now: number): PodCondition | undefined {
  const old = status?.conditions?.find(({ type }) => type === 'PodScheduled');
  if (old?.status === 'False' && old.reason === reason && old.message === message) return undefined;
  const wasFalse = old?.status === 'False' && old.lastTransitionTime !== undefined;
  const lastTransitionTime = wasFalse ? old.lastTransitionTime : `${new Date(now).toISOString().slice(0, 19)}Z`;
  return {
    type: 'PodScheduled',
    status: 'False',
    reason,
    message,
    ...(lastTransitionTime ? { lastTransitionTime } : {}),
  };
}
