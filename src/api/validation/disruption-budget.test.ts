import assert from 'node:assert/strict';
import test from 'node:test';
import { fieldErrorText } from '#api/field-error.ts';
import { validateCreate, validateStatusUpdate, validateUpdate } from '#api/validation/validation.ts';

interface Typed {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: object;
}
const budgetOf = (parts: object, metadata: object = {}): Typed => ({
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  metadata: { name: 'x', namespace: 'default', resourceVersion: '1', ...metadata },
  ...parts,
});

const percent =
  "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')";

const specs: readonly { readonly name: string; readonly spec: object; readonly want: readonly string[] }[] = [
  { name: 'nothing said', spec: {}, want: [] },
  { name: 'a number', spec: { minAvailable: 3, selector: {} }, want: [] },
  { name: 'none', spec: { maxUnavailable: 0, selector: { matchLabels: { a: 'b' } } }, want: [] },
  { name: 'all of them', spec: { maxUnavailable: '100%', unhealthyPodEvictionPolicy: 'AlwaysAllow' }, want: [] },
  {
    name: 'both',
    spec: { minAvailable: 1, maxUnavailable: 1 },
    want: [
      'spec: Invalid value: {"minAvailable":1,"maxUnavailable":1}: minAvailable and maxUnavailable cannot be both set',
    ],
  },
  {
    name: 'less than none',
    spec: { maxUnavailable: -1 },
    want: ['spec.maxUnavailable: Invalid value: -1: must be greater than or equal to 0'],
  },
  {
    name: 'more than all',
    spec: { minAvailable: '101%' },
    want: ['spec.minAvailable: Invalid value: "101%": must not be greater than 100%'],
  },
  { name: 'no percentage', spec: { minAvailable: '5' }, want: [`spec.minAvailable: Invalid value: "5": ${percent}`] },
  {
    name: 'a policy nobody knows',
    spec: { unhealthyPodEvictionPolicy: 'Never' },
    want: [
      'spec.unhealthyPodEvictionPolicy: Unsupported value: "Never": supported values: "AlwaysAllow", "IfHealthyBudget"',
    ],
  },
  {
    name: 'a selector that means nothing',
    spec: { selector: { matchExpressions: [{ key: 'a', operator: 'In' }] } },
    want: [
      "spec.selector.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
    ],
  },
];
for (const { name, spec, want } of specs) {
  test(`disruption budget: ${name}`, () => {
    assert.deepEqual(validateCreate(budgetOf({ spec })).map(fieldErrorText), want);
    // All of it may be changed later: the rules are the same.
    assert.deepEqual(
      validateUpdate(budgetOf({ spec }), budgetOf({ spec: { minAvailable: 9 } })).map(fieldErrorText),
      want,
    );
  });
}

test('disruption budget: any name will do that can stand in a path', () => {
  const named = (name: string): readonly string[] => validateCreate(budgetOf({}, { name })).map(fieldErrorText);
  assert.deepEqual(named('My_Budget'), []);
  assert.deepEqual(named('..'), ['metadata.name: Invalid value: "..": may not be \'..\'']);
  assert.deepEqual(named('a/b%'), [
    'metadata.name: Invalid value: "a/b%": may not contain \'/\'',
    'metadata.name: Invalid value: "a/b%": may not contain \'%\'',
  ]);
});

test('disruption budget: a status has numbers that count something, and whole conditions', () => {
  const right = { type: 'A', status: 'True', reason: 'R', message: '', lastTransitionTime: '2026-01-01T00:00:00Z' };
  const faults = (status: object): readonly string[] =>
    validateStatusUpdate(budgetOf({ status }), budgetOf({})).map(fieldErrorText);
  assert.deepEqual(faults({ disruptionsAllowed: 1, conditions: [right, { ...right, type: 'B' }] }), []);
  const { lastTransitionTime: _, ...timeless } = right;
  assert.deepEqual(
    faults({
      disruptionsAllowed: -1,
      currentHealthy: -2,
      desiredHealthy: -3,
      expectedPods: -4,
      conditions: [right, { ...timeless, status: 'Maybe', reason: '-', observedGeneration: -1 }],
    }).map((each) => each.slice(0, 80)),
    [
      'status.conditions[1].type: Duplicate value: "A"',
      'status.conditions[1].status: Unsupported value: "Maybe": supported values: "False", "True", "Unknown"',
      'status.conditions[1].observedGeneration: Invalid value: -1: must be greater than or equal to zero',
      'status.conditions[1].lastTransitionTime: Required value: must be set',
      'status.conditions[1].reason: Invalid value: "-": a condition reason must start with alphabetic character',
      'status.disruptionsAllowed: Invalid value: -1: must be greater than or equal to 0',
      'status.currentHealthy: Invalid value: -2: must be greater than or equal to 0',
      'status.desiredHealthy: Invalid value: -3: must be greater than or equal to 0',
      'status.expectedPods: Invalid value: -4: must be greater than or equal to 0',
    ].map((each) => each.slice(0, 80)),
  );
});
