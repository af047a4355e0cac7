import type { Node, PersistentVolume, PersistentVolumeClaim } from '#api/generated/core-v1.ts';
import type { StorageClass } from '#api/generated/storage-v1.ts';
import { classOf, NO_PROVISIONER, volumeAnnotations } from '#api/persistent-volumes.ts';
import { compareQuantities, parseQuantity } from '#api/quantity.ts';
import { type LabelSelector, type Labels, selectorOfObject } from '#api/selectors.ts';
import { isReachableFrom, requestOf, suitableVolumes } from '#api/volume-matching.ts';
import type { VolumePlan } from '#scheduler/storage/storage-state.ts';
import type { StorageView } from '#scheduler/storage/storage-view.ts';
import type { PodClaims } from '#scheduler/plugins/volume-binding/pod-claims.ts';

export const unreachableVolume = "node(s) didn't match PersistentVolume's node affinity";
export const noVolume = "node(s) didn't find available persistent volumes to bind";
export const noRoom = 'node(s) did not have enough free storage';
export const noSuchVolume = 'node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)';

export type PlanOnNode =
  | { readonly kind: 'plan'; readonly plan: VolumePlan }
  | { readonly kind: 'impossible'; readonly reasons: readonly string[] };

/**
 * What the claims of a pod would get on a node. What does not depend on the node is worked out once: which volumes suit which claim,
 * best first, and where the rest could be provisioned.
 */
export class VolumePlanner {
  readonly #bound: readonly (PersistentVolume | undefined)[];
  readonly #delayed: readonly Delayed[];

  constructor({ bound, delayed }: Extract<PodClaims, { readonly kind: 'claims' }>, storage: StorageView) {
    this.#bound = bound.map(({ spec }) => storage.volume(spec.volumeName ?? ''));
    // The smallest first, so that it does not get what a larger one needs.
    this.#delayed = delayed
      .toSorted((a, b) => compareQuantities(requestOf(a), requestOf(b)))
      .map((claim) => ({
        claim,
        selectedNode: claim.metadata.annotations?.[volumeAnnotations.selectedNode],
        volumes: suitableVolumes(claim, storage.volumesOfClass(classOf(claim)), 'size'),
        provisioning: provisioningOf(claim, storage),
      }));
  }

  on(node: Node): PlanOnNode {
    const found = new Set([this.#whyNotBound(node)]);
    const isElsewhere = this.#delayed.some(
      ({ selectedNode }) => (selectedNode ?? node.metadata.name) !== node.metadata.name,
    );
    if (isElsewhere) return impossible(found.add(noVolume));
    const { bindings, rest } = this.#found(node);
    found.add(rest.map(({ provisioning }) => provisioning.whyNot(node.metadata.labels ?? {})).find(Boolean));
    const isPossible = found.size === 1 && found.has(undefined);
    return isPossible
      ? { kind: 'plan', plan: { bindings, provisions: rest.map(({ claim }) => claim) } }
      : impossible(found);
  }

  #whyNotBound(node: Node): string | undefined {
    for (const volume of this.#bound) {
      if (volume === undefined) return noSuchVolume;
      if (!isReachableFrom(node, volume)) return unreachableVolume;
    }
    return undefined;
  }

  /** Volumes for those who find one, and who is left. A claim whose volume is being made for this node waits for that one. */
  #found(node: Node): { readonly bindings: VolumePlan['bindings']; readonly rest: readonly Delayed[] } {
    const taken = new Set<PersistentVolume>();
    const bindings: VolumePlan['bindings'][number][] = [];
    const provisioned = this.#delayed.filter(({ selectedNode }) => selectedNode !== undefined);
    const rest: Delayed[] = [];
    for (const delayed of this.#delayed) {
      if (delayed.selectedNode !== undefined) continue;
      const volume = delayed.volumes.find((each) => !taken.has(each) && isReachableFrom(node, each));
      if (volume === undefined) rest.push(delayed);
      else {
        taken.add(volume);
        bindings.push({ claim: delayed.claim, volume });
      }
    }
    return { bindings, rest: [...provisioned, ...rest] };
  }
}

/** As upstream tells them. */
const inOrder = [unreachableVolume, noVolume, noRoom, noSuchVolume];
const impossible = (reasons: ReadonlySet<string | undefined>): PlanOnNode => ({
  kind: 'impossible',
  reasons: inOrder.filter((reason) => reasons.has(reason)),
});

interface Delayed {
  readonly claim: PersistentVolumeClaim;
  readonly selectedNode: string | undefined;
  /** Best first. */
  readonly volumes: readonly PersistentVolume[];
  readonly provisioning: Provisioning;
}

interface Provisioning {
  /** Why no volume can be made that a node with these labels could use; undefined when one can. */
  whyNot(labels: Labels): string | undefined;
}

const never: Provisioning = { whyNot: () => noVolume };

function provisioningOf(claim: PersistentVolumeClaim, storage: StorageView): Provisioning {
  const storageClass = storage.storageClass(classOf(claim));
  if (storageClass === undefined) return never;
  const { provisioner } = storageClass;
  if (!provisioner || provisioner === NO_PROVISIONER) return never;
  const isAllowed = topologyOf(storageClass);
  const rooms = roomsFor(claim, storageClass, storage);
  return {
    whyNot(labels) {
      if (!isAllowed(labels)) return noVolume;
      return rooms === undefined || rooms.some((room) => room.matches(labels)) ? undefined : noRoom;
    },
  };
}

/** Terms are ORed, what stands in a term is ANDed; a term that says nothing matches nothing, no terms match everything. */
function topologyOf({ allowedTopologies = [] }: StorageClass): (labels: Labels) => boolean {
  if (allowedTopologies.length === 0) return () => true;
  const terms = allowedTopologies.map(({ matchLabelExpressions = [] }) => matchLabelExpressions);
  return (labels) =>
    terms.some((term) => term.length > 0 && term.every(({ key, values }) => values.includes(labels[key] ?? '')));
}

/** The nodes from where there is room enough for a volume; undefined where nobody says how much there is. */
function roomsFor(
  claim: PersistentVolumeClaim,
  { metadata: { name }, provisioner }: StorageClass,
  storage: StorageView,
): readonly LabelSelector[] | undefined {
  if (claim.spec.resources?.requests?.['storage'] === undefined) return undefined;
  if (storage.csiDriver(provisioner)?.spec.storageCapacity !== true) return undefined;
  const size = requestOf(claim);
  const rooms: LabelSelector[] = [];
  for (const { storageClassName, capacity, maximumVolumeSize, nodeTopology } of storage.capacities) {
    // The largest volume there may be says more than all the room there is.
    const limit = maximumVolumeSize ?? capacity;
    if (storageClassName !== name || limit === undefined || nodeTopology === undefined) continue;
    if (compareQuantities(parseQuantity(limit), size) >= 0) rooms.push(selectorOfObject(nodeTopology));
  }
  return rooms;
}
