import type { SelectableFields } from '#api/field-selectors.ts';
import type { Event, Namespace, Node, Pod, Secret, Service } from '#api/generated/core-v1.ts';
import type { KubeObject } from '#api/meta.ts';

/** What each kind can be selected by in a field selector; every other kind by its name and namespace. */
type Readers<T> = Readonly<Record<string, (object: T) => string>>;

const identity: Readers<KubeObject> = {
  'metadata.name': ({ metadata }) => metadata.name,
  'metadata.namespace': ({ metadata }) => metadata.namespace ?? '',
};

const podReaders: Readers<Pod> = {
  ...identity,
  'spec.nodeName': ({ spec }) => spec.nodeName ?? '',
  // An old name that clients still use.
  'spec.host': ({ spec }) => spec.nodeName ?? '',
  'spec.restartPolicy': ({ spec }) => spec.restartPolicy ?? '',
  'spec.schedulerName': ({ spec }) => spec.schedulerName ?? '',
  'spec.serviceAccountName': ({ spec }) => spec.serviceAccountName ?? '',
  'spec.hostNetwork': ({ spec }) => String(spec.hostNetwork ?? false),
  'status.phase': ({ status }) => status?.phase ?? '',
  'status.podIP': ({ status }) => status?.podIP ?? '',
  'status.podIPs': ({ status }) => status?.podIPs?.[0]?.ip ?? '',
  'status.nominatedNodeName': ({ status }) => status?.nominatedNodeName ?? '',
};

const eventReaders: Readers<Event> = {
  ...identity,
  'involvedObject.kind': ({ involvedObject }) => involvedObject.kind ?? '',
  'involvedObject.namespace': ({ involvedObject }) => involvedObject.namespace ?? '',
  'involvedObject.name': ({ involvedObject }) => involvedObject.name ?? '',
  'involvedObject.uid': ({ involvedObject }) => involvedObject.uid ?? '',
  'involvedObject.apiVersion': ({ involvedObject }) => involvedObject.apiVersion ?? '',
  'involvedObject.resourceVersion': ({ involvedObject }) => involvedObject.resourceVersion ?? '',
  'involvedObject.fieldPath': ({ involvedObject }) => involvedObject.fieldPath ?? '',
  reason: ({ reason }) => reason ?? '',
  reportingComponent: ({ reportingComponent }) => reportingComponent ?? '',
  source: ({ source, reportingComponent }) => source?.component || (reportingComponent ?? ''),
  type: ({ type }) => type ?? '',
};

const nodeReaders: Readers<Node> = {
  'metadata.name': identity['metadata.name'] ?? (() => ''),
  'spec.unschedulable': ({ spec }) => String(spec.unschedulable ?? false),
};
const namespaceReaders: Readers<Namespace> = {
  'metadata.name': identity['metadata.name'] ?? (() => ''),
  'status.phase': ({ status }) => status?.phase ?? '',
};
const secretReaders: Readers<Secret> = { ...identity, type: ({ type }) => type ?? '' };
const serviceReaders: Readers<Service> = {
  ...identity,
  'spec.clusterIP': ({ spec }) => spec.clusterIP ?? '',
  'spec.type': ({ spec }) => spec.type ?? '',
};

const known = <T>(fields: Readers<T>): SelectableFields<T> => ({
  fields,
  refuse: (field) => `field label not supported: ${field}`,
});

const plain: SelectableFields<KubeObject> = {
  fields: identity,
  refuse: (field) =>
    `${JSON.stringify(field)} is not a known field selector: only "metadata.name", "metadata.namespace"`,
};

const byKind: Readonly<Record<string, SelectableFields<never>>> = {
  'v1/Pod': known(podReaders),
  'v1/Event': known(eventReaders),
  'v1/Node': known(nodeReaders),
  'v1/Namespace': known(namespaceReaders),
  'v1/Secret': known(secretReaders),
  'v1/Service': known(serviceReaders),
};

/** The caller gives objects of this very kind to what it compiles; events.k8s.io's events are stored as the core's. */
export function selectableFieldsOf(apiVersion: string, kind: string): SelectableFields<KubeObject> {
  const key = `${apiVersion}/${kind}`;
  return Object.hasOwn(byKind, key) ? (byKind[key] as SelectableFields<KubeObject>) : plain;
}
