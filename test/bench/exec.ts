import { WebSocket } from 'ws';
import type { Pod } from '#api/generated/core-v1.ts';
import { type ClusterAccess, readKubeconfig } from '#client/kubeconfig.ts';
import { podResource } from '#client/resources.ts';
import { criRuntime } from '#cri/grpc/cri-runtime.ts';
import type { ContainerId, ContainerRuntime } from '#cri/runtime.ts';
import { nodePaths } from '#host/data-dir.ts';
import { allRunning, BenchCluster, PodWatcher, sleepers } from '#test/bench/cluster.ts';
import { against, median, type Result } from '#test/bench/result.ts';

const ROUNDS = 60;
const WARM_UP_ROUNDS = 10;

/**
 * `exec` of a command that does nothing, from asking to its Status: as kubectl asks, on a new TLS connection to the API server
 * that becomes a WebSocket; and of the runtime itself, a CRI call for a URL and then a WebSocket to its streaming server. In turns.
 */
export async function benchExec(): Promise<readonly Result[]> {
  await using bench = await BenchCluster.start('bench-exec');
  const { paths, name } = bench.cluster;
  await using runtime = criRuntime(nodePaths(paths, `${name}-node1`).containerdSocket);
  const access = await readKubeconfig(bench.cluster.kubeconfig);
  const container = await sleeper(bench);
  const ours: number[] = [];
  const bare: number[] = [];
  for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round++) {
    const turns = [
      async () => void ours.push(await timed(() => execThroughApi(access))),
      async () => void bare.push(await timed(() => execBare(runtime, container))),
    ];
    for (const turn of round % 2 === 0 ? turns : turns.toReversed()) await turn();
  }
  return [
    {
      name: 'exec of nothing, through API server and node, against the runtime’s streaming server',
      unit: 'ms',
      ...against(median(ours.slice(WARM_UP_ROUNDS)), median(bare.slice(WARM_UP_ROUNDS))),
      target: { of: 'ratio', atMost: 1.3 },
    },
  ];
}

async function sleeper({ client }: BenchCluster): Promise<ContainerId> {
  await using watcher = new PodWatcher(client, 'target');
  await watcher.started();
  await client.create<Pod>(podResource, sleepers('target', 1), AbortSignal.timeout(10_000));
  await watcher.until((seen) => seen.some(({ pod }) => pod && allRunning(pod)), 'the pod to run');
  const { pod } = watcher.seen.findLast((seen) => seen.pod !== undefined)!;
  const id = pod!.status!.containerStatuses![0]!.containerID!;
  return id.slice(id.indexOf('://') + '://'.length) as ContainerId;
}

async function timed(what: () => Promise<void>): Promise<number> {
  const begun = performance.now();
  await what();
  return performance.now() - begun;
}

function execThroughApi({ server, certificateAuthority, clientCertificate, clientKey }: ClusterAccess): Promise<void> {
  const url = new URL('/api/v1/namespaces/default/pods/target/exec', server.replace(/^https/, 'wss'));
  url.search = 'command=true&container=c0&stdout=true&stderr=true';
  const options = { ca: certificateAuthority, cert: clientCertificate, key: clientKey, perMessageDeflate: false };
  return succeeded(new WebSocket(url, ['v5.channel.k8s.io', 'v4.channel.k8s.io'], options));
}

async function execBare(runtime: ContainerRuntime, container: ContainerId): Promise<void> {
  const asked = { container, command: ['true'], stdin: false, stdout: true, stderr: true, tty: false };
  const url = await runtime.streams.exec(asked, AbortSignal.timeout(10_000));
  const target = url.replace(/^http/, 'ws');
  await succeeded(new WebSocket(target, ['v4.channel.k8s.io'], { perMessageDeflate: false }));
}

const ERROR_CHANNEL = 3;

/** Resolves when a Status says that the command has ended well. */
function succeeded(socket: WebSocket): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.on('message', (message: Buffer) => {
    if (message[0] !== ERROR_CHANNEL || message.length === 1) return;
    const text = message.subarray(1).toString();
    if ((JSON.parse(text) as { status?: string }).status === 'Success') resolve();
    else reject(new Error(`exec failed: ${text}`));
    socket.close();
  });
  socket.on('error', reject);
  socket.on('close', () => reject(new Error('exec ended without a Status')));
  return promise;
}
