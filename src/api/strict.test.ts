import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { kindFacts } from '#api/fact-table.ts';
import { cannotBeHandled, checkFields, strictDecodingError } from '#api/strict.ts';

const pod = kindFacts('v1', 'Pod')!;
const container = (fields: object): object => ({ spec: { containers: [{ name: 'a', ...fields }] } });

const unknown: readonly { readonly name: string; readonly object: object; readonly want: readonly string[] }[] = [
  { name: 'nothing unknown', object: { apiVersion: 'v1', kind: 'Pod', ...container({ image: 'x' }) }, want: [] },
  { name: 'in spec', object: { spec: { foo: 1 } }, want: ['unknown field "spec.foo"'] },
  {
    name: 'in a list',
    object: container({ imagee: 'x', ports: [{}, { port: 1 }] }),
    want: ['unknown field "spec.containers[0].imagee"', 'unknown field "spec.containers[0].ports[1].port"'],
  },
  {
    name: 'another case is another field',
    object: { Spec: {}, metadata: { Name: 'x' } },
    want: ['unknown field "Spec"', 'unknown field "metadata.Name"'],
  },
  { name: 'keys of maps are free', object: { metadata: { labels: { anything: 'x' } } }, want: [] },
  {
    name: 'embedded structs are transparent',
    object: { spec: { volumes: [{ name: 'v', emptyDir: {}, volumeSource: {} }] } },
    want: ['unknown field "spec.volumes[0].volumeSource"'],
  },
  {
    name: 'apiVersion only where a kind has it',
    object: { metadata: { apiVersion: 'v1' } },
    want: ['unknown field "metadata.apiVersion"'],
  },
  { name: 'null is a value too', object: { foo: null, spec: null }, want: ['unknown field "foo"'] },
];
for (const { name, object, want } of unknown) {
  test(`strict: unknown fields: ${name}`, () => {
    assert.deepEqual(checkFields(pod, object), { unknown: want, mismatch: undefined });
  });
}

const go = 'json: cannot unmarshal';
const mismatches: readonly { readonly name: string; readonly object: object; readonly want: string | undefined }[] = [
  {
    name: 'string for a list',
    object: container({ ports: 'x' }),
    want: `${go} string into Go struct field Container.spec.containers.ports of type []v1.ContainerPort`,
  },
  {
    name: 'string for a number',
    object: container({ ports: [{ containerPort: '80' }] }),
    want: `${go} string into Go struct field ContainerPort.spec.containers.ports.containerPort of type int32`,
  },
  {
    name: 'number for a string',
    object: container({ env: [{ name: 'a', value: 1 }] }),
    want: `${go} number into Go struct field EnvVar.spec.containers.env.value of type string`,
  },
  {
    name: 'number for an enum',
    object: container({ imagePullPolicy: 1 }),
    want: `${go} number into Go struct field Container.spec.containers.imagePullPolicy of type v1.PullPolicy`,
  },
  {
    name: 'fraction for a number',
    object: container({ ports: [{ containerPort: 1.5 }] }),
    want: `${go} number 1.5 into Go struct field ContainerPort.spec.containers.ports.containerPort of type int32`,
  },
  {
    name: 'number out of range',
    object: container({ ports: [{ containerPort: 2 ** 31 }] }),
    want: `${go} number 2147483648 into Go struct field ContainerPort.spec.containers.ports.containerPort of type int32`,
  },
  {
    name: 'object for a list',
    object: { spec: { containers: {} } },
    want: `${go} object into Go struct field PodSpec.spec.containers of type []v1.Container`,
  },
  {
    name: 'string for a struct in a list',
    object: { spec: { containers: ['a'] } },
    want: `${go} string into Go struct field PodSpec.spec.containers of type v1.Container`,
  },
  {
    name: 'bool for a label',
    object: { metadata: { labels: { a: true } } },
    want: `${go} bool into Go struct field ObjectMeta.metadata.labels of type string`,
  },
  {
    name: 'list for labels',
    object: { metadata: { labels: [] } },
    want: `${go} array into Go struct field ObjectMeta.metadata.labels of type map[string]string`,
  },
  {
    name: 'string for spec',
    object: { spec: 'x' },
    want: `${go} string into Go struct field Pod.spec of type v1.PodSpec`,
  },
  {
    name: 'within an embedded struct',
    object: { spec: { volumes: [{ name: 'v', emptyDir: 1 }] } },
    want: `${go} number into Go struct field Volume.spec.volumes.emptyDir of type v1.EmptyDirVolumeSource`,
  },
  {
    name: 'the first of several',
    object: { metadata: { name: 1 }, spec: 1 },
    want: `${go} number into Go struct field ObjectMeta.metadata.name of type string`,
  },
  {
    name: 'bad quantity',
    object: container({ resources: { limits: { cpu: 'x' } } }),
    want: "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
  },
  {
    name: 'bad suffix',
    object: container({ resources: { limits: { cpu: '1Ki1' } } }),
    want: "unable to parse quantity's suffix",
  },
  {
    name: 'quantities may be numbers',
    object: container({ resources: { limits: { cpu: 1.5, memory: '1Gi' } } }),
    want: undefined,
  },
  {
    name: 'int or string',
    object: container({ livenessProbe: { httpGet: { port: 'http' }, tcpSocket: { port: 80 } } }),
    want: undefined,
  },
  {
    name: 'neither int nor string',
    object: container({ livenessProbe: { httpGet: { port: true } } }),
    want: `${go} bool into Go value of type int32`,
  },
  {
    name: 'bad time',
    object: { metadata: { creationTimestamp: 'yesterday' } },
    want: 'parsing time "yesterday" as "2006-01-02T15:04:05Z07:00": cannot parse "yesterday" as "2006"',
  },
  {
    name: 'time without a zone',
    object: { metadata: { creationTimestamp: '2026-01-01T00:00:00' } },
    want: 'parsing time "2026-01-01T00:00:00" as "2006-01-02T15:04:05Z07:00": cannot parse "" as "Z07:00"',
  },
  {
    name: 'no such month',
    object: { metadata: { creationTimestamp: '2026-13-01T00:00:00Z' } },
    want: 'parsing time "2026-13-01T00:00:00Z": month out of range',
  },
  {
    name: 'after a nested struct',
    object: { spec: { containers: [{ name: 'a', resources: {} }], nodeName: 1 } },
    want: `${go} number into Go struct field PodSpec.spec.nodeName of type string`,
  },
  {
    name: 'null anywhere',
    object: { metadata: null, spec: { containers: [null], nodeName: null, volumes: null } },
    want: undefined,
  },
];
for (const { name, object, want } of mismatches) {
  test(`strict: types: ${name}`, () => assert.equal(checkFields(pod, object).mismatch, want));
}

test('strict: a Secret whose data is not base64', () => {
  const { mismatch } = checkFields(kindFacts('v1', 'Secret')!, { data: { a: 'aGk=', b: 'a$' } });
  assert.equal(mismatch, 'illegal base64 data at input byte 1');
});

test('strict: what clients are told', () => {
  const { unknown: problems } = checkFields(pod, { spec: { foo: 1, bar: 2 } });
  const error = cannotBeHandled({ kind: 'Pod', version: 'v1' }, 'Pod', strictDecodingError(problems));
  assert.equal(
    error.message,
    'Pod in version "v1" cannot be handled as a Pod: strict decoding error: unknown field "spec.foo", unknown field "spec.bar"',
  );
  assert.equal(error.code, 400);
});

test("strict: kubectl's own objects have nothing wrong", () => {
  const samples = JSON.parse(readFileSync(join(import.meta.dirname, 'testdata/kubectl-bodies.json'), 'utf8')) as {
    object: { apiVersion: string; kind: string };
  }[];
  for (const { object } of samples) {
    assert.deepEqual(checkFields(kindFacts(object.apiVersion, object.kind)!, object), {
      unknown: [],
      mismatch: undefined,
    });
  }
});
