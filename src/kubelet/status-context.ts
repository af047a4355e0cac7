import type { Pod } from '#api/generated/core-v1.ts';

export interface StatusContext {
  readonly pod: Pod;
  /** `ending`: containers will not be restarted, whatever the policy says. `rejected`: this node will never run it. */
  readonly course: Course;
  readonly node: NodeFacts;
}

export type Course =
  | { readonly kind: 'running' }
  | { readonly kind: 'ending'; readonly reason?: string; readonly message?: string }
  | { readonly kind: 'rejected'; readonly reason: string; readonly message: string };

export interface NodeFacts {
  /** The primary address first. */
  readonly addresses: readonly string[];
  /** As in a container's ID: `containerd`. */
  readonly runtimeName: string;
}

/** RFC 3339 with whole seconds, as all times of a pod's status are. */
export const timeOf = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;
