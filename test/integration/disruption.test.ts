/** Budgets kept by their controllers, evictions granted by the API server: both at once, on one clock. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { ApiError } from '#api/errors.ts';
import type { Pod } from '#api/generated/core-v1.ts';
import type { PodDisruptionBudget, PodDisruptionBudgetSpec } from '#api/generated/policy-v1.ts';
import type { New } from '#api/resource.ts';
import { createClient } from '#client/api-client.ts';
import type { Client } from '#client/client.ts';
import { createInformer } from '#client/create-informer.ts';
import type { EventText, Regarding } from '#client/events.ts';
import { podDisruptionBudgetResource, podResource } from '#client/resources.ts';
import { byNamespace, disruptionController } from '#controllers/disruption/reconcile.ts';
import { withoutScales } from '#controllers/disruption/scales.ts';
import { runController } from '#controllers/run-controller.ts';
import { staleDisruptionController } from '#controllers/stale-disruption/reconcile.ts';
import { settle } from '#lib/fake-clock.ts';
import { Scope } from '#lib/scope.ts';
import { startMemoryApi } from '#test/integration/support/memory-api.ts';

const namespace = 'default';

interface World extends AsyncDisposable {
  readonly client: Client;
  readonly events: string[];
  readonly failures: unknown[];
  advance(ms: number): Promise<void>;
  /** What the budget says: allowed, healthy, desired, expected, and its reason. */
  says(name: string): Promise<readonly unknown[]>;
  budget(name: string, spec: New<PodDisruptionBudget>['spec']): Promise<void>;
  change(name: string, spec: Partial<Record<keyof PodDisruptionBudgetSpec, unknown>>): Promise<void>;
  /** A pod that runs on a node; `owner` is the kind of its controller. */
  runs(name: string, more?: { ready?: boolean; owner?: string; finalizers?: readonly string[] }): Promise<void>;
  ready(name: string, ready: boolean): Promise<void>;
  pod(name: string): Promise<Pod | undefined>;
  /** The code of the answer, and why it was refused. */
  evict(name: string): Promise<string>;
}

async function start(): Promise<World> {
  const api = await startMemoryApi();
  const { clock, never } = api;
  const client = createClient(api.server.transport({ name: 'system:kube-controller-manager', groups: [] }));
  const pods = createInformer<Pod, 'byNamespace'>({ client, clock, resource: podResource, indexes: byNamespace });
  const budgets = createInformer<PodDisruptionBudget, 'byNamespace'>({
    client,
    clock,
    resource: podDisruptionBudgetResource,
    indexes: byNamespace,
  });
  const told: string[] = [];
  const events = {
    record: (about: Regarding, { reason }: EventText) => void told.push(`${about.metadata.name} ${reason}`),
  };
  const failures: unknown[] = [];
  const options = { client, clock, workers: 2, log: (_line: string, error: unknown) => void failures.push(error) };
  const scope = new Scope();
  for (const informer of [pods, budgets]) scope.spawn(informer.resource.plural, (stop) => informer.run(stop));
  const findScale = withoutScales([podResource]);
  for (const make of [
    disruptionController({ clock, budgets, pods, findScale, events }),
    staleDisruptionController({ clock, pods }),
  ])
    scope.spawn('controller', (stop) => runController(make, options, stop));
  const settled = async (): Promise<void> => {
    for (let turn = 0; turn < 20; turn++) await settle();
  };
  await settled();
  const status = async (name: string, body: object): Promise<void> => {
    const patch = { kind: 'strategic', body: { status: body } } as const;
    await api.client.patch(podResource, { namespace, name, subresource: 'status' }, patch, never);
    await settled();
  };
  const conditions = (ready: boolean): object[] => [{ type: 'Ready', status: ready ? 'True' : 'False' }];
  return {
    client: api.client,
    events: told,
    failures,
    async advance(ms) {
      await clock.advance(ms);
      await settled();
    },
    async says(name) {
      await settled();
      const found = await api.client.get(podDisruptionBudgetResource, { namespace, name }, never);
      const {
        disruptionsAllowed,
        currentHealthy,
        desiredHealthy,
        expectedPods,
        conditions: all = [],
      } = found?.status ?? {};
      return [disruptionsAllowed, currentHealthy, desiredHealthy, expectedPods, all[0]?.reason];
    },
    async budget(name, spec = {}) {
      const selector = { matchLabels: { app: 'web' } };
      const made = { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata: { namespace, name } } as const;
      await api.client.create(podDisruptionBudgetResource, { ...made, spec: { selector, ...spec } }, never);
      await settled();
    },
    async change(name, spec) {
      await api.client.patch(
        podDisruptionBudgetResource,
        { namespace, name },
        { kind: 'merge', body: { spec } },
        never,
      );
      await settled();
    },
    async runs(name, { ready = true, owner, finalizers = [] } = {}) {
      const uid = 'o' as Pod['metadata']['uid'];
      const ownerReferences =
        owner === undefined ? [] : [{ apiVersion: 'apps/v1', kind: owner, name: 'o', uid, controller: true }];
      const metadata = { namespace, name, labels: { app: 'web' }, ownerReferences, finalizers };
      const spec = { nodeName: 'n1', containers: [{ name: 'c', image: 'busybox' }] };
      await api.client.create<Pod>(podResource, { apiVersion: 'v1', kind: 'Pod', metadata, spec }, never);
      await status(name, { phase: 'Running', conditions: conditions(ready) });
    },
    ready: (name, ready) => status(name, { conditions: conditions(ready) }),
    pod: (name) => api.client.get(podResource, { namespace, name }, never),
    async evict(name) {
      const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { namespace, name } };
      try {
        await api.client.post(podResource, { namespace, name, subresource: 'eviction' }, body, never);
        return 'evicted';
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        return `${error.code} ${error.details?.causes?.[0]?.message ?? error.message}`;
      }
    },
    async [Symbol.asyncDispose]() {
      await scope[Symbol.asyncDispose]();
      await api[Symbol.asyncDispose]();
      assert.deepEqual(failures, []);
    },
  };
}

// [sig-apps] DisruptionController should observe PodDisruptionBudget status updated
test('disruption: a budget follows its pods, and only those', async () => {
  await using world = await start();
  await world.budget('b', { minAvailable: 2 });
  assert.deepEqual(await world.says('b'), [0, 0, 2, 0, 'InsufficientPods']);
  assert.deepEqual(world.events, ['b NoPods']);
  for (const name of ['a', 'b', 'c']) await world.runs(name);
  assert.deepEqual(await world.says('b'), [1, 3, 2, 3, 'SufficientPods']);
  await world.ready('c', false);
  assert.deepEqual(await world.says('b'), [0, 2, 2, 3, 'InsufficientPods']);
  await world.change('b', { minAvailable: 1 });
  assert.deepEqual(await world.says('b'), [1, 2, 1, 3, 'SufficientPods']);
  const never = new AbortController().signal;
  const body = { metadata: { labels: { app: 'other' } } };
  await world.client.patch(podResource, { namespace, name: 'a' }, { kind: 'merge', body }, never);
  assert.deepEqual(await world.says('b'), [0, 1, 1, 2, 'InsufficientPods']);
  await world.client.delete(podResource, { namespace, name: 'b' }, { gracePeriodSeconds: 0 }, never);
  assert.deepEqual(await world.says('b'), [0, 0, 1, 1, 'InsufficientPods']);
});

// [sig-apps] DisruptionController should block an eviction until the PDB is updated to allow it
test('disruption: an eviction is refused until its budget is changed to allow it', async () => {
  await using world = await start();
  await world.budget('b', { minAvailable: 3 });
  for (const name of ['a', 'b', 'c']) await world.runs(name);
  const refused = '429 The disruption budget b needs 3 healthy pods and has 3 currently';
  assert.equal(await world.evict('a'), refused);
  assert.equal((await world.pod('a'))?.metadata.deletionTimestamp, undefined);
  await world.change('b', { minAvailable: 2 });
  assert.equal(await world.evict('a'), 'evicted');
  // Its kubelet has yet to end it: it is being deleted, and counts no more; nor is it kept in mind.
  assert.deepEqual(await world.says('b'), [0, 2, 2, 3, 'InsufficientPods']);
  const never = new AbortController().signal;
  const { status } = (await world.client.get(podDisruptionBudgetResource, { namespace, name: 'b' }, never))!;
  assert.equal(status?.disruptedPods, undefined);
  assert.equal(await world.evict('b'), '429 The disruption budget b needs 2 healthy pods and has 2 currently');
});

test('disruption: evictions at one time never take more than there is, and another pod makes room for another', async () => {
  await using world = await start();
  await world.budget('b', { minAvailable: 2 });
  for (const name of ['a', 'b', 'c', 'd']) await world.runs(name);
  const answers = await Promise.all(['a', 'b', 'c', 'd'].map((name) => world.evict(name)));
  assert.equal(answers.filter((each) => each === 'evicted').length, 2);
  assert.deepEqual((await world.says('b'))[0], 0);
  await world.runs('e');
  assert.deepEqual(await world.says('b'), [1, 3, 2, 5, 'SufficientPods']);
});

test('disruption: pods without a controller are no share; a controller nobody can ask allows nothing', async () => {
  await using world = await start();
  await world.budget('b', { maxUnavailable: 1 });
  await world.runs('bare');
  assert.deepEqual(await world.says('b'), [0, 1, 0, 0, 'InsufficientPods']);
  assert.ok(world.events.includes('b UnmanagedPods'));
  await world.runs('owned', { owner: 'ReplicaSet' });
  assert.equal((await world.says('b'))[4], 'SyncFailed');
  const why = 'no matches for kind "ReplicaSet" in version "apps/v1"';
  const failed = `429 The disruption budget b does not allow evicting pods currently because it failed sync: ${why}`;
  assert.equal(await world.evict('owned'), failed);
  // A plain number asks nobody.
  await world.change('b', { maxUnavailable: null, minAvailable: 1 });
  assert.deepEqual(await world.says('b'), [1, 2, 1, 2, 'SufficientPods']);
});

test('disruption: who was let go and was not deleted counts again after two minutes, and is no target any more', async () => {
  await using world = await start();
  await world.budget('b', { minAvailable: 1 });
  await world.runs('a');
  await world.runs('b');
  const never = new AbortController().signal;
  // An API server that ends between its writes leaves this.
  const disruptedPods = { a: '2026-01-31T09:00:00Z' };
  const spent = { kind: 'merge', body: { status: { disruptedPods, disruptionsAllowed: 0 } } } as const;
  const target = {
    type: 'DisruptionTarget',
    status: 'True',
    reason: 'EvictionByEvictionAPI',
    lastTransitionTime: disruptedPods.a,
  };
  const marked = { kind: 'strategic', body: { status: { conditions: [target] } } } as const;
  await world.client.patch(podDisruptionBudgetResource, { namespace, name: 'b', subresource: 'status' }, spent, never);
  await world.client.patch(podResource, { namespace, name: 'a', subresource: 'status' }, marked, never);
  assert.deepEqual(await world.says('b'), [0, 1, 1, 2, 'InsufficientPods']);
  const condition = async (): Promise<string | undefined> =>
    (await world.pod('a'))?.status?.conditions?.find(({ type }) => type === 'DisruptionTarget')?.status;
  await world.advance(119_000);
  assert.deepEqual([(await world.says('b'))[0], await condition()], [0, 'True']);
  await world.advance(2_000);
  assert.deepEqual([await world.says('b'), await condition()], [[1, 2, 1, 2, 'SufficientPods'], 'False']);
  assert.ok(world.events.includes('a NotDeleted'));
});
