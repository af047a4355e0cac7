import assert from 'node:assert/strict';
import test from 'node:test';
import { type StructFacts, FactPackage, factPackage, factPackageIds, kindFacts, rootKinds } from '#api/fact-table.ts';

const text = `
package shop/v1 k8s.io/api/shop/v1
group shop.example v1
kind Cart namespaced
 metadata meta/v1.ObjectMeta o 1
 items []Item ro 2 patch=merge,retainKeys merge=name list=map keys=name,size
 < Extra - 3
kind CartList
 items []Cart r 2
type Extra
 note string *oz - default="hi"
enum Size S M ""
type Item
 name string r 1
 size Size o 2
 more {}[]quantity o 3 map=atomic
wrapped Tags []string
`;

test('fact table: a line says all there is about a field', () => {
  const cart = new FactPackage(text).type('Cart') as StructFacts;
  assert.deepEqual([cart.root, cart.scope, cart.package.group], [true, 'namespaced', 'shop.example']);
  const { type, ...items } = cart.jsonFields.get('items')!;
  assert.equal(type.kind, 'list');
  assert.deepEqual(items, {
    name: 'items',
    typeText: '[]Item',
    required: true,
    pointer: false,
    omitEmpty: true,
    omitZero: false,
    tag: 2,
    patchStrategies: ['merge', 'retainKeys'],
    mergeKey: 'name',
    listType: 'map',
    listMapKeys: ['name', 'size'],
    mapType: undefined,
    structType: undefined,
    default: undefined,
  });
});

test('fact table: embedded structs are spread out in JSON', () => {
  const cart = new FactPackage(text).type('Cart') as StructFacts;
  assert.deepEqual([...cart.jsonFields.keys()], ['metadata', 'items', 'note']);
  const note = cart.jsonFields.get('note')!;
  assert.deepEqual([note.default, note.tag, note.pointer, note.omitZero], ['hi', undefined, true, true]);
});

test('fact table: named types', () => {
  const facts = new FactPackage(text);
  const size = facts.type('Size');
  assert.ok(size?.kind === 'enum');
  assert.deepEqual(size.values, ['S', 'M', '']);
  assert.deepEqual(facts.type('Tags'), {
    kind: 'list',
    name: 'Tags',
    wrapped: true,
    element: { kind: 'scalar', scalar: 'string' },
  });
  assert.equal(facts.type('Nothing'), undefined);
});

test('fact table: kinds are found by apiVersion and kind, options and Status under every version', () => {
  assert.equal(kindFacts('v1', 'Pod')?.name, 'Pod');
  assert.equal(kindFacts('apps/v1', 'Deployment')?.package.id, 'apps/v1');
  assert.equal(kindFacts('apps/v1', 'DeleteOptions')?.package.id, 'meta/v1');
  assert.equal(kindFacts('example.com/v1', 'DeleteOptions')?.package.id, 'meta/v1');
  for (const [apiVersion, kind] of [
    ['v1', 'PodSpec'],
    ['v1', 'Deployment'],
    ['v2', 'Pod'],
    ['example.com/v1', 'ObjectMeta'],
  ] as const) {
    assert.equal(kindFacts(apiVersion, kind), undefined);
  }
});

test('fact table: every type of every package can be read, and what it refers to is there', () => {
  let fields = 0;
  for (const id of factPackageIds) {
    const facts = factPackage(id);
    for (const name of facts.typeNames) {
      const type = facts.type(name)!;
      if (type.kind === 'struct') fields += type.jsonFields.size;
    }
  }
  assert.ok(fields > 2400, String(fields));
});

test('fact table: root kinds with their lists and scope', () => {
  const find = (id: string, kind: string): unknown => rootKinds(id).find((one) => one.kind === kind);
  assert.deepEqual(find('core/v1', 'Node'), {
    group: '',
    version: 'v1',
    kind: 'Node',
    listKind: 'NodeList',
    scope: 'cluster',
  });
  assert.deepEqual(find('authentication/v1', 'TokenRequest'), {
    group: 'authentication.k8s.io',
    version: 'v1',
    kind: 'TokenRequest',
    listKind: undefined,
    scope: undefined,
  });
  assert.equal(find('core/v1', 'PodList'), undefined);
});
