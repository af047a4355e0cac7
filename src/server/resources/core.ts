import type { KubeObject } from '#api/meta.ts';
import type { Descriptor } from '#server/descriptor.ts';
import {
  configMapColumns,
  nodeColumns,
  secretColumns,
  serviceAccountColumns,
  serviceColumns,
} from '#server/columns/core.ts';
import { events } from '#server/resources/events.ts';
import { namespaces } from '#server/resources/namespaces.ts';
import { persistentVolumeClaims, persistentVolumes } from '#server/resources/persistent-volumes.ts';
import { pods } from '#server/resources/pods.ts';
import { declare, statusOf, strategy, withStatus } from '#server/resources/strategy.ts';

const configMaps = declare({
  group: '',
  version: 'v1',
  plural: 'configmaps',
  kind: 'ConfigMap',
  namespaced: true,
  shortNames: ['cm'],
  columns: configMapColumns,
  strategy: strategy({}),
});

const secrets = declare({
  group: '',
  version: 'v1',
  plural: 'secrets',
  kind: 'Secret',
  namespaced: true,
  columns: secretColumns,
  strategy: strategy({}),
});

const serviceAccounts = declare({
  group: '',
  version: 'v1',
  plural: 'serviceaccounts',
  kind: 'ServiceAccount',
  namespaced: true,
  shortNames: ['sa'],
  subresources: {
    token: { kind: 'TokenRequest', group: 'authentication.k8s.io', version: 'v1', verbs: ['create'] },
  },
  columns: serviceAccountColumns,
  strategy: strategy({ answersDeleted: true }),
});

const services = declare({
  group: '',
  version: 'v1',
  plural: 'services',
  kind: 'Service',
  namespaced: true,
  shortNames: ['svc'],
  categories: ['all'],
  subresources: { status: statusOf('Service') },
  columns: serviceColumns,
  strategy: withStatus({
    prepareForCreate: (object) => ({ ...object, status: { loadBalancer: {} } }) as KubeObject,
    answersDeleted: true,
  }),
});

const nodes = declare({
  group: '',
  version: 'v1',
  plural: 'nodes',
  kind: 'Node',
  namespaced: false,
  shortNames: ['no'],
  subresources: { status: statusOf('Node') },
  columns: nodeColumns,
  strategy: withStatus({
    // A kubelet registers its node together with its status, and repeats the status for as long as it lives.
    prepareForCreate: (object) => object,
    statusDurability: 'relaxed',
  }),
});

export const coreGroup: readonly Descriptor[] = [
  configMaps,
  events,
  namespaces,
  nodes,
  persistentVolumeClaims,
  persistentVolumes,
  pods,
  secrets,
  serviceAccounts,
  services,
];
