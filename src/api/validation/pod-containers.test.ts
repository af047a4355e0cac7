import { containerCases, specCases } from '#api/validation/pod-cases.test.ts';

const label =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const subdomain =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const envName = "a valid environment variable name must consist only of printable ASCII characters other than '='";
const portRange = 'must be between 1 and 65535, inclusive';

specCases('containers', [
  { name: 'none', spec: { containers: [] }, want: ['containers: Required value'] },
  {
    name: 'no name, no image',
    spec: { containers: [{}] },
    want: ['containers[0].name: Required value', 'containers[0].image: Required value'],
  },
  {
    name: 'a bad name',
    spec: { containers: [{ name: 'A', image: 'x' }] },
    want: [`containers[0].name: Invalid value: "A": ${label}`],
  },
  {
    name: 'the same name twice',
    spec: {
      containers: [
        { name: 'a', image: 'x' },
        { name: 'a', image: 'x' },
      ],
    },
    want: ['containers[1].name: Duplicate value: "a"'],
  },
  {
    name: 'the name of an init container',
    spec: { initContainers: [{ name: 'a', image: 'x' }] },
    want: ['initContainers[0].name: Duplicate value: "a"'],
  },
  {
    name: 'spaces around an image',
    spec: { containers: [{ name: 'a', image: ' x' }] },
    want: ['containers[0].image: Invalid value: " x": must not have leading or trailing whitespace'],
  },
  {
    name: 'host ports that collide',
    spec: {
      containers: ['a', 'b'].map((name) => ({ name, image: 'x', ports: [{ containerPort: 80, hostPort: 80 }] })),
    },
    want: ['containers[1].ports[0].hostPort: Duplicate value: "TCP//80"'],
  },
  {
    name: 'an init container that ends has no probes; a sidecar may',
    spec: {
      initContainers: [
        { name: 'i', image: 'x', livenessProbe: { tcpSocket: { port: 1 } }, lifecycle: {} },
        { name: 's', image: 'x', livenessProbe: { tcpSocket: { port: 1 } }, restartPolicy: 'Always' },
        { name: 't', image: 'x', restartPolicy: 'Never' },
        { name: 'u', image: 'x', restartPolicy: 'OnFailure', lifecycle: {} },
      ],
    },
    want: [
      'initContainers[0].lifecycle: Forbidden: may not be set for init containers without restartPolicy=Always',
      'initContainers[0].livenessProbe: Forbidden: may not be set for init containers without restartPolicy=Always',
      'initContainers[3].lifecycle: Forbidden: may not be set for init containers without restartPolicy=Always',
    ],
  },
  {
    name: 'ephemeral ones come later, and have little',
    spec: {
      ephemeralContainers: [
        { name: 'a', image: 'x', targetContainerName: 'no', ports: [{ containerPort: 1 }], lifecycle: { preStop: {} } },
      ],
    },
    want: [
      'ephemeralContainers[0].name: Duplicate value: "a"',
      'ephemeralContainers[0].targetContainerName: Not found: "no"',
      'ephemeralContainers[0].ports: Forbidden: cannot be set for an Ephemeral Container',
      'ephemeralContainers[0].lifecycle: Forbidden: cannot be set for an Ephemeral Container',
      'ephemeralContainers: Forbidden: cannot be set on create',
    ],
  },
]);

containerCases('container', [
  {
    name: 'policies',
    container: { imagePullPolicy: 'Sometimes', terminationMessagePolicy: 'None', restartPolicy: 'Sometimes' },
    want: [
      'terminationMessagePolicy: Unsupported value: "None": supported values: "File", "FallbackToLogsOnError"',
      'imagePullPolicy: Unsupported value: "Sometimes": supported values: "Always", "IfNotPresent", "Never"',
      'restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "Never", "OnFailure"',
    ],
  },
  {
    name: 'its own restart policy, with rules',
    container: {
      restartPolicy: 'Never',
      restartPolicyRules: [
        { action: 'Restart', exitCodes: { operator: 'In', values: [42] } },
        { action: 'RestartAllContainers', exitCodes: { operator: 'Of' } },
        { action: 'Restart' },
      ],
    },
    want: [
      'restartPolicyRules[1].action: Unsupported value: "RestartAllContainers": supported values: "Restart"',
      'restartPolicyRules[1].exitCodes.operator: Unsupported value: "Of": supported values: "In", "NotIn"',
      'restartPolicyRules[2].exitCodes: Required value: must be specified',
    ],
  },
  {
    name: 'rules without a policy',
    container: {
      restartPolicyRules: Array.from({ length: 21 }, () => ({ action: 'Restart', exitCodes: { operator: 'In' } })),
    },
    want: [
      'restartPolicy: Required value: must specify restartPolicy when restart rules are used',
      'restartPolicyRules: Too many: 21: must have at most 20 items',
    ],
  },
  {
    name: 'ports',
    container: {
      ports: [
        { containerPort: 80, name: 'http' },
        { containerPort: 81, name: 'http' },
        { containerPort: 99_999, hostPort: -1 },
        { protocol: 'ICMP' },
        { containerPort: 1, name: '80' },
      ],
    },
    want: [
      'ports[1].name: Duplicate value: "http"',
      `ports[2].containerPort: Invalid value: 99999: ${portRange}`,
      `ports[2].hostPort: Invalid value: -1: ${portRange}`,
      'ports[3].containerPort: Required value',
      'ports[3].protocol: Unsupported value: "ICMP": supported values: "SCTP", "TCP", "UDP"',
      'ports[4].name: Invalid value: "80": must contain at least one letter (a-z)',
    ],
  },
  {
    name: 'a resize policy',
    container: { resizePolicy: [{ resourceName: 'gpu', restartPolicy: 'RestartContainer' }] },
    spec: { restartPolicy: 'Never' },
    want: [
      'resizePolicy: Unsupported value: "gpu": supported values: "cpu", "memory"',
      "resizePolicy: Invalid value: \"RestartContainer\": must be 'NotRequired' when `restartPolicy` is 'Never'",
    ],
  },
]);

containerCases('env', [
  {
    name: 'names',
    container: { env: [{ value: 'x' }, { name: 'A=B' }] },
    want: [
      'env[0].name: Required value',
      `env[1].name: Invalid value: "A=B": a valid environment variable name must consist only of printable ASCII characters other than '='`,
    ],
  },
  {
    name: 'keys of files in no volume of the pod’s own',
    container: {
      env: [
        { name: 'A', valueFrom: { fileKeyRef: { volumeName: 'none', path: 'a', key: 'K' } } },
        { name: 'B', valueFrom: { fileKeyRef: { volumeName: 'v', path: '../a', key: 'K=' } } },
        { name: 'C', valueFrom: { fileKeyRef: { volumeName: 'h', path: '', key: '' } } },
      ],
    },
    want: [
      'env[0].valueFrom.fileKeyRef.volumeName: Not found: "none"',
      `env[1].valueFrom.fileKeyRef.key: Invalid value: "K=": ${envName}`,
      `env[1].valueFrom.fileKeyRef.volumeName: Not found: "v"`,
      `env[1].valueFrom.fileKeyRef.path: Invalid value: "../a": must not contain '..'`,
      'env[2].valueFrom.fileKeyRef.key: Required value',
      'env[2].valueFrom.fileKeyRef.volumeName: Not found: "h"',
      'env[2].valueFrom.fileKeyRef.path: Required value',
    ],
  },
  {
    name: 'sources',
    container: {
      env: [
        { name: 'A', valueFrom: {} },
        { name: 'B', value: 'b', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
        { name: 'C', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' }, secretKeyRef: { name: 's', key: 'k' } } },
      ],
    },
    want: [
      'env[0].valueFrom: Invalid value: "": must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`',
      'env[1].valueFrom: Invalid value: "": may not be specified when `value` is not empty',
      'env[2].valueFrom: Invalid value: "": may not have more than one field specified at a time',
    ],
  },
  {
    name: 'fields',
    container: {
      env: [
        { name: 'A', valueFrom: { fieldRef: { fieldPath: 'spec.image' } } },
        { name: 'B', valueFrom: { fieldRef: { fieldPath: 'status.phase' } } },
        { name: 'C', valueFrom: { fieldRef: { fieldPath: "metadata.labels['a b']" } } },
        { name: 'D', valueFrom: { fieldRef: { fieldPath: "metadata.annotations['a']" } } },
        { name: 'E', valueFrom: { fieldRef: { fieldPath: 'a', apiVersion: 'v2' } } },
      ],
    },
    want: [
      'env[0].valueFrom.fieldRef.fieldPath: Invalid value: "spec.image": error converting fieldPath: field label not supported: spec.image',
      'env[1].valueFrom.fieldRef.fieldPath: Unsupported value: "status.phase": supported values: "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"',
      `env[2].valueFrom.fieldRef: Invalid value: "a b": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`,
      'env[4].valueFrom.fieldRef.fieldPath: Invalid value: "a": error converting fieldPath: unsupported pod version: v2',
    ],
  },
  {
    name: 'resources, keys and whole maps',
    container: {
      env: [
        { name: 'A', valueFrom: { resourceFieldRef: { resource: 'limits.disk' } } },
        { name: 'B', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '1k' } } },
        { name: 'C', valueFrom: { configMapKeyRef: { name: 'c', key: 'a/b' } } },
      ],
      envFrom: [{}, { configMapRef: {} }, { configMapRef: { name: 'a' }, secretRef: { name: 'B' } }],
    },
    want: [
      'env[0].valueFrom.resourceFieldRef.resource: Unsupported value: "limits.disk": supported values: "limits.cpu", "limits.ephemeral-storage", "limits.memory", "requests.cpu", "requests.ephemeral-storage", "requests.memory"',
      'env[1].valueFrom.resourceFieldRef.divisor: Invalid value: "limits.cpu": only divisor\'s values 1m and 1 are supported with the cpu resource',
      "env[2].valueFrom.configMapKeyRef.key: Invalid value: \"a/b\": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
      'envFrom: Invalid value: "": must specify one of: `configMapRef` or `secretRef`',
      'envFrom[1].configMapRef.name: Required value',
      `envFrom[2].secretRef.name: Invalid value: "B": ${subdomain}`,
      'envFrom: Invalid value: "": may not have more than one field specified at a time',
    ],
  },
]);
