import { hasReason } from '#api/errors.ts';
import type { PersistentVolume, PersistentVolumeClaim, Pod } from '#api/generated/core-v1.ts';
import type { StorageClass } from '#api/generated/storage-v1.ts';
import { keyOf, keyOfRef, type ObjectKey } from '#api/meta.ts';
import { claimsOf, classOf, isForClaim, newestDefaultClass } from '#api/persistent-volumes.ts';
import type { Client } from '#client/client.ts';
import type { EventRecorder } from '#client/events.ts';
import type { IndexFunctions, Informer } from '#client/informer.ts';
import { persistentVolumeClaimResource, persistentVolumeResource } from '#client/resources.ts';
import { type MakeController, type Outcome, settled } from '#controllers/controller.ts';
import { planClaim } from '#controllers/persistent-volumes/plan-claim.ts';
import { planVolume } from '#controllers/persistent-volumes/plan-volume.ts';
import { protectClaim, protectVolume } from '#controllers/persistent-volumes/protection.ts';
import type { Step, Write } from '#controllers/persistent-volumes/step.ts';

export interface PersistentVolumeOptions {
  readonly volumes: Informer<PersistentVolume>;
  readonly claims: Informer<PersistentVolumeClaim>;
  readonly classes: Informer<StorageClass>;
  readonly pods: Informer<Pod, 'byClaim'>;
  readonly events: Pick<EventRecorder, 'record'>;
}

/** The index of pods that these controllers ask for. */
export const byClaim: IndexFunctions<Pod, 'byClaim'>['byClaim'] = (pod) =>
  claimsOf(pod).map(({ claim: name }) => keyOfRef({ namespace: pod.metadata.namespace ?? '', name }));

/** Binds claims to volumes that are there, and keeps claims that are in use. Keys are claims. */
export const claimController =
  (options: PersistentVolumeOptions): MakeController =>
  (client) => {
    const { volumes, claims, classes, pods, events } = options;
    return {
      name: 'persistentvolumeclaim-binder',
      reads: [volumes, claims, classes, pods],
      watch(enqueue) {
        const watching = new DisposableStack();
        watching.use(claims.onChange(({ key, after }) => after && enqueue(key)));
        watching.use(
          volumes.onChange(({ before, after }) => {
            for (const claim of claims.list())
              if (concerns(claim, before) || concerns(claim, after)) enqueue(keyOf(claim));
          }),
        );
        watching.use(
          classes.onChange(({ after }) => {
            for (const claim of claims.list()) if (after !== undefined && !claim.spec.volumeName) enqueue(keyOf(claim));
          }),
        );
        watching.use(
          pods.onChange(({ before, after }) => {
            // Who goes may have been the last that used it.
            if (before !== undefined && after === undefined)
              for (const key of byClaim(before)) enqueue(key as ObjectKey);
          }),
        );
        return watching;
      },
      async reconcile(key, signal): Promise<Outcome> {
        const claim = claims.get(key);
        if (claim === undefined) return settled;
        const protection = protectClaim(claim, pods.by('byClaim', key));
        if (protection !== undefined) return take({ write: protection }, { client, events }, signal);
        const step = planClaim(claim, {
          volume: (name) => volumes.get(name as ObjectKey),
          volumes: volumes.list(),
          storageClass: (name) => classes.get(name as ObjectKey),
          defaultClass: newestDefaultClass(classes.list()),
        });
        return take(step, { client, events }, signal);
      },
    };
  };

/** Whether what has become of a volume may be news for a claim. */
function concerns(claim: PersistentVolumeClaim, volume: PersistentVolume | undefined): boolean {
  if (volume === undefined) return false;
  if (claim.spec.volumeName) return claim.spec.volumeName === volume.metadata.name;
  return isForClaim(volume, claim) || (volume.spec.claimRef === undefined && classOf(volume) === classOf(claim));
}

/** Says of volumes whether they are free, bound or released, and keeps those that are in use. Keys are volumes. */
export const volumeController =
  (options: PersistentVolumeOptions): MakeController =>
  (client) => {
    const { volumes, claims, events } = options;
    return {
      name: 'persistentvolume-binder',
      reads: [volumes, claims],
      watch(enqueue) {
        const watching = new DisposableStack();
        watching.use(volumes.onChange(({ key, after }) => after && enqueue(key)));
        watching.use(
          claims.onChange(({ before, after }) => {
            const claim = (after ?? before)!;
            for (const volume of volumes.list()) {
              const { claimRef } = volume.spec;
              if (claimRef?.name === claim.metadata.name && claimRef.namespace === claim.metadata.namespace)
                enqueue(keyOf(volume));
            }
          }),
        );
        return watching;
      },
      async reconcile(key, signal): Promise<Outcome> {
        const volume = volumes.get(key);
        if (volume === undefined) return settled;
        const protection = protectVolume(volume);
        if (protection !== undefined) return take({ write: protection }, { client, events }, signal);
        const { namespace = '', name = '' } = volume.spec.claimRef ?? {};
        // A copy that is behind must not cost anybody their data: whether a claim is gone the server is asked.
        const known = name === '' ? undefined : claims.get(keyOfRef({ namespace, name }));
        const claim =
          name === '' || known?.metadata.uid === volume.spec.claimRef?.uid
            ? known
            : await client.get(persistentVolumeClaimResource, { namespace, name }, signal);
        return take(planVolume(volume, claim), { client, events }, signal);
      },
    };
  };

interface Means {
  readonly client: Client;
  readonly events: Pick<EventRecorder, 'record'>;
}

async function take({ write, event }: Step, { client, events }: Means, signal: AbortSignal): Promise<Outcome> {
  try {
    if (write !== undefined) await put(client, write, signal);
  } catch (error) {
    if (hasReason(error, 'NotFound')) return settled;
    if (hasReason(error, 'Conflict')) return { kind: 'again', afterMs: 5, why: 'it has changed meanwhile' };
    throw error;
  }
  if (event !== undefined) events.record(event.about, event.text);
  return write === undefined ? settled : { kind: 'again', afterMs: 0, why: 'there may be a next step' };
}

async function put(client: Client, write: Write, signal: AbortSignal): Promise<void> {
  switch (write.kind) {
    case 'claim':
      await client.update(persistentVolumeClaimResource, write.object, signal);
      return;
    case 'claim-status':
      await client.updateStatus(persistentVolumeClaimResource, write.object, signal);
      return;
    case 'volume':
      await client.update(persistentVolumeResource, write.object, signal);
      return;
    case 'volume-status':
      await client.updateStatus(persistentVolumeResource, write.object, signal);
  }
}
