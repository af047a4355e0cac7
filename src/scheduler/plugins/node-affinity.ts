import type { Pod } from '#api/generated/core-v1.ts';
import { namedNodes, preferredNodes, requiredNodes } from '#api/node-affinity.ts';
import {
  fits,
  skip,
  type NodeView,
  type Opinion,
  type PodVerdict,
  type SchedulerPlugin,
  type Verdict,
} from '#scheduler/plugin.ts';
import { normalize } from '#scheduler/plugins/normalize.ts';

const noMatch: Verdict = {
  kind: 'rejected',
  reasons: ["node(s) didn't match Pod's node affinity/selector"],
  final: true,
};
const conflict: PodVerdict = { kind: 'rejected', reasons: ['pod affinity terms conflict'], final: true };

/** A pod's nodeSelector and node affinity: which nodes it may go to, and which it likes. */
export const nodeAffinity: SchedulerPlugin = {
  name: 'NodeAffinity',
  share: { textOf: wishes },
  consider(pod) {
    const names = namesIn(pod);
    if (names?.size === 0) return conflict;
    const required = requiredNodes(pod);
    const preferred = preferredNodes(pod);
    if (required === undefined && preferred === undefined) return skip;
    const opinion: Opinion = {
      kind: 'opinion',
      ...(names === undefined ? {} : { nodes: names }),
      ...(required === undefined ? {} : { filter: ({ object }) => (required(object) ? fits : noMatch) }),
      ...(preferred === undefined ? {} : { scorer: () => byPreference(preferred) }),
    };
    return opinion;
  },
  interests: ['node-added', 'node-labels', 'pod-itself'],
  mightHelp(pod, change) {
    const required = requiredNodes(pod);
    if (required === undefined) return true;
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
  },
};

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
