import type { Node, PersistentVolume, PersistentVolumeClaim, Pod } from '#api/generated/core-v1.ts';
import type { CSINode, StorageClass } from '#api/generated/storage-v1.ts';
import type { ClusterState } from '#scheduler/cluster-state.ts';
import { aPod } from '#scheduler/fixtures.ts';
import { indexedCluster } from '#scheduler/indexed-cluster.ts';
import type { SchedulerPlugin } from '#scheduler/plugin.ts';
import type { StorageState } from '#scheduler/storage/storage-state.ts';

/** A pod that uses these claims. */
export const podUsing = (name: string, ...claims: readonly string[]): Pod =>
  aPod(name, {}, { volumes: claims.map((claimName, n) => ({ name: `v${n}`, persistentVolumeClaim: { claimName } })) });

/** Puts objects of any of these kinds where they belong. */
export function add(
  storage: StorageState,
  ...objects: readonly (PersistentVolume | PersistentVolumeClaim | StorageClass | CSINode)[]
): void {
  for (const after of objects) {
    switch (after.kind) {
      case 'PersistentVolume':
        storage.apply({ kind: 'volume', before: storage.volumeAsSaid(after.metadata.name), after });
        break;
      case 'PersistentVolumeClaim':
        storage.apply({ kind: 'claim', before: storage.claim('default', after.metadata.name), after });
        break;
      case 'StorageClass':
        storage.apply({ kind: 'storage-class', before: storage.storageClass(after.metadata.name), after });
        break;
      case 'CSINode':
        storage.apply({ kind: 'csi-node', before: storage.csiNode(after.metadata.name), after });
    }
  }
}

/** A pod, and what there is where it is to go. */
export interface Told {
  readonly pod: Pod;
  readonly nodes: readonly Node[];
  readonly placed?: readonly (readonly [Pod, string])[];
  readonly storage?: readonly Parameters<typeof add>[1][];
}

/** '' for nodes where the pod may go, otherwise the reason, with `!` in front when eviction would not help. */
export function says(plugin: SchedulerPlugin, told: Told, prepare: (cluster: ClusterState) => void = () => {}) {
  const { pod, nodes, placed = [], storage = [] } = told;
  const cluster = indexedCluster([{ plugin, weight: 1 }]);
  for (const node of nodes) cluster.setNode(node);
  add(cluster.storage, ...storage);
  for (const [other, node] of placed) cluster.setPod(other, node);
  prepare(cluster);
  const answer = plugin.consider(pod, cluster);
  if (answer.kind === 'skip') return 'skip';
  if (answer.kind === 'rejected') return `${answer.final ? '!' : ''}${answer.reasons.join()}`;
  return cluster.nodes.map((node) => {
    const verdict = answer.filter?.(node);
    return verdict?.kind === 'rejected' ? `${verdict.final ? '!' : ''}${verdict.reasons.join()}` : '';
  });
}
