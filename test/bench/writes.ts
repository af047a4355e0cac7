import type { Pod } from '#api/generated/core-v1.ts';
import type { Client } from '#client/client.ts';
import { podResource } from '#client/resources.ts';
import { allRunning, BenchCluster, type PodManifest, PodWatcher, type Seen, sleepers } from '#test/bench/cluster.ts';
import { median, type Result } from '#test/bench/result.ts';

const ROUNDS = 5;
const target = { of: 'value', atMost: 6 } as const;

/** How often a pod's object is written in its whole life, as a watcher counts: each write is one event. */
export async function benchWrites(): Promise<readonly Result[]> {
  await using bench = await BenchCluster.start('bench-writes');
  const { client } = bench;
  const deleted: number[] = [];
  const ended: number[] = [];
  // The first pod waits for its image, and says so: that is one write more.
  await livesOf(client, sleepers('first', 1), (seen) => seen.some(isUp));
  for (let round = 0; round < ROUNDS; round++) {
    deleted.push(await livesOf(client, sleepers(`writes-${round}`, 3), (seen) => seen.some(isUp)));
    ended.push(await livesOf(client, ending(`ends-${round}`), (seen) => seen.some(hasSucceeded)));
  }
  return [
    { name: 'a pod of three containers, created to deleted', unit: 'writes', value: median(deleted), target },
    { name: 'a pod that runs to its end, created to deleted', unit: 'writes', value: median(ended), target },
  ];
}

const isUp = ({ pod }: Seen): boolean => pod !== undefined && allRunning(pod);
const hasSucceeded = ({ pod }: Seen): boolean => pod?.status?.phase === 'Succeeded';

const ending = (name: string): PodManifest => {
  const { spec, ...rest } = sleepers(name, 1);
  const containers = spec.containers.map((container) => ({ ...container, command: ['sleep', '2'] }));
  return { ...rest, spec: { ...spec, restartPolicy: 'Never', containers } };
};

/** Deletes the pod, in its own time, once `done` holds and it has been left alone for a while. */
async function livesOf(client: Client, pod: PodManifest, done: (seen: readonly Seen[]) => boolean): Promise<number> {
  const signal = AbortSignal.timeout(120_000);
  const { name, namespace } = pod.metadata;
  await using watcher = new PodWatcher(client, name);
  await watcher.started();
  await client.create<Pod>(podResource, pod, signal);
  await watcher.until(done, `pod ${name}`);
  // Whatever the status publisher still holds back comes now.
  await new Promise((resolve) => setTimeout(resolve, 2500));
  await client.delete(podResource, { name, namespace }, {}, signal);
  await watcher.until((seen) => seen.some(({ type }) => type === 'DELETED'), `the end of pod ${name}`);
  return new Set(watcher.seen.flatMap((seen) => (seen.pod ? [seen.pod.metadata.resourceVersion] : []))).size;
}
