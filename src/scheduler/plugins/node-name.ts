import { fits, skip, type SchedulerPlugin, type Verdict } from '#scheduler/plugin.ts';

const otherNode: Verdict = {
  kind: 'rejected',
  reasons: ["node(s) didn't match the requested node name"],
  final: true,
};

/**
 * A pod that names its node fits no other. The scheduler never tries such pods (they are on their node already); the
 * rule is for those who ask where a pod could go.
 */
export const nodeName: SchedulerPlugin = {
  name: 'NodeName',
  share: { textOf: ({ spec }) => spec.nodeName ?? '' },
  consider(pod) {
    const wanted = pod.spec.nodeName;
    if (!wanted) return skip;
    return {
      kind: 'opinion',
      filter: ({ name }) => (name === wanted ? fits : otherNode),
      explain: ({ name }) => (name === wanted ? [] : [{ kind: 'name', wanted }]),
    };
  },
  interests: ['node-added'],
  mightHelp: (pod, change) => change.kind === 'node-added' && change.node.name === pod.spec.nodeName,
};
