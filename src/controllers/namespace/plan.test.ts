import assert from 'node:assert/strict';
import test from 'node:test';
import type { Namespace, NamespaceCondition } from '#api/generated/core-v1.ts';
import type { ObjectMeta, ResourceVersion, Uid } from '#api/meta.ts';
import type { Resource } from '#api/resource.ts';
import { configMapResource, podResource, secretResource } from '#client/resources.ts';
import type { Content } from '#controllers/namespace/conditions.ts';
import { planNamespace, type Found, type NamespacePlan } from '#controllers/namespace/plan.ts';

const meta = (over: Partial<ObjectMeta> = {}): ObjectMeta => ({
  name: 'x',
  uid: 'u' as Uid,
  resourceVersion: '1' as ResourceVersion,
  creationTimestamp: '2026-01-01T00:00:00Z',
  ...over,
});
const gone = '2026-01-01T00:00:05Z';
const namespace = (over: Partial<ObjectMeta> = {}, rest: Partial<Namespace> = {}): Namespace => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: meta({ name: 'shop', ...over }),
  spec: { finalizers: ['kubernetes'] },
  status: { phase: 'Terminating' },
  ...rest,
});
const going = namespace({ deletionTimestamp: gone });
const of = (resource: Resource, ...objects: Partial<ObjectMeta>[]): Content => ({
  resource,
  objects: objects.map((over) => ({ metadata: meta(over) })),
});
const found = (contents: readonly Content[], over: Partial<Found> = {}): Found => ({
  contents,
  unlisted: [],
  refused: [],
  ...over,
});
const ending = { deletionTimestamp: gone };
const plurals = (plan: NamespacePlan): readonly string[] =>
  plan.kind === 'empty' ? plan.resources.map(({ plural }) => plural) : [];

interface Case {
  readonly name: string;
  readonly namespace: Namespace | undefined;
  readonly found: Found;
  readonly want: NamespacePlan['kind'];
  readonly empties?: readonly string[];
}
const cases: readonly Case[] = [
  { name: 'gone: nothing', namespace: undefined, found: found([]), want: 'nothing' },
  {
    name: 'not being deleted: nothing, whatever it holds',
    namespace: namespace(),
    found: found([of(podResource, {})]),
    want: 'nothing',
  },
  {
    name: 'another finalizer only: not ours',
    namespace: namespace(ending, { spec: { finalizers: ['mine'] } }),
    found: found([]),
    want: 'nothing',
  },
  {
    name: 'says Terminating before it does anything',
    namespace: namespace(ending, { status: { phase: 'Active' } }),
    found: found([of(podResource, {})]),
    want: 'report',
  },
  {
    name: 'holds nothing: finalized',
    namespace: going,
    found: found([of(podResource), of(secretResource)]),
    want: 'finalize',
  },
  {
    name: 'holds things: emptied, kind by kind',
    namespace: going,
    found: found([of(configMapResource, {}), of(podResource), of(secretResource, {})]),
    want: 'empty',
    empties: ['configmaps', 'secrets'],
  },
  {
    name: 'pods go before what they use',
    namespace: going,
    found: found([of(configMapResource, {}), of(podResource, {})]),
    want: 'empty',
    empties: ['pods'],
  },
  {
    name: 'pods in their grace time keep what they use, and the reason is said',
    namespace: going,
    found: found([of(configMapResource, {}), of(podResource, ending)]),
    want: 'report',
  },
  {
    name: 'pods that could not be listed may be there',
    namespace: going,
    found: found([of(configMapResource, {})], { unlisted: [{ resource: podResource, why: 'no' }] }),
    want: 'report',
  },
  {
    name: 'another kind that could not be listed does not keep the rest',
    namespace: going,
    found: found([of(configMapResource, {})], { unlisted: [{ resource: secretResource, why: 'no' }] }),
    want: 'empty',
    empties: ['configmaps'],
  },
  {
    name: 'what is going already is not told again',
    namespace: going,
    found: found([of(configMapResource, ending), of(secretResource, {}, ending)]),
    want: 'empty',
    empties: ['secrets'],
  },
  {
    name: 'refused: said, not tried again at once',
    namespace: going,
    found: found([of(configMapResource, {})], { refused: ['no'] }),
    want: 'report',
  },
  {
    name: 'empty, but a kind could not be listed: not finalized',
    namespace: going,
    found: found([], { unlisted: [{ resource: secretResource, why: 'no' }] }),
    want: 'report',
  },
];
for (const { name, namespace: given, found: there, want, empties = [] } of cases) {
  test(`planNamespace: ${name}`, () => {
    const plan = planNamespace(given, there, 0);
    assert.equal(plan.kind, want);
    assert.deepEqual(plurals(plan), empties);
  });
}

test('planNamespace: takes only its own finalizer away', () => {
  const plan = planNamespace(namespace(ending, { spec: { finalizers: ['mine', 'kubernetes'] } }), found([]), 0);
  assert.ok(plan.kind === 'finalize');
  assert.deepEqual(plan.namespace.spec.finalizers, ['mine']);
});

test('planNamespace: what was reported is reported once, then waited for', () => {
  const there = found([of(podResource, { ...ending, finalizers: ['a/b'] }, ending)]);
  const report = planNamespace(going, there, Date.parse('2026-01-01T00:01:00.700Z'));
  assert.ok(report.kind === 'report');
  const says = Object.fromEntries(
    (report.status.conditions ?? []).map((c) => [c.type, `${c.status} ${c.reason}: ${c.message}`]),
  );
  assert.deepEqual(says, {
    NamespaceDeletionDiscoveryFailure: 'False ResourcesDiscovered: All resources successfully discovered',
    NamespaceDeletionGroupVersionParsingFailure: 'False ParsedGroupVersions: All legacy kube types successfully parsed',
    NamespaceDeletionContentFailure:
      'False ContentDeleted: All content successfully deleted, may be waiting on finalization',
    NamespaceContentRemaining: 'True SomeResourcesRemain: Some resources are remaining: pods. has 2 resource instances',
    NamespaceFinalizersRemaining:
      'True SomeFinalizersRemain: Some content in the namespace has finalizers remaining: a/b in 1 resource instances',
  });
  assert.equal(report.status.conditions?.[0]?.lastTransitionTime, '2026-01-01T00:01:00Z');
  const after = planNamespace({ ...going, status: report.status }, there, Date.parse('2026-01-01T00:02:00Z'));
  assert.deepEqual(after, { kind: 'wait', afterMs: 1_000, why: '2 objects remain' });
});

test('planNamespace: a condition keeps its time while its status stays, and others keep theirs', () => {
  const others: NamespaceCondition = { type: 'Mine', status: 'True' };
  const early = '2026-01-01T00:00:01Z';
  const known: NamespaceCondition[] = [
    others,
    {
      type: 'NamespaceContentRemaining',
      status: 'True',
      reason: 'SomeResourcesRemain',
      message: 'old',
      lastTransitionTime: early,
    },
    {
      type: 'NamespaceDeletionContentFailure',
      status: 'False',
      reason: 'ContentDeleted',
      message: 'old',
      lastTransitionTime: early,
    },
  ];
  const given = namespace(ending, { status: { phase: 'Terminating', conditions: known } });
  const there = found([of(podResource, ending)], { refused: ['z', 'a'] });
  const plan = planNamespace(given, there, Date.parse('2026-01-01T00:09:00Z'));
  assert.ok(plan.kind === 'report');
  const conditions = plan.status.conditions ?? [];
  const by = (type: string): NamespaceCondition | undefined => conditions.find((condition) => condition.type === type);
  assert.deepEqual(by('Mine'), others);
  assert.equal(by('NamespaceContentRemaining')?.lastTransitionTime, early);
  assert.deepEqual(by('NamespaceDeletionContentFailure'), {
    type: 'NamespaceDeletionContentFailure',
    status: 'True',
    reason: 'ContentDeletionFailed',
    message: 'Failed to delete all resource types, 2 remaining: a, z',
    lastTransitionTime: '2026-01-01T00:09:00Z',
  });
  assert.equal(conditions.length, 6);
});
