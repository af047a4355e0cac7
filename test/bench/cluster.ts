import { setTimeout as sleep } from 'node:timers/promises';
import type { ContainerStatus, Pod, PodSpec } from '#api/generated/core-v1.ts';
import { createClient } from '#client/api-client.ts';
import type { Client, ClientEvent } from '#client/client.ts';
import { readKubeconfig, transportTo } from '#client/kubeconfig.ts';
import { podResource } from '#client/resources.ts';
import type { ContainerRuntime } from '#cri/runtime.ts';
import { labels } from '#kubelet/observed.ts';
import { E2eCluster } from '#test/e2e/support/cluster.ts';

/** A cluster as a user has one, and a client of it over HTTPS in this process. */
export class BenchCluster implements AsyncDisposable {
  readonly cluster: E2eCluster;
  readonly client: Client;
  readonly #transport: Disposable;

  private constructor(cluster: E2eCluster, client: Client, transport: Disposable) {
    this.cluster = cluster;
    this.client = client;
    this.#transport = transport;
  }

  static async start(name: string): Promise<BenchCluster> {
    const cluster = await E2eCluster.start(name);
    try {
      const transport = transportTo(await readKubeconfig(cluster.kubeconfig), 'peapod-bench');
      return new BenchCluster(cluster, createClient(transport), transport);
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#transport[Symbol.dispose]();
    await this.cluster[Symbol.asyncDispose]();
  }
}

export const BUSYBOX = 'docker.io/library/busybox:latest';

export interface PodManifest {
  readonly apiVersion: 'v1';
  readonly kind: 'Pod';
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: PodSpec;
}

/** Containers that do nothing, and end at once when they are told to. */
export const sleepers = (name: string, containers: number): PodManifest => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default' },
  spec: {
    // Bare CRI calls mount no token either.
    automountServiceAccountToken: false,
    containers: Array.from({ length: containers }, (_, at) => ({
      name: `c${at}`,
      image: BUSYBOX,
      imagePullPolicy: 'IfNotPresent',
      command: ['sh', '-c', "trap 'exit 0' TERM; sleep 1000000 & wait"],
    })),
  },
});

const statusesOf = (pod: Pod): readonly ContainerStatus[] => pod.status?.containerStatuses ?? [];

export const allRunning = (pod: Pod): boolean =>
  pod.status?.phase === 'Running' &&
  statusesOf(pod).length === pod.spec.containers.length &&
  statusesOf(pod).every(({ state }) => state?.running !== undefined);

export interface Seen {
  /** performance.now() when it was seen. */
  readonly at: number;
  readonly type: ClientEvent['type'];
  readonly pod: Pod | undefined;
}

/** Everything one watcher sees of pods by this name, or of all, from its first look on. Dispose of it to end the watch. */
export class PodWatcher implements AsyncDisposable {
  readonly seen: Seen[] = [];
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  #listeners: (() => void)[] = [];
  #failure: unknown;

  constructor(client: Client, name?: string) {
    this.#running = this.#run(client, name).catch((error: unknown) => {
      if (!this.#stop.signal.aborted) this.#failure = error;
    });
  }

  /** Resolves once the watch shows what was there when it began. */
  async started(): Promise<void> {
    await this.until((seen) => seen.some(({ type }) => type === 'BOOKMARK'), 'the watch to begin');
  }

  async until(is: (seen: readonly Seen[]) => boolean, what: string, withinMs = 60_000): Promise<void> {
    const deadline = performance.now() + withinMs;
    while (!is(this.seen)) {
      if (this.#failure !== undefined) throw new Error(`watching for ${what} failed`, { cause: this.#failure });
      const left = deadline - performance.now();
      if (left <= 0)
        throw new Error(`${what}: not within ${withinMs} ms; last seen ${JSON.stringify(this.seen.at(-1))}`);
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#listeners.push(resolve);
      const timer = setTimeout(resolve, left);
      await promise;
      clearTimeout(timer);
    }
  }

  async #run(client: Client, name: string | undefined): Promise<void> {
    const one = name === undefined ? {} : { fieldSelector: `metadata.name=${name}` };
    const options = { namespace: 'default', ...one, sendInitialEvents: true };
    try {
      for await (const event of client.watch<Pod>(podResource, options, this.#stop.signal)) {
        this.seen.push({ at: performance.now(), type: event.type, pod: 'object' in event ? event.object : undefined });
        this.#tell();
      }
    } finally {
      this.#tell();
    }
  }

  #tell(): void {
    const listeners = this.#listeners;
    this.#listeners = [];
    for (const listener of listeners) listener();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }
}

/** Waits until nothing of the cluster's own pods is left: nobody's next round, and no `down`, is to pay for that. */
export async function nothingLeft(runtime: ContainerRuntime): Promise<void> {
  const signal = AbortSignal.timeout(180_000);
  const isOurs = (owner: string | undefined): boolean => owner !== undefined && owner !== 'bare';
  const left = async (): Promise<boolean> =>
    (await runtime.sandboxes.list({}, signal)).some((sandbox) => isOurs(sandbox.labels[labels.owner]));
  while (await left()) await sleep(200);
  await sleep(SETTLE_MS);
}

const SETTLE_MS = 2000;
