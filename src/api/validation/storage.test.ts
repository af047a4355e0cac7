import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { canonicalObject } from '#api/canonical.ts';
import { defaultObject } from '#api/defaults/defaults.ts';
import { kindFacts } from '#api/fact-table.ts';
import { fieldErrorText } from '#api/field-error.ts';
import { mangle, pathsOf } from '#api/validation/mangled.ts';
import { validateCreate, validateStatusUpdate, validateUpdate } from '#api/validation/validation.ts';

interface Typed {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: object;
}

const of = (apiVersion: string, kind: string, parts: object, namespace?: string): Typed =>
  defaultObject({
    apiVersion,
    kind,
    metadata: { name: 'x', resourceVersion: '1', ...(namespace === undefined ? {} : { namespace }) },
    ...parts,
  });
const volumeOf = (spec: object): Typed =>
  of('v1', 'PersistentVolume', {
    spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/data' }, ...spec },
  });
const claimOf = (spec: object, status: object = {}): Typed =>
  of(
    'v1',
    'PersistentVolumeClaim',
    { spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...spec }, status },
    'default',
  );
const classOf = (parts: object): Typed =>
  of('storage.k8s.io/v1', 'StorageClass', { provisioner: 'example.com/disk', ...parts });
const attachmentOf = (spec: object): Typed =>
  of('storage.k8s.io/v1', 'VolumeAttachment', {
    spec: { attacher: 'd.example.com', nodeName: 'n', source: { persistentVolumeName: 'v' }, ...spec },
  });

const affinity = { required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'a', operator: 'Exists' }] }] } };

const created: readonly { readonly name: string; readonly object: Typed; readonly want: readonly string[] }[] = [
  { name: 'a hostPath volume', object: volumeOf({}), want: [] },
  {
    name: 'a volume without anything',
    object: of('v1', 'PersistentVolume', { spec: {} }),
    want: [
      'spec.accessModes: Required value',
      'spec.capacity: Required value',
      'spec.capacity: Unsupported value: {}: supported values: "storage"',
      'spec: Required value: must specify a volume type',
    ],
  },
  {
    name: 'a volume of nothing',
    object: volumeOf({ capacity: { storage: '0' } }),
    want: ['spec.capacity[storage]: Invalid value: "0": must be greater than zero'],
  },
  {
    name: 'a volume in two places',
    object: volumeOf({ nfs: { server: 'a', path: '/b' } }),
    want: ['spec.nfs: Forbidden: may not specify more than 1 volume type'],
  },
  {
    name: 'a local volume that is nowhere in particular',
    object: volumeOf({ hostPath: undefined, local: { path: '/disk' } }),
    want: ['spec.nodeAffinity: Required value: Local volume requires node affinity'],
  },
  {
    name: 'a local volume',
    object: volumeOf({ hostPath: undefined, local: { path: '/disk' }, nodeAffinity: affinity }),
    want: [],
  },
  {
    name: 'a volume that would empty the host',
    object: volumeOf({ hostPath: { path: '/' }, persistentVolumeReclaimPolicy: 'Recycle' }),
    want: ["spec.persistentVolumeReclaimPolicy: Forbidden: may not be 'recycle' for a hostPath mount of '/'"],
  },
  {
    name: 'a CSI volume without a handle, its secret without a namespace',
    object: volumeOf({ hostPath: undefined, csi: { driver: 'd', nodePublishSecretRef: { name: 's' } } }),
    want: ['spec.csi.volumeHandle: Required value', 'spec.csi.nodePublishSecretRef.namespace: Required value'],
  },
  {
    name: 'one pod and many',
    object: volumeOf({ accessModes: ['ReadWriteOncePod', 'ReadOnlyMany'] }),
    want: ['spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes'],
  },
  { name: 'a claim', object: claimOf({ storageClassName: '' }), want: [] },
  {
    name: 'a claim for nothing',
    object: claimOf({ resources: {}, accessModes: [] }),
    want: [
      'spec.accessModes: Required value: at least 1 access mode is required',
      'spec.resources[storage]: Required value',
    ],
  },
  {
    name: 'a claim whose two sources differ',
    object: claimOf({
      dataSource: { kind: 'PersistentVolumeClaim', name: 'a' },
      dataSourceRef: { kind: 'PersistentVolumeClaim', name: 'b' },
    }),
    want: ['spec: Invalid value: "dataSource": must match dataSourceRef'],
  },
  { name: 'a class', object: classOf({}), want: [] },
  {
    name: 'a class nobody makes volumes of',
    object: classOf({ provisioner: '', reclaimPolicy: 'Recycle', volumeBindingMode: 'Later' }),
    want: [
      'provisioner: Required value',
      'reclaimPolicy: Unsupported value: "Recycle": supported values: "Delete", "Retain"',
      'volumeBindingMode: Unsupported value: "Later": supported values: "Immediate", "WaitForFirstConsumer"',
    ],
  },
  {
    name: 'a class with a topology said twice',
    object: classOf({
      allowedTopologies: [
        { matchLabelExpressions: [{ key: 'zone', values: ['a', 'b'] }] },
        { matchLabelExpressions: [{ key: 'zone', values: ['b', 'a'] }] },
      ],
    }),
    want: ['allowedTopologies[1].matchLabelExpressions: Duplicate value: ""'],
  },
  {
    name: 'a node that says one driver twice',
    object: of('storage.k8s.io/v1', 'CSINode', {
      spec: {
        drivers: [
          { name: 'd', nodeID: 'n', allocatable: { count: -1 } },
          { name: 'd', nodeID: '' },
        ],
      },
    }),
    want: [
      'spec.drivers[0].allocatable.count: Invalid value: -1: must be greater than or equal to 0',
      'spec.drivers[1].nodeID: Required value',
      'spec.drivers[1].name: Duplicate value: "d"',
    ],
  },
  {
    name: 'a driver that wants short tokens',
    object: of('storage.k8s.io/v1', 'CSIDriver', {
      spec: { tokenRequests: [{ audience: 'a', expirationSeconds: 60 }, { audience: 'a' }] },
    }),
    want: [
      'spec.tokenRequests[0].expirationSeconds: Invalid value: 60: may not specify a duration less than 10 minutes',
      'spec.tokenRequests[1].audience: Duplicate value: "a"',
    ],
  },
  {
    name: 'a capacity below zero',
    object: of('storage.k8s.io/v1', 'CSIStorageCapacity', { storageClassName: 'c', capacity: '-1' }, 'default'),
    want: ['capacity: Invalid value: "-1": must be greater than or equal to 0'],
  },
  { name: 'an attachment', object: attachmentOf({}), want: [] },
  {
    name: 'an attachment of nothing',
    object: attachmentOf({ source: {} }),
    want: ['spec.source: Required value: must specify exactly one of inlineVolumeSpec and persistentVolumeName'],
  },
  {
    name: 'an attachment of a volume with a size',
    object: attachmentOf({
      source: {
        inlineVolumeSpec: {
          accessModes: ['ReadWriteOnce'],
          capacity: { storage: '1Gi' },
          csi: { driver: 'd', volumeHandle: 'h' },
        },
      },
    }),
    want: ['spec.source.inlineVolumeSpec.capacity: Forbidden: may not be specified in the context of inline volumes'],
  },
];
for (const { name, object, want } of created) {
  test(`storage: ${name}`, () => assert.deepEqual(validateCreate(object).map(fieldErrorText), want));
}

const bound = { phase: 'Bound', capacity: { storage: '1Gi' } };
const sized = (storage: string, more: object = {}): object => ({ resources: { requests: { storage } }, ...more });
const claimSpec =
  'spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n';

const updates: readonly {
  readonly name: string;
  readonly old: Typed;
  readonly object: Typed;
  readonly want: readonly string[];
}[] = [
  { name: 'a volume is claimed', old: volumeOf({}), object: volumeOf({ claimRef: { name: 'c' } }), want: [] },
  {
    name: 'a volume moves',
    old: volumeOf({}),
    object: volumeOf({ hostPath: { path: '/other' } }),
    want: [
      'spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable after creation\nspec.hostPath.path: "/data" -> "/other"',
    ],
  },
  { name: 'a volume learns where it is', old: volumeOf({}), object: volumeOf({ nodeAffinity: affinity }), want: [] },
  { name: 'a claim gets its volume', old: claimOf({}), object: claimOf({ volumeName: 'v' }), want: [] },
  {
    name: 'a claim gets another volume',
    old: claimOf({ volumeName: 'v' }),
    object: claimOf({ volumeName: 'w' }),
    want: [`${claimSpec}spec.volumeName: "v" -> "w"`],
  },
  { name: 'a claim is given a class', old: claimOf({}), object: claimOf({ storageClassName: 'c' }), want: [] },
  {
    name: 'a claim changes its class',
    old: claimOf({ storageClassName: 'b' }),
    object: claimOf({ storageClassName: 'c' }),
    want: [`${claimSpec}spec.storageClassName: "b" -> "c"`],
  },
  { name: 'a bound claim grows', old: claimOf({}, bound), object: claimOf(sized('2Gi'), bound), want: [] },
  {
    name: 'an unbound claim grows',
    old: claimOf({}),
    object: claimOf(sized('2Gi')),
    want: [`${claimSpec}spec.resources.requests.storage: "1Gi" -> "2Gi"`],
  },
  {
    name: 'a bound claim shrinks below what it has',
    old: claimOf({}, bound),
    object: claimOf(sized('512Mi'), bound),
    want: ['spec.resources.requests.storage: Forbidden: field can not be less than status.capacity'],
  },
  {
    name: 'a class changes its mind',
    old: classOf({}),
    object: classOf({ provisioner: 'example.com/other', volumeBindingMode: 'WaitForFirstConsumer' }),
    want: [
      'provisioner: Forbidden: updates to provisioner are forbidden.',
      'volumeBindingMode: Invalid value: "WaitForFirstConsumer": field is immutable',
    ],
  },
];
for (const { name, old, object, want } of updates) {
  test(`storage: ${name}`, () => assert.deepEqual(validateUpdate(object, old).map(fieldErrorText), want));
}

test('storage: a claim may not be said to have got less than nothing', () => {
  const got = claimOf({}, { phase: 'Bound', capacity: { storage: '-1Gi' } });
  assert.deepEqual(validateStatusUpdate(got, claimOf({})).map(fieldErrorText), [
    'status.capacity[storage]: Invalid value: "-1Gi": must be greater than or equal to 0',
  ]);
});

test('storage: what is not said is filled in as upstream does', () => {
  const { spec, status } = defaultObject(volumeOf({})) as Typed & { spec: object; status: object };
  assert.deepEqual(
    [spec, status],
    [
      {
        capacity: { storage: '1Gi' },
        accessModes: ['ReadWriteOnce'],
        hostPath: { path: '/data', type: '' },
        persistentVolumeReclaimPolicy: 'Retain',
        volumeMode: 'Filesystem',
      },
      { phase: 'Pending' },
    ],
  );
  const { reclaimPolicy, volumeBindingMode } = classOf({}) as Typed & Record<string, unknown>;
  assert.deepEqual([reclaimPolicy, volumeBindingMode], ['Delete', 'Immediate']);
  const driver = of('storage.k8s.io/v1', 'CSIDriver', { spec: {} }) as Typed & { spec: object };
  assert.deepEqual(driver.spec, {
    attachRequired: true,
    podInfoOnMount: false,
    storageCapacity: false,
    fsGroupPolicy: 'ReadWriteOnceWithFSType',
    requiresRepublish: false,
    seLinuxMount: false,
    volumeLifecycleModes: ['Persistent'],
  });
});

const whole: readonly Typed[] = [
  volumeOf({ nodeAffinity: affinity, claimRef: { namespace: 'default', name: 'c' }, mountOptions: ['ro'] }),
  volumeOf({
    hostPath: undefined,
    csi: { driver: 'd', volumeHandle: 'h', nodePublishSecretRef: { name: 's', namespace: 'n' } },
  }),
  claimOf({ selector: { matchLabels: { a: 'b' } }, dataSource: { kind: 'PersistentVolumeClaim', name: 'a' } }, bound),
  classOf({ parameters: { a: 'b' }, allowedTopologies: [{ matchLabelExpressions: [{ key: 'zone', values: ['a'] }] }] }),
  attachmentOf({}),
  attachmentOf({
    source: { inlineVolumeSpec: { accessModes: ['ReadWriteOnce'], csi: { driver: 'd', volumeHandle: 'h' } } },
  }),
  of('storage.k8s.io/v1', 'CSINode', {
    spec: { drivers: [{ name: 'd', nodeID: 'n', topologyKeys: ['zone'], allocatable: { count: 1 } }] },
  }),
  of('storage.k8s.io/v1', 'CSIDriver', { spec: { tokenRequests: [{ audience: 'a', expirationSeconds: 600 }] } }),
  of(
    'storage.k8s.io/v1',
    'CSIStorageCapacity',
    { storageClassName: 'c', capacity: '1Gi', nodeTopology: { matchLabels: { a: 'b' } } },
    'default',
  ),
];
const parts = whole.flatMap((object) =>
  pathsOf(object)
    .filter(([first]) => first !== undefined && first !== 'apiVersion' && first !== 'kind' && first !== 'metadata')
    .map((path) => ({ object, path })),
);

test('storage: whatever is left out or null, it answers and does not throw', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...parts),
      fc.constantFrom('gone' as const, 'null' as const),
      ({ object, path }, kind) => {
        const facts = kindFacts(object.apiVersion, object.kind);
        assert.ok(facts);
        const mangled = defaultObject(canonicalObject(facts, mangle(object, path, kind) as Typed));
        validateCreate(mangled);
        validateUpdate(mangled, object);
        validateStatusUpdate(mangled, object);
      },
    ),
    { numRuns: 1_000 },
  );
});
