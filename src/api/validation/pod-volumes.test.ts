import { containerCases, specCases } from '#api/validation/pod-cases.test.ts';

const label =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const subdomain =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

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
