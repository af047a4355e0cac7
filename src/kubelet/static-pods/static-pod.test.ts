import assert from 'node:assert/strict';
import test from 'node:test';
import { isStaticPod } from '#api/pod-source.ts';
import { staticPodOf } from '#kubelet/static-pods/static-pod.ts';

const source = { path: '/etc/manifests/web.yaml', modifiedAt: Date.parse('2026-01-01T00:00:00Z'), node: 'node1' };
const manifest = (spec: object = {}, metadata: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', ...metadata },
  spec: { containers: [{ name: 'c', image: 'nginx' }], ...spec },
});
const podOf = (value: object, more: Partial<typeof source> = {}) => {
  const read = staticPodOf(value, { ...source, ...more });
  assert.ok(read.kind === 'pod', JSON.stringify(read));
  return read.pod;
};

test('static pod: it is named after its node, bound to it, complete, and stays whatever happens', () => {
  const pod = podOf(manifest());
  assert.equal(pod.metadata.name, 'web-node1');
  assert.equal(pod.metadata.namespace, 'default');
  assert.match(pod.metadata.uid, /^[0-9a-f]{32}$/);
  assert.deepEqual(pod.metadata.annotations, {
    'kubernetes.io/config.hash': pod.metadata.uid,
    'kubernetes.io/config.seen': '2026-01-01T00:00:00.000Z',
    'kubernetes.io/config.source': 'file',
  });
  assert.equal(pod.spec.nodeName, 'node1');
  assert.equal(pod.spec.restartPolicy, 'Always');
  assert.equal(pod.spec.containers[0]?.terminationMessagePath, '/dev/termination-log');
  assert.deepEqual(pod.spec.tolerations, [{ operator: 'Exists', effect: 'NoExecute' }]);
  assert.deepEqual(pod.status, { phase: 'Pending', qosClass: 'BestEffort' });
  assert.ok(isStaticPod(pod));
});

test('static pod: its UID is a hash of what the file says, where it lies and whose it is', () => {
  const { uid } = podOf(manifest()).metadata;
  assert.equal(podOf(manifest(), { modifiedAt: 0 }).metadata.uid, uid, 'only written again');
  assert.equal(podOf({ ...manifest(), status: { phase: 'Running' } }).metadata.uid, uid, 'a status is nobody’s wish');
  const others = [
    podOf(manifest({ containers: [{ name: 'c', image: 'nginx:2' }] })),
    podOf(manifest({}, { labels: { a: 'b' } })),
    podOf(manifest(), { path: '/elsewhere' }),
    podOf(manifest(), { node: 'node2' }),
  ];
  for (const other of others) assert.notEqual(other.metadata.uid, uid);
  assert.equal(podOf(manifest({}, { uid: 'mine' })).metadata.uid === 'mine', false);
});

const refused: readonly { readonly name: string; readonly value: unknown; readonly want: RegExp }[] = [
  { name: 'nothing', value: null, want: /^a Pod is wanted, this is no object$/ },
  { name: 'a list', value: [manifest()], want: /no object/ },
  {
    name: 'another kind',
    value: { ...manifest(), kind: 'Deployment', apiVersion: 'apps/v1' },
    want: /^a Pod of v1 is wanted, this is "Deployment" of "apps\/v1"$/,
  },
  { name: 'no name', value: { ...manifest(), metadata: {} }, want: /^metadata\.name: Required value/ },
  { name: 'no containers', value: manifest({ containers: [] }), want: /^spec\.containers: Required value$/ },
  { name: 'a field of a wrong type', value: manifest({ containers: 'c' }), want: /cannot unmarshal string/ },
  {
    name: 'a wrong value',
    value: manifest({ restartPolicy: 'Sometimes' }),
    want: /^spec\.restartPolicy: Unsupported value/,
  },
  {
    name: 'a service account',
    value: manifest({ serviceAccountName: 'robot' }),
    want: /^static pods may not reference serviceaccounts$/,
  },
  {
    name: 'a secret in the environment',
    value: manifest({
      containers: [{ name: 'c', image: 'x', envFrom: [{ secretRef: { name: 's' } }] }],
    }),
    want: /may not reference secrets$/,
  },
  {
    name: 'a config map as a volume',
    value: manifest({ volumes: [{ name: 'v', configMap: { name: 'm' } }] }),
    want: /may not reference configmaps$/,
  },
  {
    name: 'a token',
    value: manifest({ volumes: [{ name: 'v', projected: { sources: [{ serviceAccountToken: { path: 't' } }] } }] }),
    want: /serviceAccountToken: Forbidden: must not be specified when serviceAccountName is not set$/,
  },
  {
    name: 'a claim',
    value: manifest({ volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'c' } }] }),
    want: /may not reference persistentvolumeclaims$/,
  },
];

for (const { name, value, want } of refused) {
  test(`static pod: ${name} is refused`, () => {
    const read = staticPodOf(value, source);
    assert.match(read.kind === 'unreadable' ? read.why : 'a pod', want);
  });
}
