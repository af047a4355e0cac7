import assert from 'node:assert/strict';
import test from 'node:test';
import { defaultObject } from '#api/defaults/defaults.ts';
import { fieldErrorText } from '#api/field-error.ts';
import type { Pod } from '#api/generated/core-v1.ts';
import { validatePod } from '#api/validation/pod.ts';

const given = (spec: object, metadata: object = {}): Pod =>
  ({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web', namespace: 'default', ...metadata }, spec }) as Pod;
const faults = (spec: object, metadata: object = {}): readonly string[] =>
  validatePod(defaultObject(given(spec, metadata))).map(fieldErrorText);

interface Case {
  readonly name: string;
  readonly want: readonly string[];
}
/** Parts of a spec with one right container. */
function specCases(group: string, cases: readonly (Case & { readonly spec: object })[]): void {
  for (const { name, spec, want } of cases) {
    test(`validation, ${group}: ${name}`, () => {
      const found = faults({ containers: [{ name: 'a', image: 'x' }], ...spec });
      assert.deepEqual(
        found,
        want.map((each) => `spec.${each}`),
      );
    });
  }
}

const label =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const subdomain =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

const nodeAffinity = (terms: unknown): object => ({
  affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms } } },
});
const required = 'affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms';
specCases('placement', [
  {
    name: 'no node terms',
    spec: nodeAffinity([]),
    want: [`${required}: Required value: must have at least one node selector term`],
  },
  {
    name: 'node terms',
    spec: nodeAffinity([
      {
        matchExpressions: [
          { key: 'a', operator: 'In' },
          { key: 'a', operator: 'Exists', values: ['x'] },
          { key: 'a', operator: 'Gt', values: ['1', '2'] },
          { key: 'a', operator: 'Like' },
        ],
        matchFields: [{ key: 'metadata.uid', operator: 'In', values: [] }],
      },
    ]),
    want: [
      `${required}[0].matchExpressions[0].values: Required value: must be specified when \`operator\` is 'In' or 'NotIn'`,
      `${required}[0].matchExpressions[1].values: Forbidden: may not be specified when \`operator\` is 'Exists' or 'DoesNotExist'`,
      `${required}[0].matchExpressions[2].values: Required value: must be specified single value when \`operator\` is 'Lt' or 'Gt'`,
      `${required}[0].matchExpressions[3].operator: Invalid value: "Like": not a valid selector operator`,
      `${required}[0].matchFields[0].values: Required value: must be only one value when \`operator\` is 'In' or 'NotIn' for node field selector`,
      `${required}[0].matchFields[0].key: Invalid value: "metadata.uid": not a valid field selector key`,
    ],
  },
  {
    name: 'weights, and pods to be near to',
    spec: {
      affinity: {
        nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 101, preference: {} }] },
        podAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [
            {
              labelSelector: { matchExpressions: [{ key: 'a', operator: 'Gt' }] },
              topologyKey: 'zone',
              matchLabelKeys: ['a'],
            },
          ],
        },
        podAntiAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [{ matchLabelKeys: ['a'], topologyKey: 'z' }],
        },
      },
    },
    want: [
      'affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight: Invalid value: 101: must be in the range 1-100',
      'affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].labelSelector.matchExpressions[0].operator: Invalid value: "Gt": not a valid selector operator',
      'affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].matchLabelKeys: Forbidden: must not be specified when labelSelector is not set',
    ],
  },
  {
    name: 'tolerations',
    spec: {
      tolerations: [
        { operator: 'Equal', value: 'a' },
        { key: 'a', operator: 'Exists', value: 'b' },
        { key: 'a', operator: 'Like' },
        { key: 'a', operator: 'Exists', effect: 'NoSchedule', tolerationSeconds: 3 },
        { key: 'a', operator: 'Exists', effect: 'Never' },
      ],
    },
    want: [
      'tolerations[0].operator: Invalid value: "Equal": operator must be Exists when `key` is empty, which means "match all values and all keys"',
      `tolerations[1].operator: Invalid value: "b": value must be empty when \`operator\` is 'Exists'`,
      'tolerations[2].operator: Unsupported value: "Like": supported values: "Equal", "Exists"',
      `tolerations[3].effect: Invalid value: "NoSchedule": effect must be 'NoExecute' when \`tolerationSeconds\` is set`,
      'tolerations[4].effect: Unsupported value: "Never": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"',
    ],
  },
  {
    name: 'spreading',
    spec: {
      topologySpreadConstraints: [
        { maxSkew: 0, whenUnsatisfiable: 'Maybe', minDomains: 1 },
        {
          maxSkew: 1,
          topologyKey: 'z',
          whenUnsatisfiable: 'DoNotSchedule',
          matchLabelKeys: ['a'],
          labelSelector: { matchLabels: { a: 'b' } },
        },
        { maxSkew: 1, topologyKey: 'z', whenUnsatisfiable: 'DoNotSchedule' },
      ],
    },
    want: [
      'topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero',
      'topologySpreadConstraints[0].topologyKey: Required value: can not be empty',
      'topologySpreadConstraints[0].whenUnsatisfiable: Unsupported value: "Maybe": supported values: "DoNotSchedule", "ScheduleAnyway"',
      'topologySpreadConstraints[0].minDomains: Invalid value: 1: can only use minDomains if whenUnsatisfiable=DoNotSchedule, not Maybe',
      'topologySpreadConstraints[1].{topologyKey, whenUnsatisfiable}: Duplicate value: "{z, DoNotSchedule}"',
      'topologySpreadConstraints[1].matchLabelKeys[0]: Invalid value: "a": exists in both matchLabelKeys and labelSelector',
    ],
  },
]);

specCases('the rest of a spec', [
  {
    name: 'policies',
    spec: { restartPolicy: 'Sometimes', dnsPolicy: 'Other', preemptionPolicy: 'Maybe' },
    want: [
      'restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"',
      'dnsPolicy: Unsupported value: "Other": supported values: "ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"',
      'preemptionPolicy: Unsupported value: "Maybe": supported values: "PreemptLowerPriority", "Never"',
    ],
  },
  {
    name: 'names and the deadline',
    spec: { serviceAccountName: 'A', nodeName: 'B_', hostname: 'a.b', subdomain: 'C', activeDeadlineSeconds: 0 },
    want: [
      `serviceAccountName: Invalid value: "A": ${subdomain}`,
      `nodeName: Invalid value: "B_": ${subdomain}`,
      'hostname: Invalid value: "a.b": must not contain dots',
      `subdomain: Invalid value: "C": ${label}`,
      'activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive',
    ],
  },
  {
    name: 'a whole name for the pod itself',
    spec: { hostnameOverride: `A.${'b'.repeat(64)}`, setHostnameAsFQDN: true, hostNetwork: true },
    want: [
      `hostnameOverride: Invalid value: "A.${'b'.repeat(64)}": ${subdomain}`,
      'hostnameOverride: Too long: may not be more than 64 bytes',
      'hostnameOverride: Forbidden: may not be specified when `setHostnameAsFQDN` is true',
      'hostnameOverride: Forbidden: may not be specified when `hostNetwork` is true',
    ],
  },
  {
    name: 'a stop signal of no known operating system',
    spec: { containers: [{ name: 'a', image: 'x', lifecycle: { stopSignal: 'SIGUSR1' } }] },
    want: ['containers[0].lifecycle.stopSignal: Forbidden: may not be set for containers with empty `spec.os.name`'],
  },
  {
    name: 'a stop signal that Linux has',
    spec: { os: { name: 'linux' }, containers: [{ name: 'a', image: 'x', lifecycle: { stopSignal: 'SIGRTMIN+3' } }] },
    want: [],
  },
  {
    name: 'DNS by hand',
    spec: { dnsPolicy: 'None' },
    want: ['dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None'],
  },
  {
    name: 'DNS lists',
    spec: {
      dnsConfig: { nameservers: ['1.1.1.1', '::1', 'a', '2.2.2.2'], searches: ['_srv.a.', '.', 'a..b'], options: [{}] },
    },
    want: [
      'dnsConfig.nameservers: Invalid value: ["1.1.1.1","::1","a","2.2.2.2"]: must not have more than 3 nameservers',
      'dnsConfig.nameservers[2]: Invalid value: "a": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
      `dnsConfig.searches[2]: Invalid value: "a..b": ${subdomain}`,
      'dnsConfig.options[0]: Required value: must not be empty',
    ],
  },
  {
    name: 'host aliases',
    spec: { hostAliases: [{ ip: '300.1.1.1', hostnames: ['A'] }] },
    want: [
      'hostAliases[0].ip: Invalid value: "300.1.1.1": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
      `hostAliases[0].hostnames[0]: Invalid value: "A": ${subdomain}`,
    ],
  },
  {
    name: 'gates',
    spec: { schedulingGates: [{ name: 'a' }, { name: 'a' }], nodeName: 'n' },
    want: [
      'schedulingGates[1]: Duplicate value: "a"',
      'nodeName: Forbidden: cannot be set until all schedulingGates have been cleared',
    ],
  },
  {
    name: 'host network ports',
    spec: { hostNetwork: true, containers: [{ name: 'a', image: 'x', ports: [{ containerPort: 80, hostPort: 81 }] }] },
    want: ['containers[0].ports[0].hostPort: Invalid value: 81: must match `containerPort` when `hostNetwork` is true'],
  },
  {
    name: 'overhead',
    spec: { overhead: { cpu: '-1' } },
    want: ['overhead.limits[cpu]: Invalid value: "-1": must be greater than or equal to 0'],
  },
  {
    name: 'resource claims',
    spec: { resourceClaims: [{ name: 'a' }] },
    want: [
      'resourceClaims[0]: Invalid value: {"name":"a"}: must specify one of: `resourceClaimName`, `resourceClaimTemplateName`',
    ],
  },
]);

test('validation: the manifest of the example is right', () => {
  const found = faults({
    containers: [
      { name: 'container1', image: 'nginx', volumeMounts: [{ name: 'html', mountPath: '/usr/share/nginx/' }] },
      { name: 'container2', image: 'mysql', env: [{ name: 'MYSQL_ROOT_PASSWORD', value: 'root' }] },
      {
        name: 'container3',
        image: 'minio/minio',
        args: ['server', '--console-address', ':9001', '/storage'],
        volumeMounts: [{ name: 'storage', mountPath: '/storage' }],
      },
    ],
    volumes: [
      { name: 'html', emptyDir: {} },
      { name: 'storage', emptyDir: {} },
    ],
  });
  assert.deepEqual(found, []);
});

test('validation: a mirror pod says where it runs; a deletion cost is a number', () => {
  const annotations = {
    'kubernetes.io/config.mirror': 'x',
    'controller.kubernetes.io/pod-deletion-cost': '+1',
  };
  assert.deepEqual(faults({ containers: [{ name: 'a', image: 'x' }] }, { annotations }), [
    'metadata.annotations[kubernetes.io/config.mirror]: Invalid value: "x": must set spec.nodeName if mirror pod annotation is set',
    'metadata.annotations[controller.kubernetes.io/pod-deletion-cost]: Invalid value: "+1": must be a 32bit integer',
  ]);
});
