import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { type StructFacts, type TypeFacts, factPackage, kindFacts } from '#api/fact-table.ts';
import { decodeProtobuf, encodeProtobuf, hasProtobuf } from '#api/protobuf.ts';
import { ProtobufError } from '#api/protobuf-wire.ts';

interface Sample {
  readonly command: string;
  readonly body: string;
  readonly object: { readonly apiVersion: string; readonly kind: string };
}
/** What kubectl 1.36 sent for these commands, and what it printed of the same objects with `--dry-run=client -o json`. */
const samples = JSON.parse(readFileSync(join(import.meta.dirname, 'testdata/kubectl-bodies.json'), 'utf8')) as Sample[];

for (const { command, body, object } of samples) {
  test(`protobuf: what ${command.split(' --')[0]} sends decodes to what it prints and encodes to the same bytes`, () => {
    assert.deepEqual(decodeProtobuf(Uint8Array.fromBase64(body)), withoutNulls(object));
    assert.equal(encodeProtobuf(object).toBase64(), body);
  });
}

/** Upstream's samples of every kind: `k8s.io/api/testdata/HEAD` of Debian's golang-k8s-api-dev, unpacked somewhere. */
const golden = process.env['KUBERNETES_API_TESTDATA'];
test(
  'protobuf: every golden object of upstream, both ways',
  golden === undefined
    ? { skip: 'KUBERNETES_API_TESTDATA is not set to a directory with golden .json and .pb files' }
    : {},
  () => {
    assert.ok(existsSync(golden ?? ''));
    let compared = 0;
    for (const file of globSync('*.json', { cwd: golden ?? '' })) {
      const object = JSON.parse(readFileSync(join(golden ?? '', file), 'utf8')) as Sample['object'];
      if (!hasProtobuf(object.apiVersion, object.kind)) continue;
      const bytes = readFileSync(join(golden ?? '', file.replace(/json$/, 'pb')));
      assert.deepEqual(decodeProtobuf(bytes), object, file);
      assert.ok(bytes.equals(encodeProtobuf(object)), file);
      compared++;
    }
    assert.ok(compared > 80, `${compared} compared`);
  },
);

test('protobuf: values that are not plain in JSON', () => {
  const event = {
    kind: 'Event',
    apiVersion: 'v1',
    metadata: { name: 'e', creationTimestamp: '2026-01-31T09:05:00Z' },
    involvedObject: {},
    source: {},
    eventTime: '1969-12-31T23:59:58.000007Z',
    reportingComponent: '',
    reportingInstance: '',
  };
  assert.deepEqual(decodeProtobuf(encodeProtobuf(event)), event);
  const list = { kind: 'List', apiVersion: 'v1', metadata: {}, items: [{ kind: 'X', n: [1, null, 'ü'] }] };
  assert.deepEqual(decodeProtobuf(encodeProtobuf(list)), list);
  const odd = {
    kind: 'ConfigMap',
    apiVersion: 'v1',
    metadata: { generation: -5 },
    data: JSON.parse('{"__proto__":"x"}'),
  };
  assert.deepEqual(JSON.stringify(decodeProtobuf(encodeProtobuf(odd))), JSON.stringify(odd));
});

test('protobuf: a CustomResourceDefinition, whose schemas are one thing or another', () => {
  const schema = {
    type: 'object',
    maximum: 1.5,
    default: { a: [1] },
    items: { type: 'string' },
    additionalProperties: false,
    additionalItems: { type: 'string' },
    dependencies: { a: ['b', 'c'], d: { type: 'x' } },
    'x-kubernetes-preserve-unknown-fields': true,
  };
  const definition = {
    kind: 'CustomResourceDefinition',
    apiVersion: 'apiextensions.k8s.io/v1',
    metadata: { name: 'a.b' },
    spec: {
      group: 'b',
      names: { plural: 'a', kind: 'A' },
      scope: 'Namespaced',
      versions: [
        { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema }, subresources: { status: {} } },
      ],
    },
    status: { acceptedNames: { plural: '', kind: '' } },
  };
  assert.deepEqual(decodeProtobuf(encodeProtobuf(definition)), definition);
});

const refusals: readonly { readonly name: string; readonly bytes: Uint8Array; readonly message: RegExp }[] = [
  {
    name: 'JSON',
    bytes: new TextEncoder().encode('{"kind":"Pod"}'),
    message: /does not appear to be a protobuf message/,
  },
  { name: 'an unknown kind', bytes: envelope('v1', 'Pot'), message: /^no kind "Pot" is registered for version "v1"$/ },
  { name: 'no kind', bytes: Uint8Array.fromHex('6b387300'), message: /^Object 'Kind' is missing$/ },
  { name: 'a cut body', bytes: Uint8Array.fromBase64(samples[0]!.body).subarray(0, 40), message: /unexpected EOF/ },
  {
    name: 'a wrong wire type',
    bytes: envelope('v1', 'ConfigMap', [0x08, 0x01]),
    message: /wrong wireType = 0 for field metadata/,
  },
];
for (const { name, bytes, message } of refusals) {
  test(`protobuf: ${name} is refused`, () =>
    assert.throws(
      () => decodeProtobuf(bytes),
      (e: unknown) => e instanceof ProtobufError && message.test(e.message),
    ));
}

test('protobuf: encoding says which field is of the wrong type', () => {
  const pod = { kind: 'Pod', apiVersion: 'v1', metadata: {}, spec: { containers: [{ name: 'a', tty: 'yes' }] } };
  assert.throws(() => encodeProtobuf(pod), /^ProtobufError: spec: containers: tty: wanted a boolean, got "yes"$/);
});

test('protobuf: cut or mangled bodies are refused or decoded, never something else', () => {
  const body = Uint8Array.fromBase64(samples.find(({ object }) => object.kind === 'Deployment')!.body);
  fc.assert(
    fc.property(fc.nat(body.length - 1), fc.integer({ min: 0, max: 255 }), fc.nat(body.length), (at, value, length) => {
      const mangled = body.slice();
      mangled[at] = value;
      try {
        decodeProtobuf(mangled.subarray(0, length));
      } catch (error) {
        assert.ok(error instanceof ProtobufError, String(error));
      }
    }),
  );
});

for (const [apiVersion, kind] of [
  ['v1', 'Pod'],
  ['v1', 'Node'],
  ['apps/v1', 'StatefulSet'],
  ['networking.k8s.io/v1', 'NetworkPolicy'],
  ['authentication.k8s.io/v1', 'TokenReview'],
  ['policy/v1', 'Eviction'],
] as const) {
  const facts = kindFacts(apiVersion, kind)!;
  const bodies = arbitraryStruct(facts, 0).map((body) => ({ kind, apiVersion, ...body }));
  test(`protobuf: any ${kind} comes back from its bytes`, () => {
    fc.assert(
      fc.property(bodies, (object) => {
        const once = decodeProtobuf(encodeProtobuf(object));
        assert.deepEqual(decodeProtobuf(encodeProtobuf(once)), once);
        for (const [path, value] of leaves(object)) assert.deepEqual(at(once, path), value, path.join('.'));
      }),
      { numRuns: 20 },
    );
  });
  test(`protobuf: protobufjs reads the same out of any ${kind}`, () => {
    const type = reflect(facts);
    fc.assert(
      fc.property(bodies, (object) => {
        const envelopeMessage = unknownType.decode(encodeProtobuf(object).subarray(4)) as unknown as {
          raw: Uint8Array;
        };
        const read = type.decode(envelopeMessage.raw);
        assert.equal(
          Buffer.from(type.encode(read).finish()).toString('hex'),
          Buffer.from(envelopeMessage.raw).toString('hex'),
        );
        const metadata = read as unknown as { metadata: { name: string } };
        assert.equal(metadata.metadata.name, (object as { metadata?: Json }).metadata?.['name'] ?? '');
      }),
      { numRuns: 20 },
    );
  });
}

type Json = { [key: string]: unknown };

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).flatMap(([k, v]) => (v === null ? [] : [[k, withoutNulls(v)]])));
}

function envelope(apiVersion: string, kind: string, raw: readonly number[] = []): Uint8Array {
  const text = (field: number, value: string): number[] => [
    field * 8 + 2,
    value.length,
    ...new TextEncoder().encode(value),
  ];
  const meta = [...text(1, apiVersion), ...text(2, kind)];
  return new Uint8Array([0x6b, 0x38, 0x73, 0, 10, meta.length, ...meta, 18, raw.length, ...raw]);
}

function arbitraryStruct(struct: StructFacts, depth: number): fc.Arbitrary<Json> {
  const fields = [...struct.jsonFields].filter(([, field]) => depth < 5 || field.type.kind !== 'struct');
  const model = Object.fromEntries(fields.map(([name, field]) => [name, arbitrary(field.type, depth + 1)]));
  return fc.record(model, { requiredKeys: [] });
}

/** Only values that are not empty: empty ones may be left out on the way. */
function arbitrary(type: TypeFacts, depth: number): fc.Arbitrary<unknown> {
  switch (type.kind) {
    case 'enum':
      return fc.constantFrom(...type.values.filter((value) => value !== ''));
    case 'struct':
      return arbitraryStruct(type, depth);
    case 'list':
      return depth > 5
        ? fc.constant(undefined)
        : fc.array(arbitrary(type.element, depth + 1), { minLength: 1, maxLength: 2 });
    case 'map':
      return depth > 5
        ? fc.constant(undefined)
        : fc.dictionary(fc.string({ unit: 'grapheme', minLength: 1 }), arbitrary(type.value, depth + 1), {
            minKeys: 1,
            maxKeys: 2,
          });
    case 'scalar':
      return arbitraryScalar(type.scalar);
  }
}

function arbitraryScalar(scalar: string): fc.Arbitrary<unknown> {
  const seconds = fc
    .integer({ min: -62_000_000_000, max: 250_000_000_000 })
    .map((s) => new Date(s * 1000).toISOString().slice(0, -5));
  switch (scalar) {
    case 'bool':
      return fc.constant(true);
    case 'int32':
      return fc.integer().filter((n) => n !== 0);
    case 'int64':
      return fc.maxSafeInteger().filter((n) => n !== 0);
    case 'intOrString':
      return fc.oneof(fc.integer(), fc.string({ minLength: 1 }));
    case 'bytes':
      return fc.uint8Array({ minLength: 1, maxLength: 9 }).map((bytes) => bytes.toBase64());
    case 'time':
      return seconds.map((text) => `${text}Z`);
    case 'microTime':
      return fc.tuple(seconds, fc.nat(999_999)).map(([text, micros]) => `${text}.${String(micros).padStart(6, '0')}Z`);
    case 'raw':
    case 'json':
    case 'fieldsV1':
      return fc.constant({ a: { b: [1, 'ü'] } });
    default:
      return fc.string({ unit: 'grapheme', minLength: 1 });
  }
}

function leaves(value: unknown, path: readonly string[] = []): (readonly [readonly string[], unknown])[] {
  if (typeof value !== 'object' || value === null) return value === undefined ? [] : [[path, value]];
  return Object.entries(value).flatMap(([key, one]) => leaves(one, [...path, key]));
}
const at = (value: unknown, path: readonly string[]): unknown =>
  path.reduce<unknown>((o, key) => (o as Json)[key], value);

// protobufjs as the second opinion: messages declared from the same table, but read by other code.

const root = new protobuf.Root();
const unknownType = new protobuf.Type('Unknown').add(new protobuf.Field('raw', 2, 'bytes'));
root.add(unknownType);
for (const [name, fields] of Object.entries({
  quantity: [['text', 1, 'string']],
  intOrString: [
    ['type', 1, 'int64'],
    ['number', 2, 'int32'],
    ['text', 3, 'string'],
  ],
  time: [
    ['seconds', 1, 'int64'],
    ['nanos', 2, 'int32'],
  ],
  raw: [['raw', 1, 'bytes']],
} satisfies Record<string, [string, number, string][]>)) {
  const type = new protobuf.Type(name);
  for (const [field, id, kind] of fields) type.add(new protobuf.Field(field, id, kind));
  root.add(type);
}

function reflect(struct: StructFacts): protobuf.Type {
  const name = `${struct.package.id.replace('/', '_')}_${struct.name}`;
  const known = root.get(name);
  if (known instanceof protobuf.Type) return known;
  const type = new protobuf.Type(name);
  root.add(type);
  for (const field of struct.fields) {
    const named = field.name ?? `inline${field.tag}`;
    if (field.type.kind === 'map')
      type.add(new protobuf.MapField(named, field.tag!, 'string', reflected(field.type.value)));
    else if (field.type.kind === 'list' && !field.type.wrapped) {
      type.add(
        new protobuf.Field(named, field.tag!, reflected(field.type.element), 'repeated', undefined, { packed: false }),
      );
    } else type.add(new protobuf.Field(named, field.tag!, reflected(field.type)));
  }
  return type;
}

function reflected(type: TypeFacts): string {
  switch (type.kind) {
    case 'enum':
      return 'string';
    case 'struct':
      return reflect(type).name;
    case 'map':
      throw new Error('a map in a list');
    case 'list': {
      if (!root.get('items'))
        root.add(new protobuf.Type('items').add(new protobuf.Field('items', 1, 'string', 'repeated')));
      return 'items';
    }
    case 'scalar':
      return { microTime: 'time', json: 'raw', fieldsV1: 'raw' }[type.scalar as string] ?? type.scalar;
  }
}

test('protobuf: the table of facts holds no kind twice and every tag once', () => {
  for (const name of factPackage('core/v1').typeNames) {
    const type = factPackage('core/v1').type(name)!;
    if (type.kind !== 'struct') continue;
    const tags = type.fields.map((field) => field.tag);
    assert.equal(new Set(tags).size, tags.length, name);
  }
});
