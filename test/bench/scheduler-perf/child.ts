/**
 * One case in a process of its own: API server, store and scheduler as they run in peapod, nodes that are objects only, and who
 * creates the pods. Its parent asks the API over HTTPS meanwhile. Talks to it over IPC.
 */
import { join } from 'node:path';
import type { Pod } from '#api/generated/core-v1.ts';
import type { KubeObject } from '#api/meta.ts';
import type { New, Resource } from '#api/resource.ts';
import { createClient } from '#client/api-client.ts';
import type { Client } from '#client/client.ts';
import { createInformer } from '#client/create-informer.ts';
import { createEventRecorder } from '#client/event-recorder.ts';
import {
  namespaceResource,
  nodeResource,
  podResource,
  priorityClassResource,
  serviceResource,
} from '#client/resources.ts';
import { realClock } from '#lib/clock.ts';
import { isCancellation, Scope } from '#lib/scope.ts';
import { createScheduler } from '#scheduler/create-scheduler.ts';
import { openSqliteStore } from '#store/sqlite/sqlite-store.ts';
import { type PerfCase, perfCases } from '#test/bench/scheduler-perf/cases.ts';
import { namespaceOf, nodeOf, podOf, type PodTemplate, templates } from '#test/bench/scheduler-perf/templates.ts';
import { Throughput } from '#test/bench/scheduler-perf/throughput.ts';
import { quantile } from '#test/bench/result.ts';
import { serve } from '#test/integration/support/serve.ts';

export interface PerfOrder {
  readonly name: string;
  readonly nodes: number | undefined;
  readonly pods: number | undefined;
  readonly store: 'sqlite' | 'memory';
  /** For the store; who gives the order removes it. */
  readonly directory: string;
}

export type PerfMessage =
  | { readonly kind: 'measuring'; readonly kubeconfig: string }
  | { readonly kind: 'progress'; readonly text: string }
  | { readonly kind: 'result'; readonly result: PerfResult };

export interface PerfResult {
  readonly nodes: number;
  readonly pods: number;
  readonly podsPerSecond: number;
  readonly samples: readonly number[];
  /** ms of the thread for one try to find a node. */
  readonly attemptP50: number;
  readonly attemptP99: number;
  /** MB, at the end. */
  readonly resident: number;
}

/** How many creates are under way, as upstream's. */
const CREATORS = 30;

const tell = (message: PerfMessage): void => void process.send?.(message);

class PerfWorld {
  readonly client: Client;
  readonly #case: PerfCase;
  readonly #order: PerfOrder;
  readonly #signal: AbortSignal;
  readonly #scale: number;

  constructor(client: Client, order: PerfOrder, signal: AbortSignal) {
    this.client = client;
    this.#order = order;
    this.#case = perfCases.find(({ name }) => name === order.name)!;
    this.#signal = signal;
    this.#scale = this.nodes / Math.max(1, this.#case.nodes);
  }

  get nodes(): number {
    return this.#case.nodes === 0 ? 0 : (this.#order.nodes ?? this.#case.nodes);
  }

  get pods(): number {
    return this.#order.pods ?? (this.#case.nodes === 0 ? this.#case.pods : Math.ceil(this.#case.pods * this.#scale));
  }

  async prepare(): Promise<void> {
    const { namespaces = [], nodeTemplates = [{}], extraNode } = this.#case;
    await this.#all(['default', ...namespaces], (name) => this.#ensure(namespaceResource, namespaceOf(name)));
    const kind = { apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass' } as const;
    const high = { ...kind, metadata: { name: 'bench-high' }, value: 1000 };
    await this.client.create(priorityClassResource, high, this.#signal);
    if (extraNode !== undefined) await this.#create(nodeResource, nodeOf(extraNode.name, extraNode));
    const names = Array.from({ length: this.nodes }, (_, at) => at);
    await this.#all(names, (at) =>
      this.#create(nodeResource, nodeOf(`scheduler-perf-${at}`, nodeTemplates[at % nodeTemplates.length]!)),
    );
  }

  /** The pods that were there before; gives how many must have a node, and how many will never. */
  async before(): Promise<number> {
    let waited = 0;
    for (const [at, { template, pods, namespace = 'default', never = false }] of (this.#case.before ?? []).entries()) {
      // Never more than its part: the measured ones need the rest of the nodes.
      const count = this.#case.nodes === 0 ? pods : Math.floor(pods * this.#scale);
      await this.createPods(template, count, { prefix: `before-${at}`, namespace });
      if (!never) waited += count;
    }
    return waited;
  }

  async createMeasured(): Promise<void> {
    const { measured, namespace = 'default' } = this.#case;
    await this.createPods(measured, this.pods, { prefix: 'measured', namespace });
  }

  async createPods(
    template: PodTemplate,
    count: number,
    { prefix, namespace }: { readonly prefix: string; readonly namespace: string },
  ): Promise<void> {
    const numbers = Array.from({ length: count }, (_, at) => at);
    await this.#all(numbers, (at) => this.#create(podResource, podOf(template, `${prefix}-${at}`, namespace)));
  }

  async meanwhile(signal: AbortSignal): Promise<void> {
    const { meanwhile } = this.#case;
    switch (meanwhile?.kind) {
      case 'create':
        for (let at = 0; ; at++) {
          await realClock.sleep(meanwhile.everyMs, signal);
          await this.#create(podResource, podOf(meanwhile.template, `meanwhile-${at}`, 'default'));
        }
      case 'churn':
        for (;;) await this.#churn(meanwhile.everyMs, signal);
      case 'delete':
        return this.#delete(meanwhile.perSecond, signal);
      case undefined:
    }
  }

  async #churn(everyMs: number, signal: AbortSignal): Promise<void> {
    const kind = { apiVersion: 'v1', kind: 'Service' } as const;
    const service = { ...kind, metadata: { name: 'churn', namespace: 'default' }, spec: { ports: [{ port: 80 }] } };
    await this.#create(nodeResource, nodeOf('churn', {}));
    await this.#create(podResource, podOf(templates.tooLarge, 'churn', 'default'));
    await this.#create(serviceResource, service);
    await realClock.sleep(everyMs, signal);
    await this.client.delete(serviceResource, { name: 'churn', namespace: 'default' }, {}, signal);
    await this.client.delete(podResource, { name: 'churn', namespace: 'default' }, { gracePeriodSeconds: 0 }, signal);
    await this.client.delete(nodeResource, { name: 'churn' }, {}, signal);
    await realClock.sleep(everyMs, signal);
  }

  async #delete(perSecond: number, signal: AbortSignal): Promise<void> {
    for (let at = 0; ; at++) {
      await realClock.sleep(1000 / perSecond, signal);
      const ref = { name: `before-1-${at}`, namespace: 'sched-0' };
      await this.client.delete(podResource, ref, { gracePeriodSeconds: 0 }, signal).catch(() => {});
    }
  }

  async #ensure<T extends KubeObject>(resource: Resource<T>, object: New<T>): Promise<void> {
    const { name } = object.metadata as { readonly name: string };
    if ((await this.client.get(resource, { name }, this.#signal)) === undefined) await this.#create(resource, object);
  }

  async #create<T extends KubeObject>(resource: Resource<T>, object: New<T>): Promise<void> {
    await this.client.create(resource, object, this.#signal);
  }

  async #all<T>(items: readonly T[], task: (item: T) => Promise<void>): Promise<void> {
    let next = 0;
    const work = async (): Promise<void> => {
      while (next < items.length) await task(items[next++]!);
    };
    await Promise.all(Array.from({ length: CREATORS }, work));
  }
}

const PATIENCE_MS = 60_000;

/** Throws when nothing more is bound: a case whose nodes are too few for its pods would never end. */
async function neverStill(bound: () => number, signal: AbortSignal): Promise<never> {
  for (let before = -1, now = bound(); ; before = now, now = bound()) {
    if (now === before) throw new Error(`no pod was bound within ${PATIENCE_MS / 1000} s, after ${now}`);
    await realClock.sleep(PATIENCE_MS, signal);
  }
}

async function measure(order: PerfOrder): Promise<PerfResult> {
  await using stack = new AsyncDisposableStack();
  const store =
    order.store === 'memory' ? undefined : stack.use(await openSqliteStore(join(order.directory, 'state.db')));
  const served = stack.use(await serve({ clock: realClock, ...(store === undefined ? {} : { store }) }));
  const scope = stack.use(new Scope());
  const admin = createClient(served.server.transport({ name: 'admin', groups: ['system:masters'] }));
  const world = new PerfWorld(admin, order, scope.signal);
  await world.prepare();

  const client = createClient(served.server.transport({ name: 'system:kube-scheduler', groups: [] }));
  const events = createEventRecorder({ client, clock: realClock, source: { component: 'default-scheduler' } });
  const attempts: number[] = [];
  const scheduler = createScheduler({
    client,
    clock: realClock,
    events,
    log: (message, error) => tell({ kind: 'progress', text: `${message}: ${String(error)}` }),
    onAttempt: (ms) => attempts.push(ms),
  });
  scope.spawn('events', (signal) => events.run(signal));
  scope.spawn('scheduler', (signal) => scheduler.run(signal));

  let counting = new Throughput(Infinity);
  const pods = createInformer<Pod>({ client: admin, clock: realClock, resource: podResource });
  let isCounted = (_pod: Pod): boolean => true;
  pods.onChange(({ before, after }) => {
    if (after?.spec.nodeName && !before?.spec.nodeName && isCounted(after)) counting.count();
  });
  scope.spawn('watch pods', (signal) => pods.run(signal));
  await pods.synced(scope.signal);

  const placed = await world.before();
  scope.spawn('patience', (signal) => neverStill(() => counting.bound, signal));
  while (counting.bound < placed) await realClock.sleep(20, scope.signal);
  attempts.length = 0;
  globalThis.gc?.();
  isCounted = (pod) => pod.metadata.name.startsWith('measured-');
  counting = new Throughput(world.pods);
  const meanwhile = new Scope(scope.signal);
  meanwhile.spawn('meanwhile', (signal) =>
    world.meanwhile(signal).catch((error: unknown) => {
      if (!isCancellation(error, signal)) throw error;
    }),
  );
  tell({ kind: 'measuring', kubeconfig: served.kubeconfig });
  // Whatever fails in the scope: nobody else would tell.
  await Promise.race([Promise.all([world.createMeasured(), counting.done]), scope.join()]);
  await meanwhile[Symbol.asyncDispose]();
  return {
    nodes: world.nodes,
    pods: world.pods,
    podsPerSecond: counting.mean,
    samples: counting.samples.map(Math.round),
    attemptP50: quantile(attempts, 0.5),
    attemptP99: quantile(attempts, 0.99),
    resident: process.memoryUsage.rss() / 2 ** 20,
  };
}

process.once('disconnect', () => process.exit(1));
process.once('message', (order: PerfOrder) => {
  void measure(order)
    .then((result) => tell({ kind: 'result', result }))
    .catch((error: unknown) =>
      tell({ kind: 'progress', text: error instanceof Error ? (error.stack ?? '') : String(error) }),
    )
    .finally(() => process.exit(0));
});
