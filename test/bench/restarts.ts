import { setTimeout as sleep } from 'node:timers/promises';
import type { Pod } from '#api/generated/core-v1.ts';
import { podResource } from '#client/resources.ts';
import { criRuntime } from '#cri/grpc/cri-runtime.ts';
import type { ContainerRuntime } from '#cri/runtime.ts';
import { realClock } from '#lib/clock.ts';
import { allRunning, BenchCluster, sleepers } from '#test/bench/cluster.ts';
import { cpuSeconds } from '#test/bench/processes.ts';
import { median, type Result } from '#test/bench/result.ts';
import { nodeOf, straysOf, takeCensus } from '#test/e2e/support/census.ts';
import { childPid, kill } from '#test/e2e/support/machine.ts';
import { isReady, PodWatch } from '#test/e2e/support/pod-watch.ts';

const RESTARTS = 6;
/** Longer than what follows a restart: relists, looks for what was left. */
const SETTLE_MS = 10_000;
const LOOK_EVERY_MS = 5;

/** A node full of pods whose containerd is killed six times in a row: what it takes to see them all well again, and at what cost. */
export async function benchRestarts({ pods: count }: { readonly pods: number }): Promise<readonly Result[]> {
  await using bench = await BenchCluster.start('bench-restarts');
  const { client, cluster } = bench;
  await using pods = await PodWatch.on(cluster);
  await using runtime = criRuntime(nodeOf(cluster).containerdSocket, realClock);
  const begun = performance.now();
  const names = Array.from({ length: count }, (_, at) => `pod${at}`);
  await Promise.all(
    names.map((name) => client.create<Pod>(podResource, sleepers(name, 1), AbortSignal.timeout(60_000))),
  );
  for (const name of names) await pods.reaches(name, 'running', allRunning, 600_000);
  const createdMs = performance.now() - begun;
  await sleep(SETTLE_MS);
  const containers = await runningIds(runtime);
  const pid = await cluster.pid();
  const cpuBefore = cpuSeconds(pid);
  const times: number[] = [];
  for (let round = 0; round < RESTARTS; round++) {
    times.push(await restart(bench, runtime, count));
    await sleep(SETTLE_MS);
  }
  const cpuUsed = cpuSeconds(pid) - cpuBefore;
  const now = new Set(await runningIds(runtime));
  const census = await takeCensus(cluster, runtime, AbortSignal.timeout(60_000));
  const strays = straysOf(census, pods.list());
  for (const stray of strays) process.stderr.write(`${stray}\n`);
  // A status that is never written again is no proof of anything by itself: the containers are.
  const unready = pods.list().filter((pod) => !isReady(pod) || restartsOf(pod) > 0).length;
  return [
    { name: `${count} pods on one node: create to all running`, unit: 'ms', value: createdMs },
    { name: `containerd killed, ${count} pods: all seen well again after`, unit: 'ms', value: median(times) },
    {
      name: `the same ${RESTARTS} times: containers restarted`,
      unit: '',
      value: containers.filter((id) => !now.has(id)).length + unready,
      target: { of: 'value', atMost: 0 },
    },
    {
      name: `the same ${RESTARTS} times: left over`,
      unit: '',
      value: strays.length,
      target: { of: 'value', atMost: 0 },
    },
    { name: 'the same: processor time of peapod, each', unit: 's', value: cpuUsed / RESTARTS },
  ];
}

/** From the blow to the runtime, started again, showing every container running. */
async function restart({ cluster }: BenchCluster, runtime: ContainerRuntime, count: number): Promise<number> {
  kill(childPid(cluster.paths, /^containerd-/));
  const begun = performance.now();
  const deadline = begun + 120_000;
  for (;;) {
    const running = await runningIds(runtime).catch(() => []);
    if (running.length === count) return performance.now() - begun;
    if (performance.now() > deadline) throw new Error(`only ${running.length} of ${count} containers run`);
    await sleep(LOOK_EVERY_MS);
  }
}

async function runningIds(runtime: ContainerRuntime): Promise<readonly string[]> {
  const listed = await runtime.containers.list({ state: 'running' }, AbortSignal.timeout(10_000));
  return listed.map(({ id }) => id);
}

const restartsOf = ({ status }: Pod): number =>
  (status?.containerStatuses ?? []).reduce((sum, { restartCount }) => sum + restartCount, 0);
