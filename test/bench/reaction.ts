import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pod } from '#api/generated/core-v1.ts';
import { podResource } from '#client/resources.ts';
import { criRuntime } from '#cri/grpc/cri-runtime.ts';
import type { ContainerRuntime } from '#cri/runtime.ts';
import { nodePaths } from '#host/data-dir.ts';
import { allPids, commandLineOf } from '#host/proc.ts';
import { labels } from '#kubelet/observed.ts';
import { BareCri } from '#test/bench/bare-cri.ts';
import { allRunning, BenchCluster, type PodManifest, PodWatcher, sleepers } from '#test/bench/cluster.ts';
import { against, median, quantile, type Result } from '#test/bench/result.ts';
import { SnapshotWatch } from '#test/bench/snapshot-watch.ts';

const ROUNDS = 25;
const WARM_UP_ROUNDS = 2;
const SETTLE_MS = 300;

/**
 * How soon a container's end has consequences. Its process is killed, and it is milliseconds from that until
 *
 *  - in a pod that restarts: the kubelet has called for the next container, and containerd begins with its file system, as
 *    containerd's own events date it (all restarts here are first ones, without back-off);
 *  - in a pod that does not: a watcher over HTTPS sees the pod Failed, so that the status is written too.
 *
 * Beside them how long containerd itself takes to say that such a container has exited, asked each millisecond and no kubelet about:
 * it kills what is left, unmounts and cleans up after runc first. Its event comes long before that, and what follows need not wait;
 * what is told has to, since until then the container's log may lack its last lines, and the reason of its end is not known.
 */
export async function benchReaction(): Promise<readonly Result[]> {
  await using bench = await BenchCluster.start('bench-reaction');
  await using bare = await BareCri.start(bench.cluster, bench.client);
  const { paths, name: clusterName } = bench.cluster;
  const { containerdSocket } = nodePaths(paths, `${clusterName}-node1`);
  await using runtime = criRuntime(containerdSocket);
  await using snapshots = await SnapshotWatch.start(containerdSocket);
  const restarted: number[] = [];
  const failed: number[] = [];
  const said: number[] = [];
  for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round++) {
    const turns = [
      async () => void restarted.push(await untilRestarted(bench, snapshots)),
      async () => void failed.push(await untilFailed(bench)),
    ];
    for (const turn of round % 2 === 0 ? turns : turns.toReversed()) await turn();
    said.push(await untilSaid(bare, runtime));
  }
  return resultsOf({ restarted, failed, said });
}

async function untilRestarted({ client }: BenchCluster, snapshots: SnapshotWatch): Promise<number> {
  const { name, watcher, kill } = await running(client, 'Always');
  await using _ = watcher;
  snapshots.forget();
  const killedAt = kill();
  const begunAt = await snapshots.next();
  await removed(client, name, watcher);
  return begunAt - killedAt;
}

async function untilFailed({ client }: BenchCluster): Promise<number> {
  const { name, watcher, kill } = await running(client, 'Never');
  await using _ = watcher;
  const killedAt = kill();
  await watcher.until((seen) => seen.some(({ pod }) => pod?.status?.phase === 'Failed'), 'the pod to have failed');
  const { at } = watcher.seen.find(({ pod }) => pod?.status?.phase === 'Failed')!;
  await removed(client, name, watcher);
  return performance.timeOrigin + at - killedAt;
}

async function untilSaid(bare: BareCri, runtime: ContainerRuntime): Promise<number> {
  const pod = shared.template!;
  const { took } = await bare.round(pod, async () => {
    const signal = AbortSignal.timeout(10_000);
    const [container] = await runtime.containers.list({ labels: { [labels.podUid]: pod.metadata.uid } }, signal);
    await sleep(SETTLE_MS);
    const killedAt = killer(markOf(pod))();
    while ((await runtime.containers.status(container!.id, signal))?.state.kind === 'running') await sleep(1);
    return { took: now() - killedAt };
  });
  return took;
}

/** The last pod as the server completed it, under a UID and a mark that are the bare calls' own. */
const shared: { template: Pod | undefined } = { template: undefined };

interface Running {
  readonly name: string;
  readonly watcher: PodWatcher;
  /** Kills the container's process; gives when, epoch ms. */
  readonly kill: () => number;
}

async function running(client: BenchCluster['client'], restartPolicy: 'Always' | 'Never'): Promise<Running> {
  const mark = String(randomInt(1e8, 1e9));
  const name = `ends-${mark}`;
  const watcher = new PodWatcher(client, name);
  await watcher.started();
  const pod = await client.create<Pod>(podResource, manifest(name, mark, restartPolicy), AbortSignal.timeout(10_000));
  const [uid, bareMark] = [`bare-${pod.metadata.uid}` as Pod['metadata']['uid'], String(randomInt(1e8, 1e9))];
  const bareSpec = { ...pod.spec, containers: manifest(name, bareMark, 'Never').spec.containers };
  shared.template = { ...pod, metadata: { ...pod.metadata, uid }, spec: bareSpec };
  await watcher.until((seen) => seen.some((each) => each.pod && allRunning(each.pod)), `pod ${name} to run`);
  await sleep(SETTLE_MS);
  return { name, watcher, kill: killer(mark) };
}

/** Its one process is found by how long it means to sleep. */
function manifest(name: string, mark: string, restartPolicy: 'Always' | 'Never'): PodManifest {
  const { spec, ...rest } = sleepers(name, 1);
  return {
    ...rest,
    spec: {
      ...spec,
      restartPolicy,
      containers: spec.containers.map((container) => ({ ...container, command: ['sleep', mark] })),
    },
  };
}

const markOf = ({ spec }: Pod): string => spec.containers[0]!.command![1]!;

function killer(mark: string): () => number {
  const pid = allPids().find((each) => commandLineOf(each).join(' ') === `sleep ${mark}`);
  if (pid === undefined) throw new Error(`no process sleeps for ${mark} s`);
  return () => {
    const at = now();
    process.kill(pid, 'SIGKILL');
    return at;
  };
}

/** Epoch milliseconds, with their fractions. */
const now = (): number => performance.timeOrigin + performance.now();

async function removed(client: BenchCluster['client'], name: string, watcher: PodWatcher): Promise<void> {
  const ref = { name, namespace: 'default' };
  await client.delete(podResource, ref, { gracePeriodSeconds: 1 }, AbortSignal.timeout(10_000));
  await watcher.until((seen) => seen.some(({ type }) => type === 'DELETED'), `the end of pod ${name}`);
  await sleep(SETTLE_MS);
}

function resultsOf(all: Readonly<Record<'restarted' | 'failed' | 'said', readonly number[]>>): readonly Result[] {
  const { restarted, failed, said } = {
    restarted: all.restarted.slice(WARM_UP_ROUNDS),
    failed: all.failed.slice(WARM_UP_ROUNDS),
    said: all.said.slice(WARM_UP_ROUNDS),
  };
  const floor = median(said);
  return [
    {
      name: 'a container’s exit until its restart has begun, against containerd saying so',
      unit: 'ms',
      ...against(median(restarted), floor),
      target: { of: 'value', atMost: 50 },
    },
    {
      name: 'a container’s exit until a watcher sees the pod Failed, against containerd saying so',
      unit: 'ms',
      ...against(median(failed), floor),
      target: { of: 'ratio', atMost: 1.25 },
    },
    { name: 'a container’s exit until its restart has begun, 9 of 10', unit: 'ms', value: quantile(restarted, 0.9) },
    { name: 'a container’s exit until a watcher sees it, 9 of 10', unit: 'ms', value: quantile(failed, 0.9) },
  ];
}
