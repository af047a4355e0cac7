import { setTimeout as sleep } from 'node:timers/promises';
import type { Pod } from '#api/generated/core-v1.ts';
import { podResource } from '#client/resources.ts';
import { criRuntime } from '#cri/grpc/cri-runtime.ts';
import type { ContainerId, ContainerRuntime } from '#cri/runtime.ts';
import { nodePaths } from '#host/data-dir.ts';
import { commandLineOf } from '#host/proc.ts';
import { allRunning, BenchCluster, PodWatcher, sleepers } from '#test/bench/cluster.ts';
import { cpuSeconds, helpersOf } from '#test/bench/processes.ts';
import { against, median, type Result } from '#test/bench/result.ts';

const ROUNDS = 3;
const PODS = 6;
const COMMAND = ['true'];
const SETTLE_MS = 3000;
const WINDOW_MS = 15_000;

/**
 * Exec probes of a few pods, one a second each: processor time of peapod, containerd, its shims and all that they ran, for each
 * probe. Beside it ExecSync called at the same pace of the same kind of pods without probes: that of this process and of the same
 * others. Processor time, so that whoever else is on the machine does not count.
 */
export async function benchExecProbes(): Promise<readonly Result[]> {
  await using bench = await BenchCluster.start('bench-exec-probes');
  const { paths, name } = bench.cluster;
  await using runtime = criRuntime(nodePaths(paths, `${name}-node1`).containerdSocket);
  const pid = await bench.cluster.pid();
  const probing: number[] = [];
  const calling: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    for (const ours of round % 2 === 0 ? [true, false] : [false, true]) {
      const pods = await sleeping(bench, `exec-${round}-${ours ? 'probed' : 'called'}`, ours);
      await sleep(SETTLE_MS);
      // What they start for a moment, runc, is theirs once they have waited for it.
      const lasting = helpersOf([paths.run, paths.data], pid).filter((each) =>
        /containerd/.test(commandLineOf(each)[0] ?? ''),
      );
      const measured = [pid, ...lasting];
      const spent = (): number =>
        measured.reduce(
          (sum, each) => sum + cpuSeconds(each, each !== pid),
          ours ? 0 : process.cpuUsage().user / 1e6 + process.cpuUsage().system / 1e6,
        );
      const before = spent();
      await (ours ? sleep(WINDOW_MS) : callEachSecond(runtime, pods));
      (ours ? probing : calling).push(((spent() - before) * 1000) / ((WINDOW_MS / 1000) * PODS));
      await removed(bench, pods);
    }
  }
  return [
    {
      name: 'an exec probe: processor time of all it takes, against ExecSync calls',
      unit: 'ms',
      ...against(median(probing), median(calling)),
      target: { of: 'ratio', atMost: 1.2 },
    },
  ];
}

interface Sleeper {
  readonly name: string;
  readonly container: ContainerId;
}

async function sleeping({ client }: BenchCluster, prefix: string, withProbe: boolean): Promise<readonly Sleeper[]> {
  const signal = AbortSignal.timeout(60_000);
  const probe = withProbe ? { livenessProbe: { exec: { command: COMMAND }, periodSeconds: 1 } } : {};
  const names = Array.from({ length: PODS }, (_, at) => `${prefix}-${at}`);
  return Promise.all(
    names.map(async (name) => {
      const { spec, ...rest } = sleepers(name, 1);
      await using watcher = new PodWatcher(client, name);
      await watcher.started();
      const containers = spec.containers.map((container) => ({ ...container, ...probe }));
      await client.create<Pod>(podResource, { ...rest, spec: { ...spec, containers } }, signal);
      await watcher.until((seen) => seen.some(({ pod }) => pod && allRunning(pod)), `pod ${name} to run`);
      const { pod } = watcher.seen.findLast((seen) => seen.pod && allRunning(seen.pod))!;
      const id = pod!.status!.containerStatuses![0]!.containerID!;
      return { name, container: id.slice(id.indexOf('://') + '://'.length) as ContainerId };
    }),
  );
}

async function callEachSecond(runtime: ContainerRuntime, pods: readonly Sleeper[]): Promise<void> {
  const signal = AbortSignal.timeout(2 * WINDOW_MS);
  await Promise.all(
    pods.map(async ({ container }, at) => {
      await sleep((at * 1000) / PODS);
      for (let due = performance.now(), calls = 0; calls < WINDOW_MS / 1000; calls++) {
        await runtime.streams.execSync(container, COMMAND, { timeoutMs: 1000 }, signal);
        due += 1000;
        await sleep(Math.max(0, due - performance.now()));
      }
    }),
  );
}

async function removed({ client }: BenchCluster, pods: readonly Sleeper[]): Promise<void> {
  const signal = AbortSignal.timeout(60_000);
  await Promise.all(
    pods.map(async ({ name }) => {
      await using watcher = new PodWatcher(client, name);
      await watcher.started();
      await client.delete(podResource, { name, namespace: 'default' }, { gracePeriodSeconds: 1 }, signal);
      await watcher.until((seen) => seen.some(({ type }) => type === 'DELETED'), `the end of pod ${name}`);
    }),
  );
}
