import assert from 'node:assert/strict';
import test from 'node:test';
import { defaultObject } from '#api/defaults/defaults.ts';
import { fieldErrorText } from '#api/field-error.ts';
import type { Binding, Pod } from '#api/generated/core-v1.ts';
import {
  validateBinding,
  validateEphemeralContainersUpdate,
  validatePodStatusUpdate,
  validatePodUpdate,
} from '#api/validation/pod.ts';

const podOf = (spec: object, others: object = {}): Pod =>
  defaultObject({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', namespace: 'default', uid: 'u', resourceVersion: '1' },
    spec: { containers: [{ name: 'a', image: 'x:1' }], ...spec },
    ...others,
  } as unknown as Pod);
const frozen =
  'spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)\n';
const gates = { schedulingGates: [{ name: 'g' }] };
const terms = (...keys: string[]): object => ({
  affinity: {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [{ matchExpressions: keys.map((key) => ({ key, operator: 'Exists' })) }],
      },
    },
  },
});
const tolerate = (...seconds: (number | undefined)[]): object => ({
  tolerations: seconds.map((tolerationSeconds, index) => ({
    key: `k${index}`,
    operator: 'Exists',
    effect: 'NoExecute',
    ...(tolerationSeconds === undefined ? {} : { tolerationSeconds }),
  })),
});

const table: readonly {
  readonly name: string;
  readonly from: object;
  readonly to: object;
  readonly want: readonly string[];
}[] = [
  { name: 'nothing', from: {}, to: {}, want: [] },
  { name: 'an image', from: {}, to: { containers: [{ name: 'a', image: 'y:2' }] }, want: [] },
  {
    name: 'an image away',
    from: {},
    to: { containers: [{ name: 'a', imagePullPolicy: 'IfNotPresent' }] },
    want: ['spec.containers[0].image: Required value'],
  },
  {
    name: 'an env value',
    from: { containers: [{ name: 'a', image: 'x:1', env: [{ name: 'A', value: '1' }] }] },
    to: { containers: [{ name: 'a', image: 'y:1', env: [{ name: 'A', value: '2' }] }] },
    want: [`${frozen}spec.containers[0].env[0].value: "1" -> "2"`],
  },
  {
    name: 'one more container',
    from: {},
    to: {
      containers: [
        { name: 'a', image: 'x:1' },
        { name: 'b', image: 'x:1' },
      ],
    },
    want: ['spec.containers: Forbidden: pod updates may not add or remove containers'],
  },
  { name: 'a first deadline', from: {}, to: { activeDeadlineSeconds: 9 }, want: [] },
  { name: 'a nearer deadline', from: { activeDeadlineSeconds: 9 }, to: { activeDeadlineSeconds: 8 }, want: [] },
  {
    name: 'a later deadline',
    from: { activeDeadlineSeconds: 8 },
    to: { activeDeadlineSeconds: 9 },
    want: ['spec.activeDeadlineSeconds: Invalid value: 9: must be less than or equal to previous value'],
  },
  {
    name: 'no deadline any more',
    from: { activeDeadlineSeconds: 8 },
    to: {},
    want: ['spec.activeDeadlineSeconds: Invalid value: null: must not update from a positive integer to nil value'],
  },
  { name: 'a first toleration', from: {}, to: tolerate(1), want: [] },
  { name: 'another toleration', from: tolerate(1), to: tolerate(2, 3), want: [] },
  {
    name: 'a toleration less',
    from: tolerate(1, 2),
    to: tolerate(1),
    want: ['spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds'],
  },
  { name: 'a gate less', from: gates, to: {}, want: [] },
  {
    name: 'a gate more',
    from: {},
    to: gates,
    want: ["spec.schedulingGates[0].name: Forbidden: only deletion is allowed, but found new scheduling gate 'g'"],
  },
  {
    name: 'grace from negative to 1',
    from: { terminationGracePeriodSeconds: -1 },
    to: { terminationGracePeriodSeconds: 1 },
    want: [],
  },
  {
    name: 'grace otherwise',
    from: {},
    to: { terminationGracePeriodSeconds: 1 },
    want: [`${frozen}spec.terminationGracePeriodSeconds: 30 -> 1`],
  },
  {
    name: 'the node selector',
    from: {},
    to: { nodeSelector: { a: 'b' } },
    want: [`${frozen}spec.nodeSelector: nothing -> {"a":"b"}`],
  },
  {
    name: 'a narrower choice while gated',
    from: { ...gates, ...terms('a') },
    to: { ...gates, nodeSelector: { a: 'b' }, ...terms('a', 'b') },
    want: [],
  },
  {
    name: 'a wider choice while gated',
    from: { ...gates, nodeSelector: { a: 'b' }, ...terms('a', 'b') },
    to: { ...gates, ...terms('a') },
    want: [
      'spec.nodeSelector: Invalid value: {}: only additions to spec.nodeSelector are allowed (no mutations or deletions)',
      'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0]: Invalid value: {"matchExpressions":[{"key":"a","operator":"Exists"}]}: only additions are allowed (no mutations or deletions)',
    ],
  },
  { name: 'a first choice while gated', from: gates, to: { ...gates, ...terms('a') }, want: [] },
];
for (const { name, from, to, want } of table) {
  test(`pod update: ${name}`, () => {
    assert.deepEqual(validatePodUpdate(podOf(to), podOf(from)).map(fieldErrorText), want);
  });
}

test('pod update: metadata that may not change', () => {
  const metadata = { name: 'other', namespace: 'default', uid: 'v', labels: { 'a b': '' } };
  const found = validatePodUpdate(podOf({}, { metadata }), podOf({})).map(fieldErrorText);
  assert.deepEqual(found.slice(0, 3), [
    'metadata.resourceVersion: Invalid value: "": must be specified for an update',
    'metadata.name: Invalid value: "other": field is immutable',
    'metadata.uid: Invalid value: "v": field is immutable',
  ]);
});

test('pod update: debug containers may be added, not changed', () => {
  const debug = { name: 'd', image: 'x:1' };
  const with1 = podOf({ ephemeralContainers: [debug] });
  assert.deepEqual(validateEphemeralContainersUpdate(with1, podOf({})), []);
  const [gone] = validateEphemeralContainersUpdate(podOf({}), with1);
  assert.equal(gone?.body, 'Forbidden: existing ephemeral containers "d" may not be removed\n');
  const [changed] = validateEphemeralContainersUpdate(
    podOf({ ephemeralContainers: [{ ...debug, stdin: true }] }),
    with1,
  );
  assert.match(changed?.body ?? '', /may not be changed\nstdin: nothing -> true/);
  const mirror = podOf({}, { metadata: { name: 'web', annotations: { 'kubernetes.io/config.mirror': 'x' } } });
  assert.equal(
    validateEphemeralContainersUpdate(with1, mirror)[0]?.body,
    'Forbidden: static pods do not support ephemeral containers',
  );
});

const ended = (exitCode: number): object => ({
  containerStatuses: [{ name: 'a', state: { terminated: { exitCode } } }],
});
test('pod status: a container whose own policy says so starts again', () => {
  const spec = { restartPolicy: 'Never', containers: [{ name: 'a', image: 'x:1', restartPolicy: 'OnFailure' }] };
  const of = (status: object): readonly string[] =>
    validatePodStatusUpdate(podOf(spec, { status: running }), podOf(spec, { status })).map(fieldErrorText);
  assert.deepEqual(of(ended(1)), []);
  assert.equal(of(ended(0)).length, 1);
});

const running = { containerStatuses: [{ name: 'a', state: { running: {} } }] };
const states: readonly (readonly [string, object, string, boolean])[] = [
  ['Always', ended(0), 'starts again', true],
  ['OnFailure', ended(1), 'starts again after a failure', true],
  ['OnFailure', ended(0), 'has succeeded', false],
  ['Never', ended(1), 'has failed', false],
];
for (const [restartPolicy, before, name, isRight] of states) {
  test(`pod status: under ${restartPolicy} a container that ${name}`, () => {
    const found = validatePodStatusUpdate(
      podOf({ restartPolicy }, { status: running }),
      podOf({ restartPolicy }, { status: before }),
    );
    const why = 'status.containerStatuses[0].state: Forbidden: may not be transitioned to non-terminated state';
    assert.deepEqual(found.map(fieldErrorText), isRight ? [] : [why]);
  });
}

test('pod status: node, class of service and addresses', () => {
  const status = { qosClass: 'Burstable', podIPs: [{ ip: 'x' }], hostIP: '10.0.0.1', hostIPs: [{ ip: '10.0.0.2' }] };
  const found = validatePodStatusUpdate(
    podOf({ nodeName: 'n' }, { status }),
    podOf({}, { status: { qosClass: 'BestEffort' } }),
  );
  assert.deepEqual(found.map(fieldErrorText), [
    'status.nodeName: Forbidden: may not be changed directly',
    'status.qosClass: Invalid value: "Burstable": field is immutable',
    'status.podIPs[0]: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
    'status.hostIPs[0].ip: Invalid value: "10.0.0.2": must be equal to `hostIP`',
  ]);
});

test('binding: a node, and its name', () => {
  const binding = (target: object): Binding =>
    ({ apiVersion: 'v1', kind: 'Binding', metadata: {}, target }) as unknown as Binding;
  assert.deepEqual(validateBinding(binding({ kind: 'Node', name: 'n' })), []);
  assert.deepEqual(validateBinding(binding({ kind: 'Pod' })).map(fieldErrorText), [
    'target.kind: Unsupported value: "Pod": supported values: "Node", "<empty>"',
    'target.name: Required value',
  ]);
});
