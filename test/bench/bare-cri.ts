import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Pod } from '#api/generated/core-v1.ts';
import type { Client } from '#client/client.ts';
import { criRuntime } from '#cri/grpc/cri-runtime.ts';
import type { SandboxConfig } from '#cri/config.ts';
import type { ContainerRuntime, CreateConfigs, SandboxId } from '#cri/runtime.ts';
import { nodePaths } from '#host/data-dir.ts';
import type { Host } from '#host/host.ts';
import { realHost } from '#host/real-host.ts';
import { type ContainerConfigs, createContainerConfigs } from '#kubelet/container-configs.ts';
import { labels, type Observed } from '#kubelet/observed.ts';
import { PodFilesOnHost } from '#kubelet/pod-files.ts';
import { usualSettings } from '#kubelet/settings.ts';
import { realClock } from '#lib/clock.ts';
import type { E2eCluster } from '#test/e2e/support/cluster.ts';

/**
 * A pod by nothing but the calls that no kubelet can do without: one sandbox, then for each container create and start, the
 * containers beside each other. The very configs of the kubelet, on the very containerd of a cluster, under a cgroup and an owner
 * label of its own, so that the cluster leaves these pods alone.
 */
export class BareCri implements AsyncDisposable {
  readonly #runtime: ContainerRuntime;
  readonly #configs: ContainerConfigs;
  readonly #files: PodFilesOnHost;
  readonly #dir = mkdtempSync(join(tmpdir(), 'peapod-bench-bare-'));
  readonly #host: Host;

  private constructor({ paths, name }: E2eCluster, client: Client) {
    const node = nodePaths(paths, `${name}-node1`);
    this.#runtime = criRuntime(node.containerdSocket);
    this.#host = realHost({ ...node, cgroup: `/peapod/${paths.scope}/bare` }, realClock);
    const folders = { pods: join(this.#dir, 'pods'), logs: join(this.#dir, 'logs') };
    this.#files = new PodFilesOnHost(this.#host, folders, realClock);
    this.#configs = createContainerConfigs({
      client,
      runtime: this.#runtime,
      files: this.#files,
      missing: [],
      memoryCapacity: this.#host.machine.memoryBytes,
      owner: 'bare',
      hostAddresses: () => ['127.0.0.1'],
      allocatable: () => ({}),
      names: this.#host.names,
      services: async () => [],
    });
  }

  static async start(cluster: E2eCluster, client: Client): Promise<BareCri> {
    const bare = new BareCri(cluster, client);
    await bare.#host.cgroups.prepare({}, AbortSignal.timeout(10_000));
    return bare;
  }

  /**
   * Runs the pod, looks, removes it again. `running` is in milliseconds, with cgroup and configs made before. `pod` has had its
   * defaults; `begun` is of performance.now().
   */
  async round<T>(pod: Pod, look: (begun: number) => Promise<T>): Promise<T & { readonly running: number }> {
    const signal = AbortSignal.timeout(60_000);
    const prepared = await this.#prepare(pod, signal);
    const begun = performance.now();
    const sandbox = await this.#run(prepared, signal);
    const running = performance.now() - begun;
    const seen = await look(begun);
    await this.#remove(pod, sandbox, signal);
    return { ...seen, running };
  }

  /** Runs all of them, `lanes` at a time, and removes them again; milliseconds until the last runs. */
  async crowd(pods: readonly Pod[], lanes: number): Promise<number> {
    const signal = AbortSignal.timeout(300_000);
    const left = await Promise.all(pods.map((pod) => this.#prepare(pod, signal)));
    const sandboxes = new Map<Pod, SandboxId>();
    const begun = performance.now();
    await Promise.all(
      Array.from({ length: lanes }, async () => {
        for (let next = left.pop(); next; next = left.pop()) sandboxes.set(next.pod, await this.#run(next, signal));
      }),
    );
    const running = performance.now() - begun;
    await Promise.all([...sandboxes].map(([pod, sandbox]) => this.#remove(pod, sandbox, signal)));
    return running;
  }

  async #prepare(pod: Pod, signal: AbortSignal): Promise<Prepared> {
    await this.#files.prepare(pod, new Map(), signal);
    const observed = await this.#nothingYet(pod, signal);
    const containers = await Promise.all(
      pod.spec.containers.map((container) => {
        const image = observed.images.get(container.image ?? '');
        const imageRef = image?.kind === 'present' ? image.ref : '';
        return this.#configs.container({ pod, container, attempt: 0, restartDelayMs: 0, imageRef, observed }, signal);
      }),
    );
    const { config: sandbox } = await this.#configs.sandbox(pod, 0);
    return { pod, sandbox, containers };
  }

  async #run(prepared: Prepared, signal: AbortSignal): Promise<SandboxId> {
    const sandbox = await this.#runtime.sandboxes.run(prepared.sandbox, signal);
    await Promise.all(
      prepared.containers.map(async (config) =>
        this.#runtime.containers.start(await this.#runtime.containers.create(sandbox, config, signal), signal),
      ),
    );
    return sandbox;
  }

  async #nothingYet(pod: Pod, signal: AbortSignal): Promise<Observed> {
    const names = new Set(pod.spec.containers.map(({ image }) => image ?? ''));
    const images = await Promise.all(
      [...names].map(async (name) => {
        const image = await this.#runtime.images.status(name, signal);
        if (image === undefined) throw new Error(`image ${name} is not there`);
        return [name, { kind: 'present', ref: image.id, pulledAt: undefined }] as const;
      }),
    );
    return {
      sandboxes: [],
      containers: [],
      images: new Map(images),
      files: 'ready',
      crashLoop: usualSettings.crashLoop,
      hooked: new Set(),
      stopped: new Set(),
      probes: new Map(),
      inFlight: new Map(),
      failures: new Map(),
      previous: undefined,
      terminalReported: false,
    };
  }

  async #remove(pod: Pod, sandbox: SandboxId, signal: AbortSignal): Promise<void> {
    await this.#runtime.sandboxes.remove(sandbox, signal);
    await this.#files.remove({ uid: pod.metadata.uid, pod, logs: 'remove' }, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const signal = AbortSignal.timeout(30_000);
    const left = await this.#runtime.sandboxes.list({ labels: { [labels.owner]: 'bare' } }, signal);
    await Promise.all(left.map(({ id }) => this.#runtime.sandboxes.remove(id, signal)));
    await this.#runtime[Symbol.asyncDispose]();
    await this.#host.cgroups.removeAll(signal);
    rmSync(this.#dir, { recursive: true, force: true });
  }
}

/** All that the calls need, made beforehand. */
interface Prepared {
  readonly pod: Pod;
  readonly sandbox: SandboxConfig;
  readonly containers: readonly CreateConfigs[];
}
