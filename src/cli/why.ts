import type { Node, Pod } from '#api/generated/core-v1.ts';
import { whyOf } from '#api/peapod/why.ts';
import type { Client } from '#client/client.ts';
import { nodeResource, podResource } from '#client/resources.ts';
import { podTimelineResource } from '#client/timeline-recorder.ts';
import { similarTo } from '#cli/similar.ts';
import { UserError } from '#cli/user-error.ts';
import type { WhyAnswer } from '#cli/why-text.ts';

export interface WhyQuestion {
  readonly name: string;
  /** undefined: wherever there is a pod of that name. */
  readonly namespace: string | undefined;
}

interface WhyDeps {
  readonly client: Client;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/** Why a pod is not ready, with its timeline; also of one that is gone. Throws UserError for a pod nobody has heard of. */
export async function why(
  deps: WhyDeps,
  question: WhyQuestion,
  signal: AbortSignal,
): Promise<WhyAnswer & { readonly at: number }> {
  const { name } = question;
  const namespace = question.namespace ?? (await namespaceOf(deps.client, name, signal));
  const timeline = await deps.client.get(podTimelineResource, { namespace, name }, signal);
  if (timeline === undefined) return fromPod(deps, { namespace, name }, signal);
  const { metadata, status, entries, observedAt, pod } = timeline;
  return {
    pod: { namespace, name, uid: metadata.uid, gone: pod === 'gone' },
    ...status,
    entries,
    at: Date.parse(observedAt),
  };
}

/** Nothing is remembered of it: an API server that has lost its journal still has the pod. */
async function fromPod(
  { client, now }: WhyDeps,
  ref: { readonly namespace: string; readonly name: string },
  signal: AbortSignal,
): Promise<WhyAnswer & { readonly at: number }> {
  const pod = await client.get<Pod>(podResource, ref, signal);
  if (pod === undefined) throw await unheardOf(client, ref, signal);
  const [nodes, pods] = await Promise.all([
    client.list<Node>(nodeResource, {}, signal),
    client.list<Pod>(podResource, {}, signal),
  ]);
  const at = now();
  const status = whyOf({ pod, entries: [], cluster: { nodes: nodes.items, pods: pods.items }, now: at });
  return { pod: { ...ref, uid: pod.metadata.uid, gone: false }, ...status, entries: [], at };
}

async function namespaceOf(client: Client, name: string, signal: AbortSignal): Promise<string> {
  const { items } = await client.list<Pod>(podResource, { fieldSelector: `metadata.name=${name}` }, signal);
  const [only, ...others] = items.map(({ metadata }) => metadata.namespace ?? '');
  if (only !== undefined && others.length === 0) return only;
  if (only === undefined) throw await unheardOf(client, { namespace: undefined, name }, signal);
  throw new UserError(`there are pods called ${name} in ${[only, ...others].join(', ')}: say which with -n`);
}

async function unheardOf(client: Client, { namespace, name }: WhyQuestion, signal: AbortSignal): Promise<UserError> {
  const { items } = await client.list<Pod>(podResource, {}, signal);
  const known = items.map(({ metadata }) => ({ namespace: metadata.namespace ?? '', name: metadata.name }));
  const where = namespace === undefined ? 'in any namespace' : `in namespace ${namespace}`;
  const near = similarTo({ namespace, name }, known).map((each) => `${each.namespace}/${each.name}`);
  const hint =
    near.length > 0
      ? `did you mean ${near.join(', ')}?`
      : '`peapod why` lists what is not ready, kubectl get pods -A all there are';
  return new UserError(`no pod ${JSON.stringify(name)} is known ${where}, and none was lately: ${hint}`);
}

/** How many timelines are asked for at once. */
const WIDTH = 8;

/** Every pod that is neither ready nor done, of a namespace or of all; and how many pods there are. */
export async function whyAll(
  deps: WhyDeps,
  namespace: string | undefined,
  signal: AbortSignal,
): Promise<{ readonly unready: readonly WhyAnswer[]; readonly total: number }> {
  const { items } = await deps.client.list<Pod>(podResource, namespace === undefined ? {} : { namespace }, signal);
  const asked = items.filter((pod) => !isWell(pod));
  const unready: WhyAnswer[] = [];
  for (let from = 0; from < asked.length; from += WIDTH) {
    const some = asked.slice(from, from + WIDTH).map(async ({ metadata }) => {
      const question = { name: metadata.name, namespace: metadata.namespace ?? '' };
      const { at: _, ...answer } = await why(deps, question, signal);
      return answer;
    });
    unready.push(...(await Promise.all(some)));
  }
  // What has become ready since it was listed is no trouble any more; nor is what went.
  return { unready: unready.filter(({ ready, pod }) => !ready && !pod.gone), total: items.length };
}

const isWell = ({ metadata, status }: Pod): boolean =>
  status?.phase === 'Succeeded' ||
  (metadata.deletionTimestamp === undefined &&
    status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') === true);
