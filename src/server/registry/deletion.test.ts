import assert from 'node:assert/strict';
import test from 'node:test';
import type { KubeObject, ObjectMeta } from '#api/meta.ts';
import { isReleased, removeGracefully, stampedWithoutGrace } from '#server/registry/deletion.ts';

const NOW = Date.parse('2026-01-31T09:00:00Z');
const object = (metadata: Partial<ObjectMeta>): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: metadata as ObjectMeta,
});
const stamped = (seconds: number, grace: number): Partial<ObjectMeta> => ({
  deletionTimestamp: new Date(NOW + seconds * 1000).toISOString().replace('.000', ''),
  deletionGracePeriodSeconds: grace,
});

const cases: readonly { name: string; metadata: Partial<ObjectMeta>; asked?: number; want: string | object }[] = [
  { name: 'the first request stamps', metadata: { generation: 1 }, want: { ...stamped(30, 30), generation: 2 } },
  { name: 'it may ask for its own grace', metadata: {}, asked: 5, want: stamped(5, 5) },
  { name: 'no grace removes', metadata: {}, asked: 0, want: 'remove' },
  { name: 'asking again changes nothing', metadata: stamped(20, 30), want: 'pending' },
  { name: 'asking for more changes nothing', metadata: stamped(20, 30), asked: 60, want: 'pending' },
  { name: 'asking for as much changes nothing', metadata: stamped(20, 30), asked: 30, want: 'pending' },
  {
    name: 'asking for less brings it nearer, from the first request on',
    metadata: stamped(20, 30),
    asked: 15,
    want: stamped(5, 15),
  },
  { name: 'asking for none ends it', metadata: stamped(20, 30), asked: 0, want: 'remove' },
  { name: 'what was interrupted at the end is ended', metadata: stamped(-5, 0), want: 'remove' },
];
for (const { name, metadata, asked, want } of cases) {
  test(`graceful deletion: ${name}`, () => {
    const deletion = removeGracefully(object(metadata), { graceSeconds: asked, now: NOW }, (seconds) => seconds ?? 30);
    assert.deepEqual(deletion.kind === 'stamp' ? deletion.object.metadata : deletion.kind, want);
  });
}

test('deletion: what is held back has no grace left, and goes with its last finalizer', () => {
  const held = stampedWithoutGrace(object({ finalizers: ['x'], generation: 1 }), NOW);
  assert.deepEqual(held.metadata, { finalizers: ['x'], generation: 2, ...stamped(0, 0) });
  assert.equal(stampedWithoutGrace(held, NOW + 1000), held);
  const free = { ...held, metadata: { ...held.metadata, finalizers: [] } };
  const never = (): boolean => false;
  assert.deepEqual(
    [isReleased(held, never), isReleased(free, never), isReleased(free, () => true), isReleased(object({}), never)],
    [false, true, false, false],
  );
  assert.equal(isReleased(object(stamped(20, 30)), never), false);
});
