import type { Node, Pod } from '#api/generated/core-v1.ts';
import { isNodeReady } from '#api/node-conditions.ts';
import { millisOf, spanOf } from '#api/peapod/span.ts';
import type { Trouble } from '#api/peapod/trouble-texts.ts';
import { stayOf, type Taint } from '#api/taints.ts';

/** What taints of its node do to a pod that is there. */
type Fate =
  | { readonly kind: 'stays' }
  /** `inMs` undefined: nobody has noted when the time began. */
  | { readonly kind: 'goes'; readonly inMs: number | undefined };

function fateOf(pod: Pod, taints: readonly Taint[], now: number): Fate {
  const stay = stayOf(taints, pod.spec.tolerations);
  if (stay.kind === 'evict') return { kind: 'goes', inMs: 0 };
  if (stay.forMs === undefined) return { kind: 'stays' };
  const begun = taints.flatMap(({ timeAdded }) => millisOf(timeAdded) ?? []);
  return { kind: 'goes', inMs: begun.length === 0 ? undefined : Math.min(...begun) + stay.forMs - now };
}

const evictingTaints = ({ spec }: Node): readonly Taint[] =>
  (spec?.taints ?? []).filter(({ effect }) => effect === 'NoExecute');

/** On a node that is not Ready: how long its pods have, as an end of a sentence; '' where nobody knows. */
export function fateWords(pod: Pod, node: Node, nodes: readonly Node[], now: number): string {
  if (pod.metadata.deletionTimestamp !== undefined) return '';
  const taints = evictingTaints(node);
  if (taints.length === 0)
    return nodes.length === 1 || nodes.some(isNodeReady)
      ? ''
      : '; no node is Ready, and as long as that is so nobody is evicted';
  const fate = fateOf(pod, taints, now);
  if (fate.kind === 'stays') return '; it tolerates that and stays there';
  if (fate.inMs === undefined) return '; it is evicted if that goes on';
  return fate.inMs <= 0 ? '; it is about to be evicted' : `; if that goes on it is evicted in ${spanOf(fate.inMs)}`;
}

/** A Ready node that its pod may not stay on all the same: somebody has tainted it. */
export function unwelcome(pod: Pod, node: Node, now: number): Trouble | undefined {
  const taints = evictingTaints(node);
  const fate = fateOf(pod, taints, now);
  if (taints.length === 0 || fate.kind === 'stays') return undefined;
  const names = taints.map(({ key, value, effect }) => `${key}${value ? `=${value}` : ''}:${effect}`).join(', ');
  const when = fate.inMs === undefined || fate.inMs <= 0 ? '' : ` in ${spanOf(fate.inMs)}`;
  const { name } = node.metadata;
  const [first] = taints;
  return {
    what: `it is evicted from node ${name}${when}, which has ${taints.length === 1 ? 'taint' : 'taints'} ${names}`,
    help: `let the pod tolerate it (spec.tolerations), or take it off: kubectl taint node ${name} ${first!.key}:${first!.effect}-`,
  };
}

/** For whose sake a pod was deleted, by the reasons of its condition DisruptionTarget. */
const disruptions: Readonly<Record<string, string>> = {
  DeletionByPodGC: 'its node is gone',
  DeletionByTaintManager: 'evicted: it may not stay on a node with such a taint',
  EvictionByEvictionAPI: 'evicted on demand',
  PreemptionByScheduler: 'it made room for a pod of higher priority',
  TerminationByKubelet: 'its node ended it',
};

export function disruptionWords({ status }: Pod): string | undefined {
  const condition = status?.conditions?.find(
    ({ type, status: value }) => type === 'DisruptionTarget' && value === 'True',
  );
  return disruptions[condition?.reason ?? ''];
}
