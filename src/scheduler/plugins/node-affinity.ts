import type { NodeAffinity, Pod } from '#api/generated/core-v1.ts';
import { namedNodes, type NodePredicate, preferredNodes, requiredNodes } from '#api/node-affinity.ts';
import {
  fits,
  skip,
  type ClusterChange,
  type NodeView,
  type Opinion,
  type PodVerdict,
  type SchedulerPlugin,
  type Verdict,
} from '#scheduler/plugin.ts';
import { affinityObstacles } from '#scheduler/plugins/node-affinity-obstacles.ts';
import { normalize } from '#scheduler/plugins/normalize.ts';

const noMatch: Verdict = {
  kind: 'rejected',
  reasons: ["node(s) didn't match Pod's node affinity/selector"],
  final: true,
};
const conflict: PodVerdict = { kind: 'rejected', reasons: ['pod affinity terms conflict'], final: true };

const notAdded: Verdict = {
  kind: 'rejected',
  reasons: ["node(s) didn't match scheduler-enforced node affinity"],
  final: true,
};

/** A pod's nodeSelector and node affinity: which nodes it may go to, and which it likes. */
export const nodeAffinity: SchedulerPlugin = nodeAffinityWith(undefined);

/** The same, with what the scheduler's configuration asks of every pod's node. */
export function nodeAffinityWith(added: NodeAffinity | undefined): SchedulerPlugin {
  const everyone = { spec: added === undefined ? {} : { affinity: { nodeAffinity: added } } };
  const addedRequired = requiredNodes(everyone);
  const addedPreferred = preferredNodes(everyone);
  return {
    name: 'NodeAffinity',
    share: { textOf: wishes },
    consider(pod) {
      const names = namesIn(pod);
      if (names?.size === 0) return conflict;
      const required = requiredNodes(pod);
      const preferred = sum(addedPreferred, preferredNodes(pod));
      const filter = ({ object }: NodeView): Verdict => {
        if (addedRequired !== undefined && !addedRequired(object)) return notAdded;
        return required === undefined || required(object) ? fits : noMatch;
      };
      const filters = required !== undefined || addedRequired !== undefined;
      if (!filters && preferred === undefined) return skip;
      const opinion: Opinion = {
        kind: 'opinion',
        ...(names === undefined ? {} : { nodes: names }),
        ...(filters ? { filter, explain: ({ object }) => affinityObstacles(pod, added, object) } : {}),
        ...(preferred === undefined ? {} : { scorer: () => byPreference(preferred) }),
      };
      return opinion;
    },
    interests: ['node-added', 'node-labels', 'pod-itself'],
    mightHelp: (pod, change) => mightHelp(pod, change, addedRequired),
  };
}

function mightHelp(pod: Pod, change: ClusterChange, added: NodePredicate | undefined): boolean {
  const own = requiredNodes(pod);
  if (own === undefined && added === undefined) return true;
  const required: NodePredicate = (node) => (own?.(node) ?? true) && (added?.(node) ?? true);
  switch (change.kind) {
    case 'node-added':
      return required(change.node.object);
    case 'node-labels':
      return required(change.node.object) && !required(change.before);
    case 'pod-itself':
      return wishes(pod) !== wishes(change.before);
    default:
      return false;
  }
}

type Preference = ReturnType<typeof preferredNodes>;

function sum(a: Preference, b: Preference): Preference {
  if (a === undefined || b === undefined) return a ?? b;
  return (node) => a(node) + b(node);
}

function namesIn({ spec }: Pod): ReadonlySet<string> | undefined {
  const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return required === undefined || required.nodeSelectorTerms.length === 0 ? undefined : namedNodes(required);
}

const byPreference = (weightOf: (node: NodeView['object']) => number) => ({
  score: ({ object }: NodeView): number => weightOf(object),
  normalize: (scores: Float64Array): void => normalize(scores, 'more-is-better'),
});

function wishes({ spec }: Pod): string {
  return JSON.stringify([spec.nodeSelector, spec.affinity?.nodeAffinity]);
}
