import assert from 'node:assert/strict';
import test from 'node:test';
import type { Node, PersistentVolume, PersistentVolumeClaim, Pod, PodSpec } from '#api/generated/core-v1.ts';
import type { StorageClass } from '#api/generated/storage-v1.ts';
import { volumeAnnotations } from '#api/persistent-volumes.ts';
import type { New } from '#api/resource.ts';
import { createClient } from '#client/api-client.ts';
import type { Client } from '#client/client.ts';
import { createInformer } from '#client/create-informer.ts';
import {
  nodeResource,
  persistentVolumeClaimResource,
  persistentVolumeResource,
  podResource,
  storageClassResource,
} from '#client/resources.ts';
import { byClaim, claimController, volumeController } from '#controllers/persistent-volumes/reconcile.ts';
import { runController } from '#controllers/run-controller.ts';
import { Scope } from '#lib/scope.ts';
import { readCluster } from '#scheduler/explain/read-cluster.ts';
import { defaultProfile } from '#scheduler/profile.ts';
import { never, SchedulerWorld } from '#test/integration/scheduler-world.ts';

const { bindCompleted, selectedNode } = volumeAnnotations;

/** Claims, volumes and a hand that does what the volume controller would, when it is told to. */
class VolumeWorld {
  readonly world: SchedulerWorld;
  readonly client: Client;

  constructor(world: SchedulerWorld) {
    this.world = world;
    this.client = world.client;
  }

  /** Two nodes, `east` and `west`, in the zones of their names. */
  async begin(provisioner = 'kubernetes.io/no-provisioner'): Promise<void> {
    for (const name of ['east', 'west']) {
      await this.world.node(name);
      const body = { metadata: { labels: { zone: name } } };
      await this.client.patch<Node>(nodeResource, { name }, { kind: 'merge', body }, never);
    }
    const storageClass: New<StorageClass> = {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'StorageClass',
      metadata: { name: 'slow' },
      provisioner,
      volumeBindingMode: 'WaitForFirstConsumer',
    };
    await this.client.create(storageClassResource, storageClass, never);
  }

  async volume(name: string, zone: string): Promise<void> {
    const volume: New<PersistentVolume> = {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name },
      spec: {
        capacity: { storage: '1Gi' },
        accessModes: ['ReadWriteOnce'],
        storageClassName: 'slow',
        local: { path: '/v' },
        nodeAffinity: {
          required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'zone', operator: 'In', values: [zone] }] }] },
        },
      },
    };
    const made = await this.client.create(persistentVolumeResource, volume, never);
    await this.client.updateStatus(persistentVolumeResource, { ...made, status: { phase: 'Available' } }, never);
    await this.world.settled();
  }

  async claim(name: string): Promise<void> {
    const claim: New<PersistentVolumeClaim> = {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name, namespace: 'default' },
      spec: {
        accessModes: ['ReadWriteOnce'],
        storageClassName: 'slow',
        resources: { requests: { storage: '1Gi' } },
      },
    };
    await this.client.create(persistentVolumeClaimResource, claim, never);
    await this.world.settled();
  }

  async pod(name: string, ...claims: readonly string[]): Promise<void> {
    await this.world.pod(name, {}, podUsing(claims));
  }

  /** What the controller does last. */
  async bind(claim: string, volumeName: string): Promise<void> {
    const body = { metadata: { annotations: { [bindCompleted]: 'yes' } }, spec: { volumeName } };
    await this.patchClaim(claim, body);
  }

  async patchClaim(name: string, body: object): Promise<void> {
    const ref = { namespace: 'default', name };
    await this.client.patch(persistentVolumeClaimResource, ref, { kind: 'merge', body }, never);
    await this.world.settled();
  }

  async ownerOf(volume: string): Promise<string | undefined> {
    return (await this.client.get(persistentVolumeResource, { name: volume }, never))?.spec.claimRef?.name;
  }

  async nodeSelectedFor(claim: string): Promise<string | undefined> {
    const ref = { namespace: 'default', name: claim };
    const found = await this.client.get(persistentVolumeClaimResource, ref, never);
    return found?.metadata.annotations?.[selectedNode];
  }
}

const podUsing = (claims: readonly string[]): Partial<PodSpec> => ({
  volumes: claims.map((claimName, n) => ({ name: `v${n}`, persistentVolumeClaim: { claimName } })),
});

async function start(provisioner?: string): Promise<VolumeWorld & AsyncDisposable> {
  const world = await SchedulerWorld.start();
  const volumes = new VolumeWorld(world);
  await volumes.begin(provisioner);
  return Object.assign(volumes, { [Symbol.asyncDispose]: () => world[Symbol.asyncDispose]() });
}

test('volumes: a claim gets a volume where its first pod goes, and the pod waits until it has it', async () => {
  await using volumes = await start();
  const { world } = volumes;
  await world.schedule();
  await volumes.claim('c');
  await volumes.pod('p', 'c');
  assert.equal(
    (await world.condition('p'))?.message,
    "0/2 nodes are available: 2 node(s) didn't find available persistent volumes to bind. preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.",
  );
  await volumes.volume('v', 'west');
  await world.advance(1_000);
  assert.equal(await volumes.ownerOf('v'), 'c');
  assert.equal(await world.nodeOf('p'), undefined);
  const { storage } = (await readCluster(volumes.client, [defaultProfile()], {}, never)).cluster;
  const seen = [storage.claim('default', 'c')?.kind, storage.volume('v')?.kind, storage.storageClass('slow')?.kind];
  assert.deepEqual(seen, ['PersistentVolumeClaim', 'PersistentVolume', 'StorageClass'], 'who explains sees it too');
  await volumes.bind('c', 'v');
  assert.equal(await world.nodeOf('p'), 'west');
});

test('volumes: what is promised to one pod is not given to another', async () => {
  await using volumes = await start();
  const { world } = volumes;
  for (const name of ['one', 'two']) await volumes.claim(name);
  await volumes.volume('v', 'east');
  for (const name of ['one', 'two']) await volumes.pod(name, name);
  await world.schedule();
  const owner = (await volumes.ownerOf('v')) ?? '';
  const other = owner === 'one' ? 'two' : 'one';
  assert.match((await world.condition(other))?.message ?? '', /2 node\(s\) didn't find available persistent volumes/);
  await volumes.volume('w', 'west');
  await world.advance(1_000);
  assert.equal(await volumes.ownerOf('w'), other);
  await volumes.bind(owner, 'v');
  await volumes.bind(other, 'w');
  assert.deepEqual([await world.nodeOf(owner), await world.nodeOf(other)], ['east', 'west']);
});

test('volumes: two pods of one claim go where its volume is', async () => {
  await using volumes = await start();
  const { world } = volumes;
  await volumes.claim('c');
  await volumes.volume('v', 'east');
  for (const name of ['one', 'two']) await volumes.pod(name, 'c');
  await world.schedule();
  await volumes.bind('c', 'v');
  await world.advance(1_000);
  assert.deepEqual([await world.nodeOf('one'), await world.nodeOf('two')], ['east', 'east']);
});

test('volumes: a binding that nobody completes is given up, said, and tried again', async () => {
  await using volumes = await start();
  const { world } = volumes;
  await world.schedule({ profiles: [{ ...defaultProfile(), volumeBinding: { timeoutMs: 5_000 } }] });
  await volumes.claim('c');
  await volumes.volume('v', 'east');
  await volumes.pod('p', 'c');
  await world.advance(4_900);
  assert.equal(await world.condition('p'), undefined);
  await world.advance(200);
  const { reason, message } = (await world.condition('p')) ?? {};
  assert.deepEqual(
    [reason, message],
    [
      'SchedulerError',
      'running PreBind plugin "VolumeBinding": binding volumes: context deadline exceeded: persistentvolumeclaim "c" is not bound after 5s',
    ],
  );
  assert.equal(await volumes.ownerOf('v'), 'c', 'what is written stays');
  await world.advance(1_000);
  await volumes.bind('c', 'v');
  assert.equal(await world.nodeOf('p'), 'east');
});

test('volumes: a pod that is deleted while it waits lets go', async () => {
  await using volumes = await start();
  const { world } = volumes;
  await world.schedule();
  await volumes.claim('c');
  await volumes.volume('v', 'east');
  await volumes.pod('p', 'c');
  assert.equal(await volumes.ownerOf('v'), 'c');
  await world.remove('p');
  await volumes.bind('c', 'v');
  await volumes.pod('p', 'c');
  await world.advance(2_000);
  assert.equal(await world.nodeOf('p'), 'east');
  assert.deepEqual(world.troubles, []);
});

test('volumes: a scheduler that is restarted between the two writes goes on with what was written', async () => {
  await using volumes = await start();
  const { world } = volumes;
  await world.schedule();
  await volumes.claim('c');
  await volumes.volume('v', 'west');
  await volumes.pod('p', 'c');
  assert.equal(await volumes.ownerOf('v'), 'c');
  await world.stop();
  await volumes.volume('nearer', 'east');
  await world.schedule();
  assert.equal(await volumes.ownerOf('nearer'), undefined);
  await volumes.bind('c', 'v');
  assert.equal(await world.nodeOf('p'), 'west');
});

test('volumes: somebody else was faster: the pod is tried again, and finds another', async () => {
  await using volumes = await start();
  const { world } = volumes;
  for (const name of ['c', 'rival']) await volumes.claim(name);
  await volumes.volume('v', 'east');
  const client = world.schedulerClient();
  let isFirst = true;
  const beaten: Client = {
    ...client,
    async update(resource, object, signal) {
      if (isFirst && resource.plural === 'persistentvolumes') {
        isFirst = false;
        const claimRef = { namespace: 'default', name: 'rival' };
        const patch = { kind: 'merge', body: { spec: { claimRef } } } as const;
        await world.client.patch(persistentVolumeResource, { name: 'v' }, patch, never);
      }
      return client.update(resource, object, signal);
    },
  };
  await volumes.pod('p', 'c');
  await world.schedule({ client: beaten });
  assert.match((await world.condition('p'))?.message ?? '', /binding volumes: Operation cannot be fulfilled/);
  await volumes.volume('w', 'west');
  await world.advance(2_000);
  assert.deepEqual([await volumes.ownerOf('v'), await volumes.ownerOf('w')], ['rival', 'c']);
  await volumes.bind('c', 'w');
  assert.equal(await world.nodeOf('p'), 'west');
});

test('volumes: a volume that is to be made is asked for where the pod goes, and again where that fails', async () => {
  await using volumes = await start('d.example.com');
  const { world } = volumes;
  await world.schedule();
  await volumes.claim('c');
  await volumes.pod('p', 'c');
  const first = await volumes.nodeSelectedFor('c');
  assert.ok(first === 'east' || first === 'west');
  await volumes.patchClaim('c', { metadata: { annotations: { [selectedNode]: null } } });
  assert.match((await world.condition('p'))?.message ?? '', /binding volumes: provisioning failed for PVC "c"$/);
  await world.advance(1_000);
  const second = (await volumes.nodeSelectedFor('c')) ?? '';
  await volumes.volume('made', second);
  await volumes.bind('c', 'made');
  assert.equal(await world.nodeOf('p'), second);
});

/** The controllers that bind and protect, beside the scheduler; what they tell is kept. */
function controlled({ world }: VolumeWorld): AsyncDisposable & { readonly events: string[] } {
  const { clock, server } = world.api;
  const client = createClient(server.transport({ name: 'system:kube-controller-manager', groups: [] }));
  const scope = new Scope();
  const events: string[] = [];
  const copies = {
    volumes: createInformer<PersistentVolume>({ client, clock, resource: persistentVolumeResource }),
    claims: createInformer<PersistentVolumeClaim>({ client, clock, resource: persistentVolumeClaimResource }),
    classes: createInformer<StorageClass>({ client, clock, resource: storageClassResource }),
    pods: createInformer<Pod, 'byClaim'>({ client, clock, resource: podResource, indexes: { byClaim } }),
  };
  for (const copy of Object.values(copies)) scope.spawn(copy.resource.plural, (signal) => copy.run(signal));
  const record = (_: unknown, { reason }: { readonly reason: string }): void => void events.push(reason);
  const options = { ...copies, events: { record } };
  const log = (line: string, error: unknown): void => void world.troubles.push(`${line}: ${String(error)}`);
  for (const controller of [claimController(options), volumeController(options)])
    scope.spawn('controller', (signal) => runController(controller, { client, clock, workers: 1, log }, signal));
  return { events, [Symbol.asyncDispose]: () => scope[Symbol.asyncDispose]() };
}

test('volumes: scheduler and controllers bring pod, claim and volume together, and apart again', async () => {
  await using volumes = await start();
  const { world, client } = volumes;
  await using controllers = controlled(volumes);
  await world.schedule();
  await volumes.claim('c');
  await volumes.volume('v', 'west');
  await world.advance(100);
  assert.deepEqual([...new Set(controllers.events)], ['WaitForFirstConsumer']);
  await volumes.pod('p', 'c');
  await world.advance(1_000);
  assert.equal(await world.nodeOf('p'), 'west');
  const claimRef = { namespace: 'default', name: 'c' };
  const claim = await client.get(persistentVolumeClaimResource, claimRef, never);
  assert.deepEqual(claim?.status, { phase: 'Bound', accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' } });

  await client.delete(persistentVolumeClaimResource, claimRef, {}, never);
  await client.delete(persistentVolumeResource, { name: 'v' }, {}, never);
  await world.advance(1_000);
  assert.ok(await client.get(persistentVolumeClaimResource, claimRef, never), 'a pod uses it');
  await volumes.pod('late', 'c');
  assert.match((await world.condition('late'))?.message ?? '', /persistentvolumeclaim "c" is being deleted/);
  await world.remove('p');
  await world.advance(1_000);
  assert.equal(await client.get(persistentVolumeClaimResource, claimRef, never), undefined);
  assert.equal(await client.get(persistentVolumeResource, { name: 'v' }, never), undefined);
  assert.deepEqual(world.troubles, []);
});
