import assert from 'node:assert/strict';
import test from 'node:test';
import { defaultObject } from '#api/defaults/defaults.ts';
import { fieldErrorText } from '#api/field-error.ts';
import { validateCreate, validateStatusUpdate, validateUpdate } from '#api/validation/validation.ts';

interface Typed {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: object;
}

const clusterKinds = new Set(['Namespace', 'Node', 'PriorityClass']);
const groups: Readonly<Record<string, string>> = {
  Lease: 'coordination.k8s.io/v1',
  PriorityClass: 'scheduling.k8s.io/v1',
};
function objectOf(kind: string, fields: object, metadata: object = {}): Typed {
  const place = clusterKinds.has(kind) ? {} : { namespace: 'default' };
  const meta = { name: 'x', ...place, resourceVersion: '1', ...metadata };
  return defaultObject({ apiVersion: groups[kind] ?? 'v1', kind, metadata: meta, ...fields });
}

const updates: readonly {
  readonly kind: string;
  readonly name: string;
  readonly from: object;
  readonly to: object;
  readonly want: readonly string[];
}[] = [
  {
    kind: 'ConfigMap',
    name: 'immutable',
    from: { immutable: true, data: { a: 'b' } },
    to: { data: { a: 'c' } },
    want: ['immutable', 'data'].map((field) => `${field}: Forbidden: field is immutable when \`immutable\` is set`),
  },
  { kind: 'ConfigMap', name: 'mutable', from: { data: { a: 'b' } }, to: { immutable: true }, want: [] },
  {
    kind: 'Secret',
    name: 'its type',
    from: {},
    to: { type: 'a' },
    want: ['type: Invalid value: "a": field is immutable'],
  },
  {
    kind: 'Node',
    name: 'what is set once',
    from: { spec: { podCIDRs: ['10.0.0.0/24'], providerID: 'a' } },
    to: { spec: { providerID: 'b' } },
    want: [
      'spec.podCIDRs: Forbidden: node updates may not change podCIDR except from "" to valid',
      'spec.providerID: Forbidden: node updates may not change providerID except from "" to valid',
    ],
  },
  {
    kind: 'Service',
    name: 'its address',
    from: { spec: { ports: [{ port: 1 }], clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1'] } },
    to: { spec: { ports: [{ port: 1 }], clusterIP: '10.0.0.2', clusterIPs: ['10.0.0.2'] } },
    want: ['spec.clusterIPs[0]: Invalid value: ["10.0.0.2"]: may not change once set'],
  },
  {
    kind: 'Service',
    name: 'no address any more',
    from: { spec: { ports: [{ port: 1 }], clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1'] } },
    to: { spec: { ports: [{ port: 1 }] } },
    want: ['spec.clusterIPs[0]: Invalid value: []: primary clusterIP can not be unset'],
  },
  {
    kind: 'PriorityClass',
    name: 'all but its description',
    from: { value: 1 },
    to: { value: 2, preemptionPolicy: 'Never', description: 'x' },
    want: [
      'value: Forbidden: may not be changed in an update.',
      'preemptionPolicy: Invalid value: "Never": field is immutable',
    ],
  },
];
for (const { kind, name, from, to, want } of updates) {
  test(`validation of an update of a ${kind}: ${name}`, () => {
    assert.deepEqual(validateUpdate(objectOf(kind, to), objectOf(kind, from)).map(fieldErrorText), want);
  });
}

test('validation of an update: a finalizer cannot be added to what is being deleted', () => {
  const old = objectOf('ConfigMap', {}, { deletionTimestamp: 'now', finalizers: ['a/b'] });
  const add = objectOf('ConfigMap', {}, { deletionTimestamp: 'now', finalizers: ['a/b', 'a/c'] });
  assert.deepEqual(validateUpdate(add, old).map(fieldErrorText), [
    'metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"a/c"}',
  ]);
  assert.deepEqual(validateUpdate(objectOf('ConfigMap', {}, { deletionTimestamp: 'now' }), old), []);
});

test('validation of a status: a namespace is Active until it is deleted', () => {
  const namespace = (phase: string, metadata: object = {}): Typed =>
    objectOf('Namespace', { status: { phase } }, metadata);
  const deleted = { deletionTimestamp: 'now' };
  assert.deepEqual(validateStatusUpdate(namespace('Active'), namespace('Active')), []);
  assert.deepEqual(validateStatusUpdate(namespace('Terminating', deleted), namespace('Active', deleted)), []);
  assert.deepEqual(validateStatusUpdate(namespace('Terminating'), namespace('Active')).map(fieldErrorText), [
    'status.phase: Invalid value: "Terminating": may only be \'Active\' if `deletionTimestamp` is empty',
  ]);
});

const event = (fields: object): Typed & Readonly<Record<string, unknown>> => ({
  apiVersion: 'events.k8s.io/v1',
  kind: 'Event',
  metadata: { name: 'e', namespace: 'default', resourceVersion: '1' },
  eventTime: '2026-01-01T00:00:00.000000Z',
  regarding: { namespace: 'default' },
  reportingController: 'a.b/c',
  reportingInstance: 'i',
  action: 'Do',
  reason: 'Why',
  type: 'Normal',
  ...fields,
});

test('validation of an Event of events.k8s.io: strict, and only the series goes on', () => {
  assert.deepEqual(validateCreate(event({})), []);
  const found = validateCreate(event({ type: 'Bad', deprecatedCount: 1, series: { count: 1 } })).map(fieldErrorText);
  assert.deepEqual(found, [
    'series.count: Invalid value: "": should be at least 2',
    'series.lastObservedTime: Required value',
    'type: Invalid value: "": has invalid value: Bad',
    'count: Invalid value: "": needs to be unset',
  ]);
  const series = { count: 2, lastObservedTime: '2026-01-01T00:00:01.000000Z' };
  assert.deepEqual(validateUpdate(event({ series }), event({})), []);
  assert.deepEqual(validateUpdate(event({ note: 'x' }), event({})).map(fieldErrorText), [
    'message: Invalid value: "x": field is immutable',
  ]);
});
