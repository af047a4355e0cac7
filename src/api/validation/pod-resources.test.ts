import { containerCases, specCases } from '#api/validation/pod-cases.test.ts';

const portRange = 'must be between 1 and 65535, inclusive';

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
    container: { resources: { requests: { foo: '1', pods: '1', [`a.b/${'x'.repeat(60)}`]: '1' } } },
    want: [
      'resources.requests[foo]: Invalid value: "foo": must be a standard resource type or fully qualified',
      'resources.requests[foo]: Invalid value: "foo": must be a standard resource for containers',
      'resources.requests[pods]: Invalid value: "pods": must be a standard resource for containers',
      'resources.limits: Required value: Limit must be set for non overcommitable resources',
    ],
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
