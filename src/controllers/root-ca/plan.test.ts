import assert from 'node:assert/strict';
import test from 'node:test';
import type { ConfigMap, Namespace } from '#api/generated/core-v1.ts';
import type { ResourceVersion, Uid } from '#api/meta.ts';
import { planRootCa } from '#controllers/root-ca/plan.ts';

const metadata = {
  uid: 'u' as Uid,
  resourceVersion: '1' as ResourceVersion,
  creationTimestamp: '2026-01-01T00:00:00Z',
};
const active: Namespace = {
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { ...metadata, name: 'shop' },
  spec: {},
  status: { phase: 'Active' },
};
const going: Namespace = { ...active, metadata: { ...active.metadata, deletionTimestamp: '2026-01-01T00:00:01Z' } };
const right: ConfigMap = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: {
    ...metadata,
    name: 'kube-root-ca.crt',
    namespace: 'shop',
    annotations: { 'kubernetes.io/description': 'mine' },
  },
  data: { 'ca.crt': 'PEM' },
};

const cases: readonly { name: string; namespace?: Namespace; configMap?: ConfigMap; want: string; data?: object }[] = [
  { name: 'missing: made', namespace: active, want: 'create', data: { 'ca.crt': 'PEM' } },
  { name: 'right: left alone, whatever its description says', namespace: active, configMap: right, want: 'nothing' },
  {
    name: 'another certificate: repaired',
    namespace: active,
    configMap: { ...right, data: { 'ca.crt': 'old' } },
    want: 'update',
    data: { 'ca.crt': 'PEM' },
  },
  {
    name: 'something beside it: repaired',
    namespace: active,
    configMap: { ...right, data: { ...right.data, x: 'y' } },
    want: 'update',
    data: { 'ca.crt': 'PEM' },
  },
  {
    name: 'no data: repaired',
    namespace: active,
    configMap: { ...right, data: {} },
    want: 'update',
    data: { 'ca.crt': 'PEM' },
  },
  {
    name: 'no description: repaired',
    namespace: active,
    configMap: { ...right, metadata: { ...right.metadata, annotations: { a: 'b' } } },
    want: 'update',
    data: { 'ca.crt': 'PEM' },
  },
  { name: 'a namespace that is going gets none', namespace: going, want: 'nothing' },
  { name: 'a namespace that is gone gets none', want: 'nothing' },
];
for (const { name, namespace, configMap, want, data } of cases) {
  test(`planRootCa: ${name}`, () => {
    const plan = planRootCa(namespace, configMap, 'PEM');
    assert.equal(plan.kind, want);
    if (plan.kind === 'nothing') return;
    assert.deepEqual(plan.object.data, data);
    assert.match(plan.object.metadata.annotations?.['kubernetes.io/description'] ?? '', /^Contains a CA bundle/);
    // Once it has been done there is nothing left to do.
    const done = { ...right, ...plan.object, metadata: { ...right.metadata, ...plan.object.metadata } } as ConfigMap;
    assert.equal(planRootCa(namespace, done, 'PEM').kind, 'nothing');
  });
}

test('planRootCa: a repair keeps what others have annotated and labelled', () => {
  const labels = { team: 'a' };
  const configMap = { ...right, metadata: { ...right.metadata, annotations: { a: 'b' }, labels } };
  const plan = planRootCa(active, configMap, 'PEM');
  assert.ok(plan.kind === 'update');
  assert.equal(plan.object.metadata.annotations?.['a'], 'b');
  assert.deepEqual(plan.object.metadata.labels, labels);
});
