import { hasReason } from '#api/errors.ts';
import type { Pod } from '#api/generated/core-v1.ts';
import type { Client } from '#client/client.ts';
import { podResource } from '#client/resources.ts';
import { BY_SCHEDULER, DISRUPTION_TARGET } from '#scheduler/preemption/preempt.ts';

/**
 * Tells a pod why it has to go (condition DisruptionTarget), then deletes it, with the grace it asks for itself. Gives whether it
 * was there to be evicted: who is gone or another by now is left alone. Doing it twice does no harm.
 */
export async function evict(
  client: Client,
  victim: Pod,
  preemptor: Pod,
  context: { readonly now: number; readonly signal: AbortSignal },
): Promise<boolean> {
  const { name, namespace = '', uid, generation } = victim.metadata;
  const condition = {
    type: DISRUPTION_TARGET,
    status: 'True',
    reason: BY_SCHEDULER,
    message: `${preemptor.spec.schedulerName}: preempting to accommodate a higher priority pod`,
    lastTransitionTime: `${new Date(context.now).toISOString().slice(0, 19)}Z`,
    ...(generation === undefined ? {} : { observedGeneration: generation }),
  };
  const body = { metadata: { uid }, status: { conditions: [condition] } };
  const ref = { namespace, name };
  try {
    await client.patch(podResource, { ...ref, subresource: 'status' }, { kind: 'strategic', body }, context.signal);
    await client.delete(podResource, ref, { uid }, context.signal);
    return true;
  } catch (error) {
    if (hasReason(error, 'NotFound') || hasReason(error, 'Conflict')) return false;
    throw error;
  }
}

/** The pod is nominated for no node any more. */
export async function clearNomination(client: Client, pod: Pod, signal: AbortSignal): Promise<void> {
  const { name, namespace = '', uid } = pod.metadata;
  const body = { metadata: { uid }, status: { nominatedNodeName: null } };
  try {
    await client.patch(podResource, { namespace, name, subresource: 'status' }, { kind: 'strategic', body }, signal);
  } catch (error) {
    if (!hasReason(error, 'NotFound') && !hasReason(error, 'Conflict')) throw error;
  }
}
