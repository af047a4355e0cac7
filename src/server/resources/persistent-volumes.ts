import type { PersistentVolume, PersistentVolumeClaim, PersistentVolumeClaimSpec } from '#api/generated/core-v1.ts';
import type { KubeObject } from '#api/meta.ts';
import { persistentVolumeClaimColumns, persistentVolumeColumns } from '#server/columns/storage.ts';
import type { Descriptor, WriteContext } from '#server/descriptor.ts';
import { declare, onlyStatus, statusOf, withFieldOf, withStatus } from '#server/resources/strategy.ts';

export const persistentVolumes: Descriptor = declare({
  group: '',
  version: 'v1',
  plural: 'persistentvolumes',
  kind: 'PersistentVolume',
  namespaced: false,
  shortNames: ['pv'],
  subresources: { status: statusOf('PersistentVolume') },
  columns: persistentVolumeColumns,
  strategy: withStatus({
    prepareForCreate: (object, context) => inPhase(object, { phase: 'Pending' }, context),
    prepareForStatusUpdate: (object, old, context) => {
      const changed = onlyStatus(object, old) as PersistentVolume;
      const { phase, lastPhaseTransitionTime: since } = changed.status ?? {};
      const before = (old as PersistentVolume).status;
      const isSaid = since !== undefined && since !== before?.lastPhaseTransitionTime;
      return phase === before?.phase || isSaid ? changed : inPhase(changed, changed.status, context);
    },
    answersDeleted: true,
  }),
});

/** Since when it is in its phase is told by the server, unless who moves it on says so. */
function inPhase(object: KubeObject, status: PersistentVolume['status'], { now }: WriteContext): KubeObject {
  const lastPhaseTransitionTime = `${new Date(now).toISOString().slice(0, 19)}Z`;
  return { ...object, status: { ...status, lastPhaseTransitionTime } } as KubeObject;
}

export const persistentVolumeClaims: Descriptor = declare({
  group: '',
  version: 'v1',
  plural: 'persistentvolumeclaims',
  kind: 'PersistentVolumeClaim',
  namespaced: true,
  shortNames: ['pvc'],
  subresources: { status: statusOf('PersistentVolumeClaim') },
  columns: persistentVolumeClaimColumns,
  strategy: withStatus({
    prepareForCreate: (object) => ({ ...withBothSources(object), status: { phase: 'Pending' } }) as KubeObject,
    prepareForUpdate: (object, old) => withBothSources(withFieldOf(object, old, 'status')),
    answersDeleted: true,
  }),
});

/** `dataSource` and `dataSourceRef` say the same in two places: who writes one means both. */
function withBothSources(object: KubeObject): KubeObject {
  const claim = object as PersistentVolumeClaim;
  const { dataSource, dataSourceRef } = claim.spec ?? {};
  if ((dataSource === undefined) === (dataSourceRef === undefined)) return object;
  if (dataSourceRef?.namespace) return object;
  const { namespace: _, ...source } = { ...dataSource, ...dataSourceRef };
  const spec = { ...claim.spec, dataSource: source, dataSourceRef: source } as PersistentVolumeClaimSpec;
  return { ...claim, spec } as KubeObject;
}
