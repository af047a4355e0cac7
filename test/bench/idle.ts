import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pod } from '#api/generated/core-v1.ts';
import { podResource } from '#client/resources.ts';
import { allPids, commandLineOf } from '#host/proc.ts';
import { allRunning, BenchCluster, PodWatcher, sleepers } from '#test/bench/cluster.ts';
import type { Result } from '#test/bench/result.ts';

const SETTLE_MS = 60_000;
const WINDOW_MS = 30_000;
/** Of /proc/PID/stat; Linux has had 100 a second on every machine for twenty years. */
export const TICKS_PER_SECOND = 100;

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
  const before = cpuTicks(pid);
  const begun = performance.now();
  await sleep(WINDOW_MS);
  const share = (cpuTicks(pid) - before) / TICKS_PER_SECOND / ((performance.now() - begun) / 1000);
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

/** Every other process that was started with a path of this cluster: containerd, its shims, the registry. */
function helpersOf(paths: readonly string[], pid: number): readonly number[] {
  return allPids().filter(
    (each) =>
      each !== pid &&
      each !== process.pid &&
      commandLineOf(each).some((word) => paths.some((path) => word.includes(path))),
  );
}

export function cpuTicks(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

function kilobytes(pid: number, file: string, field: string): number {
  const found = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(readFileSync(`/proc/${pid}/${file}`, 'utf8'));
  if (!found) throw new Error(`/proc/${pid}/${file} has no ${field}`);
  return Number(found[1]);
}
