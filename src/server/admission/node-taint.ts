import type { Node, Taint } from '#api/generated/core-v1.ts';
import { isSameTaint, notReadyTaint } from '#api/taints.ts';
import type { AdmissionPlugin } from '#server/admission.ts';

const untilReady: Taint = { key: notReadyTaint, effect: 'NoSchedule' };

/** No pod is to be sent to a node before somebody has seen that it is ready: the node lifecycle controller, who takes the taint off again. */
export const taintNodesByCondition: AdmissionPlugin = {
  name: 'TaintNodesByCondition',
  mutate({ operation, descriptor, subresource }, object) {
    if (operation !== 'CREATE' || descriptor.plural !== 'nodes' || subresource !== undefined) return object;
    const node = object as Node;
    const taints = node.spec?.taints ?? [];
    if (taints.some((taint) => isSameTaint(taint, untilReady))) return node;
    return { ...node, spec: { ...node.spec, taints: [...taints, untilReady] } };
  },
};
