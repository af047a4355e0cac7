import { withDefaultTolerations } from '#api/defaults/initial.ts';
import type { Pod } from '#api/generated/core-v1.ts';
import type { KubeObject } from '#api/meta.ts';
import type { AdmissionPlugin, AdmissionRequest } from '#server/admission.ts';

const wholePod = ({ operation, descriptor, subresource }: AdmissionRequest): boolean =>
  operation !== 'DELETE' && descriptor.plural === 'pods' && subresource === undefined;

/** How long a pod stays on a node that is not ready, unless it says so itself. Also of a replaced pod: its manifest says nothing of it. */
export const defaultTolerationSeconds: AdmissionPlugin = {
  name: 'DefaultTolerationSeconds',
  mutate: (request, object): KubeObject => (wholePod(request) ? withDefaultTolerations(object as Pod) : object),
};
