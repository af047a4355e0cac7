import type { Pod } from '#api/generated/core-v1.ts';
import type { PodTimelineStatus, TimelineEntry } from '#api/peapod/pod-timeline.ts';
import { recall } from '#api/peapod/recall.ts';
import { millisOf, spanOf } from '#api/peapod/span.ts';
import { brief, configTrouble } from '#api/peapod/trouble-texts.ts';
import { type Subject, subjectsOf } from '#api/peapod/subject.ts';
import { failingProbe, whyContainer } from '#api/peapod/why-container.ts';
import { lastWords } from '#api/peapod/why-crashing.ts';
import { exitWords } from '#api/peapod/exit-words.ts';
import { whyFailed, whyTerminating } from '#api/peapod/why-ending.ts';
import { unwelcome } from '#api/peapod/why-eviction.ts';
import { type ClusterFacts, type Finding, weights, type WhyFacts } from '#api/peapod/why-facts.ts';
import { nodeTrouble } from '#api/peapod/why-node.ts';
import { whyUnplaced } from '#api/peapod/why-unplaced.ts';

export interface WhyRequest {
  readonly pod: Pod;
  /** Of its timeline, by time; [] when nothing is remembered: the sentence is then made of what its status says. */
  readonly entries: readonly TimelineEntry[];
  /** Those there are; undefined where nobody has asked. */
  readonly cluster: ClusterFacts | undefined;
  /** Epoch milliseconds, of the clock that `entries` were written by. */
  readonly now: number;
}

/**
 * Of several things that are wrong the one that blocks the others: a pod without a node has no volumes, without volumes no
 * sandbox, without a sandbox no init container, and so on. Among containers that run side by side, what does not mend
 * itself comes first.
 */
export function whyOf({ pod, entries, cluster, now }: WhyRequest): PodTimelineStatus {
  const facts: WhyFacts = { pod, cluster, recalled: recall(entries), now };
  const ready = isReady(pod);
  const found = ready ? whyReady(facts) : whyNotReady(facts);
  const { what, help, container: subject = pod.metadata.name } = found;
  const name = found.container?.replace(/^(?:init container|sidecar) /, '');
  return {
    ready,
    sentence: `${subject}${what.startsWith("'") ? '' : ' '}${what}`,
    help,
    ...(name && { container: name }),
  };
}

const isReady = ({ metadata, status }: Pod): boolean =>
  metadata.deletionTimestamp === undefined &&
  status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') === true;

function whyNotReady(facts: WhyFacts): Finding {
  const { pod } = facts;
  if (pod.metadata.deletionTimestamp !== undefined) return whyTerminating(facts);
  if (pod.status?.phase === 'Succeeded') return whySucceeded(facts);
  if (pod.status?.phase === 'Failed') return whyFailed(facts);
  if (!pod.spec.nodeName) return whyUnplaced(facts);
  const node = nodeTrouble(facts);
  if (node) return { what: `cannot go on: ${node.what}`, help: node.help, weight: 'stuck' };
  return whySetUp(facts) ?? whyContainers(facts) ?? whyGates(pod);
}

function whySucceeded({ pod, now }: WhyFacts): Finding {
  const ends = (pod.status?.containerStatuses ?? []).flatMap(
    ({ state }) => millisOf(state?.terminated?.finishedAt) ?? [],
  );
  const ago = ends.length > 0 ? ` ${spanOf(now - Math.max(...ends))} ago` : '';
  const all =
    pod.spec.containers.length === 1 ? 'its container has' : `all ${pod.spec.containers.length} containers have`;
  return { what: `has done its work${ago}: ${all} ended with exit 0, nothing is wrong`, help: '', weight: 'fine' };
}

/** Volumes and sandbox: without them no container can be made. */
function whySetUp({ pod, recalled, now }: WhyFacts): Finding | undefined {
  const { trouble } = recalled;
  if (trouble === undefined || hasBegun(pod)) return undefined;
  const since = ` for ${spanOf(now - trouble.since)}`;
  if (trouble.kind === 'SandboxFailed') {
    const message = trouble.message
      .replace(/^Failed to create pod sandbox: /, '')
      .replace(/^rpc error: code = \w+ desc = /, '');
    return {
      what: `has been without a sandbox (network and namespaces)${since}: ${brief(message)}`,
      help: 'it is tried again by itself; if that does not pass, it is the runtime or the CNI plugin of the node that complains',
      weight: 'retrying',
    };
  }
  const volume = /volume "([^"]*)"/.exec(trouble.message)?.[1];
  const { what, help } = configTrouble(pod.metadata.namespace ?? 'default', trouble.message);
  return {
    what: `has been without ${volume ? `volume ${volume}` : 'its volumes'}${since}: ${what}`,
    help,
    weight: 'retrying',
  };
}

const hasBegun = ({ status }: Pod): boolean =>
  status?.conditions?.some(({ type, status: value }) => type === 'PodReadyToStartContainers' && value === 'True') ===
  true;

function whyContainers(facts: WhyFacts): Finding | undefined {
  const subjects = subjectsOf(facts);
  // They go one after the other: the first that is not through blocks all behind it.
  for (const subject of subjects.filter(({ role }) => role !== 'main')) {
    const found = isThrough(subject) ? undefined : whyContainer(subject);
    if (found) return found;
  }
  const found = subjects.flatMap((subject) => whyContainer(subject) ?? []);
  const sorted = found.toSorted((a, b) => weights.indexOf(a.weight) - weights.indexOf(b.weight));
  const [first, ...others] = sorted;
  if (first === undefined) return undefined;
  const wrong = others
    .filter(({ weight }) => weight === 'stuck' || weight === 'retrying')
    .map(({ container }) => container);
  return wrong.length === 0 ? first : { ...first, what: `${first.what} (not well either: ${wrong.join(', ')})` };
}

/** What comes after it need not wait for it: an init container that is done, a sidecar that has started. */
function isThrough({ role, status }: Subject): boolean {
  if (role === 'sidecar') return status?.started === true;
  return status?.state?.terminated?.exitCode === 0;
}

function whyGates(pod: Pod): Finding {
  const conditions = pod.status?.conditions ?? [];
  const unmet = (pod.spec.readinessGates ?? [])
    .map(({ conditionType }) => conditionType)
    .filter((gate) => !conditions.some(({ type, status }) => type === gate && status === 'True'));
  if (unmet.length === 0) return { what: 'is not said to be ready yet', help: '', weight: 'coming' };
  const one = unmet.length === 1;
  const names = unmet.join(', ');
  return {
    what: `has all its containers ready and waits for ${one ? 'readiness gate' : 'readiness gates'} ${names}`,
    help: `who looks after ${one ? 'that condition' : 'those conditions'} must set ${one ? 'it' : 'them'} to True in the pod's status`,
    weight: 'stuck',
  };
}

/** Crashes as young as this are told of a pod that is ready: it may be so between two of them only. */
const RECENT_MS = 600_000;

function whyReady(facts: WhyFacts): Finding {
  const { pod, now } = facts;
  const condition = pod.status?.conditions?.find(({ type }) => type === 'Ready');
  const since = millisOf(condition?.lastTransitionTime);
  const head = since === undefined ? 'is ready' : `has been ready for ${spanOf(now - since)}`;
  const node = nodeTrouble(facts);
  if (node) return { what: `was ready when it was last heard of, but ${node.what}`, help: node.help, weight: 'stuck' };
  const home = facts.cluster?.nodes.find(({ metadata }) => metadata.name === pod.spec.nodeName);
  const eviction = home && unwelcome(pod, home, now);
  if (eviction) return { what: `${head}, but ${eviction.what}`, help: eviction.help, weight: 'stuck' };
  const subjects = subjectsOf(facts);
  const failing = subjects.find((subject) => failingProbe(subject));
  if (failing) {
    const { kind, output } = failingProbe(failing)!;
    return {
      what: `${head}, but ${failing.container.name}'s ${kind} probe has begun to fail: ${brief(output)}`,
      help: '',
      weight: 'coming',
    };
  }
  const crashed = subjects.find(
    ({ status }) => now - (millisOf(status?.lastState?.terminated?.finishedAt) ?? 0) < RECENT_MS,
  );
  if (crashed === undefined) return { what: head, help: '', weight: 'fine' };
  return { what: `${head}, after ${crashOf(crashed)}`, help: '', weight: 'fine' };
}

function crashOf(subject: Subject): string {
  const { container, status, now } = subject;
  const ended = status!.lastState!.terminated!;
  const last = lastWords(subject, ended);
  const count = status!.restartCount === 1 ? 'a restart' : `${status!.restartCount} restarts`;
  const ago = spanOf(now - millisOf(ended.finishedAt)!);
  const words = exitWords(ended, container);
  return `${count} of ${container.name}, the last ${ago} ago: ${words}${last === undefined ? '' : `, last said: ${last}`}`;
}

/** Of a pod that the API has no more; its timeline outlives it for a while. */
export function whyGone(name: string, entries: readonly TimelineEntry[], now: number): PodTimelineStatus {
  const { deletion } = recall(entries);
  const gone = entries.findLast(({ type }) => type === 'Gone');
  const at = gone === undefined ? deletion?.at : Date.parse(gone.time);
  const when = at === undefined ? '' : `${spanOf(now - at)} ago`;
  const by = deletion?.by ?? (gone?.type === 'Gone' ? gone.by.user : undefined);
  const why = deletion?.because === undefined ? '' : `: ${deletion.because}`;
  const sentence = `${name} is gone${by === undefined ? when && ` (${when})` : `: ${by} deleted it${when && ` ${when}`}${why}`}`;
  return { ready: false, sentence, help: 'create it again if it should be there' };
}
