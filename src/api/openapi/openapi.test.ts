import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import protobuf from 'protobufjs';
import { factPackage } from '#api/fact-table.ts';
import { openapiV2, openapiV3 } from '#api/openapi/document.ts';
import { gnosticV2 } from '#api/openapi/gnostic.ts';
import type { ApiResource } from '#api/openapi/paths.ts';

const verbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];
const pods: ApiResource = {
  group: '',
  version: 'v1',
  kind: 'Pod',
  plural: 'pods',
  namespaced: true,
  verbs,
  subresources: [
    { name: 'status', verbs: ['get', 'patch', 'update'] },
    { name: 'binding', verbs: ['create'], of: { group: '', version: 'v1', kind: 'Binding' } },
  ],
};
const namespaces: ApiResource = {
  group: '',
  version: 'v1',
  kind: 'Namespace',
  plural: 'namespaces',
  namespaced: false,
  verbs: ['get', 'list'],
};
const deployments: ApiResource = {
  group: 'apps',
  version: 'v1',
  kind: 'Deployment',
  plural: 'deployments',
  namespaced: true,
  verbs,
  subresources: [
    { name: 'scale', verbs: ['get', 'update'], of: { group: 'autoscaling', version: 'v1', kind: 'Scale' } },
  ],
};
const foos: ApiResource = {
  group: 'example.com',
  version: 'v1',
  kind: 'Foo',
  plural: 'foos',
  namespaced: true,
  verbs,
  schema: { type: 'object', properties: { spec: { type: 'string' } } },
};
const all = [pods, namespaces, deployments, foos];

type Json = { readonly [key: string]: Json };
const v2 = openapiV2(all, 'v1.36.0') as Json;
const v3 = openapiV3('v1', all) as Json;
const core = (document: Json, name: string): Json =>
  (document['definitions'] ?? document['components']!['schemas']!)[`io.k8s.api.core.v1.${name}`]!;

test('openapi: a kind carries its group, version and kind, and its required fields', () => {
  assert.deepEqual(core(v2, 'Pod')['x-kubernetes-group-version-kind'], [{ group: '', kind: 'Pod', version: 'v1' }]);
  assert.deepEqual(core(v2, 'PodSpec')['required'], ['containers']);
  assert.deepEqual(Object.keys(core(v2, 'Pod')['properties']!), ['apiVersion', 'kind', 'metadata', 'spec', 'status']);
});

test('openapi: a list carries how it is merged', () => {
  const { description: _, ...ports } = core(v2, 'Container')['properties']!['ports']!;
  assert.deepEqual(ports, {
    type: 'array',
    items: { $ref: '#/definitions/io.k8s.api.core.v1.ContainerPort' },
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['containerPort', 'protocol'],
    'x-kubernetes-patch-strategy': 'merge',
    'x-kubernetes-patch-merge-key': 'containerPort',
  });
  assert.equal(core(v2, 'PodSpec')['properties']!['volumes']!['x-kubernetes-patch-strategy'], 'merge,retainKeys');
});

const properties: readonly (readonly [type: string, field: string, inV2: object, inV3: object])[] = [
  ['Container', 'tty', { type: 'boolean' }, { type: 'boolean' }],
  ['ContainerPort', 'containerPort', { type: 'integer', format: 'int32' }, { type: 'integer', format: 'int32' }],
  [
    'ContainerPort',
    'protocol',
    { type: 'string', enum: ['SCTP', 'TCP', 'UDP'], default: 'TCP' },
    { type: 'string', enum: ['SCTP', 'TCP', 'UDP'], default: 'TCP' },
  ],
  ['PodSpec', 'activeDeadlineSeconds', { type: 'integer', format: 'int64' }, { type: 'integer', format: 'int64' }],
  [
    'PodSpec',
    'nodeSelector',
    { type: 'object', additionalProperties: { type: 'string' }, 'x-kubernetes-map-type': 'atomic' },
    { type: 'object', additionalProperties: { type: 'string' }, 'x-kubernetes-map-type': 'atomic' },
  ],
  [
    'HTTPGetAction',
    'port',
    { $ref: '#/definitions/io.k8s.apimachinery.pkg.util.intstr.IntOrString' },
    { $ref: '#/components/schemas/io.k8s.apimachinery.pkg.util.intstr.IntOrString' },
  ],
  [
    'Volume',
    'emptyDir',
    { $ref: '#/definitions/io.k8s.api.core.v1.EmptyDirVolumeSource' },
    { $ref: '#/components/schemas/io.k8s.api.core.v1.EmptyDirVolumeSource' },
  ],
];
for (const [type, field, inV2, inV3] of properties) {
  test(`openapi: ${type}.${field}`, () => {
    for (const [document, want] of [
      [v2, inV2],
      [v3, inV3],
    ] as const) {
      const { description: _, allOf, ...schema } = core(document, type)['properties']![field]!;
      assert.deepEqual({ ...(Array.isArray(allOf) ? (allOf[0] as object) : {}), ...schema }, want);
    }
  });
}

test('openapi: every reference is defined, and every path parameter declared', () => {
  for (const document of [v2, v3, openapiV3('apps/v1', all) as Json]) {
    const text = JSON.stringify(document);
    const defined = document['definitions'] ?? document['components']!['schemas']!;
    const references = [...text.matchAll(/"\$ref":"([^"]+)"/g)].map((match) => match[1]!.split('/').at(-1)!);
    assert.ok(references.length > 100);
    assert.deepEqual(
      references.filter((name) => !(name in defined)),
      [],
    );
    for (const [path, item] of Object.entries(document['paths']!)) {
      const declared = ((item['parameters'] ?? []) as unknown as { name: string }[]).map(({ name }) => name);
      assert.deepEqual(
        declared,
        [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]),
        path,
      );
    }
  }
});

test('openapi: paths say which kind and action they serve', () => {
  const paths = v2['paths']!;
  assert.deepEqual(
    Object.keys(paths).filter((path) => path.startsWith('/api/')),
    [
      '/api/v1/pods',
      '/api/v1/namespaces/{namespace}/pods',
      '/api/v1/namespaces/{namespace}/pods/{name}',
      '/api/v1/namespaces/{namespace}/pods/{name}/status',
      '/api/v1/namespaces/{namespace}/pods/{name}/binding',
      '/api/v1/namespaces',
      '/api/v1/namespaces/{name}',
    ],
  );
  const collection = paths['/api/v1/namespaces/{namespace}/pods']!;
  assert.deepEqual(Object.keys(collection), ['get', 'post', 'delete', 'parameters']);
  assert.equal(collection['get']!['x-kubernetes-action'], 'list');
  assert.deepEqual(Object.keys(paths['/api/v1/namespaces/{name}']!), ['get', 'parameters']);
  const scale = paths['/apis/apps/v1/namespaces/{namespace}/deployments/{name}/scale']!['put']!;
  assert.deepEqual(scale['x-kubernetes-group-version-kind'], { group: 'autoscaling', version: 'v1', kind: 'Scale' });
});

test('openapi: PATCH takes the parameters by which kubectl finds out what a server can do', () => {
  for (const document of [v2, v3]) {
    const patch = document['paths']!['/api/v1/namespaces/{namespace}/pods/{name}']!['patch']!;
    assert.deepEqual(patch['x-kubernetes-group-version-kind'], { group: '', version: 'v1', kind: 'Pod' });
    const query = (patch['parameters'] as unknown as { name: string; in: string }[]).filter(
      (one) => one.in === 'query',
    );
    for (const name of ['dryRun', 'fieldValidation', 'fieldManager', 'force'])
      assert.ok(
        query.some((one) => one.name === name),
        name,
      );
  }
});

test('openapi: operation ids are unique', () => {
  const ids = Object.values(v2['paths']!).flatMap((item) =>
    Object.values(item).flatMap((operation) => (operation['operationId'] as unknown as string) ?? []),
  );
  assert.equal(new Set(ids).size, ids.length);
});

test('openapi: version 3 has one document a group version', () => {
  const apps = openapiV3('apps/v1', all) as Json;
  assert.ok(Object.keys(apps['paths']!).every((path) => path.startsWith('/apis/apps/v1/')));
  assert.ok('io.k8s.api.core.v1.PodTemplateSpec' in apps['components']!['schemas']!);
  assert.deepEqual(Object.keys(openapiV3('batch/v1', all)['paths'] as object), []);
});

test('openapi: a custom resource is described by its own schema, and so is its list', () => {
  const schemas = (openapiV3('example.com/v1', all) as Json)['components']!['schemas']!;
  assert.deepEqual(schemas['com.example.v1.Foo'], {
    ...foos.schema,
    'x-kubernetes-group-version-kind': [{ group: 'example.com', kind: 'Foo', version: 'v1' }],
  });
  assert.deepEqual(schemas['com.example.v1.FooList']!['properties']!['items'], {
    type: 'array',
    items: { $ref: '#/components/schemas/com.example.v1.Foo' },
  });
});

/** As much of gnostic's messages as is needed to see that the document came through. */
const gnostic = protobuf
  .parse(`
  syntax = "proto3";
  message Any { string yaml = 2; }
  message NamedAny { string name = 1; Any value = 2; }
  message TypeItem { repeated string value = 1; }
  message ItemsItem { repeated Schema schema = 1; }
  message Properties { repeated NamedSchema all = 1; }
  message NamedSchema { string name = 1; Schema value = 2; }
  message AdditionalPropertiesItem { Schema schema = 1; bool boolean = 2; }
  message Schema {
    string ref = 1; string format = 2; string description = 4; Any default = 5; repeated string required = 19; repeated Any enum = 20;
    AdditionalPropertiesItem additional = 21; TypeItem type = 22; ItemsItem items = 23; Properties properties = 25; repeated NamedAny extension = 31;
  }
  message Query { bool required = 1; string in = 2; string name = 4; string type = 6; bool unique = 20; }
  message Path { bool required = 1; string in = 2; string name = 4; string type = 5; bool unique = 19; }
  message NonBody { Query query = 3; Path path = 4; }
  message Body { string name = 2; string in = 3; bool required = 4; Schema schema = 5; }
  message Parameter { Body body = 1; NonBody other = 2; }
  message ParametersItem { Parameter parameter = 1; }
  message SchemaItem { Schema schema = 1; }
  message Response { string description = 1; SchemaItem schema = 2; }
  message ResponseValue { Response response = 1; }
  message NamedResponse { string name = 1; ResponseValue value = 2; }
  message Responses { repeated NamedResponse code = 1; }
  message Operation {
    repeated string tags = 1; string id = 5; repeated string produces = 6; repeated string consumes = 7;
    repeated ParametersItem parameters = 8; Responses responses = 9; repeated NamedAny extension = 13;
  }
  message PathItem { Operation get = 2; Operation put = 3; Operation post = 4; Operation delete = 5; Operation patch = 8; repeated ParametersItem parameters = 9; }
  message NamedPathItem { string name = 1; PathItem value = 2; }
  message Paths { repeated NamedPathItem path = 2; }
  message Info { string title = 1; string version = 2; }
  message Document { string swagger = 1; Info info = 2; Paths paths = 8; Properties definitions = 9; }
`)
  .root.lookupType('Document');

type Named = readonly { readonly name: string; readonly value: Json }[];
const get = (list: unknown, name: string): Json => (list as Named).find((one) => one.name === name)!.value;

test('openapi: the gnostic form says the same as the JSON', () => {
  const bytes = gnosticV2(v2);
  const read = gnostic.toObject(gnostic.decode(bytes)) as Json;
  assert.deepEqual([read['swagger'], read['info']], ['2.0', { title: 'Kubernetes', version: 'v1.36.0' }]);
  assert.deepEqual(
    (read['definitions']!['all'] as unknown as Named).map(({ name }) => name),
    Object.keys(v2['definitions']!),
  );
  assert.deepEqual(
    (read['paths']!['path'] as unknown as Named).map(({ name }) => name),
    Object.keys(v2['paths']!),
  );
  // What protobufjs knows of the document, it writes again: no byte is of a field this descriptor does not have.
  assert.ok(Buffer.from(gnostic.encode(gnostic.fromObject(read)).finish()).equals(bytes));

  const container = get(read['definitions']!['all'], 'io.k8s.api.core.v1.Container');
  const ports = get(container['properties']!['all'], 'ports');
  assert.deepEqual(ports['type'], { value: ['array'] });
  assert.deepEqual(ports['items'], { schema: [{ ref: '#/definitions/io.k8s.api.core.v1.ContainerPort' }] });
  assert.equal(get(ports['extension'], 'x-kubernetes-patch-merge-key')['yaml'], '"containerPort"\n');
  const patch = get(read['paths']!['path'], '/api/v1/namespaces/{namespace}/pods/{name}')['patch']!;
  assert.deepEqual(
    JSON.parse(get(patch['extension'], 'x-kubernetes-group-version-kind')['yaml'] as unknown as string),
    { group: '', version: 'v1', kind: 'Pod' },
  );
  const names = (patch['parameters'] as unknown as { parameter: Json }[]).map(
    ({ parameter }) => parameter['body']?.['name'] ?? parameter['other']!['query']!['name'],
  );
  assert.deepEqual(names, ['body', 'pretty', 'dryRun', 'fieldManager', 'fieldValidation', 'force']);
});

test('openapi: a schema with more than version 2 has is cut down for it, and goes through as gnostic', () => {
  const spec = {
    type: 'object',
    nullable: true,
    properties: { n: { type: 'integer', minimum: 1 } },
    oneOf: [{ required: ['n'] }],
  };
  const document = openapiV2([{ ...foos, schema: { type: 'object', properties: { spec } } }]) as Json;
  assert.deepEqual(document['definitions']!['com.example.v1.Foo']!['properties']!['spec'], {
    properties: { n: { type: 'integer' } },
  });
  assert.ok(gnosticV2(document).length > 0);
});

test('openapi: every description is of a kind or field there is', () => {
  const described = [
    ...readFileSync(join(import.meta.dirname, 'descriptions.ts'), 'utf8').matchAll(
      /^  '([a-z]+\/v\d)\.(\w+)(?:\.(\w+))?':/gm,
    ),
  ];
  assert.ok(described.length > 70);
  for (const [, id, name, field] of described) {
    const type = factPackage(id!).type(name!);
    assert.ok(type?.kind === 'struct' && (field === undefined || type.jsonFields.has(field)), `${id}.${name}.${field}`);
  }
  for (const [name, fields] of [
    ['PodSpec', 25],
    ['Container', 21],
  ] as const) {
    const texts = Object.values(core(v2, name)['properties']!).filter((one) => one['description'] !== undefined);
    assert.equal(texts.length, fields, name);
  }
});

test('openapi: the gnostic form refuses what it does not know', () => {
  assert.throws(() => gnosticV2({ ...v2, host: 'x' }), /gnosticV2 does not know "host"/);
});
