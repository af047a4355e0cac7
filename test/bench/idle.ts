import { setTimeout as sleep } from 'node:timers/promises';
import type { Pod } from '#api/generated/core-v1.ts';
import { podResource } from '#client/resources.ts';
import { allRunning, BenchCluster, PodWatcher, sleepers } from '#test/bench/cluster.ts';
import { cpuSeconds, helpersOf, kilobytes } from '#test/bench/processes.ts';
import type { Result } from '#test/bench/result.ts';

const SETTLE_MS = 60_000;
const WINDOW_MS = 30_000;

/** One cluster with one pod, left alone: what it costs to have it run. */
export async function benchIdle(): Promise<readonly Result[]> {
  await using bench = await BenchCluster.start('bench-idle');
  const { client, cluster } = bench;
  {
    await using watcher = new PodWatcher(client, 'idle');
    await client.create<Pod>(podResource, sleepers('idle', 1), AbortSignal.timeout(10_000));
    await watcher.until((seen) => seen.some(({ pod }) => pod !== undefined && allRunning(pod)), 'the pod to run');
  }
  const pid = await cluster.pid();
  await sleep(SETTLE_MS);
  const rss = kilobytes(pid, 'status', 'VmRSS') / 1024;
  const before = cpuSeconds(pid);
  const begun = performance.now();
  await sleep(WINDOW_MS);
  const share = (cpuSeconds(pid) - before) / ((performance.now() - begun) / 1000);
  const own = [pid, ...helpersOf([cluster.paths.run, cluster.paths.data], pid)];
  const pss = own.reduce((sum, each) => sum + kilobytes(each, 'smaps_rollup', 'Pss'), 0) / 1024;
  return [
    { name: 'idle: peapod, resident', unit: 'MB', value: rss, target: { of: 'value', atMost: 150 } },
    { name: 'idle: peapod, of one core', unit: '%', value: share * 100, target: { of: 'value', atMost: 1 } },
    {
      name: `idle: peapod, containerd, shims, registry (${own.length} processes), proportional`,
      unit: 'MB',
      value: pss,
    },
  ];
}
