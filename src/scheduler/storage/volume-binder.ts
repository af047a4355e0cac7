import type { PersistentVolume, PersistentVolumeClaim, Pod } from '#api/generated/core-v1.ts';
import { keyOf, type ObjectKey, type ResourceVersion, type Uid } from '#api/meta.ts';
import { isForClaim, isFullyBound, volumeAnnotations } from '#api/persistent-volumes.ts';
import { isReachableFrom } from '#api/volume-matching.ts';
import type { Client } from '#client/client.ts';
import { compareRevisions } from '#client/revision.ts';
import { persistentVolumeClaimResource, persistentVolumeResource } from '#client/resources.ts';
import type { Clock } from '#lib/clock.ts';
import { isCancellation } from '#lib/scope.ts';
import { Signal } from '#lib/signal.ts';
import type { BindingPlugin, ClusterView } from '#scheduler/plugin.ts';
import { podClaims } from '#scheduler/plugins/volume-binding/pod-claims.ts';
import { VolumePlanner } from '#scheduler/plugins/volume-binding/volume-planner.ts';
import { claimedBy, selectedFor } from '#api/volume-claiming.ts';
import type { StorageState, VolumePlan } from '#scheduler/storage/storage-state.ts';

/** The claims of a pod did not get their volumes; it is tried again. */
export class VolumeBindingFailed extends Error {
  override readonly name = 'VolumeBindingFailed';

  constructor(why: string, cause?: unknown) {
    super(`running PreBind plugin "VolumeBinding": binding volumes: ${why}`, { cause });
  }
}

export interface VolumeBinderParts {
  readonly client: Client;
  readonly clock: Clock;
  readonly cluster: Pick<ClusterView, 'node'> & { readonly storage: StorageState };
  /** Whether a pod is still to be bound. */
  readonly isWanted: (pod: Pod) => boolean;
  readonly timeoutMs: number;
}

/**
 * Gets a pod's claims their volumes on the node it is going to. What was found for them is promised at once, so that nobody else
 * takes it; then it is written down (a volume for a claim, or a node for a claim whose volume is to be made) and waited until
 * the controller has bound all of them. Written once it stays written: a pod that has to try again, after a failure or a restart, finds the
 * volumes of its claims where they are. What was only promised goes back.
 */
export class VolumeBinder implements BindingPlugin {
  readonly name = 'VolumeBinding';
  readonly #parts: VolumeBinderParts;
  readonly #plans = new Map<Uid, VolumePlan>();
  readonly #waiting = new Set<Signal>();

  constructor(parts: VolumeBinderParts) {
    this.#parts = parts;
  }

  /** Something has changed that those who wait may be waiting for. */
  news(): void {
    for (const each of this.#waiting) each.raise();
  }

  reserve(pod: Pod, node: string): void {
    const { cluster } = this.#parts;
    const claims = podClaims(pod, cluster.storage);
    const view = cluster.node(node);
    if (claims.kind !== 'claims' || claims.delayed.length === 0 || view === undefined) return;
    const planned = new VolumePlanner(claims, cluster.storage).on(view.object);
    // It was possible a moment ago, and nothing has been let in since.
    if (planned.kind === 'impossible') throw new VolumeBindingFailed(planned.reasons.join(', '));
    cluster.storage.promise(pod.metadata.uid, node, planned.plan);
    this.#plans.set(pod.metadata.uid, planned.plan);
  }

  unreserve({ metadata: { uid } }: Pod): void {
    this.#plans.delete(uid);
    this.#parts.cluster.storage.release(uid);
  }

  async preBind(pod: Pod, node: string, signal: AbortSignal): Promise<void> {
    const { uid } = pod.metadata;
    const plan = this.#plans.get(uid);
    if (plan === undefined) return;
    const { clock, timeoutMs, cluster } = this.#parts;
    const until = clock.now() + timeoutMs;
    const steps = await this.#write(plan, node, signal);
    const changed = new Signal();
    this.#waiting.add(changed);
    try {
      for (;;) {
        const missing = this.#unfinished(pod, node, steps);
        if (missing === undefined) break;
        if (clock.now() >= until) throw timedOut(missing, timeoutMs);
        await changed.wait(clock, until, signal);
      }
    } finally {
      this.#waiting.delete(changed);
    }
    this.#plans.delete(uid);
    cluster.storage.release(uid);
  }

  async #write({ bindings, provisions }: VolumePlan, node: string, signal: AbortSignal): Promise<readonly Step[]> {
    const { client, cluster } = this.#parts;
    const steps: Step[] = [];
    try {
      for (const { claim, volume } of bindings) {
        const known = cluster.storage.volumeAsSaid(volume.metadata.name) ?? volume;
        const isWritten = known.spec.claimRef?.uid === claim.metadata.uid;
        const written = isWritten
          ? known
          : await client.update(persistentVolumeResource, claimedBy(known, claim), signal);
        steps.push({ claim, volume: known.metadata.name, revision: written.metadata.resourceVersion });
      }
      for (const claim of provisions) {
        const known = cluster.storage.claimAsSaid(keyOf(claim)) ?? claim;
        const isWritten = known.metadata.annotations?.[volumeAnnotations.selectedNode] === node;
        const written = isWritten
          ? known
          : await client.update(persistentVolumeClaimResource, selectedFor(known, node), signal);
        steps.push({ claim, volume: undefined, revision: written.metadata.resourceVersion });
      }
    } catch (error) {
      if (isCancellation(error, signal)) throw error;
      throw new VolumeBindingFailed(error instanceof Error ? error.message : String(error), error);
    }
    return steps;
  }

  /** The name of a claim that is not bound yet; undefined when all are. Throws when it will not come to that. */
  #unfinished(pod: Pod, node: string, steps: readonly Step[]): string | undefined {
    if (!this.#parts.isWanted(pod)) throw new VolumeBindingFailed('pod does not exist any more');
    for (const step of steps) {
      const claim = this.#claimOf(step);
      const isBound = step.volume === undefined ? this.#isMade(claim, node, step) : this.#isGiven(claim, node, step);
      if (!isBound) return claim.metadata.name;
    }
    return undefined;
  }

  #claimOf({ claim: { metadata } }: Step): PersistentVolumeClaim {
    const key = `${metadata.namespace}/${metadata.name}` as ObjectKey;
    const known = this.#parts.cluster.storage.claimAsSaid(key);
    if (known?.metadata.uid === metadata.uid) return known;
    throw new VolumeBindingFailed(`could not find v1.PersistentVolumeClaim ${JSON.stringify(key)}`);
  }

  /** Whether the volume that was there is the claim's by now. */
  #isGiven(claim: PersistentVolumeClaim, node: string, { volume: name = '', revision }: Step): boolean {
    const volume = this.#parts.cluster.storage.volumeAsSaid(name);
    if (volume === undefined)
      throw new VolumeBindingFailed(`could not find v1.PersistentVolume ${JSON.stringify(name)}`);
    if (compareRevisions(volume.metadata.resourceVersion, revision) < 0) return false;
    this.#mustReach(volume, node);
    if (!volume.spec.claimRef?.uid || !isForClaim(volume, claim))
      throw new VolumeBindingFailed(`ClaimRef got reset for pv ${JSON.stringify(name)}`);
    return isFullyBound(claim);
  }

  /** Whether a volume has been made for the claim. Who makes them takes the node away when it cannot. */
  #isMade(claim: PersistentVolumeClaim, node: string, { revision }: Step): boolean {
    const { metadata, spec } = claim;
    if (compareRevisions(metadata.resourceVersion, revision) < 0) return false;
    if (metadata.annotations?.[volumeAnnotations.selectedNode] !== node)
      throw new VolumeBindingFailed(`provisioning failed for PVC ${JSON.stringify(metadata.name)}`);
    const volume = spec.volumeName ? this.#parts.cluster.storage.volumeAsSaid(spec.volumeName) : undefined;
    if (volume === undefined) return false;
    this.#mustReach(volume, node);
    return isFullyBound(claim);
  }

  #mustReach(volume: PersistentVolume, node: string): void {
    const view = this.#parts.cluster.node(node);
    if (view === undefined) throw new VolumeBindingFailed(`failed to get node ${JSON.stringify(node)}`);
    if (isReachableFrom(view.object, volume)) return;
    const name = JSON.stringify(volume.metadata.name);
    throw new VolumeBindingFailed(
      `pv ${name} node affinity doesn't match node ${JSON.stringify(node)}: no matching NodeSelectorTerms`,
    );
  }
}

interface Step {
  readonly claim: PersistentVolumeClaim;
  /** The one it is given; undefined where one is to be made. */
  readonly volume: string | undefined;
  /** What was written: what is older does not show it. */
  readonly revision: ResourceVersion;
}

const timedOut = (claim: string, timeoutMs: number): VolumeBindingFailed =>
  new VolumeBindingFailed(
    `context deadline exceeded: persistentvolumeclaim ${JSON.stringify(claim)} is not bound after ${timeoutMs / 1000}s`,
  );
