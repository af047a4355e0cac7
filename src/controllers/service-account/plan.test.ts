import assert from 'node:assert/strict';
import test from 'node:test';
import type { Namespace, ServiceAccount } from '#api/generated/core-v1.ts';
import type { ResourceVersion, Uid } from '#api/meta.ts';
import { planServiceAccount } from '#controllers/service-account/plan.ts';

const metadata = {
  uid: 'u' as Uid,
  resourceVersion: '1' as ResourceVersion,
  creationTimestamp: '2026-01-01T00:00:00Z',
};
const active: Namespace = {
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { ...metadata, name: 'shop' },
  spec: { finalizers: ['kubernetes'] },
  status: { phase: 'Active' },
};
const going: Namespace = { ...active, metadata: { ...active.metadata, deletionTimestamp: '2026-01-01T00:00:01Z' } };
const account: ServiceAccount = {
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  metadata: { ...metadata, name: 'default', namespace: 'shop' },
};
const create = {
  kind: 'create',
  object: { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: 'shop' } },
};

const cases: readonly { name: string; namespace?: Namespace; account?: ServiceAccount; want: object }[] = [
  { name: 'an active namespace without one gets one', namespace: active, want: create },
  { name: 'a namespace whose status is not yet written gets one', namespace: { ...active, status: {} }, want: create },
  { name: 'one that is there is left alone', namespace: active, account, want: { kind: 'nothing' } },
  { name: 'a namespace that is going gets none', namespace: going, want: { kind: 'nothing' } },
  {
    name: 'a namespace said to be Terminating gets none',
    namespace: { ...active, status: { phase: 'Terminating' } },
    want: { kind: 'nothing' },
  },
  { name: 'a namespace that is gone gets none', want: { kind: 'nothing' } },
];
for (const { name, namespace, account: present, want } of cases)
  test(`planServiceAccount: ${name}`, () => assert.deepEqual(planServiceAccount(namespace, present), want));
