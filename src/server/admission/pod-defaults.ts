import { withDefaultTolerations } from '#api/defaults/initial.ts';
import type { Pod } from '#api/generated/core-v1.ts';
import type { KubeObject } from '#api/meta.ts';
import type { AdmissionPlugin, AdmissionRequest } from '#server/admission.ts';

const newPod = ({ operation, descriptor, subresource }: AdmissionRequest): boolean =>
  operation === 'CREATE' && descriptor.plural === 'pods' && subresource === undefined;

/** How long a pod stays on a node that is not ready, unless it says so itself. */
export const defaultTolerationSeconds: AdmissionPlugin = {
  name: 'DefaultTolerationSeconds',
  mutate: (request, object): KubeObject => (newPod(request) ? withDefaultTolerations(object as Pod) : object),
};
