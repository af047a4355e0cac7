import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { canonicalObject } from '#api/canonical.ts';
import { kindFacts } from '#api/fact-table.ts';
import { decodeProtobuf, encodeProtobuf } from '#api/protobuf.ts';

const canonical = (object: { apiVersion: string; kind: string; [key: string]: unknown }): unknown =>
  canonicalObject(kindFacts(object.apiVersion, object.kind)!, object);
const pod = (metadata: object, container: object): { apiVersion: string; kind: string } =>
  ({
    kind: 'Pod',
    apiVersion: 'v1',
    metadata,
    spec: { containers: [{ name: 'a', ...container }] },
  }) as { apiVersion: string; kind: string };

const cases: readonly { readonly name: string; readonly object: object; readonly want: object }[] = [
  {
    name: 'nulls and unknown fields go',
    object: pod({ labels: null, foo: 1 }, { image: null, bar: {} }),
    want: { ...pod({}, { resources: {} }), status: {} },
  },
  {
    name: 'empty values go',
    object: pod({ labels: {}, name: '' }, { args: [], tty: false, env: [] }),
    want: { ...pod({}, { resources: {} }), status: {} },
  },
  {
    name: 'empty structs behind a pointer stay',
    object: pod({}, { securityContext: {} }),
    want: { ...pod({}, { resources: {}, securityContext: {} }), status: {} },
  },
  {
    name: 'zero behind a pointer stays',
    object: pod({}, { securityContext: { runAsUser: 0, runAsNonRoot: false } }),
    want: { ...pod({}, { resources: {}, securityContext: { runAsUser: 0, runAsNonRoot: false } }), status: {} },
  },
  {
    name: 'quantities are strings',
    object: pod({}, { resources: { limits: { cpu: 1.5, memory: '1Gi' } } }),
    want: { ...pod({}, { resources: { limits: { cpu: '1.5', memory: '1Gi' } } }), status: {} },
  },
  {
    name: 'times are UTC',
    object: pod({ creationTimestamp: '2026-01-01T01:30:00.9+01:00' }, {}),
    want: { ...pod({ creationTimestamp: '2026-01-01T00:30:00Z' }, { resources: {} }), status: {} },
  },
  {
    name: 'required values are there',
    object: pod({}, { env: [{}] }),
    want: { ...pod({}, { env: [{ name: '' }], resources: {} }), status: {} },
  },
];
for (const { name, object, want } of cases) {
  test(`canonical: ${name}`, () => {
    const before = JSON.stringify(object);
    assert.deepEqual(canonical(object as { apiVersion: string; kind: string }), want);
    assert.equal(JSON.stringify(object), before);
  });
}

test('canonical: JSON and protobuf of one object become the same, key for key', () => {
  const samples = JSON.parse(readFileSync(join(import.meta.dirname, 'testdata/kubectl-bodies.json'), 'utf8')) as {
    body: string;
    object: { apiVersion: string; kind: string };
  }[];
  for (const { body, object } of samples) {
    assert.equal(JSON.stringify(canonical(object)), JSON.stringify(decodeProtobuf(Uint8Array.fromBase64(body))));
  }
  for (const { object } of cases) {
    const known = canonical(object as { apiVersion: string; kind: string }) as { apiVersion: string; kind: string };
    assert.equal(JSON.stringify(canonical(known)), JSON.stringify(decodeProtobuf(encodeProtobuf(known))));
  }
});

test('canonical: micro times keep six digits', () => {
  const lease = {
    kind: 'Lease',
    apiVersion: 'coordination.k8s.io/v1',
    metadata: {},
    spec: { renewTime: '2026-01-01T00:00:00.12+00:00' },
  };
  assert.deepEqual((canonical(lease) as typeof lease).spec, { renewTime: '2026-01-01T00:00:00.120000Z' });
});
