import type { Pod } from '#api/generated/core-v1.ts';
import { keyOf } from '#api/meta.ts';
import type { Simulation, SimulatedPod } from '#api/peapod/simulation.ts';
import { whyOf } from '#api/peapod/why.ts';
import { attemptOf, outcomeOf } from '#scheduler/attempts.ts';
import type { ClusterState } from '#scheduler/cluster-state.ts';
import { impasseOf, preemptionFor } from '#scheduler/explain/impasse.ts';
import { unschedulableMessage } from '#scheduler/message.ts';
import { place, seededTieBreak } from '#scheduler/place.ts';
import { isGated, podName } from '#scheduler/pod-facts.ts';
import type { Budgets } from '#scheduler/preemption/budgets.ts';
import type { Profile } from '#scheduler/profile.ts';
import { attemptEntry } from '#scheduler/timeline-entry.ts';

export interface Scene {
  /** Pods that are placed are added to it. */
  readonly cluster: ClusterState;
  readonly budgets: Budgets;
  readonly profiles: readonly Profile[];
  /** Epoch milliseconds. */
  readonly now: number;
}

/**
 * Places pods one after the other as the scheduler would, each counting for those behind it. Nobody is evicted: of a pod that would
 * have others evicted it is only said whom. The same pods on the same nodes always go to the same place, where the scheduler breaks
 * ties by lot.
 */
export function simulate(pods: readonly Pod[], scene: Scene): Simulation {
  const told = pods.map((pod, at) => new Placing(pod, scene).told(at + 1));
  return { fits: told.every(({ node }) => node !== undefined), pods: told };
}

class Placing {
  readonly #pod: Pod;
  readonly #scene: Scene;

  constructor(pod: Pod, scene: Scene) {
    this.#pod = pod;
    this.#scene = scene;
  }

  told(seed: number): SimulatedPod {
    const pod = this.#pod;
    const { profiles } = this.#scene;
    const named = pod.spec.nodeName;
    if (named) return this.#onItsOwn(named);
    const profile = profiles.find(({ schedulerName }) => schedulerName === pod.spec.schedulerName);
    if (profile === undefined) return this.#anothers();
    if (isGated(pod)) return { ...this.#why(pod), outcome: 'not-scheduled' };
    return this.#placed(profile, seed);
  }

  #onItsOwn(node: string): SimulatedPod {
    const { cluster } = this.#scene;
    const name = podName(this.#pod);
    cluster.setPod(this.#pod, node);
    if (cluster.node(node) !== undefined) return { pod: name, outcome: 'not-scheduled', node, sentence: '', help: '' };
    const sentence = `${name.name} names node ${node}, and there is none`;
    return { pod: name, outcome: 'not-scheduled', sentence, help: 'leave out spec.nodeName' };
  }

  #anothers(): SimulatedPod {
    const { metadata, spec } = this.#pod;
    const known = this.#scene.profiles.map(({ schedulerName }) => schedulerName).join(', ');
    const sentence = `${metadata.name} asks for scheduler ${spec.schedulerName}, and here there is ${known}`;
    return { pod: podName(this.#pod), outcome: 'not-scheduled', sentence, help: 'leave out spec.schedulerName' };
  }

  #placed(profile: Profile, seed: number): SimulatedPod {
    const pod = this.#pod;
    const { cluster, budgets, now } = this.#scene;
    const placement = place(pod, cluster, profile, seededTieBreak(seed));
    const where = { cluster, profile, budgets };
    const preemption = placement.kind === 'nowhere' ? preemptionFor(pod, placement, where) : undefined;
    const message = placement.kind === 'nowhere' ? unschedulableMessage(placement, preemption) : '';
    const revisions = { pods: undefined, nodes: undefined };
    const outcome = outcomeOf(placement, message);
    const attempt = attemptEntry(
      attemptOf(pod, { number: 1, at: now, seed, revisions, outcome }),
      cluster.nodes.length,
      profile.plugins,
    );
    if (placement.kind === 'nowhere') {
      const impasse = placement.nodes === 0 ? {} : { impasse: impasseOf(pod, where, preemption) };
      return { ...this.#why(unschedulable(pod, message)), outcome: 'nowhere', attempt, ...impasse };
    }
    const { node } = placement;
    cluster.setPod({ ...pod, spec: { ...pod.spec, nodeName: node } }, node);
    return { pod: podName(pod), outcome: 'placed', node, attempt, sentence: '', help: '' };
  }

  #why(pod: Pod): Pick<SimulatedPod, 'pod' | 'sentence' | 'help'> {
    const { cluster, now } = this.#scene;
    const nodes = cluster.nodes.map(({ object }) => object);
    const pods = cluster.nodes.flatMap((node) => [...node.pods.values()]);
    const { sentence, help } = whyOf({ pod, entries: [], cluster: { nodes, pods }, now });
    return { pod: podName(pod), sentence, help };
  }
}

/** As the scheduler would write it down. */
const unschedulable = (pod: Pod, message: string): Pod => ({
  ...pod,
  status: { ...pod.status, conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }] },
});

/** `count` pods like this one: `web`, or `web-1`, `web-2`, … They are nobody else's: their UIDs are new. */
export function replicasOf(pod: Pod, count: number): readonly Pod[] {
  return Array.from({ length: count }, (_, at) => {
    const name = count === 1 ? pod.metadata.name : `${pod.metadata.name}-${at + 1}`;
    const metadata = { ...pod.metadata, name };
    return {
      ...pod,
      metadata: { ...metadata, uid: `simulated ${keyOf({ ...pod, metadata })}` as Pod['metadata']['uid'] },
    };
  });
}
