/** Made by tools/facts/generate-types.ts from the table of facts; not edited by hand. */
import type { GroupVersionKind, ListMeta } from '#api/generated/meta-v1.ts';
import type { KubeObject } from '#api/meta.ts';

export interface APIGroupDiscovery {
  readonly apiVersion: 'apidiscovery.k8s.io/v2';
  readonly kind: 'APIGroupDiscovery';
  readonly metadata: KubeObject['metadata'];
  readonly versions?: readonly APIVersionDiscovery[];
}

export interface APIGroupDiscoveryList {
  readonly apiVersion: 'apidiscovery.k8s.io/v2';
  readonly kind: 'APIGroupDiscoveryList';
  readonly metadata: ListMeta;
  readonly items: readonly APIGroupDiscovery[];
}

export interface APIResourceDiscovery {
  readonly resource: string;
  readonly responseKind?: GroupVersionKind;
  readonly scope: ResourceScope;
  readonly singularResource: string;
  readonly verbs: readonly string[];
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly subresources?: readonly APISubresourceDiscovery[];
}

export interface APISubresourceDiscovery {
  readonly subresource: string;
  readonly responseKind?: GroupVersionKind;
  readonly acceptedTypes?: readonly GroupVersionKind[];
  readonly verbs: readonly string[];
}

export interface APIVersionDiscovery {
  readonly version: string;
  readonly resources?: readonly APIResourceDiscovery[];
  readonly freshness?: DiscoveryFreshness;
}

export type DiscoveryFreshness = 'Current' | 'Stale';

export type ResourceScope = 'Cluster' | 'Namespaced';
