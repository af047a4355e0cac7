/** Two schedulers of one name decide on the same pods at the same time; three kubelets have the last word. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { Event, Pod } from '#api/generated/core-v1.ts';
import type { KubeObject } from '#api/meta.ts';
import type { Resource } from '#api/resource.ts';
import type { Client, ListOptions, SubresourceRef, WatchOptions } from '#client/client.ts';
import { eventResource, podResource } from '#client/resources.ts';
import { type SimulatedRuntime, simulatedRuntime } from '#cri/simulated/simulated-runtime.ts';
import { simulatedHost } from '#host/simulated-host.ts';
import { SimulatedPodFiles } from '#kubelet/simulated-pod-files.ts';
import { Scope } from '#lib/scope.ts';
import { never, newPod, SchedulerWorld } from '#test/integration/scheduler-world.ts';
import { MemoryFolder } from '#test/integration/support/memory-folder.ts';
import { runKubelet } from '#test/integration/support/simulated-node.ts';

const NODES = ['node1', 'node2', 'node3'] as const;
/** Every node has four cpus: so many pods that ask for one. */
const EACH = 4;

test('scheduler: two of one name decide at the same moment: the later binding of a pod is refused, and no node runs too much', async () => {
  await using world = await SchedulerWorld.start();
  await using nodes = await startNodes(world);
  // Neither writes a binding before both have decided on every pod: each knows nothing of what the other does. Then one is
  // first with every other pod, and the other with the rest.
  const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let posts = 0;
  const refusals: string[] = [];
  const rival = (parity: number): Client => {
    const client = world.interrupted(async ({ name }) => {
      posts++;
      await gates[(Number(/\d+$/.exec(name)?.[0]) + parity) % 2]?.promise;
    });
    return {
      ...client,
      post: async <R>(resource: Resource, ref: SubresourceRef, body: object, signal: AbortSignal): Promise<R> => {
        try {
          return await client.post<R>(resource, ref, body, signal);
        } catch (error) {
          refusals.push(String(error));
          throw error;
        }
      },
    };
  };
  await world.schedule({ client: rival(0), random: () => 0 });
  await world.schedule({ client: rival(1), random: () => 0.99 });
  const bound = new Map<string, Set<string>>();
  await using watching = new Scope();
  watching.spawn('watch', async (stop) => {
    for await (const event of world.client.watch<Pod>(podResource, { namespace: 'default' }, stop)) {
      if (event.type === 'BOOKMARK') continue;
      const { metadata, spec } = event.object;
      if (spec.nodeName) bound.set(metadata.name, (bound.get(metadata.name) ?? new Set()).add(spec.nodeName));
    }
  });
  const names = Array.from({ length: NODES.length * EACH + 3 }, (_, at) => `pod-${at}`);
  await Promise.all(names.map((name) => world.client.create(podResource, newPod(name, { cpu: '1' }), never)));
  await world.settled();
  const fit = NODES.length * EACH;
  assert.equal(posts, 2 * fit, 'each has decided as if it were alone');
  for (const gate of gates) {
    gate.resolve();
    await world.settled();
  }
  for (let turn = 0; turn < 90; turn++) await world.advance(1_000);
  for (const [name, where] of bound) assert.equal(where.size, 1, `${name} was bound to ${[...where].join(' and ')}`);
  assert.ok(refusals.length >= fit && refusals.every((each) => /already assigned to node/.test(each)), refusals.join());
  await assertNothingTooMuch(world, nodes);
  const { items } = await world.client.list<Event>(eventResource, { namespace: 'default' }, never);
  const scheduled = items.filter(({ reason }) => reason === 'Scheduled');
  assert.equal(scheduled.length, bound.size, 'one of them says so, once');
  assert.equal(new Set(scheduled.map(({ involvedObject }) => involvedObject.name)).size, bound.size);
});

test('scheduler: two of one name that give the last place to different pods: the kubelet takes one of them', async () => {
  await using world = await SchedulerWorld.start();
  await using nodes = await startNodes(world);
  for (const node of NODES.slice(1)) await world.pod(`fills-${node}`, { cpu: '4' }, { nodeName: node });
  await world.pod('three', { cpu: '3' }, { nodeName: 'node1' });
  const gate = Promise.withResolvers<void>();
  const decided: string[] = [];
  // As two do that look at their queues in different order: one is kept from the pod that the other has.
  const blindTo = (other: string): Client => {
    const client = world.interrupted(async ({ name }) => {
      decided.push(name);
      await gate.promise;
    });
    return {
      ...client,
      list: async <T extends KubeObject>(resource: Resource<T>, options: ListOptions, signal: AbortSignal) => {
        const page = await client.list(resource, options, signal);
        return { ...page, items: page.items.filter(({ metadata }) => metadata.name !== other) };
      },
      watch: async function* <T extends KubeObject>(resource: Resource<T>, options: WatchOptions, signal: AbortSignal) {
        for await (const event of client.watch(resource, options, signal))
          if (event.type === 'BOOKMARK' || event.object.metadata.name !== other) yield event;
      },
    };
  };
  await world.schedule({ client: blindTo('b') });
  await world.schedule({ client: blindTo('a') });
  for (const name of ['a', 'b']) await world.pod(name, { cpu: '1' });
  assert.deepEqual(decided.toSorted(), ['a', 'b']);
  gate.resolve();
  await world.settled();
  await world.advance(5_000);
  const phases = await Promise.all(['a', 'b'].map(async (name) => (await world.get(name)).status));
  assert.deepEqual(phases.map((status) => status?.phase).toSorted(), ['Failed', 'Running']);
  assert.equal(phases.find((status) => status?.phase === 'Failed')?.reason, 'OutOfcpu');
  await assertNothingTooMuch(world, nodes);
});

interface Nodes extends AsyncDisposable {
  readonly runtimes: ReadonlyMap<string, SimulatedRuntime>;
}

async function startNodes(world: SchedulerWorld): Promise<Nodes> {
  const { clock, server } = world.api;
  const scope = new Scope();
  const runtimes = new Map<string, SimulatedRuntime>();
  for (const name of NODES) {
    const [runtime, host] = [simulatedRuntime({ clock }), simulatedHost({ cpus: EACH })];
    const transport = server.transport({ name: `system:node:${name}`, groups: ['system:nodes'] });
    const files = new SimulatedPodFiles(host);
    const own = { runtime, host, files, manifests: new MemoryFolder(), troubles: world.troubles };
    runKubelet({ name, clock, transport, ...own }, scope);
    runtimes.set(name, runtime);
  }
  await world.settled();
  return { runtimes, [Symbol.asyncDispose]: () => scope[Symbol.asyncDispose]() };
}

/** What runs on each node is what its pods are said to be, and no more than it has. */
async function assertNothingTooMuch(world: SchedulerWorld, { runtimes }: Nodes): Promise<void> {
  const { items } = await world.client.list<Pod>(podResource, { namespace: 'default' }, never);
  for (const [node, runtime] of runtimes) {
    const here = items.filter(({ spec }) => spec.nodeName === node);
    const running = here.filter(({ status }) => status?.phase === 'Running');
    const cpus = running.map(({ spec }) => Number(spec.containers[0]?.resources?.requests?.['cpu']));
    assert.ok(cpus.reduce((sum, each) => sum + each, 0) <= EACH, `${node} runs pods for ${cpus.join(' + ')} cpus`);
    const containers = await runtime.containers.list({}, never);
    assert.equal(containers.filter(({ state }) => state === 'running').length, running.length, node);
    for (const { metadata, status } of here)
      if (status?.phase !== 'Running') assert.equal(status?.reason, 'OutOfcpu', metadata.name);
  }
}
