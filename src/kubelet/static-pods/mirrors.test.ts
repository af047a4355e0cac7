import assert from 'node:assert/strict';
import test from 'node:test';
import type { Node, Pod } from '#api/generated/core-v1.ts';
import type { Uid } from '#api/meta.ts';
import { aPod } from '#kubelet/fixtures.ts';
import { type MirrorFacts, planMirrors } from '#kubelet/static-pods/mirrors.ts';

const aStatic = (uid: string, more: Partial<Pod['metadata']> = {}): Pod => {
  const pod = aPod();
  const annotations = { 'kubernetes.io/config.hash': uid, 'kubernetes.io/config.source': 'file' };
  return { ...pod, metadata: { ...pod.metadata, uid: uid as Uid, annotations, ...more } };
};
const aMirror = (hash: string, more: Partial<Pod['metadata']> = {}): Pod =>
  aStatic(`api-${hash}`, { annotations: { 'kubernetes.io/config.mirror': hash }, ...more });
const ending = { deletionTimestamp: '2026-01-01T00:00:00Z' };
const node: Pick<Node, 'metadata'> = { metadata: { ...aPod().metadata, name: 'node1', uid: 'node-uid' as Uid } };

const cases: readonly (Partial<MirrorFacts> & { readonly name: string; readonly want: readonly string[] })[] = [
  { name: 'one that is shown', statics: [aStatic('a')], pods: [aMirror('a')], want: [] },
  { name: 'one that is not', statics: [aStatic('a')], want: ['create web'] },
  { name: 'one that is not, and nobody to own its mirror yet', statics: [aStatic('a')], node: undefined, want: [] },
  {
    name: 'the mirror is being deleted',
    statics: [aStatic('a')],
    pods: [aMirror('a', ending)],
    want: ['delete api-a'],
  },
  {
    name: 'the mirror shows what the file said before',
    statics: [aStatic('b')],
    pods: [aMirror('a')],
    want: ['delete api-a'],
  },
  { name: 'a mirror of nothing', pods: [aMirror('a')], want: ['delete api-a'] },
  { name: 'one that is ending is shown', statics: [aStatic('a', ending)], pods: [aMirror('a')], want: [] },
  { name: 'one that is ending, and not shown', statics: [aStatic('a', ending)], want: [] },
  { name: 'a pod of the API has its name', statics: [aStatic('a')], pods: [aPod()], want: [] },
  { name: 'pods of the API alone', pods: [aPod()], want: [] },
  {
    name: 'the same name in another namespace',
    statics: [aStatic('a', { namespace: 'kube-system' })],
    pods: [aMirror('a')],
    want: ['delete api-a', 'create web'],
  },
];

for (const { name, want, ...facts } of cases) {
  test(`mirrors: ${name}`, () => {
    const plan = planMirrors({ statics: [], pods: [], node, ...facts });
    assert.deepEqual(
      plan.map((action) => `${action.kind} ${action.kind === 'create' ? action.mirror.metadata.name : action.uid}`),
      want,
    );
  });
}

test('mirrors: a mirror says whose it is and belongs to its node', () => {
  const [action] = planMirrors({ statics: [aStatic('a')], pods: [], node });
  assert.ok(action?.kind === 'create');
  const { metadata } = action.mirror;
  assert.equal(metadata.annotations?.['kubernetes.io/config.mirror'], 'a');
  assert.deepEqual(metadata.ownerReferences, [
    { apiVersion: 'v1', kind: 'Node', name: 'node1', uid: 'node-uid', controller: true },
  ]);
  assert.equal('uid' in metadata, false);
});
