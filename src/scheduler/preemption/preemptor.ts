import type { Pod } from '#api/generated/core-v1.ts';
import type { Uid } from '#api/meta.ts';
import type { Client } from '#client/client.ts';
import type { EventRecorder } from '#client/events.ts';
import type { Clock } from '#lib/clock.ts';
import type { ClusterWatch } from '#scheduler/cluster-watch.ts';
import type { Nowhere } from '#scheduler/placement.ts';
import { nameOf } from '#scheduler/pod-facts.ts';
import { clearNomination, evict } from '#scheduler/preemption/evict.ts';
import { preempt, type Preemption } from '#scheduler/preemption/preempt.ts';
import type { Victims } from '#scheduler/preemption/victims.ts';
import type { Profile } from '#scheduler/profile.ts';

/** Starts a write that nobody waits for, and that counts as one under way. */
export type Spawn = (what: string, task: (signal: AbortSignal) => Promise<void>) => void;

interface Parts {
  readonly client: Client;
  readonly clock: Clock;
  readonly events: EventRecorder;
  readonly watch: ClusterWatch;
}

/**
 * Makes room for pods that fit nowhere. What `preempt` decides counts at once: the pod is nominated, so that nobody takes the room
 * before it. Victims are evicted beside the loop, which goes on with other pods; the pod that waits sleeps in the queue and is woken
 * when they have gone, as by any other change.
 */
export class Preemptor {
  readonly #parts: Parts;
  /** Whom each pod has had evicted, until they are seen to go: it must not choose others meanwhile. */
  readonly #pending = new Map<Uid, Set<Uid>>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** undefined: the profile makes room for nobody. */
  decide(pod: Pod, placement: Nowhere, profile: Profile, luck: number): Preemption | undefined {
    if (profile.preemption === undefined) return undefined;
    const { cluster, budgets } = this.#parts.watch;
    if (this.#isPending(pod.metadata.uid))
      return { kind: 'not-eligible', why: 'not eligible due to a terminating pod on the nominated node.' };
    return preempt(pod, placement, { cluster, profile, budgets, luck });
  }

  /** Does what was decided. Gives what is to be written of the pod's nomination; undefined when nothing is. */
  act(pod: Pod, preemption: Preemption | undefined, spawn: Spawn): string | undefined {
    const { watch } = this.#parts;
    switch (preemption?.kind) {
      case undefined:
      case 'not-eligible':
        return undefined;
      case 'helpless':
        watch.nominate(pod, undefined);
        return pod.status?.nominatedNodeName ? '' : undefined;
      case 'victims':
        this.#makeRoom(pod, preemption, spawn);
        return preemption.node;
    }
  }

  #makeRoom(pod: Pod, { node, pods: victims }: Victims, spawn: Spawn): void {
    const { client, clock, watch } = this.#parts;
    for (const lower of watch.cluster.nominations.below(pod, node)) {
      watch.nominate(lower, undefined);
      watch.queue.wake(lower.metadata.uid, clock.now());
      spawn(`clearing the nomination of ${nameOf(lower)}`, (signal) => clearNomination(client, lower, signal));
    }
    watch.nominate(pod, node);
    for (const uid of this.#pending.keys()) this.#isPending(uid);
    const going = victims.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    if (going.length > 0) this.#pending.set(pod.metadata.uid, new Set(going.map(({ metadata }) => metadata.uid)));
    for (const victim of going) {
      spawn(`preempting ${nameOf(victim)} for ${nameOf(pod)}`, (signal) => this.#evict(victim, pod, node, signal));
    }
    if (victims.length === 0) watch.queue.wake(pod.metadata.uid, clock.now());
  }

  async #evict(victim: Pod, pod: Pod, node: string, signal: AbortSignal): Promise<void> {
    const { client, clock, events, watch } = this.#parts;
    try {
      if (!(await evict(client, victim, pod, { now: clock.now(), signal }))) return;
      const message = `Preempted by pod ${pod.metadata.uid} on node ${node}`;
      events.record(victim, { type: 'Normal', reason: 'Preempted', action: 'Preempting', message, related: pod });
    } catch (error) {
      // It stays: the next attempt decides anew.
      this.#pending.get(pod.metadata.uid)?.delete(victim.metadata.uid);
      watch.queue.retry(pod.metadata.uid, clock.now());
      throw error;
    }
  }

  /** Whether somebody who was chosen has not been seen to go; forgets those who have. */
  #isPending(uid: Uid): boolean {
    const victims = this.#pending.get(uid);
    if (victims === undefined) return false;
    for (const victim of victims) if (!this.#parts.watch.isStaying(victim)) victims.delete(victim);
    if (victims.size > 0) return true;
    this.#pending.delete(uid);
    return false;
  }
}
