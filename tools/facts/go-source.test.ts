import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { type GoPackage, readGoPackage } from '#tools/facts/go-source.ts';

function read(source: string): GoPackage {
  const folder = mkdtempSync(join(tmpdir(), 'facts-'));
  try {
    writeFileSync(join(folder, 'types.go'), source);
    writeFileSync(join(folder, 'types_test.go'), 'type Broken struct {\n\tnot go\n}\n');
    return readGoPackage(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const found = read(`package v1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// +genclient
// +genclient:nonNamespaced

// Cart is a thing.
type Cart struct {
	metav1.TypeMeta \`json:",inline"\`
	// Names of it.
	// +optional
	// +listType=set
	Names []string \`json:"names,omitempty" patchStrategy:"merge" protobuf:"bytes,2,rep,name=names"\` // why
	/* left out */
	Extra map[string]types.UID \`json:"extra"\`
}

// +enum
type Size string

const (
	// Small is small.
	Small Size = "S"
	Large      = Size("L")
	Prefix     = "x/"
)

type Empty struct{}
type Also = Cart
`);

test('go source: structs with tags, markers and embedded fields', () => {
  const cart = found.types.get('Cart');
  assert.ok(cart?.kind === 'struct');
  assert.deepEqual(cart.markers, ['genclient', 'genclient:nonNamespaced']);
  assert.deepEqual(cart.fields, [
    { name: undefined, type: 'metav1.TypeMeta', tags: { json: ',inline' }, markers: [] },
    {
      name: 'Names',
      type: '[]string',
      tags: { json: 'names,omitempty', patchStrategy: 'merge', protobuf: 'bytes,2,rep,name=names' },
      markers: ['optional', 'listType=set'],
    },
    { name: 'Extra', type: 'map[string]types.UID', tags: { json: 'extra' }, markers: [] },
  ]);
});

test('go source: named types, constants and imports', () => {
  assert.deepEqual(found.types.get('Size'), { kind: 'named', type: 'string', markers: ['enum'] });
  assert.deepEqual(found.types.get('Empty'), { kind: 'struct', fields: [], markers: [] });
  assert.deepEqual(found.types.get('Also'), { kind: 'named', type: 'Cart', markers: [] });
  assert.deepEqual([...found.constants], [['Size', ['S', 'L']]]);
  assert.equal(found.values.get('Prefix'), 'x/');
  assert.deepEqual([...found.imports.keys()], ['metav1', 'types']);
});

test('go source: a field it cannot read is an error, not a gap', () => {
  assert.throws(() => read('type Cart struct {\n\tA, B string\n}\n'), /cannot read the field "A, B string" of Cart/);
});
