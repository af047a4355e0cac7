import { test } from 'node:test';
import { E2eCluster } from '#test/e2e/support/cluster.ts';

export type Stories = Readonly<Record<string, (cluster: E2eCluster) => Promise<void>>>;

/**
 * One cluster for a file's tests: they run on it one after the other, and it goes with the last, whatever they came to.
 * `args` go to `up`.
 */
export function onCluster(name: string, stories: Stories, ...args: readonly string[]): void {
  test(`${name}: on a cluster of its own`, async (context) => {
    await using cluster = await E2eCluster.start(name, ...args);
    for (const [story, tell] of Object.entries(stories)) await context.test(story, () => tell(cluster));
  });
}
