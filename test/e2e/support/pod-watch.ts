import assert from 'node:assert/strict';
import type { Container, ContainerStatus, Event, Pod } from '#api/generated/core-v1.ts';
import { createClient } from '#client/api-client.ts';
import type { Client } from '#client/client.ts';
import { createInformer } from '#client/create-informer.ts';
import { readKubeconfig, transportTo } from '#client/kubeconfig.ts';
import { eventResource, podResource } from '#client/resources.ts';
import { realClock } from '#lib/clock.ts';
import { Scope } from '#lib/scope.ts';
import type { E2eCluster } from '#test/e2e/support/cluster.ts';

/**
 * Every version of every pod of the namespace `default`, as a client that watches sees them: what a pod went through can
 * be asked afterwards, and nothing has to be polled. Survives restarts of the API server.
 */
export class PodWatch implements AsyncDisposable {
  readonly client: Client;
  readonly #scope: Scope;
  readonly #versions: Pod[] = [];
  readonly #latest = new Map<string, Pod>();
  readonly #waiting = new Set<() => void>();
  #transport: Disposable | undefined;

  private constructor(client: Client, signal: AbortSignal) {
    this.client = client;
    this.#scope = new Scope(signal);
  }

  static async on(cluster: E2eCluster): Promise<PodWatch> {
    const transport = transportTo(await readKubeconfig(cluster.kubeconfig));
    const watch = new PodWatch(createClient(transport), new AbortController().signal);
    watch.#transport = transport;
    const pods = createInformer<Pod>({
      client: watch.client,
      clock: realClock,
      resource: podResource,
      namespace: 'default',
    });
    pods.onChange(({ before, after }) => watch.#changed(before, after));
    watch.#scope.spawn('watch pods', (signal) => pods.run(signal));
    await pods.synced(AbortSignal.timeout(10_000));
    return watch;
  }

  get(name: string): Pod | undefined {
    return this.#latest.get(name);
  }

  list(): readonly Pod[] {
    return [...this.#latest.values()];
  }

  /** All versions seen of the pods of that name, oldest first. */
  history(name: string): readonly Pod[] {
    return this.#versions.filter(({ metadata }) => metadata.name === name);
  }

  /** The first version of the pod, from now on, that will do; fails with the last one when there is none in time. */
  async reaches(name: string, what: string, will: (pod: Pod) => boolean, withinMs = 30_000): Promise<Pod> {
    const found = await this.#until(() => {
      const pod = this.get(name);
      return pod !== undefined && will(pod) ? pod : undefined;
    }, withinMs);
    const last = this.get(name);
    return (
      found ??
      assert.fail(`pod ${name}: ${what}: not within ${withinMs} ms; last seen: ${JSON.stringify(last?.status ?? null)}`)
    );
  }

  /** Any version of the pod ever seen, or yet to come. */
  async went(name: string, what: string, will: (pod: Pod) => boolean, withinMs = 30_000): Promise<Pod> {
    const found = await this.#until(() => this.history(name).find(will), withinMs);
    const last = this.get(name);
    return (
      found ??
      assert.fail(
        `pod ${name}: ${what}: never within ${withinMs} ms; last seen: ${JSON.stringify(last?.status ?? null)}`,
      )
    );
  }

  async gone(name: string, withinMs = 30_000): Promise<void> {
    const gone = await this.#until(() => (this.#latest.has(name) ? undefined : true), withinMs);
    assert.ok(gone, `pod ${name} is still there after ${withinMs} ms: ${JSON.stringify(this.get(name)?.status)}`);
  }

  running(name: string, withinMs?: number): Promise<Pod> {
    return this.reaches(name, 'running and ready', isReady, withinMs);
  }

  ended(name: string, withinMs?: number): Promise<Pod> {
    return this.reaches(name, 'ended', ({ status }) => /Succeeded|Failed/.test(status?.phase ?? ''), withinMs);
  }

  /** What was told of the object, as `TYPE REASON MESSAGE`, oldest first. */
  async events(name: string): Promise<readonly string[]> {
    const fieldSelector = `involvedObject.name=${name}`;
    const options = { namespace: 'default', fieldSelector };
    const { items } = await this.client.list<Event>(eventResource, options, AbortSignal.timeout(10_000));
    return items.toSorted(byFirstTime).map(({ type, reason, message }) => `${type} ${reason} ${message}`);
  }

  /** Waits for an event: they are written after what they tell of has happened. */
  async told(name: string, pattern: RegExp, withinMs = 15_000): Promise<string> {
    const deadline = Date.now() + withinMs;
    for (;;) {
      const events = await this.events(name);
      const found = events.find((event) => pattern.test(event));
      if (found !== undefined) return found;
      if (Date.now() > deadline) assert.fail(`no event ${pattern} of ${name}, only:\n${events.join('\n')}`);
      await realClock.sleep(100, AbortSignal.timeout(10_000));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#scope[Symbol.asyncDispose]();
    this.#transport?.[Symbol.dispose]();
  }

  #changed(before: Pod | undefined, after: Pod | undefined): void {
    if (after === undefined) {
      if (before !== undefined) this.#latest.delete(before.metadata.name);
    } else {
      this.#latest.set(after.metadata.name, after);
      this.#versions.push(after);
    }
    for (const wake of this.#waiting) wake();
  }

  async #until<T>(ask: () => T | undefined, withinMs: number): Promise<T | undefined> {
    const deadline = Date.now() + withinMs;
    for (;;) {
      const answer = ask();
      const left = deadline - Date.now();
      if (answer !== undefined || left <= 0) return answer;
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, left);
      this.#waiting.add(resolve);
      await promise;
      clearTimeout(timer);
      this.#waiting.delete(resolve);
    }
  }
}

const byFirstTime = (a: Event, b: Event): number =>
  Date.parse(a.firstTimestamp ?? a.eventTime ?? '') - Date.parse(b.firstTimestamp ?? b.eventTime ?? '') ||
  Number(a.metadata.resourceVersion) - Number(b.metadata.resourceVersion);

export const isReady = ({ status }: Pod): boolean =>
  status?.phase === 'Running' && conditionOf(status, 'Ready')?.status === 'True';

export const conditionOf = (
  status: Pod['status'],
  type: string,
): { readonly status: string; readonly reason?: string; readonly message?: string } | undefined =>
  status?.conditions?.find((condition) => condition.type === type);

/** Of the container of that name, or of the only one. */
export function containerOf(pod: Pod | undefined, name?: string): ContainerStatus | undefined {
  const all = [...(pod?.status?.initContainerStatuses ?? []), ...(pod?.status?.containerStatuses ?? [])];
  return name === undefined ? all[0] : all.find((one) => one.name === name);
}

/** A pod of the namespace `default`, in JSON; its only container, unless `spec` has some, is a busybox that runs `script`. */
export const podManifest = (name: string, spec: object, metadata: object = {}): string =>
  JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'default', ...metadata }, spec });

/** A container that runs a shell script in the busybox image, without asking a registry again. */
export const shell = (name: string, script: string, more: object = {}): Container => ({
  name,
  image: 'busybox',
  imagePullPolicy: 'IfNotPresent',
  command: ['sh', '-c', script],
  ...more,
});

/** Lives on, and ends at once when told to. */
export const idle = (name = 'c', more: object = {}): Container =>
  shell(name, 'trap "exit 0" TERM; while :; do sleep 1 & wait $!; done', more);

/** Lives on, with these traps; ready when they are set, so that no signal comes too early. */
export const heedful = (name: string, traps: string, more: object = {}): Container =>
  shell(name, `${traps}; touch /tmp/heeds; while :; do sleep 1 & wait $!; done`, {
    readinessProbe: { exec: { command: ['test', '-e', '/tmp/heeds'] }, periodSeconds: 1 },
    ...more,
  });

export const testserver = (name: string, args: readonly string[], more: object = {}): Container => ({
  name,
  image: 'peapod/testserver',
  imagePullPolicy: 'IfNotPresent',
  args,
  ...more,
});
