import type { PersistentVolume, PersistentVolumeClaim, Pod } from '#api/generated/core-v1.ts';
import { isReachableFrom } from '#api/volume-matching.ts';
import type { Client } from '#client/client.ts';
import { nodeResource, persistentVolumeClaimResource, persistentVolumeResource } from '#client/resources.ts';
import type { PodFiles } from '#kubelet/pod-files.ts';
import type { LocalVolume } from '#kubelet/volumes/local-volume.ts';
import { MountError } from '#kubelet/volumes/mount-error.ts';
import { type ClaimPlan, volumesOf } from '#kubelet/volumes/volumes.ts';

/**
 * Finds what the claims of a pod are bound to. It is looked up once a pod: what it has, it keeps, whatever becomes of claim and volume
 * and of this process.
 */
export class ClaimedVolumes {
  readonly #client: Client;
  readonly #files: PodFiles;

  constructor(client: Client, files: PodFiles) {
    this.#client = client;
    this.#files = files;
  }

  /** Throws MountError, in upstream's words. */
  async link(pod: Pod, signal: AbortSignal): Promise<void> {
    for (const plan of volumesOf(pod)) {
      if (plan.kind !== 'claim' || this.#files.isLinked(pod, plan.name)) continue;
      try {
        const volume = await this.#volumeOf(pod, plan, signal);
        await this.#files.link(pod, plan.name, localVolumeOf(volume));
      } catch (error) {
        signal.throwIfAborted();
        throw new MountError(plan.name, error);
      }
    }
  }

  async #volumeOf(pod: Pod, plan: ClaimPlan, signal: AbortSignal): Promise<PersistentVolume> {
    const { namespace = '' } = pod.metadata;
    try {
      const claim = await this.#client.get(persistentVolumeClaimResource, { namespace, name: plan.claim }, signal);
      const name = volumeNameOf(claim, plan.claim);
      const volume = await this.#client.get(persistentVolumeResource, { name }, signal);
      return await this.#usable(volume, { name, claim, node: pod.spec.nodeName ?? '' }, signal);
    } catch (error) {
      signal.throwIfAborted();
      const why = error instanceof Error ? error.message : String(error);
      throw new Error(`error processing PVC ${namespace}/${plan.claim}: ${why}`, { cause: error });
    }
  }

  async #usable(
    volume: PersistentVolume | undefined,
    of: { readonly name: string; readonly claim: PersistentVolumeClaim | undefined; readonly node: string },
    signal: AbortSignal,
  ): Promise<PersistentVolume> {
    const name = JSON.stringify(of.name);
    if (volume === undefined)
      throw new Error(`failed to fetch PV ${name} from API server: persistentvolumes ${name} not found`);
    const { claimRef, nodeAffinity } = volume.spec;
    if (claimRef === undefined)
      throw new Error(`found PV object ${name} with nil PV.Spec.ClaimRef indicating it is not yet bound to the claim`);
    if (claimRef.uid !== of.claim?.metadata.uid)
      throw new Error(`found PV object ${name} bound to another claim (${claimRef.namespace}/${claimRef.name})`);
    if (nodeAffinity === undefined) return volume;
    const node = await this.#client.get(nodeResource, { name: of.node }, signal);
    if (node !== undefined && isReachableFrom(node, volume)) return volume;
    throw new Error(`MountVolume.NodeAffinity check failed for volume ${name} : no matching NodeSelectorTerms`);
  }
}

function volumeNameOf(claim: PersistentVolumeClaim | undefined, name: string): string {
  if (claim === undefined)
    throw new Error(`failed to fetch PVC from API server: persistentvolumeclaims ${JSON.stringify(name)} not found`);
  if (claim.metadata.deletionTimestamp !== undefined) throw new Error('PVC is being deleted');
  if (claim.status?.phase !== 'Bound') throw new Error('PVC is not bound');
  if (!claim.spec.volumeName) throw new Error('PVC has empty pvc.Spec.VolumeName');
  return claim.spec.volumeName;
}

/** What a node here can give. Throws for everything else, and says what can be done about it. */
export function localVolumeOf({ metadata: { name }, spec }: PersistentVolume): LocalVolume {
  if (spec.volumeMode === 'Block')
    throw new Error(`persistent volume "${name}": block devices are not supported yet; use volumeMode: Filesystem`);
  if (spec.hostPath) return { kind: 'host-path', name, path: spec.hostPath.path, type: spec.hostPath.type ?? '' };
  if (spec.local) return { kind: 'local', name, path: spec.local.path };
  const kind = Object.entries(spec).find(([key, value]) => isSource(key) && value !== undefined)?.[0] ?? 'none';
  throw new Error(
    `persistent volume "${name}": volumes of type ${kind} are not supported yet; mount it on the node and use hostPath or local (SCOPE.md)`,
  );
}

const others = new Set([
  'accessModes',
  'capacity',
  'claimRef',
  'mountOptions',
  'nodeAffinity',
  'persistentVolumeReclaimPolicy',
  'storageClassName',
  'volumeAttributesClassName',
  'volumeMode',
]);
const isSource = (field: string): boolean => !others.has(field);
