/** Made by tools/facts/generate-types.ts from the table of facts; not edited by hand. */
import type { ListMeta, MicroTime } from '#api/generated/meta-v1.ts';
import type { KubeObject } from '#api/meta.ts';

export type CoordinatedLeaseStrategy = 'OldestEmulationVersion' | (string & {});

export interface Lease {
  readonly apiVersion: 'coordination.k8s.io/v1';
  readonly kind: 'Lease';
  readonly metadata: KubeObject['metadata'];
  readonly spec: LeaseSpec;
}

export interface LeaseList {
  readonly apiVersion: 'coordination.k8s.io/v1';
  readonly kind: 'LeaseList';
  readonly metadata: ListMeta;
  readonly items: readonly Lease[];
}

export interface LeaseSpec {
  readonly holderIdentity?: string;
  readonly leaseDurationSeconds?: number;
  readonly acquireTime?: MicroTime;
  readonly renewTime?: MicroTime;
  readonly leaseTransitions?: number;
  readonly strategy?: CoordinatedLeaseStrategy;
  readonly preferredHolder?: string;
}
