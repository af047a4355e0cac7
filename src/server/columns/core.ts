import type {
  ConfigMap,
  Event,
  Namespace,
  Node,
  Secret,
  Service,
  ServiceAccount,
  ServicePort,
} from '#api/generated/core-v1.ts';
import type { KubeObject } from '#api/meta.ts';
import type { Column } from '#server/columns/column.ts';
import { ageColumn, ageSince, column, labelText, nameColumn, wide } from '#server/columns/common.ts';

/** The columns of the core group's kinds, as `kubectl get` shows them. */
const as =
  <T>(show: (object: T, now: number) => string | number): ((object: KubeObject, now: number) => string | number) =>
  // A table is only made of objects of its descriptor's kind.
  (object, now) =>
    show(object as unknown as T, now);

export const namespaceColumns: readonly Column[] = [
  nameColumn,
  column(
    'Status',
    'Whether the namespace is in use or being emptied.',
    as<Namespace>((n) => n.status?.phase ?? ''),
  ),
  ageColumn,
];

export const configMapColumns: readonly Column[] = [
  nameColumn,
  column('Data', 'How many entries there are.', as<ConfigMap>(entryCount)),
  ageColumn,
];

function entryCount({ data = {}, binaryData = {} }: ConfigMap): number {
  return Object.keys(data).length + Object.keys(binaryData).length;
}

export const secretColumns: readonly Column[] = [
  nameColumn,
  column(
    'Type',
    'What the secret is for.',
    as<Secret>((s) => s.type ?? ''),
  ),
  column(
    'Data',
    'How many entries there are.',
    as<Secret>((s) => Object.keys(s.data ?? {}).length),
  ),
  ageColumn,
];

/** SECRETS is a column of old; kubectl still shows it. */
export const serviceAccountColumns: readonly Column[] = [
  nameColumn,
  column(
    'Secrets',
    'How many secrets belong to the account.',
    as<ServiceAccount>((s) => s.secrets?.length ?? 0),
  ),
  ageColumn,
];

export const serviceColumns: readonly Column[] = [
  nameColumn,
  column(
    'Type',
    'How the service is exposed.',
    as<Service>((s) => s.spec?.type ?? ''),
  ),
  column(
    'Cluster-IP',
    'The address within the cluster.',
    as<Service>((s) => s.spec?.clusterIPs?.[0] ?? s.spec?.clusterIP ?? '<none>'),
  ),
  column('External-IP', 'Addresses from outside.', as<Service>(externalIp)),
  column(
    'Port(s)',
    'The ports, and those on the nodes.',
    as<Service>((s) => portText(s.spec?.ports ?? [])),
  ),
  ageColumn,
  column(
    'Selector',
    'Which pods stand behind it.',
    as<Service>((s) => labelText(s.spec?.selector)),
    wide,
  ),
];

function externalIp({ spec, status }: Service): string {
  const external = spec?.externalIPs ?? [];
  const ingress = (status?.loadBalancer?.ingress ?? []).flatMap(({ ip, hostname }) => ip ?? hostname ?? []);
  switch (spec?.type) {
    case 'ExternalName':
      return spec.externalName ?? '<none>';
    case 'LoadBalancer': {
      const all = [...new Set([...ingress, ...external])];
      return all.length === 0 ? '<pending>' : all.join(',');
    }
    default:
      return external.length === 0 ? '<none>' : external.join(',');
  }
}

function portText(ports: readonly ServicePort[]): string {
  if (ports.length === 0) return '<none>';
  return ports
    .map(({ port, nodePort = 0, protocol = 'TCP' }) =>
      nodePort > 0 ? `${port}:${nodePort}/${protocol}` : `${port}/${protocol}`,
    )
    .join(',');
}

export const nodeColumns: readonly Column[] = [
  nameColumn,
  column('Status', 'Whether the node is ready, and whether it takes new pods.', as<Node>(nodeStatus)),
  column('Roles', 'The roles that the labels of the node name.', as<Node>(nodeRoles)),
  ageColumn,
  column(
    'Version',
    "The version of the node's kubelet.",
    as<Node>((n) => n.status?.nodeInfo?.kubeletVersion ?? ''),
  ),
  column(
    'Internal-IP',
    'Its address within the cluster.',
    as<Node>((n) => address(n, 'InternalIP')),
    wide,
  ),
  column(
    'External-IP',
    'Its address from outside.',
    as<Node>((n) => address(n, 'ExternalIP')),
    wide,
  ),
  column(
    'OS-Image',
    'The system it runs.',
    as<Node>((n) => n.status?.nodeInfo?.osImage || '<unknown>'),
    wide,
  ),
  column(
    'Kernel-Version',
    'The kernel it runs.',
    as<Node>((n) => n.status?.nodeInfo?.kernelVersion || '<unknown>'),
    wide,
  ),
  column(
    'Container-Runtime',
    'The runtime its containers run on.',
    as<Node>((n) => n.status?.nodeInfo?.containerRuntimeVersion || '<unknown>'),
    wide,
  ),
];

function nodeStatus({ spec, status }: Node): string {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  const words = [ready === undefined ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady'];
  if (spec?.unschedulable) words.push('SchedulingDisabled');
  return words.join(',');
}

const ROLE_PREFIX = 'node-role.kubernetes.io/';

function nodeRoles({ metadata }: Node): string {
  const roles = Object.entries(metadata.labels ?? {}).flatMap(([key, value]) => {
    if (key.startsWith(ROLE_PREFIX)) return key.length > ROLE_PREFIX.length ? [key.slice(ROLE_PREFIX.length)] : [];
    return key === 'kubernetes.io/role' && value !== '' ? [value] : [];
  });
  return roles.length === 0 ? '<none>' : [...new Set(roles)].sort().join(',');
}

const address = ({ status }: Node, type: string): string =>
  status?.addresses?.find((each) => each.type === type)?.address ?? '<none>';

export const eventColumns: readonly Column[] = [
  column(
    'Last Seen',
    'How long ago it happened last.',
    as<Event>((e, now) => ageSince(lastSeen(e), now)),
  ),
  column(
    'Type',
    'Normal, or Warning.',
    as<Event>((e) => e.type ?? ''),
  ),
  column(
    'Reason',
    'What happened, in a word.',
    as<Event>((e) => e.reason ?? ''),
  ),
  column(
    'Object',
    'What it happened to.',
    as<Event>((e) => involved(e)),
  ),
  column(
    'Subobject',
    'Which part of that.',
    as<Event>((e) => e.involvedObject?.fieldPath ?? ''),
    wide,
  ),
  column('Source', 'Who tells of it.', as<Event>(eventSource), wide),
  column(
    'Message',
    'What happened, for people.',
    as<Event>((e) => (e.message ?? '').trim()),
  ),
  column(
    'First Seen',
    'How long ago it happened first.',
    as<Event>((e, now) => ageSince(e.firstTimestamp ?? e.eventTime, now)),
    wide,
  ),
  column(
    'Count',
    'How often it happened.',
    as<Event>((e) => eventCount(e)),
    wide,
  ),
  { ...nameColumn, priority: 1 },
];

const lastSeen = ({ series, lastTimestamp, eventTime, firstTimestamp }: Event): string | undefined =>
  series?.lastObservedTime ?? lastTimestamp ?? eventTime ?? firstTimestamp;

const involved = ({ involvedObject: { kind = '', name = '' } }: Event): string =>
  kind === '' ? name : `${kind.toLowerCase()}/${name}`;

function eventSource({ source, reportingComponent, reportingInstance }: Event): string {
  const component = source?.component || reportingComponent || '';
  const host = source?.host || reportingInstance || '';
  return host === '' ? component : `${component}, ${host}`;
}

const eventCount = ({ series, count, eventTime }: Event): number => series?.count ?? count ?? (eventTime ? 1 : 0);
