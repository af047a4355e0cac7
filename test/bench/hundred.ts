import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pod } from '#api/generated/core-v1.ts';
import type { Uid } from '#api/meta.ts';
import { podResource } from '#client/resources.ts';
import { criRuntime } from '#cri/grpc/cri-runtime.ts';
import type { ContainerRuntime } from '#cri/runtime.ts';
import { nodePaths } from '#host/data-dir.ts';
import { BareCri } from '#test/bench/bare-cri.ts';
import { allRunning, BenchCluster, nothingLeft, PodWatcher, sleepers } from '#test/bench/cluster.ts';
import { cpuSeconds } from '#test/bench/processes.ts';
import { against, median, type Result } from '#test/bench/result.ts';

const PODS = 100;
const ROUNDS = 3;
/** So many at a time by bare calls: all, and few. Which is best depends on the machine; the best one's median counts. */
const LANES: readonly number[] = [PODS, 6];
const SETTLE_MS = 2000;

/**
 * A hundred pods of one container, created side by side over HTTPS, until a watcher has seen each of them run. Beside it the same by
 * bare CRI calls on the same containerd, as many at a time as suits it best, with folders, cgroups and configs made before.
 */
export async function benchHundred(): Promise<readonly Result[]> {
  await using bench = await BenchCluster.start('bench-hundred');
  await using bare = await BareCri.start(bench.cluster, bench.client);
  const { paths, name: clusterName } = bench.cluster;
  await using runtime = criRuntime(nodePaths(paths, `${clusterName}-node1`).containerdSocket);
  const template = await firstPod(bench, runtime);
  const pid = await bench.cluster.pid();
  const rounds: Round[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    // Whoever comes first meets what the other's removal left to do: they swap places.
    const first = round % 2 === 0 ? await ours(bench, runtime, pid) : undefined;
    const floors: number[] = [];
    for (const lanes of LANES) {
      floors.push(await bare.crowd(crowdOf(template), lanes));
      await sleep(SETTLE_MS);
    }
    rounds.push({ ...(first ?? (await ours(bench, runtime, pid))), floors });
  }
  return resultsOf(rounds);
}

interface Ours {
  /** Milliseconds from the first create that was sent. */
  readonly running: number;
  /** Seconds of peapod's own processor time over the same span. */
  readonly cpu: number;
}

interface Round extends Ours {
  /** By LANES. */
  readonly floors: readonly number[];
}

/** As the server completed it; the image is fetched with it. */
async function firstPod({ client }: BenchCluster, runtime: ContainerRuntime): Promise<Pod> {
  const signal = AbortSignal.timeout(60_000);
  await using watcher = new PodWatcher(client, 'first');
  await watcher.started();
  const pod = await client.create<Pod>(podResource, sleepers('first', 1), signal);
  await watcher.until((seen) => seen.some(({ pod: each }) => each && allRunning(each)), 'the first pod to run');
  await client.delete(podResource, { name: 'first', namespace: 'default' }, { gracePeriodSeconds: 0 }, signal);
  await nothingLeft(runtime);
  return pod;
}

async function ours({ client }: BenchCluster, runtime: ContainerRuntime, pid: number): Promise<Ours> {
  const signal = AbortSignal.timeout(300_000);
  const names = Array.from({ length: PODS }, (_, at) => `pod-${at}`);
  await using watcher = new PodWatcher(client);
  await watcher.started();
  const up = new Set<string>();
  let looked = 0;
  const cpu = cpuSeconds(pid);
  const begun = performance.now();
  const created = Promise.all(names.map((name) => client.create<Pod>(podResource, sleepers(name, 1), signal)));
  await watcher.until(
    (seen) => {
      for (; looked < seen.length; looked++) {
        const { pod } = seen[looked]!;
        if (pod && allRunning(pod)) up.add(pod.metadata.uid);
      }
      return up.size === PODS;
    },
    `${PODS} pods to run`,
    240_000,
  );
  const running = performance.now() - begun;
  const used = cpuSeconds(pid) - cpu;
  await created;
  await Promise.all(
    names.map((name) => client.delete(podResource, { name, namespace: 'default' }, { gracePeriodSeconds: 0 }, signal)),
  );
  await nothingLeft(runtime);
  return { running, cpu: used };
}

const crowdOf = (template: Pod): readonly Pod[] =>
  Array.from({ length: PODS }, (_, at) => ({
    ...template,
    metadata: { ...template.metadata, name: `bare-${at}`, uid: randomUUID() as string as Uid },
  }));

function resultsOf(rounds: readonly Round[]): readonly Result[] {
  const byLanes = LANES.map((_, at) => median(rounds.map(({ floors }) => floors[at]!)));
  const running = median(rounds.map((round) => round.running));
  return [
    {
      name: `${PODS} pods of 1: create to all running, against bare CRI at its best`,
      unit: 'ms',
      ...against(running, Math.min(...byLanes)),
      target: { of: 'ratio', atMost: 1.25 },
    },
    ...LANES.map((lanes, at) => ({
      name: `${PODS} pods of 1: bare CRI, ${lanes} at a time`,
      unit: 'ms',
      value: byLanes[at]!,
    })),
    {
      name: `${PODS} pods of 1: peapod’s own processor time`,
      unit: 'ms',
      value: median(rounds.map(({ cpu }) => cpu)) * 1000,
    },
  ];
}
