import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyStrategicMergePatch } from '#api/strategic-merge-patch.ts';
import { patchFacts, threeWayPatch } from '#cli/three-way-patch.ts';

type Spec = Readonly<Record<string, unknown>>;
const facts = patchFacts('v1', 'Pod');
const pod = (spec: Spec) => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a' }, spec });

const cases: readonly {
  name: string;
  last?: Spec;
  manifest: Spec;
  current: Spec;
  want: Spec | undefined;
  becomes?: Spec;
}[] = [
  { name: 'nothing to do', manifest: { nodeName: 'n' }, current: { nodeName: 'n', hostname: 'h' }, want: undefined },
  {
    name: 'a field is set',
    manifest: { nodeName: 'n' },
    current: {},
    want: { nodeName: 'n' },
    becomes: { nodeName: 'n' },
  },
  {
    name: 'a field that was asked for and is no longer goes',
    last: { nodeName: 'n', hostname: 'h' },
    manifest: { nodeName: 'n' },
    current: { nodeName: 'n', hostname: 'h' },
    want: { hostname: null },
    becomes: { nodeName: 'n' },
  },
  { name: 'gone already', last: { hostname: 'h' }, manifest: {}, current: {}, want: undefined },
  {
    name: 'a null asks for it to go',
    manifest: { hostname: null },
    current: { hostname: 'h' },
    want: { hostname: null },
    becomes: {},
  },
  {
    name: 'an element by its key',
    manifest: { containers: [{ name: 'b', image: '2' }] },
    current: {
      containers: [
        { name: 'a', image: '1' },
        { name: 'b', image: '1', stdin: true },
      ],
    },
    want: { '$setElementOrder/containers': [{ name: 'b' }], containers: [{ image: '2', name: 'b' }] },
    becomes: {
      containers: [
        { name: 'a', image: '1' },
        { name: 'b', image: '2', stdin: true },
      ],
    },
  },
  {
    name: 'an element that goes and one that comes',
    last: { containers: [{ name: 'a' }] },
    manifest: { containers: [{ name: 'c', image: '1' }] },
    current: { containers: [{ name: 'a' }, { name: 'b' }] },
    want: {
      '$setElementOrder/containers': [{ name: 'c' }],
      containers: [
        { name: 'c', image: '1' },
        { $patch: 'delete', name: 'a' },
      ],
    },
    becomes: { containers: [{ name: 'c', image: '1' }, { name: 'b' }] },
  },
  {
    name: 'a volume of another sort keeps nothing of the one before',
    manifest: { volumes: [{ name: 'v', emptyDir: {} }] },
    current: { volumes: [{ name: 'v', hostPath: { path: '/x', type: '' } }] },
    want: {
      '$setElementOrder/volumes': [{ name: 'v' }],
      volumes: [{ $retainKeys: ['emptyDir', 'name'], emptyDir: {}, name: 'v' }],
    },
    becomes: { volumes: [{ name: 'v', emptyDir: {} }] },
  },
  {
    name: 'a list without merge key is replaced',
    manifest: { containers: [{ name: 'a', args: ['x'] }] },
    current: { containers: [{ name: 'a', args: ['x', 'y'] }] },
    want: { '$setElementOrder/containers': [{ name: 'a' }], containers: [{ args: ['x'], name: 'a' }] },
    becomes: { containers: [{ name: 'a', args: ['x'] }] },
  },
  {
    name: 'quantities are compared by what they are worth',
    manifest: {
      containers: [{ name: 'a', resources: { limits: { cpu: '0.5', memory: '1024Mi' }, requests: { cpu: 1 } } }],
    },
    current: {
      containers: [{ name: 'a', resources: { limits: { cpu: '500m', memory: '1Gi' }, requests: { cpu: '1' } } }],
    },
    want: undefined,
  },
  {
    name: 'but differ when they differ',
    manifest: { containers: [{ name: 'a', resources: { limits: { cpu: '0.6' } } }] },
    current: { containers: [{ name: 'a', resources: { limits: { cpu: '500m' } } }] },
    want: {
      '$setElementOrder/containers': [{ name: 'a' }],
      containers: [{ resources: { limits: { cpu: '0.6' } }, name: 'a' }],
    },
    becomes: { containers: [{ name: 'a', resources: { limits: { cpu: '0.6' } } }] },
  },
  {
    name: 'what is left out when empty is not missed',
    manifest: {
      hostNetwork: false,
      containers: [{ name: 'a', env: [{ name: 'E', value: '' }], args: [] }],
      tolerations: [],
    },
    current: { containers: [{ name: 'a', env: [{ name: 'E' }] }] },
    want: undefined,
  },
  {
    name: 'what says something though empty is',
    manifest: { automountServiceAccountToken: false, terminationGracePeriodSeconds: 0 },
    current: {},
    want: { automountServiceAccountToken: false, terminationGracePeriodSeconds: 0 },
    becomes: { automountServiceAccountToken: false, terminationGracePeriodSeconds: 0 },
  },
];

for (const { name, last, manifest, current, want, becomes } of cases) {
  test(`three-way patch: ${name}`, () => {
    const sides = { last: last && pod(last), manifest: pod(manifest), current: pod(current) };
    const patch = threeWayPatch(sides, facts);
    assert.deepEqual(patch, want && { spec: want });
    // The server makes of it what was wanted, and then there is nothing to do.
    if (patch === undefined) return;
    const patched = applyStrategicMergePatch(sides.current, patch);
    assert.deepEqual(patched.spec, becomes);
    assert.equal(threeWayPatch({ ...sides, last: sides.manifest, current: patched }, facts), undefined);
  });
}

test('three-way patch: a set of texts grows and shrinks', () => {
  const object = (finalizers: readonly string[]) => ({ apiVersion: 'v1', kind: 'Pod', metadata: { finalizers } });
  const sides = {
    last: object(['a/x', 'a/y']),
    manifest: object(['a/y', 'a/z']),
    current: object(['a/x', 'a/y', 'b/b']),
  };
  const patch = threeWayPatch(sides, facts);
  assert.deepEqual(patch, {
    metadata: { finalizers: ['a/z'], '$deleteFromPrimitiveList/finalizers': ['a/x'] },
  });
  assert.deepEqual(applyStrategicMergePatch(sides.current, patch).metadata.finalizers.toSorted(), [
    'a/y',
    'a/z',
    'b/b',
  ]);
});
