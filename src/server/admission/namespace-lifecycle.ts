import { ApiError, notFound } from '#api/errors.ts';
import type { Namespace } from '#api/generated/core-v1.ts';
import type { StoreKey } from '#store/store.ts';
import type { AdmissionPlugin, AdmissionRequest, Lookup } from '#server/admission.ts';

/** Namespaces that the cluster cannot be without. */
const immortal = ['default', 'kube-system', 'kube-public'];

/**
 * Nothing is created in a namespace that does not exist, or that is being emptied; and three namespaces are never deleted.
 */
export function namespaceLifecycle(lookup: Lookup): AdmissionPlugin {
  return {
    name: 'NamespaceLifecycle',
    mutate(request, object) {
      checkNamespace(request, lookup);
      return object;
    },
    validate(request) {
      const { operation, descriptor, name } = request;
      if (operation !== 'DELETE' || descriptor.plural !== 'namespaces' || !immortal.includes(name ?? '')) return;
      const why = 'this namespace may not be deleted';
      const details = { name: name!, kind: 'namespaces' };
      throw new ApiError('Forbidden', `namespaces ${JSON.stringify(name)} is forbidden: ${why}`, { details });
    },
  };
}

function checkNamespace(request: AdmissionRequest, lookup: Lookup): void {
  const { operation, descriptor, namespace, name, subresource } = request;
  if (!descriptor.namespaced || operation !== 'CREATE' || subresource !== undefined) return;
  const found = lookup.get(`namespaces/${namespace}` as StoreKey);
  if (!found) throw notFound({ group: '', plural: 'namespaces' }, namespace ?? '');
  const { status } = found.object as Namespace;
  if (status?.phase !== 'Terminating') return;
  const { plural, group } = descriptor;
  const qualified = group === '' ? plural : `${plural}.${group}`;
  const why = `unable to create new content in namespace ${namespace} because it is being terminated`;
  throw new ApiError('Forbidden', `${qualified} ${JSON.stringify(name ?? '')} is forbidden: ${why}`, {
    details: {
      name: name ?? '',
      ...(group === '' ? {} : { group }),
      kind: plural,
      causes: [
        {
          reason: 'NamespaceTerminating',
          message: `namespace ${namespace} is being terminated`,
          field: 'metadata.namespace',
        },
      ],
    },
  });
}
