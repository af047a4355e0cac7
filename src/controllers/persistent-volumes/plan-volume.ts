import type { PersistentVolume, PersistentVolumeClaim } from '#api/generated/core-v1.ts';
import { volumeAnnotations } from '#api/persistent-volumes.ts';
import { inPhase, nothing, type Step, warning } from '#controllers/persistent-volumes/step.ts';

const { boundByController, provisionedBy } = volumeAnnotations;

/**
 * A volume is free until a claim has it, and released when that one is gone: then its policy says what becomes of it. Nobody here can
 * empty or delete one. Upstream's syncVolume. `claim` is the one that has the name it refers to, if any.
 */
export function planVolume(volume: PersistentVolume, claim: PersistentVolumeClaim | undefined): Step {
  const { claimRef } = volume.spec;
  // It may be meant for a claim that is still to come.
  if (claimRef === undefined || !claimRef.uid) return { write: inPhase(volume, 'Available') };
  if (claim === undefined || claim.metadata.uid !== claimRef.uid) return released(volume);
  // The claim has the next word.
  if (!claim.spec.volumeName) return nothing;
  if (claim.spec.volumeName === volume.metadata.name) return { write: inPhase(volume, 'Bound') };
  if (volume.metadata.annotations?.[provisionedBy] !== undefined && policyOf(volume) === 'Delete')
    return released(volume);
  return { write: { kind: 'volume', object: givenBack(volume) } };
}

function released(volume: PersistentVolume): Step {
  const phase = volume.status?.phase;
  if (phase !== 'Released' && phase !== 'Failed') return { write: inPhase(volume, 'Released') };
  if (phase === 'Failed') return nothing;
  const { name, annotations } = volume.metadata;
  switch (policyOf(volume)) {
    case 'Retain':
      return nothing;
    case 'Recycle':
      return failed(volume, 'VolumeFailedRecycle', 'No recycler plugin found for the volume!');
    case 'Delete':
      // Whoever made it deletes it too.
      if (annotations?.[provisionedBy] !== undefined) return nothing;
      return failed(
        volume,
        'VolumeFailedDelete',
        `error getting deleter volume plugin for volume ${JSON.stringify(name)}: no deletable volume plugin matched`,
      );
  }
}

const failed = (volume: PersistentVolume, reason: string, message: string): Step => ({
  write: inPhase(volume, 'Failed', message),
  event: warning(volume, reason, message),
});

/** Its claim has another volume: whoever was meant to have it by its maker may have it still. */
function givenBack(volume: PersistentVolume): PersistentVolume {
  const { claimRef, ...spec } = volume.spec;
  const { [boundByController]: ours, ...annotations } = volume.metadata.annotations ?? {};
  const { namespace = '', name = '', kind = 'PersistentVolumeClaim' } = claimRef ?? {};
  return {
    ...volume,
    metadata: { ...volume.metadata, annotations },
    spec: ours === undefined ? { ...spec, claimRef: { kind, namespace, name } } : spec,
  };
}

const policyOf = ({ spec }: PersistentVolume): 'Retain' | 'Recycle' | 'Delete' =>
  spec.persistentVolumeReclaimPolicy ?? 'Retain';
