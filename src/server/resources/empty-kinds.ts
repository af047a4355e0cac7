import type { Descriptor } from '#server/descriptor.ts';
import { declare, strategy } from '#server/resources/strategy.ts';

/**
 * Kinds of which there are none, and of which none can be made yet. Schedulers and autoscalers read them before they do anything: an
 * answer, if an empty one, is what lets them begin.
 */
const empty = (of: Pick<Descriptor, 'group' | 'version' | 'plural' | 'kind' | 'namespaced'> & Partial<Descriptor>) =>
  declare({ ...of, verbs: ['get', 'list', 'watch'], strategy: strategy({}) });

const resources = { group: 'resource.k8s.io', version: 'v1' } as const;
const apps = { group: 'apps', version: 'v1', namespaced: true, categories: ['all'] } as const;

export const emptyKinds: readonly Descriptor[] = [
  empty({
    group: '',
    version: 'v1',
    plural: 'replicationcontrollers',
    kind: 'ReplicationController',
    namespaced: true,
    shortNames: ['rc'],
    categories: ['all'],
  }),
  empty({ ...apps, plural: 'replicasets', kind: 'ReplicaSet', shortNames: ['rs'] }),
  empty({ ...apps, plural: 'statefulsets', kind: 'StatefulSet', shortNames: ['sts'] }),
  empty({ ...resources, plural: 'deviceclasses', kind: 'DeviceClass', namespaced: false }),
  empty({ ...resources, plural: 'resourceclaims', kind: 'ResourceClaim', namespaced: true }),
  empty({ ...resources, plural: 'resourceclaimtemplates', kind: 'ResourceClaimTemplate', namespaced: true }),
  empty({ ...resources, plural: 'resourceslices', kind: 'ResourceSlice', namespaced: false }),
];
