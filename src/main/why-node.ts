import { hasReason } from '#api/errors.ts';
import type { Pod } from '#api/generated/core-v1.ts';
import type { NodeVerdict } from '#api/peapod/node-verdict.ts';
import type { SchedulingAttempt, TimelineEntry } from '#api/peapod/pod-timeline.ts';
import { UserError } from '#cli/user-error.ts';
import type { NodeAnswer } from '#cli/verdict-text.ts';
import type { WhyAnswer } from '#cli/why-text.ts';
import type { Client } from '#client/client.ts';
import { podResource } from '#client/resources.ts';
import { Hearing } from '#scheduler/explain/verdict.ts';
import { type At, type KnownCluster, readCluster } from '#scheduler/explain/read-cluster.ts';
import type { Profile } from '#scheduler/profile.ts';

interface Deps {
  readonly client: Client;
  readonly profiles: readonly Profile[];
}

/**
 * What the scheduler's plugins say of one node for a pod: on the cluster as it was when the latest attempt was made, as long as the
 * store keeps that; else as it is. A pod with a node is asked about as if it had none. Throws UserError when there is no such pod or
 * node, or the pod is another scheduler's.
 */
export async function whyNode(deps: Deps, answer: WhyAnswer, node: string, signal: AbortSignal): Promise<NodeAnswer> {
  const { name, namespace } = answer.pod;
  const pod = await deps.client.get<Pod>(podResource, { name, namespace }, signal);
  if (pod === undefined || answer.pod.gone)
    throw new UserError(`pod ${namespace}/${name} is gone: there is nothing left to ask about`);
  const { schedulerName = '' } = pod.spec;
  const profile = deps.profiles.find((each) => each.schedulerName === schedulerName);
  if (profile === undefined)
    throw new UserError(`pod ${namespace}/${name} is for scheduler ${schedulerName}: ask that one`);
  const witness: Witness = { ...deps, profile, pod, node };
  const attempt = answer.entries.findLast(isAttempt);
  const then = attempt === undefined ? undefined : await verdictAt(witness, attempt.revisions, signal);
  if (then === undefined || attempt === undefined) {
    const { attempt: number, revisions } = attempt ?? {};
    const of = number === undefined || revisions === undefined ? {} : { attempt: number, revisions };
    return { pod: answer.pod, basis: { kind: 'now', ...of }, verdict: await verdictNow(witness, signal) };
  }
  const { attempt: number, revisions, feasible } = attempt;
  const repeats = then.feasible === feasible;
  const basis = { kind: 'attempt', attempt: number, at: Date.parse(attempt.time), revisions, repeats } as const;
  const now = pod.spec.nodeName ? undefined : await verdictNow(witness, signal).catch(goneByNow);
  const isNews = now !== undefined && JSON.stringify(now.plugins) !== JSON.stringify(then.plugins);
  return { pod: answer.pod, basis, verdict: then, ...(isNews ? { now } : {}) };
}

interface Witness extends Deps {
  readonly profile: Profile;
  readonly pod: Pod;
  readonly node: string;
}

type Attempt = Extract<TimelineEntry, SchedulingAttempt>;
const isAttempt = (entry: TimelineEntry): entry is Attempt => entry.type === 'SchedulingAttempt';

/** undefined when the revisions are not known, or not kept. */
async function verdictAt(witness: Witness, at: At, signal: AbortSignal): Promise<NodeVerdict | undefined> {
  if (at.pods === undefined || at.nodes === undefined) return undefined;
  try {
    return verdictOf(witness, await readCluster(witness.client, witness.profiles, at, signal));
  } catch (error) {
    if (hasReason(error, 'Expired')) return undefined;
    throw error;
  }
}

const verdictNow = async (witness: Witness, signal: AbortSignal): Promise<NodeVerdict> =>
  verdictOf(witness, await readCluster(witness.client, witness.profiles, {}, signal));

function verdictOf({ profile, pod, node }: Witness, { cluster, waiting }: KnownCluster): NodeVerdict {
  const { uid } = pod.metadata;
  // It must not stand in its own way.
  cluster.removePod(uid);
  const found = cluster.node(node);
  if (found === undefined) {
    const names = cluster.nodes.map(({ name }) => name).slice(0, 8);
    throw new UserError(
      `there is no node ${JSON.stringify(node)}${names.length === 0 ? '' : `, but ${names.join(', ')}`}`,
    );
  }
  const asked = waiting.find(({ metadata }) => metadata.uid === uid) ?? withoutNode(pod);
  return new Hearing({ pod: asked, cluster, plugins: profile.plugins }).on(found);
}

function withoutNode(pod: Pod): Pod {
  const { nodeName: _, ...spec } = pod.spec;
  return { ...pod, spec };
}

function goneByNow(error: unknown): undefined {
  if (error instanceof UserError) return undefined;
  throw error;
}
