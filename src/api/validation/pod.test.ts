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
/** Parts of the one container of a pod. */
function containerCases(
  group: string,
  cases: readonly (Case & { readonly container: object; readonly spec?: object })[],
): void {
  for (const { name, container, spec, want } of cases) {
    test(`validation, ${group}: ${name}`, () => {
      const found = faults({ containers: [{ name: 'a', image: 'x', ...container }], ...spec });
      assert.deepEqual(
        found,
        want.map((each) => (each.startsWith('spec') ? each : `spec.containers[0].${each}`)),
      );
    });
  }
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
      ],
    },
    want: [
      'initContainers[0].lifecycle: Forbidden: may not be set for init containers without restartPolicy=Always',
      'initContainers[0].livenessProbe: Forbidden: may not be set for init containers without restartPolicy=Always',
      'initContainers[2].restartPolicy: Unsupported value: "Never": supported values: "Always"',
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
    container: { imagePullPolicy: 'Sometimes', terminationMessagePolicy: 'None', restartPolicy: 'Always' },
    want: [
      'terminationMessagePolicy: Unsupported value: "None": supported values: "File", "FallbackToLogsOnError"',
      'imagePullPolicy: Unsupported value: "Sometimes": supported values: "Always", "IfNotPresent", "Never"',
      'restartPolicy: Forbidden: may not be set for non-init containers',
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
    name: 'sources',
    container: {
      env: [
        { name: 'A', valueFrom: {} },
        { name: 'B', value: 'b', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
        { name: 'C', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' }, secretKeyRef: { name: 's', key: 'k' } } },
      ],
    },
    want: [
      'env[0].valueFrom: Invalid value: "": must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`',
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

containerCases('resources', [
  {
    name: 'more requested than limited',
    container: { resources: { requests: { cpu: '2', memory: '2Gi' }, limits: { cpu: '1', memory: '2Gi' } } },
    want: ['resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1'],
  },
  {
    name: 'negative',
    container: { resources: { requests: { cpu: '-1' } } },
    want: ['resources.requests[cpu]: Invalid value: "-1": must be greater than or equal to 0'],
  },
  {
    name: 'no quantity',
    container: { resources: { limits: { cpu: 'lots' } } },
    want: ['limits', 'requests'].map(
      (list) =>
        `resources.${list}[cpu]: Invalid value: "lots": quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'`,
    ),
  },
  {
    name: 'names',
    container: { resources: { requests: { foo: '1', pods: '1' }, limits: { 'requests.a.b/c': '1' } } },
    want: [
      'resources.requests[foo]: Invalid value: "foo": must be a standard resource type or fully qualified',
      'resources.requests[foo]: Invalid value: "foo": must be a standard resource for containers',
      'resources.requests[pods]: Invalid value: "pods": must be a standard resource for containers',
    ]
      .reduce<string[]>(
        (all, each) => [...all, each],
        [
          'resources.limits[requests.a.b/c]: Invalid value: "requests.a.b/c": doesn\'t follow extended resource name standard',
        ],
      )
      .toSpliced(3, 0),
  },
  {
    name: 'extended resources are whole and not overcommitted',
    container: { resources: { requests: { 'a.b/c': '1', 'a.b/d': '1500m' }, limits: { 'a.b/c': '2' } } },
    want: [
      'resources.requests: Invalid value: "1": must be equal to a.b/c limit of 2',
      'resources.requests[a.b/d]: Invalid value: 1500m: must be an integer',
      'resources.limits: Required value: Limit must be set for non overcommitable resources',
    ],
  },
  {
    name: 'huge pages',
    container: { resources: { limits: { 'hugepages-2Mi': '3Mi' } } },
    want: [
      'resources.limits[hugepages-2Mi]: Invalid value: "3Mi": 3Mi is not positive integer multiple of hugepages-2Mi',
      'resources.requests[hugepages-2Mi]: Invalid value: "3Mi": 3Mi is not positive integer multiple of hugepages-2Mi',
      'resources: Forbidden: HugePages require cpu or memory',
    ],
  },
  {
    name: 'claims',
    container: { resources: { claims: [{ name: 'c' }, { name: 'c' }, { name: 'no' }] } },
    spec: { resourceClaims: [{ name: 'c', resourceClaimName: 'x' }] },
    want: [
      'resources.claims[1]: Duplicate value: "c"',
      'resources.claims[2]: Not found: "no": must be one of the names in pod.spec.resourceClaims: c',
    ],
  },
]);

specCases('pod-level resources', [
  {
    name: 'less than the containers ask for, and names',
    spec: {
      containers: [{ name: 'a', image: 'x', resources: { requests: { cpu: '1' }, limits: { memory: '2Gi' } } }],
      resources: { requests: { cpu: '500m', memory: '3Gi' }, limits: { memory: '1Gi' } },
    },
    want: ['resources.requests: Invalid value: "3Gi": must be less than or equal to memory limit of 1Gi'],
  },
  {
    name: 'sums and single limits',
    spec: {
      containers: [{ name: 'a', image: 'x', resources: { requests: { cpu: '1' }, limits: { cpu: '3' } } }],
      resources: { requests: { cpu: '500m' }, limits: { cpu: '2' } },
    },
    want: [
      'resources.requests[cpu]: Invalid value: "500m": must be greater than or equal to aggregate container requests of 1',
      'resources.containers[0][cpu].limits: Invalid value: "3": must be less than or equal to pod limits of 2',
    ],
  },
  {
    name: 'only cpu, memory and huge pages',
    spec: { resources: { requests: { 'ephemeral-storage': '1' } } },
    want: [
      'resources.requests[ephemeral-storage]: Unsupported value: "ephemeral-storage": supported values: "cpu", "hugepages-", "memory"',
    ],
  },
]);

const volume = (source: object): object => ({ volumes: [{ name: 'v', ...source }] });
specCases('volumes', [
  {
    name: 'names',
    spec: { volumes: [{ emptyDir: {} }, { name: 'A' }, { name: 'a' }, { name: 'a' }] },
    want: [
      'volumes[0].name: Required value',
      `volumes[1].name: Invalid value: "A": ${label}`,
      'volumes[3].name: Duplicate value: "a"',
    ],
  },
  {
    name: 'two sources',
    spec: volume({ emptyDir: {}, hostPath: { path: '/x' } }),
    want: ['volumes[0].hostPath: Forbidden: may not specify more than 1 volume type'],
  },
  {
    name: 'emptyDir',
    spec: volume({ emptyDir: { sizeLimit: '-1' } }),
    want: ['volumes[0].emptyDir.sizeLimit: Forbidden: SizeLimit field must be a valid resource quantity'],
  },
  {
    name: 'hostPath',
    spec: {
      volumes: [
        { name: 'a', hostPath: {} },
        { name: 'b', hostPath: { path: '/a/../b', type: 'Pipe' } },
      ],
    },
    want: [
      'volumes[0].hostPath.path: Required value',
      `volumes[1].hostPath.path: Invalid value: "/a/../b": must not contain '..'`,
      'volumes[1].hostPath.type: Unsupported value: "Pipe": supported values: "", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"',
    ],
  },
  {
    name: 'secret',
    spec: volume({ secret: { defaultMode: 0o1000, items: [{ path: '/a' }, { key: 'k', path: '..a', mode: -1 }] } }),
    want: [
      'volumes[0].secret.secretName: Required value',
      'volumes[0].secret.defaultMode: Invalid value: 512: must be a number between 0 and 0777 (octal), both inclusive',
      'volumes[0].secret.items[0].key: Required value',
      'volumes[0].secret.items[0].path: Invalid value: "/a": must be a relative path',
      `volumes[0].secret.items[1].path: Invalid value: "..a": must not start with '..'`,
      'volumes[0].secret.items[1].mode: Invalid value: -1: must be a number between 0 and 0777 (octal), both inclusive',
    ],
  },
  { name: 'configMap', spec: volume({ configMap: {} }), want: ['volumes[0].configMap.name: Required value'] },
  {
    name: 'claim',
    spec: volume({ persistentVolumeClaim: {} }),
    want: ['volumes[0].persistentVolumeClaim.claimName: Required value'],
  },
  {
    name: 'downward API',
    spec: volume({
      downwardAPI: { items: [{ path: 'a' }, { path: 'b', resourceFieldRef: { resource: 'limits.cpu' } }] },
    }),
    want: [
      'volumes[0].downwardAPI: Required value: one of fieldRef and resourceFieldRef is required',
      'volumes[0].downwardAPI.resourceFieldRef.containerName: Required value',
    ],
  },
  {
    name: 'projected',
    spec: volume({
      projected: {
        sources: [
          { secret: { name: 's', items: [{ key: 'k', path: 'p' }] }, configMap: {} },
          { configMap: { name: 'c', items: [{ key: 'k', path: 'p' }] } },
          { serviceAccountToken: { path: 't', expirationSeconds: 5 } },
        ],
      },
    }),
    want: [
      'volumes[0].projected.sources[0].configMap.name: Required value',
      'volumes[0].projected.sources[0]: Forbidden: may not specify more than 1 volume type per source',
      'volumes[0].projected: Invalid value: "c": conflicting duplicate paths',
      'volumes[0].projected.sources[2].serviceAccountToken.expirationSeconds: Invalid value: 5: may not specify a duration less than 10 minutes',
      'volumes[0].projected.sources[2].serviceAccountToken: Forbidden: must not be specified when serviceAccountName is not set',
    ],
  },
  {
    name: 'ephemeral',
    spec: volume({ ephemeral: { volumeClaimTemplate: { metadata: { name: 'x' }, spec: { accessModes: ['Any'] } } } }),
    want: [
      'volumes[0].ephemeral.volumeClaimTemplate.metadata.name: Forbidden: cannot be set',
      'volumes[0].ephemeral.volumeClaimTemplate.spec.accessModes: Unsupported value: "Any": supported values: "ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"',
      'volumes[0].ephemeral.volumeClaimTemplate.spec.resources[storage]: Required value',
    ],
  },
  {
    name: 'others are checked for what they need',
    spec: {
      volumes: [
        { name: 'a', nfs: { path: 'x' } },
        { name: 'b', csi: {} },
        { name: 'c', rbd: { image: 'i' } },
      ],
    },
    want: [
      'volumes[0].nfs.server: Required value',
      'volumes[0].nfs.path: Invalid value: "x": must be an absolute path',
      'volumes[1].csi.driver: Required value',
      `volumes[1].csi.driver: Invalid value: "": ${subdomain}`,
      'volumes[2].rbd.monitors: Required value',
    ],
  },
]);

containerCases('mounts', [
  {
    name: 'names and paths',
    container: {
      volumeMounts: [
        { name: 'v', mountPath: '/a' },
        { name: 'w', mountPath: '/a' },
        { mountPath: '/b' },
        { name: 'v' },
        { name: 'v', mountPath: '/c', subPath: '/x', subPathExpr: '../y' },
        { name: 'v', mountPath: '/d', mountPropagation: 'Bidirectional', recursiveReadOnly: 'Enabled' },
      ],
    },
    spec: volume({ emptyDir: {} }),
    want: [
      'volumeMounts[1].name: Not found: "w"',
      'volumeMounts[1].mountPath: Invalid value: "/a": must be unique',
      'volumeMounts[2].name: Required value',
      'volumeMounts[2].name: Not found: ""',
      'volumeMounts[3].mountPath: Required value',
      'volumeMounts[4].subPath: Invalid value: "/x": must be a relative path',
      'volumeMounts[4].subPathExpr: Invalid value: "../y": subPathExpr and subPath are mutually exclusive',
      `volumeMounts[4].subPathExpr: Invalid value: "../y": must not contain '..'`,
      'volumeMounts[5].mountPropagation: Forbidden: Bidirectional mount propagation is available only to privileged containers',
      'volumeMounts[5].recursiveReadOnly: Forbidden: may only be specified when readOnly is true',
      'volumeMounts[5].recursiveReadOnly: Forbidden: may only be specified when mountPropagation is None or not specified',
    ],
  },
  {
    name: 'devices are claims',
    container: { volumeDevices: [{ name: 'v', devicePath: '/dev/x' }, { name: 'no' }] },
    spec: volume({ emptyDir: {} }),
    want: [
      'volumeDevices[0].name: Invalid value: "v": can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode',
      'volumeDevices[1].name: Not found: "no"',
      'volumeDevices[1].devicePath: Required value',
    ],
  },
]);

containerCases('probes', [
  {
    name: 'no handler',
    container: { livenessProbe: {} },
    want: ['livenessProbe: Required value: must specify a handler type'],
  },
  {
    name: 'two handlers',
    container: { readinessProbe: { exec: { command: ['a'] }, tcpSocket: { port: 1 } } },
    want: ['readinessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type'],
  },
  {
    name: 'handlers',
    container: {
      livenessProbe: { exec: {} },
      readinessProbe: { httpGet: { port: 0, scheme: 'FTP', httpHeaders: [{ name: 'a b', value: '' }] } },
      startupProbe: { grpc: { port: 70_000 } },
    },
    want: [
      'livenessProbe.exec.command: Required value',
      `readinessProbe.httpGet.port: Invalid value: 0: ${portRange}`,
      'readinessProbe.httpGet.scheme: Unsupported value: "FTP": supported values: "HTTP", "HTTPS"',
      "readinessProbe.httpGet.httpHeaders: Invalid value: \"a b\": a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')",
      `startupProbe.grpc.port: Invalid value: 70000: ${portRange}`,
    ],
  },
  {
    name: 'numbers',
    container: {
      livenessProbe: { tcpSocket: { port: 1 }, successThreshold: 2, terminationGracePeriodSeconds: 0 },
      readinessProbe: { tcpSocket: { port: 1 }, periodSeconds: -1, terminationGracePeriodSeconds: 1 },
    },
    want: [
      'livenessProbe.terminationGracePeriodSeconds: Invalid value: 0: must be greater than 0',
      'livenessProbe.successThreshold: Invalid value: 2: must be 1',
      'readinessProbe.periodSeconds: Invalid value: -1: must be greater than or equal to 0',
      'readinessProbe.terminationGracePeriodSeconds: Invalid value: 1: must not be set for readinessProbes',
    ],
  },
  {
    name: 'hooks',
    container: { lifecycle: { postStart: {}, preStop: { sleep: { seconds: 31 } } } },
    want: [
      'lifecycle.postStart: Required value: must specify a handler type',
      'lifecycle.preStop.sleep: Invalid value: 31: must be non-negative and less than terminationGracePeriodSeconds (30)',
    ],
  },
]);

containerCases('security', [
  {
    name: 'of a container',
    container: {
      securityContext: {
        runAsUser: -1,
        privileged: true,
        allowPrivilegeEscalation: false,
        procMount: 'Unmasked',
        seccompProfile: { type: 'Localhost' },
        appArmorProfile: { type: 'Other' },
      },
    },
    want: [
      'securityContext.runAsUser: Invalid value: -1: must be between 0 and 4294967295, inclusive',
      'securityContext.procMount: Invalid value: "Unmasked": `hostUsers` must be false to use `Unmasked`',
      'securityContext.seccompProfile.localhostProfile: Required value: must be set when seccomp type is Localhost',
      'securityContext.appArmorProfile.type: Unsupported value: "Other": supported values: "Localhost", "RuntimeDefault", "Unconfined"',
      'securityContext: Invalid value: {"runAsUser":-1,"privileged":true,"allowPrivilegeEscalation":false,"procMount":"Unmasked","seccompProfile":{"type":"Localhost"},"appArmorProfile":{"type":"Other"}}: cannot set `allowPrivilegeEscalation` to false and `privileged` to true',
    ],
  },
]);

specCases('security of a pod', [
  {
    name: 'groups, sysctls and namespaces',
    spec: {
      hostPID: true,
      shareProcessNamespace: true,
      hostNetwork: true,
      hostUsers: false,
      securityContext: {
        fsGroup: -1,
        supplementalGroups: [1, -2],
        sysctls: [
          { name: 'net.core.somaxconn', value: '1' },
          { name: 'A B', value: '' },
        ],
        fsGroupChangePolicy: 'Never',
      },
    },
    want: [
      'shareProcessNamespace: Invalid value: true: ShareProcessNamespace and HostPID cannot both be enabled',
      'hostNetwork: Forbidden: when `pod.Spec.HostUsers` is false',
      'HostPID: Forbidden: when `pod.Spec.HostUsers` is false',
      'securityContext.fsGroup: Invalid value: -1: must be between 0 and 4294967295, inclusive',
      'securityContext.supplementalGroups[1]: Invalid value: -2: must be between 0 and 4294967295, inclusive',
      `securityContext.sysctls[0].name: Invalid value: "net.core.somaxconn": may not be specified when 'hostNetwork' is true`,
      'securityContext.sysctls[1].name: Invalid value: "A B": must have at most 253 characters and match regex ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$',
      'securityContext.fsGroupChangePolicy: Unsupported value: "Never": supported values: "Always", "OnRootMismatch"',
    ],
  },
  {
    name: 'another system',
    spec: { os: { name: 'windows' }, hostPID: true, securityContext: { runAsUser: 1 } },
    want: [
      'hostPID: Forbidden: cannot be set for a windows pod',
      'securityContext.runAsUser: Forbidden: cannot be set for a windows pod',
    ],
  },
  {
    name: 'an unknown system',
    spec: { os: { name: 'plan9' } },
    want: ['os: Unsupported value: "plan9": supported values: "linux", "windows"'],
  },
]);

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
