import type { Pod } from '#api/generated/core-v1.ts';
import { podRequests } from '#api/pod-resources.ts';
import {
  addQuantities,
  compareQuantities,
  formatQuantity,
  parseQuantity,
  type Quantity,
  subtractQuantities,
  zero,
} from '#api/quantity.ts';
import { isHardTaint, type Taint, tolerates } from '#api/taints.ts';
import { brief, type Trouble } from '#api/peapod/trouble-texts.ts';
import type { ClusterFacts, Finding, WhyFacts } from '#api/peapod/why-facts.ts';

/** Why a pod has no node yet. */
export function whyUnplaced(facts: WhyFacts): Finding {
  const { pod, cluster } = facts;
  const gates = pod.spec.schedulingGates ?? [];
  if (gates.length > 0)
    return whyGated(
      pod,
      gates.map(({ name }) => name),
    );
  const condition = pod.status?.conditions?.find(({ type }) => type === 'PodScheduled');
  const { schedulerName = 'default-scheduler' } = pod.spec;
  if (condition?.status !== 'False') {
    if (schedulerName !== 'default-scheduler') return whyForeign(schedulerName);
    return { what: 'waits to be looked at by the scheduler', help: '', weight: 'coming' };
  }
  const message = condition.message ?? '';
  const noNodes = message.startsWith('no nodes available') || cluster?.nodes.length === 0;
  if (noNodes) {
    const help = 'see that a node has come up: `peapod status`, kubectl get nodes';
    return { what: 'has no node: the cluster has none', help, weight: 'stuck' };
  }
  return whyNowhere(facts, message);
}

const whyGated = (pod: Pod, gates: readonly string[]): Finding => ({
  what: `is held back by ${gates.length === 1 ? 'scheduling gate' : 'scheduling gates'} ${gates.join(', ')}`,
  help: `who has set ${gates.length === 1 ? 'it' : 'them'} takes ${gates.length === 1 ? 'it' : 'them'} off (spec.schedulingGates of pod ${pod.metadata.name}); only then a node is looked for`,
  weight: 'stuck',
});

const whyForeign = (name: string): Finding => ({
  what: `waits for a scheduler called ${name}, and none of that name has said anything about it`,
  help: `start that scheduler, or leave out spec.schedulerName: peapod's own is called default-scheduler`,
  weight: 'stuck',
});

interface Refused {
  readonly reason: string;
  readonly nodes: number;
}

/** `0/3 nodes are available: 1 Insufficient cpu, 2 node(s) were unschedulable. preemption: …` */
function whyNowhere(facts: WhyFacts, message: string): Finding {
  const said = /^0\/(\d+) nodes are available: (.*?)\.(?: |$)/s.exec(message);
  if (said === null) {
    const help = 'correct what the scheduler objects to';
    return { what: `has no node: ${brief(message) || 'the scheduler does not say why'}`, help, weight: 'stuck' };
  }
  const total = Number(said[1]);
  const refused = refusalsOf(said[2]!).toSorted((a, b) => b.nodes - a.nodes);
  const troubles = refused.map((one) => ({ ...one, ...troubleOf(one.reason, facts) }));
  const text =
    total === 1
      ? `the only one is ${troubles.map(({ what }) => what).join(' and ')}`
      : `none of ${total} fits: ${troubles.map((one) => `${one.nodes} ${one.nodes === 1 ? 'is' : 'are'} ${one.what}`).join(', ')}`;
  // What keeps the most nodes away is what to change first.
  return { what: `has no node: ${text}`, help: troubles[0]?.help ?? '', weight: 'stuck' };
}

/** Reasons may hold commas of their own: a new one begins with a count. */
const refusalsOf = (text: string): readonly Refused[] =>
  text.split(/, (?=\d+ )/).map((part) => {
    const [, count, reason] = /^(\d+) (.*)$/s.exec(part) ?? [undefined, '0', part];
    return { nodes: Number(count), reason: reason! };
  });

/** `what` follows `is` or `are` in the sentence. */
function troubleOf(reason: string, facts: WhyFacts): Trouble {
  const resource = /^Insufficient (\S+)$/.exec(reason)?.[1];
  if (resource !== undefined) return shortOf(resource, facts);
  if (reason.includes('untolerated taint')) return tainted(reason, facts);
  if (reason.includes("didn't match Pod's node affinity/selector")) return unselected(facts);
  const known = rules.find(([pattern]) => pattern.test(reason))?.[1];
  return known?.(facts) ?? { what: `refused: ${brief(reason)}`, help: 'change what it asks for, or the nodes' };
}

const rules: readonly (readonly [RegExp, (facts: WhyFacts) => Trouble])[] = [
  [
    /were unschedulable/,
    ({ cluster }) => ({
      what: 'closed to new pods (cordoned)',
      help: `open it again: kubectl uncordon ${cluster?.nodes.find(({ spec }) => spec?.unschedulable === true)?.metadata.name ?? 'NODE'}`,
    }),
  ],
  [
    /^Too many pods$/,
    () => ({ what: 'full (as many pods as it takes)', help: 'delete pods that are not needed any more' }),
  ],
  [
    /free ports for the requested pod ports/,
    () => ({
      what: 'where another pod has its host port',
      help: 'choose another hostPort or none, or delete the pod that has it',
    }),
  ],
  [
    /didn't match the requested node name/,
    ({ pod }) => ({ what: `not called ${pod.spec.nodeName}`, help: 'leave out spec.nodeName' }),
  ],
];

function shortOf(resource: string, { pod, cluster }: WhyFacts): Trouble {
  const asked = podRequests(pod).get(resource);
  const { free, largest } = cluster ? roomFor(resource, asked, cluster) : {};
  const askedText = asked === undefined ? 'what it asks for' : formatQuantity(asked);
  const most = free === undefined ? '' : `, ${formatQuantity(free)} free at best`;
  const what = `short of ${resource} (${askedText} asked${most})`;
  const field = `resources.requests.${resource.includes('/') ? `"${resource}"` : resource}`;
  const never = asked !== undefined && largest !== undefined && compareQuantities(asked, largest) > 0;
  const help = never
    ? `ask for no more than the ${formatQuantity(largest)} ${resource} that the largest node has (${field}), or use a larger machine`
    : `ask for less (${field}), or delete pods that are not needed: it is then placed by itself`;
  return { what, help };
}

/** The most of it that a node has in all, and that one which has too little has left. */
function roomFor(
  resource: string,
  asked: Quantity | undefined,
  { nodes, pods }: ClusterFacts,
): { readonly free?: Quantity; readonly largest?: Quantity } {
  const taken = new Map<string, Quantity>();
  for (const pod of pods) {
    const { nodeName } = pod.spec;
    const asked = isOver(pod) || !nodeName ? undefined : podRequests(pod).get(resource);
    if (nodeName && asked) taken.set(nodeName, addQuantities(taken.get(nodeName) ?? zero, asked));
  }
  const all = nodes.map(({ metadata, status }) => {
    const allocatable = parseQuantity(status?.allocatable?.[resource] ?? '0');
    const left = subtractQuantities(allocatable, taken.get(metadata.name) ?? zero);
    return { allocatable, left: compareQuantities(left, zero) < 0 ? zero : left };
  });
  const largest = all
    .map(({ allocatable }) => allocatable)
    .toSorted(compareQuantities)
    .at(-1);
  const free = all
    .map(({ left }) => left)
    .filter((left) => asked === undefined || compareQuantities(left, asked) < 0)
    .toSorted(compareQuantities)
    .at(-1);
  return { ...(largest && { largest }), ...(free && { free }) };
}

const isOver = ({ status }: Pod): boolean => status?.phase === 'Succeeded' || status?.phase === 'Failed';

function tainted(reason: string, { pod, cluster }: WhyFacts): Trouble {
  const nodes = cluster?.nodes ?? [];
  const told = /taint(?:\(s\))? \{(.*?)\}/.exec(reason)?.[1];
  const taints = nodes.flatMap(({ metadata, spec }) =>
    (spec?.taints ?? [])
      .filter((taint) => isHardTaint(taint) && !(pod.spec.tolerations ?? []).some((each) => tolerates(each, taint)))
      .map((taint) => ({ node: metadata.name, text: textOf(taint), key: taint.key })),
  );
  const [first] = taints;
  const names = [...new Set(taints.map(({ text }) => text))].join(', ') || told;
  if (first !== undefined && /^node\.kubernetes\.io\/(not-ready|unreachable)$/.test(first.key))
    return {
      what: `not ready (taint ${names})`,
      help: `see what is wrong with it: kubectl describe node ${first.node}`,
    };
  return {
    what: `tainted in a way it does not tolerate${names ? ` (${names})` : ''}`,
    help:
      first === undefined
        ? 'add a toleration to spec.tolerations'
        : `add a toleration for ${first.key} to spec.tolerations, or take the taint off: kubectl taint node ${first.node} ${first.key}-`,
  };
}

const textOf = ({ key, value, effect }: Taint): string => `${key}${value ? `=${value}` : ''}:${effect}`;

function unselected({ pod, cluster }: WhyFacts): Trouble {
  const nodes = cluster?.nodes ?? [];
  const labels = Object.entries(pod.spec.nodeSelector ?? {}).map(([key, value]) => `${key}=${value}`);
  const text = labels.join(',');
  const affinity = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution !== undefined;
  const wanted = [...(text ? [`nodeSelector ${text}`] : []), ...(affinity ? ['its node affinity'] : [])].join(' and ');
  const node = nodes.length === 1 ? nodes[0]!.metadata.name : 'NODE';
  const help = text
    ? `label a node so (kubectl label node ${node} ${labels.join(' ')}), or change spec.nodeSelector`
    : 'label a node as spec.affinity.nodeAffinity asks, or ask for less there';
  return { what: `not what ${wanted || 'its node affinity'} asks for`, help };
}
