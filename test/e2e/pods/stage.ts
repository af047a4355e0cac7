import type { TestContext } from 'node:test';
import type { Pod } from '#api/generated/core-v1.ts';
import type { E2eCluster } from '#test/e2e/support/cluster.ts';
import { conditionOf, type PodWatch } from '#test/e2e/support/pod-watch.ts';

/** What every story about pods has: a cluster it shares with the others, and names of its own. */
export interface Stage {
  readonly cluster: E2eCluster;
  readonly pods: PodWatch;
  create(name: string, spec: object, metadata?: object): Promise<void>;
  remove(...names: readonly string[]): Promise<void>;
}

export type Story = readonly [name: string, tell: (stage: Stage, t: TestContext) => Promise<void>];

export const secondsOf = (time: string | undefined): number => Date.parse(time ?? '') / 1000;

/** Status, reason and message of one of a pod's conditions. */
export function brief({ status }: Pod, type: string): readonly (string | undefined)[] {
  const found = conditionOf(status, type);
  return [found?.status, found?.reason, found?.message];
}
