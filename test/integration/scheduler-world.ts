import assert from 'node:assert/strict';
import type { Event, Node, Pod, PodCondition, PodSpec } from '#api/generated/core-v1.ts';
import type { New, Resource } from '#api/resource.ts';
import { createClient } from '#client/api-client.ts';
import { createEventRecorder } from '#client/event-recorder.ts';
import type { Client, SubresourceRef } from '#client/client.ts';
import { eventResource, nodeResource, podResource } from '#client/resources.ts';
import { settle, type FakeClock } from '#lib/fake-clock.ts';
import { Scope } from '#lib/scope.ts';
import { createScheduler } from '#scheduler/create-scheduler.ts';
import type { Scheduler, SchedulerOptions } from '#scheduler/scheduler.ts';
import { startMemoryApi, type MemoryApi } from '#test/integration/support/memory-api.ts';

export const never = new AbortController().signal;

/** The real server over the memory store, schedulers, and nodes that are objects only. */
export class SchedulerWorld implements AsyncDisposable {
  readonly api: MemoryApi<FakeClock>;
  readonly client: Client;
  readonly troubles: string[] = [];
  #schedulers = new Scope();

  constructor(api: MemoryApi<FakeClock>) {
    this.api = api;
    this.client = api.client;
  }

  static async start(): Promise<SchedulerWorld> {
    return new SchedulerWorld(await startMemoryApi());
  }

  async schedule(options: Partial<SchedulerOptions> = {}): Promise<Scheduler> {
    const { clock } = this.api;
    const client = this.schedulerClient();
    const events = createEventRecorder({ client, clock, source: { component: 'default-scheduler' } });
    const log = (message: string, error: unknown): void => void this.troubles.push(`${message}: ${String(error)}`);
    const scheduler = createScheduler({ client, clock, events, random: () => 0.5, log, ...options });
    this.#schedulers.spawn('events', (stop) => events.run(stop));
    await this.run(scheduler);
    return scheduler;
  }

  async run(scheduler: Scheduler): Promise<void> {
    this.#schedulers.spawn('scheduler', (stop) => scheduler.run(stop));
    await this.settled();
  }

  schedulerClient(): Client {
    return createClient(this.api.server.transport({ name: 'system:kube-scheduler', groups: [] }));
  }

  /** The scheduler's client, with something done just before a binding is written. */
  interrupted(before: (ref: SubresourceRef) => Promise<void>): Client {
    const client = this.schedulerClient();
    return {
      ...client,
      post: async <R>(resource: Resource, ref: SubresourceRef, body: object, signal: AbortSignal): Promise<R> => {
        await before(ref);
        return client.post<R>(resource, ref, body, signal);
      },
    };
  }

  async bind(name: string, node: string): Promise<void> {
    const binding = { apiVersion: 'v1', kind: 'Binding', metadata: { name }, target: { kind: 'Node', name: node } };
    await this.client.post(podResource, { namespace: 'default', name, subresource: 'binding' }, binding, never);
    await this.settled();
  }

  async setPhase(name: string, phase: 'Running' | 'Succeeded' | 'Failed'): Promise<void> {
    const ref = { namespace: 'default', name, subresource: 'status' };
    await this.client.patch(podResource, ref, { kind: 'strategic', body: { status: { phase } } }, never);
    await this.settled();
  }

  async patch(name: string, body: object): Promise<void> {
    await this.client.patch(podResource, { namespace: 'default', name }, { kind: 'strategic', body }, never);
    await this.settled();
  }

  async remove(name: string, gracePeriodSeconds = 0): Promise<void> {
    await this.client.delete(podResource, { namespace: 'default', name }, { gracePeriodSeconds }, never);
    await this.settled();
  }

  async stop(): Promise<void> {
    this.#schedulers.stop();
    await this.#schedulers.join();
    this.#schedulers = new Scope();
  }

  async node(name: string, allocatable: Record<string, string> = {}, spec: New<Node>['spec'] = {}): Promise<void> {
    await this.client.create(
      nodeResource,
      {
        apiVersion: 'v1',
        kind: 'Node',
        metadata: { name, labels: { 'kubernetes.io/hostname': name } },
        spec,
        status: { allocatable: { cpu: '2', memory: '4Gi', pods: '110', ...allocatable } },
      },
      never,
    );
    await this.settled();
  }

  async pod(name: string, requests: Record<string, string> = {}, spec: Partial<PodSpec> = {}): Promise<Pod> {
    const pod = await this.client.create(podResource, newPod(name, requests, spec), never);
    await this.settled();
    return pod as Pod;
  }

  async get(name: string): Promise<Pod> {
    const pod = await this.client.get(podResource, { namespace: 'default', name }, never);
    assert.ok(pod, `there is no pod ${name}`);
    return pod;
  }

  async nodeOf(name: string): Promise<string | undefined> {
    return (await this.get(name)).spec.nodeName;
  }

  async condition(name: string): Promise<PodCondition | undefined> {
    return (await this.get(name)).status?.conditions?.find(({ type }) => type === 'PodScheduled');
  }

  async events(reason: string): Promise<readonly Event[]> {
    const { items } = await this.client.list(eventResource, { namespace: 'default' }, never);
    return items.filter((event) => event.reason === reason);
  }

  async settled(): Promise<void> {
    for (let turn = 0; turn < 30; turn++) await settle();
  }

  async advance(ms: number): Promise<void> {
    await this.api.clock.advance(ms);
    await this.settled();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.api[Symbol.asyncDispose]();
  }
}

export const newPod = (name: string, requests: Record<string, string>, spec: Partial<PodSpec> = {}): New<Pod> => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default' },
  spec: { containers: [{ name: 'c', image: 'busybox', resources: { requests } }], ...spec },
});
