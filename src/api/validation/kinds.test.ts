import assert from 'node:assert/strict';
import test from 'node:test';
import { defaultObject } from '#api/defaults/defaults.ts';
import { fieldErrorText } from '#api/field-error.ts';
import { validateCreate } from '#api/validation/validation.ts';

interface Typed {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: object;
}
const subdomain =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const configKey =
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";
const key =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

const clusterKinds = new Set(['Namespace', 'Node', 'PriorityClass']);
const groups: Readonly<Record<string, string>> = {
  Lease: 'coordination.k8s.io/v1',
  PriorityClass: 'scheduling.k8s.io/v1',
};
function objectOf(kind: string, fields: object, metadata: object = {}): Typed {
  const place = clusterKinds.has(kind) ? {} : { namespace: 'default' };
  const meta = { name: 'x', ...place, resourceVersion: '1', ...metadata };
  return defaultObject({ apiVersion: groups[kind] ?? 'v1', kind, metadata: meta, ...fields });
}

const creates: readonly {
  readonly kind: string;
  readonly name: string;
  readonly fields?: object;
  readonly metadata?: object;
  readonly want: readonly string[];
}[] = [
  { kind: 'ConfigMap', name: 'right', fields: { data: { a: 'b' }, binaryData: { c: 'AA==' } }, want: [] },
  {
    kind: 'ConfigMap',
    name: 'no name, no namespace',
    metadata: { name: '', namespace: '' },
    want: ['metadata.name: Required value: name or generateName is required', 'metadata.namespace: Required value'],
  },
  {
    kind: 'ConfigMap',
    name: 'a generated name',
    metadata: { name: 'Web-x', generateName: 'Web-' },
    want: [
      `metadata.generateName: Invalid value: "Web-": ${subdomain}`,
      `metadata.name: Invalid value: "Web-x": ${subdomain}`,
    ],
  },
  {
    kind: 'ConfigMap',
    name: 'labels and annotations',
    metadata: { labels: { 'a b': 'c d' }, annotations: { 'Example.com/A': '', 'a b': '' } },
    want: [
      `metadata.labels: Invalid value: "a b": ${key}`,
      "metadata.labels: Invalid value: \"c d\": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
      `metadata.annotations: Invalid value: "a b": ${key}`,
    ],
  },
  {
    kind: 'ConfigMap',
    name: 'annotations that are too long',
    metadata: { annotations: { a: 'x'.repeat(256 * 1024) } },
    want: ['metadata.annotations: Too long: may not be more than 262144 bytes'],
  },
  {
    kind: 'ConfigMap',
    name: 'annotations that just fit',
    metadata: { annotations: { a: 'x'.repeat(256 * 1024 - 1) } },
    want: [],
  },
  {
    kind: 'ConfigMap',
    name: 'owners and finalizers',
    metadata: {
      ownerReferences: [
        { apiVersion: 'v1', kind: 'Event', name: 'e', uid: 'u', controller: true },
        { kind: 'Pod', name: 'p', controller: true },
      ],
      finalizers: ['mine', 'orphan', 'foregroundDeletion'],
    },
    want: [
      'metadata.ownerReferences: Invalid value: {"apiVersion":"v1","kind":"Event","name":"e","uid":"u","controller":true}: /v1, Kind=Event is disallowed from being an owner',
      'metadata.ownerReferences.apiVersion: Invalid value: "": version must not be empty',
      'metadata.ownerReferences.uid: Invalid value: "": must not be empty',
      'metadata.ownerReferences: Invalid value: [{"apiVersion":"v1","kind":"Event","name":"e","uid":"u","controller":true},{"kind":"Pod","name":"p","controller":true}]: Only one reference can have Controller set to true. Found "true" in references for Event/e and Pod/p',
      'metadata.finalizers: Invalid value: ["mine","orphan","foregroundDeletion"]: finalizer orphan and foregroundDeletion cannot be both set',
      'metadata.finalizers[0]: Invalid value: "mine": name is neither a standard finalizer name nor is it fully qualified',
    ],
  },
  {
    kind: 'ConfigMap',
    name: 'keys',
    fields: { data: { 'a/b': '', c: '' }, binaryData: { c: '', '..': '' } },
    want: [
      `data[a/b]: Invalid value: "a/b": ${configKey}`,
      'data[c]: Invalid value: "c": duplicate of key present in binaryData',
      'binaryData[..]: Invalid value: "..": must not be \'..\'',
    ],
  },
  {
    kind: 'ConfigMap',
    name: 'too much',
    fields: { data: { a: 'é'.repeat(512 * 1024), b: 'x' } },
    want: [': Too long: may not be more than 1048576 bytes'],
  },
  { kind: 'ConfigMap', name: 'just not too much', fields: { data: { a: 'é'.repeat(512 * 1024) } }, want: [] },
  { kind: 'Secret', name: 'right', fields: { stringData: { a: 'b' } }, want: [] },
  {
    kind: 'Secret',
    name: 'TLS without a key',
    fields: { type: 'kubernetes.io/tls', data: { 'tls.crt': '' } },
    want: ['data[tls.key]: Required value'],
  },
  {
    kind: 'Secret',
    name: 'a token of nobody',
    fields: { type: 'kubernetes.io/service-account-token' },
    want: ['metadata.annotations[kubernetes.io/service-account.name]: Required value'],
  },
  {
    kind: 'Secret',
    name: 'docker configuration that is no JSON',
    fields: { type: 'kubernetes.io/dockerconfigjson', stringData: { '.dockerconfigjson': '{' } },
    want: ['data[.dockerconfigjson]: Invalid value: "<secret contents redacted>": must be valid JSON'],
  },
  {
    kind: 'Secret',
    name: 'basic auth with one half',
    fields: { type: 'kubernetes.io/basic-auth', data: { username: '' } },
    want: [],
  },
  {
    kind: 'Secret',
    name: 'basic and SSH auth with nothing',
    fields: { type: 'kubernetes.io/basic-auth' },
    want: ['data[username]: Required value', 'data[password]: Required value'],
  },
  { kind: 'Namespace', name: 'right', want: [] },
  {
    kind: 'Namespace',
    name: 'dots',
    metadata: { name: 'a.b' },
    want: ['metadata.name: Invalid value: "a.b": must not contain dots'],
  },
  {
    kind: 'Namespace',
    name: 'inside a namespace',
    metadata: { namespace: 'a' },
    want: ['metadata.namespace: Forbidden: not allowed on this type'],
  },
  {
    kind: 'Node',
    name: 'taints, resources and ranges',
    fields: {
      spec: {
        taints: [
          { key: 'a', effect: 'NoExecute' },
          { key: 'a', effect: 'NoExecute' },
          { key: 'b', effect: '' },
        ],
        podCIDRs: ['10.0.0.0/24', '10.0.1.0/33'],
      },
      status: { capacity: { cpu: 'x', pods: '1.5' } },
    },
    want: [
      'metadata.taints[1]: Duplicate value: {"key":"a","effect":"NoExecute"}: taints must be unique by key and effect pair',
      'metadata.taints[2].effect: Required value',
      ...['capacity', 'allocatable'].flatMap((list) => [
        `status.${list}.cpu: Invalid value: "x": quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'`,
        `status.${list}.pods: Invalid value: 1500m: must be an integer`,
      ]),
      'spec.podCIDRs[1]: Invalid value: "10.0.1.0/33": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
      'spec.podCIDRs: Invalid value: ["10.0.0.0/24","10.0.1.0/33"]: may specify no more than one CIDR for each IP family',
    ],
  },
  { kind: 'Node', name: 'both families', fields: { spec: { podCIDRs: ['10.0.0.0/24', 'fd00::/64'] } }, want: [] },
  { kind: 'ServiceAccount', name: 'right', want: [] },
  {
    kind: 'Service',
    name: 'right',
    fields: { spec: { ports: [{ port: 80 }], selector: { a: 'b' } } },
    want: [],
  },
  { kind: 'Service', name: 'no ports', fields: { spec: {} }, want: ['spec.ports: Required value'] },
  { kind: 'Service', name: 'headless', fields: { spec: { clusterIP: 'None', clusterIPs: ['None'] } }, want: [] },
  {
    kind: 'Service',
    name: 'names and ports',
    metadata: { name: '1x' },
    fields: {
      spec: {
        ports: [
          { port: 80, name: 'a' },
          { port: 80, nodePort: 30_000, name: 'a' },
          { port: 0, protocol: 'X', targetPort: 'A' },
        ],
      },
    },
    want: [
      "metadata.name: Invalid value: \"1x\": a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')",
      'spec.ports[1].name: Duplicate value: "a"',
      "spec.ports[1].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'",
      'spec.ports[1]: Duplicate value: {"protocol":"TCP","port":80}',
      'spec.ports[2].name: Required value',
      'spec.ports[2].port: Invalid value: 0: must be between 1 and 65535, inclusive',
      'spec.ports[2].protocol: Unsupported value: "X": supported values: "SCTP", "TCP", "UDP"',
      'spec.ports[2].targetPort: Invalid value: "A": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)',
      'spec.ports[2].targetPort: Invalid value: "A": must contain at least one letter (a-z)',
    ],
  },
  {
    kind: 'Service',
    name: 'addresses',
    fields: {
      spec: {
        ports: [{ port: 1 }],
        clusterIP: '10.0.0.1',
        clusterIPs: ['10.0.0.2', '10.0.0.3'],
        externalIPs: ['127.0.0.1', 'x'],
      },
    },
    want: [
      'spec.clusterIPs: Invalid value: ["10.0.0.2","10.0.0.3"]: first value must match `clusterIP`',
      'spec.clusterIPs: Invalid value: ["10.0.0.2","10.0.0.3"]: may specify no more than one IP for each IP family',
      'spec.externalIPs[0]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)',
      'spec.externalIPs[1]: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
    ],
  },
  {
    kind: 'Service',
    name: 'a name elsewhere',
    fields: { spec: { type: 'ExternalName', clusterIPs: ['10.0.0.1'] } },
    want: ['spec.clusterIPs: Forbidden: may not be set for ExternalName services', 'spec.externalName: Required value'],
  },
  {
    kind: 'Service',
    name: 'type and policies',
    fields: {
      spec: {
        ports: [{ port: 1 }],
        type: 'Magic',
        externalTrafficPolicy: 'Local',
        internalTrafficPolicy: 'X',
        sessionAffinity: 'Y',
      },
    },
    want: [
      'spec.type: Unsupported value: "Magic": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"',
      'spec.sessionAffinity: Unsupported value: "Y": supported values: "ClientIP", "None"',
      'spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services',
      'spec.internalTrafficPolicy: Unsupported value: "X": supported values: "Cluster", "Local"',
    ],
  },
  {
    kind: 'Event',
    name: 'about another namespace',
    fields: { involvedObject: { namespace: 'other' } },
    want: ['involvedObject.namespace: Invalid value: "other": does not match event.namespace'],
  },
  { kind: 'Event', name: 'about what has no namespace', fields: { involvedObject: { kind: 'Node' } }, want: [] },
  {
    kind: 'Event',
    name: 'with a time but no reporter',
    fields: {
      involvedObject: { namespace: 'default' },
      eventTime: '2026-01-01T00:00:00.000000Z',
      action: 'a'.repeat(129),
    },
    want: [
      'reportingController: Required value',
      'reportingController: Invalid value: "": name part must be non-empty',
      `reportingController: Invalid value: "": ${key}`,
      'reportingInstance: Required value',
      'action: Invalid value: "": can have at most 128 characters',
      'reason: Required value',
    ],
  },
  { kind: 'Lease', name: 'right', fields: { spec: { leaseDurationSeconds: 40 } }, want: [] },
  {
    kind: 'Lease',
    name: 'numbers',
    fields: { spec: { leaseDurationSeconds: 0, leaseTransitions: -1, preferredHolder: 'a' } },
    want: [
      'spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0',
      'spec.leaseTransitions: Invalid value: -1: must be greater than or equal to 0',
      'spec.preferredHolder: Forbidden: may only be specified if `strategy` is defined',
    ],
  },
  { kind: 'PriorityClass', name: 'right', fields: { value: 1_000_000_000 }, want: [] },
  {
    kind: 'PriorityClass',
    name: 'of the system',
    metadata: { name: 'system-node-critical' },
    fields: { value: 2_000_001_000 },
    want: [],
  },
  {
    kind: 'PriorityClass',
    name: 'too high',
    fields: { value: 1_000_000_001, preemptionPolicy: 'X' },
    want: [
      'value: Forbidden: maximum allowed value of a user defined priority is 1000000000',
      'preemptionPolicy: Unsupported value: "X": supported values: "PreemptLowerPriority", "Never"',
    ],
  },
  {
    kind: 'PriorityClass',
    name: 'called like the system’s',
    metadata: { name: 'system-x' },
    want: [
      "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. error: system-x is not a known system priority class",
    ],
  },
  {
    kind: 'Widget',
    name: 'of which nothing is known has its metadata checked',
    metadata: { name: 'A' },
    want: [`metadata.name: Invalid value: "A": ${subdomain}`],
  },
];
for (const { kind, name, fields = {}, metadata, want } of creates) {
  test(`validation of a ${kind}: ${name}`, () => {
    assert.deepEqual(validateCreate(objectOf(kind, fields, metadata)).map(fieldErrorText), want);
  });
}
