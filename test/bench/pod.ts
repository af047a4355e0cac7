import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pod } from '#api/generated/core-v1.ts';
import type { Uid } from '#api/meta.ts';
import { podResource } from '#client/resources.ts';
import { criRuntime } from '#cri/grpc/cri-runtime.ts';
import type { ContainerRuntime } from '#cri/runtime.ts';
import { nodePaths } from '#host/data-dir.ts';
import { labels } from '#kubelet/observed.ts';
import { BareCri } from '#test/bench/bare-cri.ts';
import { allRunning, BenchCluster, type PodManifest, PodWatcher, type Seen, sleepers } from '#test/bench/cluster.ts';
import { PrivatePodman } from '#test/bench/podman.ts';
import { against, median, type Result } from '#test/bench/result.ts';

const ROUNDS = 15;
const WARM_UP_ROUNDS = 2;
const CONTAINERS = 3;
const SETTLE_MS = 300;

/**
 * A pod of three containers from create to all running, as a watcher over HTTPS sees it; beside it the same by bare CRI calls on the
 * same containerd, and by podman. In rounds that take turns, since the machine is not the same from one minute to the next.
 */
export async function benchPod(): Promise<readonly Result[]> {
  await using bench = await BenchCluster.start('bench-pod');
  await using bare = await BareCri.start(bench.cluster, bench.client);
  await using podman = await PrivatePodman.start();
  const { paths, name: clusterName } = bench.cluster;
  await using runtime = criRuntime(nodePaths(paths, `${clusterName}-node1`).containerdSocket);
  const rounds: Round[] = [];
  for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round++) {
    const name = `pod${round + WARM_UP_ROUNDS}`;
    // Whoever comes first in a round meets what the other's removal left to do: they swap places.
    const first = round % 2 === 0 ? await ours(bench, runtime, name) : undefined;
    const identity = bareIdentity(name);
    const floor = await bare.round({ ...shared.template!, metadata: identity }, (begun) =>
      stepsOf(runtime, identity.uid, begun),
    );
    await sleep(SETTLE_MS);
    const timeline = first ?? (await ours(bench, runtime, name));
    const play = await podman?.play(forPodman(name, podman.image));
    await podman?.remove(name);
    await sleep(SETTLE_MS);
    if (round >= 0) rounds.push({ timeline, bare: floor, podman: play });
  }
  return resultsOf(rounds);
}

interface Round {
  readonly timeline: Timeline;
  readonly bare: Steps & { readonly running: number };
  readonly podman: number | undefined;
}

/** Milliseconds since the create was sent. */
interface Timeline extends Steps {
  readonly answered: number;
  readonly bound: number;
  readonly running: number;
}

interface Steps {
  /** The sandbox's own container is entered in containerd's database; what follows is its network and its process. */
  readonly sandboxBegun: number;
  /** So the sandbox stands, and whoever called for it has taken the next step. */
  readonly firstContainer: number;
  readonly lastStarted: number;
}

/** The pod as the server completed it: what the bare calls are made from. */
const shared: { template: Pod | undefined } = { template: undefined };

async function ours({ client }: BenchCluster, runtime: ContainerRuntime, name: string): Promise<Timeline> {
  const signal = AbortSignal.timeout(60_000);
  await using watcher = new PodWatcher(client, name);
  await watcher.started();
  const begun = performance.now();
  const pod = await client.create<Pod>(podResource, sleepers(name, CONTAINERS), signal);
  const answered = performance.now() - begun;
  await watcher.until((seen) => seen.some(isUp), `pod ${name} to run`);
  shared.template ??= pod;
  const at = (is: (seen: Seen) => boolean): number => (watcher.seen.find(is)?.at ?? NaN) - begun;
  const timeline = {
    answered,
    bound: at((seen) => seen.pod?.spec.nodeName !== undefined),
    ...(await stepsOf(runtime, pod.metadata.uid, begun)),
    running: at(isUp),
  };
  await client.delete(podResource, { name, namespace: 'default' }, { gracePeriodSeconds: 0 }, signal);
  await gone(runtime, pod.metadata.uid);
  return timeline;
}

/** Without grace the object goes at once, and what it stood for a moment later: nobody's next round is to pay for that. */
async function gone(runtime: ContainerRuntime, uid: string): Promise<void> {
  const filter = { labels: { [labels.podUid]: uid } };
  const signal = AbortSignal.timeout(30_000);
  do await sleep(50);
  while ((await runtime.sandboxes.list(filter, signal)).length > 0);
  await sleep(SETTLE_MS);
}

const isUp = ({ pod }: Seen): boolean => pod !== undefined && allRunning(pod);

const bareIdentity = (name: string): Pod['metadata'] => ({
  ...shared.template!.metadata,
  name: `bare-${name}`,
  uid: randomUUID() as string as Uid,
});

function forPodman(name: string, image: string): PodManifest {
  const { spec, ...rest } = sleepers(name, CONTAINERS);
  return { ...rest, spec: { ...spec, containers: spec.containers.map((container) => ({ ...container, image })) } };
}

/** When things came to be, in containerd's own words, as milliseconds since `begun`. */
async function stepsOf(runtime: ContainerRuntime, uid: string, begun: number): Promise<Steps> {
  const signal = AbortSignal.timeout(10_000);
  const filter = { labels: { [labels.podUid]: uid } };
  const [sandboxes, listed] = await Promise.all([
    runtime.sandboxes.list(filter, signal),
    runtime.containers.list(filter, signal),
  ]);
  const containers = await Promise.all(listed.map(({ id }) => runtime.containers.status(id, signal)));
  const startedAt = containers.flatMap((one) => (one?.state.kind === 'running' ? [one.state.startedAt] : []));
  const since = (epochMs: number): number => epochMs - performance.timeOrigin - begun;
  return {
    sandboxBegun: since(Math.max(...sandboxes.map(({ createdAt }) => createdAt))),
    firstContainer: since(Math.min(...listed.map(({ createdAt }) => createdAt))),
    lastStarted: since(Math.max(...startedAt)),
  };
}

const stepNames = [
  ['sandboxBegun', 'sandbox entered after'],
  ['firstContainer', 'first container created after'],
  ['lastStarted', 'last container started after'],
] as const;

function resultsOf(rounds: readonly Round[]): readonly Result[] {
  const step = (name: keyof Timeline): number => median(rounds.map(({ timeline }) => timeline[name]));
  const bare = median(rounds.map((round) => round.bare.running));
  const played = rounds.flatMap(({ podman }) => (podman === undefined ? [] : [podman]));
  const running = step('running');
  return [
    {
      name: 'pod of 3: create to all running, against bare CRI',
      unit: 'ms',
      ...against(running, bare),
      target: { of: 'ratio', atMost: 1.25 },
    },
    ...(played.length === 0
      ? []
      : [
          {
            name: 'pod of 3: create to all running, against podman play kube',
            unit: 'ms',
            ...against(running, median(played)),
            target: { of: 'ratio', atMost: 1 },
          } as const,
        ]),
    { name: 'pod of 3: create answered after', unit: 'ms', value: step('answered') },
    { name: 'pod of 3: seen bound after', unit: 'ms', value: step('bound') },
    ...stepNames.map(([name, text]) => ({
      name: `pod of 3: ${text}`,
      unit: 'ms',
      ...against(step(name), median(rounds.map((round) => round.bare[name]))),
    })),
  ];
}
