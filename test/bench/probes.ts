import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pod, Probe } from '#api/generated/core-v1.ts';
import { podResource } from '#client/resources.ts';
import { criRuntime } from '#cri/grpc/cri-runtime.ts';
import { nodePaths } from '#host/data-dir.ts';
import { bareProbing, type BareTarget } from '#test/bench/bare-prober.ts';
import { BenchCluster, nothingLeft, type PodManifest, PodWatcher, sleepers } from '#test/bench/cluster.ts';
import { cpuSeconds } from '#test/bench/processes.ts';
import { TcpTargets } from '#test/bench/tcp-targets.ts';
import { against, type Result } from '#test/bench/result.ts';

const PODS = 100;
const PERIOD_MS = 1000;
const SETTLE_MS = 15_000;
const WINDOW_MS = 30_000;
const BARE_WINDOW_MS = 15_000;

/**
 * A hundred pods with three probes each, every second, left alone: what that costs peapod, and how punctual it is. Two are HTTP, of
 * an nginx in each pod, whose log says when it was asked; one is TCP, of a port that this process listens on for each pod,
 * since a server in a pod tells nobody of connections that ask nothing. A probe is late by how much later in its period it
 * arrived than at the best of its times, and one that never came by a whole period. Beside the cost stands that of a loop that opens
 * the same connections and sends the same requests, in another process while peapod is held still.
 */
export async function benchProbes(): Promise<readonly Result[]> {
  await using bench = await BenchCluster.start('bench-probes');
  const { client, cluster } = bench;
  await using runtime = criRuntime(nodePaths(cluster.paths, `${cluster.name}-node1`).containerdSocket);
  using targets = await TcpTargets.listen(PODS);
  using folder = new LogFolder();
  const signal = AbortSignal.timeout(300_000);
  const names = Array.from({ length: PODS }, (_, at) => `probed-${at}`);
  await using watcher = new PodWatcher(client);
  await watcher.started();
  await Promise.all(
    names.map((name, at) =>
      client.create<Pod>(podResource, probed(name, folder.prepare(name), targets.ports[at]!), signal),
    ),
  );
  await allReady(watcher, names);
  await sleep(SETTLE_MS);

  const pid = await cluster.pid();
  const [cpu, from] = [cpuSeconds(pid), Date.now()];
  await sleep(WINDOW_MS);
  const share = (cpuSeconds(pid) - cpu) / ((Date.now() - from) / 1000);
  const window = { from, to: from + WINDOW_MS };
  const series = [...names.flatMap((name) => folder.arrivals(name)), ...targets.arrivals];
  const late = series.flatMap((arrivals) => lateness(arrivals, window));
  const bare = await whileHeldStill(pid, () =>
    bareProbing({ targets: targetsOf(watcher, targets.ports), periodMs: PERIOD_MS, forMs: BARE_WINDOW_MS }),
  );

  await Promise.all(
    names.map((name) => client.delete(podResource, { name, namespace: 'default' }, { gracePeriodSeconds: 0 }, signal)),
  );
  await nothingLeft(runtime);
  return resultsOf(late, { share, bare });
}

async function whileHeldStill<T>(pid: number, work: () => Promise<T>): Promise<T> {
  process.kill(pid, 'SIGSTOP');
  try {
    return await work();
  } finally {
    process.kill(pid, 'SIGCONT');
  }
}

function targetsOf({ seen }: PodWatcher, ports: readonly number[]): readonly BareTarget[] {
  const hosts = new Map(seen.map(({ pod }) => [pod?.metadata.name, pod?.status?.podIP ?? '']));
  hosts.delete(undefined);
  return [
    ...[...hosts.values()].flatMap((host) => ['/live', '/ready'].map((path) => ({ host, port: 80, path }))),
    ...ports.map((port) => ({ host: '127.0.0.1', port })),
  ];
}

function probed(name: string, folder: string, port: number): PodManifest {
  const { spec, ...rest } = sleepers(name, 1);
  const every = { periodSeconds: PERIOD_MS / 1000 };
  const http = (path: string): Probe => ({ ...every, httpGet: { port: 80, path } });
  const nginx = {
    name: 'nginx',
    image: 'docker.io/library/nginx:latest',
    imagePullPolicy: 'IfNotPresent',
    command: ['nginx', '-c', `/bench/${name}.conf`],
    livenessProbe: http('/live'),
    readinessProbe: http('/ready'),
    volumeMounts: [{ name: 'bench', mountPath: '/bench' }],
  } as const;
  const beside = spec.containers.map((container) => ({
    ...container,
    livenessProbe: { ...every, tcpSocket: { host: '127.0.0.1', port } },
  }));
  return {
    ...rest,
    spec: { ...spec, containers: [nginx, ...beside], volumes: [{ name: 'bench', hostPath: { path: folder } }] },
  };
}

/** Where each nginx finds its configuration and says when it was asked what. */
class LogFolder implements Disposable {
  readonly #dir = mkdtempSync(join(tmpdir(), 'peapod-bench-probes-'));

  prepare(name: string): string {
    mkdirSync(this.#dir, { recursive: true });
    const log = `log_format when '$msec $uri'; access_log /bench/${name}.log when;`;
    const server = 'server { listen 80; location / { return 200; } }';
    const main = `user root; daemon off; master_process off; error_log /bench/${name}.errors; pid /run/nginx.pid;`;
    writeFileSync(join(this.#dir, `${name}.conf`), `${main}\nevents {}\nhttp { ${log} ${server} }\n`);
    return this.#dir;
  }

  /** Epoch ms of each request, path by path. */
  arrivals(name: string): readonly (readonly number[])[] {
    const lines = readFileSync(join(this.#dir, `${name}.log`), 'utf8')
      .trimEnd()
      .split('\n');
    const at = (path: string): readonly number[] =>
      lines.filter((line) => line.endsWith(path)).map((line) => Number(line.split(' ')[0]) * 1000);
    return [at('/live'), at('/ready')];
  }

  [Symbol.dispose](): void {
    rmSync(this.#dir, { recursive: true, force: true });
  }
}

async function allReady(watcher: PodWatcher, names: readonly string[]): Promise<void> {
  const ready = new Set<string>();
  let looked = 0;
  await watcher.until(
    (seen) => {
      for (; looked < seen.length; looked++) {
        const { pod } = seen[looked]!;
        const is = pod?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True');
        if (pod && is === true) ready.add(pod.metadata.name);
      }
      return ready.size === names.length;
    },
    `${names.length} pods to be ready`,
    240_000,
  );
}

/** Of each time the probe should have come in the window, ms. */
function lateness(
  all: readonly number[],
  { from, to }: { readonly from: number; readonly to: number },
): readonly number[] {
  const arrivals = all.filter((at) => at >= from && at < to);
  const [first = from] = arrivals;
  const ticks = arrivals.map((at) => Math.round((at - first) / PERIOD_MS));
  const offsets = arrivals.map((at, index) => at - first - ticks[index]! * PERIOD_MS);
  const best = Math.min(...offsets);
  const due = Math.floor((to - from) / PERIOD_MS);
  const missed = Math.max(0, due - new Set(ticks).size - 1);
  return [...offsets.map((offset) => offset - best), ...Array.from({ length: missed }, () => PERIOD_MS)];
}

function resultsOf(
  late: readonly number[],
  { share, bare }: { readonly share: number; readonly bare: number },
): readonly Result[] {
  const sorted = late.toSorted((a, b) => a - b);
  const part = (of: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * of))]!;
  return [
    {
      name: `${PODS} pods × 3 probes a second: the latest of ${late.length}`,
      unit: 'ms',
      value: part(1),
      target: { of: 'value', atMost: 100 },
    },
    { name: `${PODS} pods × 3 probes a second: 99 of 100 no later than`, unit: 'ms', value: part(0.99) },
    {
      name: `${PODS} pods × 3 probes a second: peapod, of one core, against connections alone`,
      unit: '%',
      ...against(share * 100, bare * 100),
      target: { of: 'value', atMost: 15 },
    },
  ];
}
