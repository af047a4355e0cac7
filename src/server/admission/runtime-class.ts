import { ApiError } from '#api/errors.ts';
import type { Pod } from '#api/generated/core-v1.ts';
import type { AdmissionPlugin } from '#server/admission.ts';

/** A pod that wants another runtime than the node's must not quietly get that one. There are no RuntimeClasses here: each is unknown. */
export const runtimeClass: AdmissionPlugin = {
  name: 'RuntimeClass',
  validate({ operation, descriptor, subresource, name = '' }, object) {
    if (operation !== 'CREATE' || descriptor.plural !== 'pods' || subresource !== undefined) return;
    const wanted = (object as Pod).spec.runtimeClassName;
    if (wanted === undefined) return;
    const why = `pod rejected: RuntimeClass ${JSON.stringify(wanted)} not found`;
    throw new ApiError('Forbidden', `pods ${JSON.stringify(name)} is forbidden: ${why}`, {
      details: { name, kind: 'pods' },
    });
  },
};
