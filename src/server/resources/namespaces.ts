import { withInitialNamespaceStatus } from '#api/defaults/initial.ts';
import { conflict } from '#api/errors.ts';
import type { Namespace } from '#api/generated/core-v1.ts';
import type { KubeObject } from '#api/meta.ts';
import type { Deletion, DeletionRequest, Descriptor } from '#server/descriptor.ts';
import { namespaceColumns } from '#server/columns/core.ts';
import { stampedWithoutGrace } from '#server/registry/deletion.ts';
import type { UpdateRules } from '#server/registry/registry.ts';
import { allVerbs, declare, statusOf, withStatus } from '#server/resources/strategy.ts';

const asNamespace = (object: KubeObject): Namespace => object as Namespace;

export const namespaces: Descriptor = declare({
  group: '',
  version: 'v1',
  plural: 'namespaces',
  kind: 'Namespace',
  namespaced: false,
  shortNames: ['ns'],
  verbs: allVerbs.filter((verb) => verb !== 'deletecollection'),
  subresources: {
    status: statusOf('Namespace'),
    finalize: { kind: 'Namespace', verbs: ['update'] },
  },
  columns: namespaceColumns,
  strategy: withStatus({
    prepareForCreate: (object) => withInitialNamespaceStatus(asNamespace(object)),
    // Who may take finalizers away is another matter than who may write labels: that is what /finalize is for.
    prepareForUpdate: (object, old) =>
      ({ ...object, ...partsOf(old, 'spec'), ...partsOf(old, 'status') }) as KubeObject,
    deletion: deleteNamespace,
    heldBack: (object) => (asNamespace(object).spec?.finalizers ?? []).length > 0,
    answersDeleted: true,
  }),
});

/** The update behind `/finalize`: the finalizers of the spec, and nothing else. */
export const finalizeRules: UpdateRules = {
  prepare: (object, old) => ({ ...old, spec: asNamespace(object).spec ?? {} }) as KubeObject,
  validate: () => [],
};

function partsOf(object: KubeObject, field: 'spec' | 'status'): object {
  const value = asNamespace(object)[field];
  return value === undefined ? {} : { [field]: value };
}

/** From now on nothing new is let in, and the namespace controller empties it; with the last finalizer it goes. */
function deleteNamespace(object: KubeObject, { now }: DeletionRequest): Deletion {
  const { spec, status, metadata } = asNamespace(object);
  if ((spec?.finalizers ?? []).length === 0) return { kind: 'remove' };
  if (metadata.deletionTimestamp !== undefined && status?.phase === 'Terminating') {
    throw conflict(namespaces, metadata.name, stillEmptying);
  }
  const terminating = { ...object, status: { ...status, phase: 'Terminating' } } as KubeObject;
  return { kind: 'stamp', object: stampedWithoutGrace(terminating, now) };
}

const stillEmptying =
  'The system is ensuring all content is removed from this namespace.  Upon completion, this namespace will automatically be purged by the system.';
