/** Made by tools/facts/generate-types.ts from the table of facts; not edited by hand. */
import type { Condition, DeleteOptions, IntOrString, LabelSelector, ListMeta, Time } from '#api/generated/meta-v1.ts';
import type { KubeObject } from '#api/meta.ts';

export interface Eviction {
  readonly apiVersion: 'policy/v1';
  readonly kind: 'Eviction';
  readonly metadata: KubeObject['metadata'];
  readonly deleteOptions?: DeleteOptions;
}

export interface PodDisruptionBudget {
  readonly apiVersion: 'policy/v1';
  readonly kind: 'PodDisruptionBudget';
  readonly metadata: KubeObject['metadata'];
  readonly spec: PodDisruptionBudgetSpec;
  readonly status?: PodDisruptionBudgetStatus;
}

export interface PodDisruptionBudgetList {
  readonly apiVersion: 'policy/v1';
  readonly kind: 'PodDisruptionBudgetList';
  readonly metadata: ListMeta;
  readonly items: readonly PodDisruptionBudget[];
}

export interface PodDisruptionBudgetSpec {
  readonly minAvailable?: IntOrString;
  readonly selector?: LabelSelector;
  readonly maxUnavailable?: IntOrString;
  readonly unhealthyPodEvictionPolicy?: UnhealthyPodEvictionPolicyType;
}

export interface PodDisruptionBudgetStatus {
  readonly observedGeneration?: number;
  readonly disruptedPods?: { readonly [key: string]: Time };
  readonly disruptionsAllowed?: number;
  readonly currentHealthy?: number;
  readonly desiredHealthy?: number;
  readonly expectedPods?: number;
  readonly conditions?: readonly Condition[];
}

export type UnhealthyPodEvictionPolicyType = 'IfHealthyBudget' | 'AlwaysAllow';
