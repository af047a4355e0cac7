import type { Node, Pod } from '#api/generated/core-v1.ts';
import { tolerates, unschedulableTaint } from '#api/taints.ts';
import { fits, skip, type SchedulerPlugin, type Verdict } from '#scheduler/plugin.ts';

const cordoned: Verdict = { kind: 'rejected', reasons: ['node(s) were unschedulable'], final: true };

/** Cordoned nodes take no pods but those that tolerate the taint of that name. */
export const nodeUnschedulable: SchedulerPlugin = {
  name: 'NodeUnschedulable',
  share: { textOf: ({ spec }) => JSON.stringify(spec.tolerations ?? []) },
  consider(pod) {
    if (toleratesCordon(pod)) return skip;
    return {
      kind: 'opinion',
      filter: ({ object }) => (isCordoned(object) ? cordoned : fits),
      explain: ({ object }) => (isCordoned(object) ? [{ kind: 'cordoned' }] : []),
    };
  },
  interests: ['node-added', 'node-unschedulable', 'pod-itself'],
  mightHelp(pod, change) {
    switch (change.kind) {
      case 'node-added':
        return !isCordoned(change.node.object);
      case 'node-unschedulable':
        return isCordoned(change.before) && !isCordoned(change.node.object);
      case 'pod-itself':
        return !toleratesCordon(change.before) && toleratesCordon(pod);
      default:
        return false;
    }
  },
};

const isCordoned = ({ spec }: Node): boolean => spec.unschedulable === true;

const toleratesCordon = ({ spec }: Pod): boolean =>
  (spec.tolerations ?? []).some((each) => tolerates(each, { key: unschedulableTaint, effect: 'NoSchedule' }));
