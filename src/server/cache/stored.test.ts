import assert from 'node:assert/strict';
import test from 'node:test';
import type { KubeObject } from '#api/meta.ts';
import type { Revision, StoreKey } from '#store/store.ts';
import { encodeForStore, headOf, Stored } from '#server/cache/stored.ts';

const key = 'configmaps/default/a' as StoreKey;
const object = {
  metadata: { name: 'ä', resourceVersion: '3', uid: 'u' },
  data: { 'resourceVersion":"9",': '{"metadata":{' },
  kind: 'ConfigMap',
  apiVersion: 'v1',
} as unknown as KubeObject;
const value = encodeForStore(object);
const head = headOf('ConfigMap', 'v1');
const at = (revision: number): Revision => revision as Revision;

test('stored: what the store keeps has no revision, and begins as every object of the kind', () => {
  const text = Buffer.from(value).toString();
  assert.equal(text.slice(0, head), '{"kind":"ConfigMap","apiVersion":"v1","metadata":{');
  assert.equal((JSON.parse(text) as KubeObject).metadata.resourceVersion, undefined);
});

test('stored: text and object agree, whichever was there first', () => {
  const fromText = new Stored(key, at(12), { head, value });
  const fromObject = new Stored(key, at(12), { head, value, object: fromText.object });
  assert.deepEqual(JSON.parse(fromText.bytes.toString()), {
    ...object,
    metadata: { ...object.metadata, resourceVersion: '12' },
  });
  assert.deepEqual(fromObject.bytes, fromText.bytes);
  assert.equal(fromText.object, fromText.object);
});

test('stored: the same object at a later revision, from text or object', () => {
  const stored = new Stored(key, at(9), { head, value });
  for (const later of [stored.at(at(10)), (void stored.bytes, void stored.object, stored.at(at(10)))]) {
    assert.deepEqual([later.revision, later.object.metadata.resourceVersion], [10, '10']);
    assert.equal((JSON.parse(later.bytes.toString()) as KubeObject).metadata.resourceVersion, '10');
  }
  assert.equal(stored.object.metadata.resourceVersion, '9');
});
