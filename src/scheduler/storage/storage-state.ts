import type { PersistentVolume, PersistentVolumeClaim } from '#api/generated/core-v1.ts';
import type {
  CSIDriver,
  CSINode,
  CSIStorageCapacity,
  StorageClass,
  VolumeAttachment,
} from '#api/generated/storage-v1.ts';
import { type KubeObject, keyOf, keyOfRef, type ObjectKey, type Uid } from '#api/meta.ts';
import { classOf, volumeAnnotations } from '#api/persistent-volumes.ts';
import { unreachable } from '#lib/unreachable.ts';
import type { StorageChange, StorageView } from '#scheduler/storage/storage-view.ts';
import { claimedBy, selectedFor } from '#api/volume-claiming.ts';

/** What a pod's claims get on a node, where they have not got it yet. */
export interface VolumePlan {
  /** Volumes that are there, for claims. */
  readonly bindings: readonly { readonly claim: PersistentVolumeClaim; readonly volume: PersistentVolume }[];
  /** Claims whose volumes are to be made for that node. */
  readonly provisions: readonly PersistentVolumeClaim[];
}

/**
 * Storage as the scheduler knows it, kept up change by change, and what it has promised. Promises are kept apart from what the API
 * says, so that news of an object does not undo them: each stands until the last pod that holds it lets go.
 *
 * Tells `onChange` of every change, after it.
 */
export class StorageState implements StorageView {
  readonly #claims = new Map<ObjectKey, PersistentVolumeClaim>();
  readonly #volumes = new Map<string, PersistentVolume>();
  readonly #volumesByClass = new Groups<PersistentVolume>(classOf);
  readonly #classes = new Map<string, StorageClass>();
  readonly #drivers = new Map<string, CSIDriver>();
  readonly #nodes = new Map<string, CSINode>();
  readonly #capacities = new Map<ObjectKey, CSIStorageCapacity>();
  readonly #attachments = new Groups<VolumeAttachment>(({ spec }) => spec.nodeName);
  /** By the volume's name. */
  readonly #promisedVolumes = new Map<string, Promised>();
  /** By the claim's key. */
  readonly #selectedNodes = new Map<ObjectKey, Promised & { readonly node: string }>();
  readonly #onChange: (change: StorageChange) => void;

  constructor(onChange: (change: StorageChange) => void) {
    this.#onChange = onChange;
  }

  claim(namespace: string, name: string): PersistentVolumeClaim | undefined {
    const key = keyOfRef({ namespace, name });
    const claim = this.#claims.get(key);
    return claim === undefined ? undefined : this.#shownClaim(key, claim);
  }
  volume(name: string): PersistentVolume | undefined {
    const volume = this.#volumes.get(name);
    return volume === undefined ? undefined : this.#shownVolume(volume);
  }
  *volumesOfClass(name: string): Iterable<PersistentVolume> {
    for (const volume of this.#volumesByClass.of(name)) yield this.#shownVolume(volume);
  }
  storageClass(name: string): StorageClass | undefined {
    return this.#classes.get(name);
  }
  csiDriver(name: string): CSIDriver | undefined {
    return this.#drivers.get(name);
  }
  csiNode(name: string): CSINode | undefined {
    return this.#nodes.get(name);
  }
  get capacities(): Iterable<CSIStorageCapacity> {
    return this.#capacities.values();
  }
  attachments(node: string): Iterable<VolumeAttachment> {
    return this.#attachments.of(node);
  }
  /** As the API says it. */
  claimAsSaid(key: ObjectKey): PersistentVolumeClaim | undefined {
    return this.#claims.get(key);
  }
  /** As the API says it. */
  volumeAsSaid(name: string): PersistentVolume | undefined {
    return this.#volumes.get(name);
  }

  apply(change: StorageChange): void {
    switch (change.kind) {
      case 'claim':
        replace(this.#claims, keyOf, change);
        break;
      case 'volume':
        replace(this.#volumes, nameOf, change);
        this.#volumesByClass.replace(change);
        break;
      case 'storage-class':
        replace(this.#classes, nameOf, change);
        break;
      case 'csi-driver':
        replace(this.#drivers, nameOf, change);
        break;
      case 'csi-node':
        replace(this.#nodes, nameOf, change);
        break;
      case 'storage-capacity':
        replace(this.#capacities, keyOf, change);
        break;
      case 'volume-attachment':
        this.#attachments.replace(change);
        break;
      default:
        unreachable(change);
    }
    this.#onChange(change);
  }

  /** Nobody else gets what a pod is to have on a node, until it lets go. */
  promise(pod: Uid, node: string, { bindings, provisions }: VolumePlan): void {
    for (const { claim, volume } of bindings)
      hold(this.#promisedVolumes, volume.metadata.name, pod, () => ({ claim, pods: new Set() }));
    for (const claim of provisions)
      hold(this.#selectedNodes, keyOf(claim), pod, () => ({ claim, node, pods: new Set() }));
  }

  /** What it was promised is free again, unless the API has it in its name by now. Does nothing for a pod that holds nothing. */
  release(pod: Uid): void {
    for (const [name, promised] of this.#promisedVolumes) {
      const before = this.volume(name);
      if (!letGo(this.#promisedVolumes, name, promised, pod)) continue;
      const after = this.#volumes.get(name);
      if (before !== after) this.#onChange({ kind: 'volume', before, after });
    }
    for (const [key, selected] of this.#selectedNodes) {
      const before = this.#claims.get(key);
      const shown = before === undefined ? undefined : this.#shownClaim(key, before);
      if (!letGo(this.#selectedNodes, key, selected, pod)) continue;
      if (shown !== before) this.#onChange({ kind: 'claim', before: shown, after: before });
    }
  }

  #shownVolume(volume: PersistentVolume): PersistentVolume {
    const promised = this.#promisedVolumes.get(volume.metadata.name);
    return promised === undefined || volume.spec.claimRef?.uid ? volume : claimedBy(volume, promised.claim);
  }

  #shownClaim(key: ObjectKey, claim: PersistentVolumeClaim): PersistentVolumeClaim {
    const selected = this.#selectedNodes.get(key);
    if (selected === undefined || selected.claim.metadata.uid !== claim.metadata.uid) return claim;
    if (claim.metadata.annotations?.[volumeAnnotations.selectedNode] !== undefined) return claim;
    return selectedFor(claim, selected.node);
  }
}

interface Promised {
  readonly claim: PersistentVolumeClaim;
  /** The pods for which it is held: several may share a claim. */
  readonly pods: Set<Uid>;
}

function hold<K, P extends Promised>(held: Map<K, P>, key: K, pod: Uid, make: () => P): void {
  let promised = held.get(key);
  if (promised === undefined) {
    promised = make();
    held.set(key, promised);
  }
  promised.pods.add(pod);
}

/** Whether nobody holds it any more. */
function letGo<K>(held: Map<K, unknown>, key: K, { pods }: Promised, pod: Uid): boolean {
  if (!pods.delete(pod) || pods.size > 0) return false;
  held.delete(key);
  return true;
}

const nameOf = ({ metadata }: KubeObject): string => metadata.name;

interface Replacement<T> {
  readonly before: T | undefined;
  readonly after: T | undefined;
}

function replace<K, T>(map: Map<K, T>, key: (object: T) => K, { before, after }: Replacement<T>): void {
  if (after !== undefined) map.set(key(after), after);
  else if (before !== undefined) map.delete(key(before));
}

/** Objects by something they say, and in each group by name. */
class Groups<T extends KubeObject> {
  readonly #groups = new Map<string, Map<string, T>>();
  readonly #groupOf: (object: T) => string;

  constructor(groupOf: (object: T) => string) {
    this.#groupOf = groupOf;
  }

  of(group: string): Iterable<T> {
    return this.#groups.get(group)?.values() ?? [];
  }

  replace({ before, after }: Replacement<T>): void {
    if (before !== undefined) {
      const group = this.#groupOf(before);
      const others = this.#groups.get(group);
      others?.delete(nameOf(before));
      if (others?.size === 0) this.#groups.delete(group);
    }
    if (after === undefined) return;
    const group = this.#groupOf(after);
    const others = this.#groups.get(group);
    if (others === undefined) this.#groups.set(group, new Map([[nameOf(after), after]]));
    else others.set(nameOf(after), after);
  }
}
