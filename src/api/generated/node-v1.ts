/** Made by tools/facts/generate-types.ts from the table of facts; not edited by hand. */
import type { Toleration } from '#api/generated/core-v1.ts';
import type { ListMeta, Quantity } from '#api/generated/meta-v1.ts';
import type { KubeObject } from '#api/meta.ts';

export interface Overhead {
  readonly podFixed?: { readonly [key: string]: Quantity };
}

export interface RuntimeClass {
  readonly apiVersion: 'node.k8s.io/v1';
  readonly kind: 'RuntimeClass';
  readonly metadata: KubeObject['metadata'];
  readonly handler: string;
  readonly overhead?: Overhead;
  readonly scheduling?: Scheduling;
}

export interface RuntimeClassList {
  readonly apiVersion: 'node.k8s.io/v1';
  readonly kind: 'RuntimeClassList';
  readonly metadata: ListMeta;
  readonly items: readonly RuntimeClass[];
}

export interface Scheduling {
  readonly nodeSelector?: { readonly [key: string]: string };
  readonly tolerations?: readonly Toleration[];
}
