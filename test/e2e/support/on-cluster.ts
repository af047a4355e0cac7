import { test } from 'node:test';
import { E2eCluster } from '#test/e2e/support/cluster.ts';

export type Stories = Readonly<Record<string, (cluster: E2eCluster) => Promise<void>>>;

/** A cluster of that name, made with these arguments of `up`. */
export interface ClusterChoice {
  readonly name: string;
  readonly up: readonly string[];
}

/** One cluster for a file's tests: they run on it one after the other, and it goes with the last, whatever they came to. */
export function onCluster(choice: string | ClusterChoice, stories: Stories): void {
  const { name, up } = typeof choice === 'string' ? { name: choice, up: [] } : choice;
  test(`${name}: on a cluster of its own`, async (context) => {
    await using cluster = await E2eCluster.start(name, ...up);
    for (const [story, tell] of Object.entries(stories)) await context.test(story, () => tell(cluster));
  });
}
