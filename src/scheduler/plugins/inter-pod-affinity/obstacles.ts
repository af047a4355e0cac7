import type { Pod, PodAffinityTerm } from '#api/generated/core-v1.ts';
import type { Obstacle } from '#api/peapod/obstacle.ts';
import { selectorOfObject } from '#api/selectors.ts';
import type { ClusterView, NodeView } from '#scheduler/plugin.ts';
import type { Evidence, Tally } from '#scheduler/plugins/inter-pod-affinity/evidence.ts';
import { ownTermsOf, type OwnTerms } from '#scheduler/plugins/inter-pod-affinity/own-terms.ts';
import { podName } from '#scheduler/pod-facts.ts';

interface About {
  readonly evidence: Evidence;
  /** Nobody it looks for is anywhere, and it is one of them itself. */
  readonly isFirst: boolean;
  readonly pod: Pod;
  readonly terms: OwnTerms;
  readonly cluster: ClusterView;
}

/** Whom the pod misses near a node, and who is there that should not be. What decides is the evidence; names are looked up. */
export function podObstacles(node: NodeView, about: About): readonly Obstacle[] {
  const { evidence, terms, pod, cluster } = about;
  const far = evidence.far.flatMap((tally, at) =>
    near(node, tally, { rule: 'its own', isMeant: (other) => terms.antiAffinity[at]!.matches(other, cluster), about }),
  );
  const keptOut = [...evidence.keptOut].flatMap(([text, tally]) => {
    const isMeant = (other: Pod): boolean =>
      ownTermsOf(other).antiAffinity.some((term) => term.text === text && term.matches(pod, cluster));
    return near(node, tally, { rule: 'theirs', isMeant, about });
  });
  return [...missing(node, about), ...far, ...keptOut];
}

function missing(node: NodeView, { evidence, isFirst, pod }: About): readonly Obstacle[] {
  const terms = pod.spec.affinity?.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
  return evidence.near.flatMap((tally, at): readonly Obstacle[] => {
    const { topology } = tally;
    const domain = topology.domainOf(node);
    if (domain < 0) return [{ kind: 'no-domain', rule: 'pod affinity', topologyKey: topology.key }];
    if (isFirst || tally.of(domain) > 0) return [];
    // Every term counts the pods that all of them mean.
    const wanted = terms.map(wantedBy).join(' and ') || wantedBy(terms[at]!);
    return [{ kind: 'no-pod', topologyKey: topology.key, domain: topology.nameOf(domain), wanted }];
  });
}

/** `app=cache`, or `app=cache (namespaces a, b)`. */
function wantedBy({ labelSelector, namespaces = [], namespaceSelector }: PodAffinityTerm): string {
  const labels = labelSelector === undefined ? 'none' : selectorOfObject(labelSelector).text || 'any';
  const selected = namespaceSelector === undefined ? [] : [selectorOfObject(namespaceSelector).text || 'any'];
  const spaces = [...namespaces, ...selected];
  return spaces.length === 0 ? labels : `${labels} (namespaces ${spaces.join(', ')})`;
}

interface Neighbours {
  readonly rule: 'its own' | 'theirs';
  readonly isMeant: (other: Pod) => boolean;
  readonly about: About;
}

function near(node: NodeView, tally: Tally, { rule, isMeant, about }: Neighbours): readonly Obstacle[] {
  const { topology } = tally;
  const domain = topology.domainOf(node);
  if (domain < 0 || tally.of(domain) <= 0) return [];
  // The node itself may be shown with pods more or less than there are.
  const others = about.cluster.nodes.filter((each) => each.name !== node.name && topology.domainOf(each) === domain);
  const pods = [node, ...others].flatMap((each) => [...each.pods.values()].filter(isMeant));
  const found = { topologyKey: topology.key, domain: topology.nameOf(domain), pods: pods.map(podName) };
  return [{ kind: 'pod', rule, ...found }];
}
