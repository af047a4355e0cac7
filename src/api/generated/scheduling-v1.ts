/** Made by tools/facts/generate-types.ts from the table of facts; not edited by hand. */
import type { PreemptionPolicy } from '#api/generated/core-v1.ts';
import type { ListMeta } from '#api/generated/meta-v1.ts';
import type { KubeObject } from '#api/meta.ts';

export interface PriorityClass {
  readonly apiVersion: 'scheduling.k8s.io/v1';
  readonly kind: 'PriorityClass';
  readonly metadata: KubeObject['metadata'];
  readonly value?: number;
  readonly globalDefault?: boolean;
  readonly description?: string;
  readonly preemptionPolicy?: PreemptionPolicy;
}

export interface PriorityClassList {
  readonly apiVersion: 'scheduling.k8s.io/v1';
  readonly kind: 'PriorityClassList';
  readonly metadata: ListMeta;
  readonly items: readonly PriorityClass[];
}
