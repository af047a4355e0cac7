import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { request } from 'node:https';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Node, Pod } from '#api/generated/core-v1.ts';
import { createClient } from '#client/api-client.ts';
import type { Client } from '#client/client.ts';
import { readKubeconfig, transportTo } from '#client/kubeconfig.ts';
import { nodeResource, podResource } from '#client/resources.ts';
import { criRuntime } from '#cri/grpc/cri-runtime.ts';
import { nodePaths } from '#host/data-dir.ts';
import { allRunning, PodWatcher, sleepers } from '#test/bench/cluster.ts';
import { against, median, type Result } from '#test/bench/result.ts';
import { E2eCluster, peapod } from '#test/e2e/support/cluster.ts';

const ROUNDS = 7;
const POLL_MS = 4;
/** What was stopped or killed before has effects that last longer than itself. */
const SETTLE_MS = 1000;
const GIVE_UP_MS = 30_000;
const root = join(import.meta.dirname, '../..');

/** Milliseconds from spawning `bin/peapod up`. */
interface Start {
  readonly answers: number;
  readonly ready: number;
}

/**
 * From stopped to serving, images present and code compiled: the first start, not counted, sees to that. Fresh: after `down`,
 * with a containerd that is started too. Adopting: after kill -9, with containerd and a pod of three containers alive.
 */
export async function benchStart(): Promise<readonly Result[]> {
  const up = new Foreground(E2eCluster.reserve('bench-start'), await freePort());
  await using _cluster = up.cluster;
  const fresh: Start[] = [];
  const adopting: Start[] = [];
  const empty: number[] = [];
  try {
    await up.start();
    const pod = await runPod(up.cluster);
    for (let round = 0; round < ROUNDS; round++) {
      empty.push(await emptyNode());
      await up.kill();
      adopting.push(await up.start());
      await up.down();
      fresh.push(await up.start());
      await restarted(up.cluster, pod, round + 1);
    }
  } finally {
    await up.down();
  }
  const floor = median(empty);
  return [
    { name: 'start of Node alone: how busy the machine is', unit: 'ms', value: floor },
    ...resultsOf('after down', fresh, floor),
    ...resultsOf('after kill -9', adopting, floor),
  ];
}

async function emptyNode(): Promise<number> {
  await sleep(SETTLE_MS);
  const begun = performance.now();
  await once(spawn(join(root, 'bin/node'), ['-e', '0'], { stdio: 'ignore' }), 'exit');
  return performance.now() - begun;
}

const resultsOf = (name: string, starts: readonly Start[], floor: number): readonly Result[] => [
  {
    name: `start ${name}: API answers`,
    unit: 'ms',
    ...against(median(starts.map(({ answers }) => answers)), floor),
    target: { of: 'value', atMost: 500 },
  },
  {
    name: `start ${name}: node Ready`,
    unit: 'ms',
    ...against(median(starts.map(({ ready }) => ready)), floor),
    target: { of: 'value', atMost: 1000 },
  },
];

/** `peapod up` in the foreground, as the process that is measured. */
class Foreground {
  readonly cluster: E2eCluster;
  readonly #port: number;
  /** Of the node's own server at the last start: a new one shows a watcher that what it sees is not what was left in the store. */
  #nodePort: number | undefined;
  #child: ChildProcess | undefined;

  constructor(cluster: E2eCluster, port: number) {
    this.cluster = cluster;
    this.#port = port;
  }

  async start(): Promise<Start> {
    await sleep(SETTLE_MS);
    const begun = performance.now();
    const args = ['up', ...this.cluster.global, '--images', 'kit', '--port', String(this.#port)];
    const child = spawn(join(root, 'bin/peapod'), args, { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#child = child;
    const errors: string[] = [];
    child.stderr.on('data', (chunk: Buffer) => errors.push(chunk.toString()));
    const ended = once(child, 'exit').then(() => Promise.reject(new Error(`peapod up ended: ${errors.join('')}`)));
    const measured = this.#measure(begun);
    ended.catch(() => {});
    return Promise.race([measured, ended]);
  }

  async #measure(begun: number): Promise<Start> {
    await until('/readyz', () => answersReady(this.cluster, this.#port));
    const answers = performance.now() - begun;
    using transport = transportTo(await readKubeconfig(this.cluster.kubeconfig));
    const [ready] = await Promise.all([this.#nodeReady(createClient(transport)), runtimeAnswers(this.cluster)]);
    return { answers, ready: Math.max(ready, performance.now()) - begun };
  }

  /** When a watcher sees the Ready condition of this very start. */
  async #nodeReady(client: Client): Promise<number> {
    const options = { sendInitialEvents: true };
    for await (const event of client.watch<Node>(nodeResource, options, AbortSignal.timeout(GIVE_UP_MS))) {
      if (event.type !== 'ADDED' && event.type !== 'MODIFIED') continue;
      const { conditions, daemonEndpoints } = event.object.status ?? {};
      const port = daemonEndpoints?.kubeletEndpoint?.Port;
      if (port === this.#nodePort || !conditions?.some(({ type, status }) => type === 'Ready' && status === 'True'))
        continue;
      this.#nodePort = port;
      return performance.now();
    }
    throw new Error('the watch of the node ended');
  }

  async kill(): Promise<void> {
    const child = this.#child!;
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  }

  async down(): Promise<void> {
    const ran = await peapod(['down', ...this.cluster.global]);
    if (ran.code !== 0) throw new Error(ran.stderr);
  }
}

/** A new connection for each question, as anybody's first would be. Nobody's credentials are needed for it. */
async function answersReady(cluster: E2eCluster, port: number): Promise<boolean> {
  const authority = join(cluster.paths.pki, 'ca.crt');
  // Asking over TLS costs a millisecond that the one who starts could use.
  if (!existsSync(authority) || !(await listens(port))) return false;
  return new Promise((resolve) => {
    const target = { host: '127.0.0.1', port, path: '/readyz', ca: readFileSync(authority), agent: false };
    const asked = request(target, (answer) => {
      answer.resume();
      answer.on('end', () => resolve(answer.statusCode === 200));
    });
    asked.on('error', () => resolve(false));
    asked.end();
  });
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => resolve(true)).on('error', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });
}

/** The node's word is checked against the runtime's own. */
async function runtimeAnswers({ paths, name }: E2eCluster): Promise<void> {
  await using runtime = criRuntime(nodePaths(paths, `${name}-node1`).containerdSocket);
  await until('the runtime', async () => {
    const status = await runtime.info.status(AbortSignal.timeout(GIVE_UP_MS)).catch(() => undefined);
    return status?.runtime.ready === true && status.network.ready;
  });
}

async function until(what: string, is: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + GIVE_UP_MS;
  while (!(await is())) {
    if (performance.now() > deadline) throw new Error(`${what} did not answer within ${GIVE_UP_MS} ms`);
    await sleep(POLL_MS);
  }
}

const podName = 'adopted';

async function runPod(cluster: E2eCluster): Promise<string> {
  using transport = transportTo(await readKubeconfig(cluster.kubeconfig));
  const client = createClient(transport);
  await using watcher = new PodWatcher(client, podName);
  await client.create<Pod>(podResource, sleepers(podName, 3), AbortSignal.timeout(GIVE_UP_MS));
  await watcher.until((seen) => seen.some(({ pod }) => pod !== undefined && allRunning(pod)), 'the pod to run');
  return podName;
}

/** The pod comes back after a `down`, and only then: each start that adopts must leave its containers alone. */
async function restarted(cluster: E2eCluster, name: string, times: number): Promise<void> {
  using transport = transportTo(await readKubeconfig(cluster.kubeconfig));
  await using watcher = new PodWatcher(createClient(transport), name);
  await watcher.until(
    (seen) =>
      seen.some(
        ({ pod }) =>
          pod !== undefined &&
          allRunning(pod) &&
          pod.status?.containerStatuses?.every(({ restartCount }) => restartCount === times) === true,
      ),
    `pod ${name}, restarted ${times} times, to run`,
  );
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
