/** Made by tools/facts/generate-types.ts from the table of facts; not edited by hand. */
import type { PersistentVolumeReclaimPolicy, PersistentVolumeSpec, TopologySelectorTerm } from '#api/generated/core-v1.ts';
import type { LabelSelector, ListMeta, Quantity, Time } from '#api/generated/meta-v1.ts';
import type { KubeObject } from '#api/meta.ts';

export interface CSIDriver {
  readonly apiVersion: 'storage.k8s.io/v1';
  readonly kind: 'CSIDriver';
  readonly metadata: KubeObject['metadata'];
  readonly spec: CSIDriverSpec;
}

export interface CSIDriverList {
  readonly apiVersion: 'storage.k8s.io/v1';
  readonly kind: 'CSIDriverList';
  readonly metadata: ListMeta;
  readonly items: readonly CSIDriver[];
}

export interface CSIDriverSpec {
  readonly attachRequired?: boolean;
  readonly podInfoOnMount?: boolean;
  readonly volumeLifecycleModes?: readonly VolumeLifecycleMode[];
  readonly storageCapacity?: boolean;
  readonly fsGroupPolicy?: FSGroupPolicy;
  readonly tokenRequests?: readonly TokenRequest[];
  readonly requiresRepublish?: boolean;
  readonly seLinuxMount?: boolean;
  readonly nodeAllocatableUpdatePeriodSeconds?: number;
  readonly serviceAccountTokenInSecrets?: boolean;
  readonly preventPodSchedulingIfMissing?: boolean;
}

export interface CSINode {
  readonly apiVersion: 'storage.k8s.io/v1';
  readonly kind: 'CSINode';
  readonly metadata: KubeObject['metadata'];
  readonly spec: CSINodeSpec;
}

export interface CSINodeDriver {
  readonly name: string;
  readonly nodeID: string;
  readonly topologyKeys?: readonly string[];
  readonly allocatable?: VolumeNodeResources;
}

export interface CSINodeList {
  readonly apiVersion: 'storage.k8s.io/v1';
  readonly kind: 'CSINodeList';
  readonly metadata: ListMeta;
  readonly items: readonly CSINode[];
}

export interface CSINodeSpec {
  readonly drivers: readonly CSINodeDriver[];
}

export interface CSIStorageCapacity {
  readonly apiVersion: 'storage.k8s.io/v1';
  readonly kind: 'CSIStorageCapacity';
  readonly metadata: KubeObject['metadata'];
  readonly nodeTopology?: LabelSelector;
  readonly storageClassName: string;
  readonly capacity?: Quantity;
  readonly maximumVolumeSize?: Quantity;
}

export interface CSIStorageCapacityList {
  readonly apiVersion: 'storage.k8s.io/v1';
  readonly kind: 'CSIStorageCapacityList';
  readonly metadata: ListMeta;
  readonly items: readonly CSIStorageCapacity[];
}

export type FSGroupPolicy = 'ReadWriteOnceWithFSType' | 'File' | 'None';

export interface StorageClass {
  readonly apiVersion: 'storage.k8s.io/v1';
  readonly kind: 'StorageClass';
  readonly metadata: KubeObject['metadata'];
  readonly provisioner: string;
  readonly parameters?: { readonly [key: string]: string };
  readonly reclaimPolicy?: PersistentVolumeReclaimPolicy;
  readonly mountOptions?: readonly string[];
  readonly allowVolumeExpansion?: boolean;
  readonly volumeBindingMode?: VolumeBindingMode;
  readonly allowedTopologies?: readonly TopologySelectorTerm[];
}

export interface StorageClassList {
  readonly apiVersion: 'storage.k8s.io/v1';
  readonly kind: 'StorageClassList';
  readonly metadata: ListMeta;
  readonly items: readonly StorageClass[];
}

export interface TokenRequest {
  readonly audience: string;
  readonly expirationSeconds?: number;
}

export interface VolumeAttachment {
  readonly apiVersion: 'storage.k8s.io/v1';
  readonly kind: 'VolumeAttachment';
  readonly metadata: KubeObject['metadata'];
  readonly spec: VolumeAttachmentSpec;
  readonly status?: VolumeAttachmentStatus;
}

export interface VolumeAttachmentList {
  readonly apiVersion: 'storage.k8s.io/v1';
  readonly kind: 'VolumeAttachmentList';
  readonly metadata: ListMeta;
  readonly items: readonly VolumeAttachment[];
}

export interface VolumeAttachmentSource {
  readonly persistentVolumeName?: string;
  readonly inlineVolumeSpec?: PersistentVolumeSpec;
}

export interface VolumeAttachmentSpec {
  readonly attacher: string;
  readonly source: VolumeAttachmentSource;
  readonly nodeName: string;
}

export interface VolumeAttachmentStatus {
  readonly attached: boolean;
  readonly attachmentMetadata?: { readonly [key: string]: string };
  readonly attachError?: VolumeError;
  readonly detachError?: VolumeError;
}

export interface VolumeAttributesClass {
  readonly apiVersion: 'storage.k8s.io/v1';
  readonly kind: 'VolumeAttributesClass';
  readonly metadata: KubeObject['metadata'];
  readonly driverName: string;
  readonly parameters?: { readonly [key: string]: string };
}

export interface VolumeAttributesClassList {
  readonly apiVersion: 'storage.k8s.io/v1';
  readonly kind: 'VolumeAttributesClassList';
  readonly metadata: ListMeta;
  readonly items: readonly VolumeAttributesClass[];
}

export type VolumeBindingMode = 'Immediate' | 'WaitForFirstConsumer';

export interface VolumeError {
  readonly time?: Time;
  readonly message?: string;
  readonly errorCode?: number;
}

export type VolumeLifecycleMode = 'Persistent' | 'Ephemeral';

export interface VolumeNodeResources {
  readonly count?: number;
}
