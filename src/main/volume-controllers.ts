import type { PersistentVolume, PersistentVolumeClaim, Pod } from '#api/generated/core-v1.ts';
import type { StorageClass } from '#api/generated/storage-v1.ts';
import type { Client } from '#client/client.ts';
import { createInformer } from '#client/create-informer.ts';
import { createEventRecorder } from '#client/event-recorder.ts';
import type { Informer } from '#client/informer.ts';
import { persistentVolumeClaimResource, persistentVolumeResource, storageClassResource } from '#client/resources.ts';
import { claimController, volumeController } from '#controllers/persistent-volumes/reconcile.ts';
import { runController } from '#controllers/run-controller.ts';
import type { Clock } from '#lib/clock.ts';
import type { Scope } from '#lib/scope.ts';

export interface VolumeControllersParts {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: (line: string, error: unknown) => void;
  /** Run by who made it. */
  readonly pods: Informer<Pod, 'byClaim'>;
}

/** Who looks after persistent volumes and their claims. */
export function runVolumeControllers({ client, clock, log, pods }: VolumeControllersParts, scope: Scope): void {
  const volumes = createInformer<PersistentVolume>({ client, clock, resource: persistentVolumeResource });
  const claims = createInformer<PersistentVolumeClaim>({ client, clock, resource: persistentVolumeClaimResource });
  const classes = createInformer<StorageClass>({ client, clock, resource: storageClassResource });
  for (const informer of [volumes, claims, classes])
    scope.spawn(`watch ${informer.resource.plural}`, (signal) => informer.run(signal));
  const component = 'persistentvolume-controller';
  const onError = (error: unknown): void => log(`events of ${component}`, error);
  const events = createEventRecorder({ client, clock, source: { component }, onError });
  scope.spawn(`events of ${component}`, (signal) => events.run(signal));
  const options = { volumes, claims, classes, pods, events };
  for (const controller of [claimController(options), volumeController(options)])
    // One worker each: two claims that want one volume would only get in each other's way.
    scope.spawn('controller', (signal) => runController(controller, { client, clock, workers: 1, log }, signal));
}
