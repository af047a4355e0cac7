import type {
  Pod,
  Node,
  Namespace,
  ConfigMap,
  Secret,
  ServiceAccount,
  Service,
  Endpoints,
  PersistentVolume,
  PersistentVolumeClaim,
  ReplicationController,
  LimitRange,
  ResourceQuota,
  PodTemplate,
  Event,
} from '#api/generated/core-v1.ts';
import type { Deployment, ReplicaSet, StatefulSet, DaemonSet, ControllerRevision } from '#api/generated/apps-v1.ts';
import type { Job, CronJob } from '#api/generated/batch-v1.ts';
import type { Lease } from '#api/generated/coordination-v1.ts';
import type { EndpointSlice } from '#api/generated/discovery-v1.ts';
import type { PodDisruptionBudget } from '#api/generated/policy-v1.ts';
import type { PriorityClass } from '#api/generated/scheduling-v1.ts';
import type { RuntimeClass } from '#api/generated/node-v1.ts';
import type {
  StorageClass,
  CSIDriver,
  CSINode,
  CSIStorageCapacity,
  VolumeAttachment,
} from '#api/generated/storage-v1.ts';
import type { KubeObject } from '#api/meta.ts';
import type { Resource } from '#api/resource.ts';

/** The kinds of Kubernetes that components of this program read or write, as the typed client wants them described. */

const namespaced = <T extends KubeObject>(group: string, plural: string, kind: T['kind']): Resource<T> => ({
  ...clusterScoped<T>(group, plural, kind),
  namespaced: true,
});

function clusterScoped<T extends KubeObject>(group: string, plural: string, kind: T['kind']): Resource<T> {
  return { group, version: 'v1', plural, kind, namespaced: false };
}

export const podResource: Resource<Pod> = namespaced('', 'pods', 'Pod');
export const nodeResource: Resource<Node> = clusterScoped('', 'nodes', 'Node');
export const namespaceResource: Resource<Namespace> = clusterScoped('', 'namespaces', 'Namespace');
export const eventResource: Resource<Event> = namespaced('', 'events', 'Event');
export const configMapResource: Resource<ConfigMap> = namespaced('', 'configmaps', 'ConfigMap');
export const secretResource: Resource<Secret> = namespaced('', 'secrets', 'Secret');
export const serviceAccountResource: Resource<ServiceAccount> = namespaced('', 'serviceaccounts', 'ServiceAccount');
export const serviceResource: Resource<Service> = namespaced('', 'services', 'Service');
export const endpointsResource: Resource<Endpoints> = namespaced('', 'endpoints', 'Endpoints');
export const persistentVolumeResource: Resource<PersistentVolume> = clusterScoped(
  '',
  'persistentvolumes',
  'PersistentVolume',
);
export const persistentVolumeClaimResource: Resource<PersistentVolumeClaim> = namespaced(
  '',
  'persistentvolumeclaims',
  'PersistentVolumeClaim',
);
export const replicationControllerResource: Resource<ReplicationController> = namespaced(
  '',
  'replicationcontrollers',
  'ReplicationController',
);
export const limitRangeResource: Resource<LimitRange> = namespaced('', 'limitranges', 'LimitRange');
export const resourceQuotaResource: Resource<ResourceQuota> = namespaced('', 'resourcequotas', 'ResourceQuota');
export const podTemplateResource: Resource<PodTemplate> = namespaced('', 'podtemplates', 'PodTemplate');

export const deploymentResource: Resource<Deployment> = namespaced('apps', 'deployments', 'Deployment');
export const replicaSetResource: Resource<ReplicaSet> = namespaced('apps', 'replicasets', 'ReplicaSet');
export const statefulSetResource: Resource<StatefulSet> = namespaced('apps', 'statefulsets', 'StatefulSet');
export const daemonSetResource: Resource<DaemonSet> = namespaced('apps', 'daemonsets', 'DaemonSet');
export const controllerRevisionResource: Resource<ControllerRevision> = namespaced(
  'apps',
  'controllerrevisions',
  'ControllerRevision',
);

export const jobResource: Resource<Job> = namespaced('batch', 'jobs', 'Job');
export const cronJobResource: Resource<CronJob> = namespaced('batch', 'cronjobs', 'CronJob');

export const leaseResource: Resource<Lease> = namespaced('coordination.k8s.io', 'leases', 'Lease');

export const endpointSliceResource: Resource<EndpointSlice> = namespaced(
  'discovery.k8s.io',
  'endpointslices',
  'EndpointSlice',
);

export const podDisruptionBudgetResource: Resource<PodDisruptionBudget> = namespaced(
  'policy',
  'poddisruptionbudgets',
  'PodDisruptionBudget',
);

export const priorityClassResource: Resource<PriorityClass> = clusterScoped(
  'scheduling.k8s.io',
  'priorityclasses',
  'PriorityClass',
);

export const runtimeClassResource: Resource<RuntimeClass> = clusterScoped(
  'node.k8s.io',
  'runtimeclasses',
  'RuntimeClass',
);

export const storageClassResource: Resource<StorageClass> = clusterScoped(
  'storage.k8s.io',
  'storageclasses',
  'StorageClass',
);
export const csiDriverResource: Resource<CSIDriver> = clusterScoped('storage.k8s.io', 'csidrivers', 'CSIDriver');
export const csiNodeResource: Resource<CSINode> = clusterScoped('storage.k8s.io', 'csinodes', 'CSINode');
export const csiStorageCapacityResource: Resource<CSIStorageCapacity> = namespaced(
  'storage.k8s.io',
  'csistoragecapacities',
  'CSIStorageCapacity',
);
export const volumeAttachmentResource: Resource<VolumeAttachment> = clusterScoped(
  'storage.k8s.io',
  'volumeattachments',
  'VolumeAttachment',
);
