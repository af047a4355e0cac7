import type { Pod } from '#api/generated/core-v1.ts';
import type { Impasse } from '#api/peapod/node-verdict.ts';
import type { WhyAnswer } from '#cli/why-text.ts';
import type { Client } from '#client/client.ts';
import { podResource } from '#client/resources.ts';
import { impasseOf, preemptionFor } from '#scheduler/explain/impasse.ts';
import { readCluster } from '#scheduler/explain/read-cluster.ts';
import { place, seededTieBreak } from '#scheduler/place.ts';
import { isGated, isUnbound } from '#scheduler/pod-facts.ts';
import type { Profile } from '#scheduler/profile.ts';

/** What stands in the way, as the cluster is now, of a pod that was found no node; undefined for any other. */
export async function whyNowhere(
  client: Client,
  profiles: readonly Profile[],
  { pod: { namespace, name, gone }, entries }: WhyAnswer,
  signal: AbortSignal,
): Promise<Impasse | undefined> {
  const last = entries.findLast(({ type }) => type === 'SchedulingAttempt');
  if (gone || last?.type !== 'SchedulingAttempt' || last.result !== 'Unschedulable') return undefined;
  const pod = await client.get<Pod>(podResource, { namespace, name }, signal);
  if (pod === undefined || !isUnbound(pod) || isGated(pod)) return undefined;
  const profile = profiles.find(({ schedulerName }) => schedulerName === pod.spec.schedulerName);
  if (profile === undefined) return undefined;
  const { cluster, budgets } = await readCluster(client, profiles, {}, signal);
  const placement = place(pod, cluster, profile, seededTieBreak(0));
  if (placement.kind === 'chosen' || placement.nodes === 0) return undefined;
  const where = { cluster, profile, budgets };
  return impasseOf(pod, where, preemptionFor(pod, placement, where));
}
